"""A whole simulated world from one seed: people, zones, orders, bindings, devices, and what really happens.

`build` lays everything out; `World.write` puts the documents and the truth on file, `World.source` makes the
readings. Same seed, participants and start: same world, byte for byte.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from emon.domain import instant
from simulators import documents, scenarios
from simulators.city import Area, county
from simulators.devices import Source
from simulators.land import Land
from simulators.plan import BEGIN_S, Device, Document, Plan
from simulators.scenarios import FLEET, LAB, MAIN, ORDINARY, POCKET, SCENARIOS, UNITS, Scenario

DAYS: Final = 30
"""So many days are laid out: more than a demo of six hours at a hundred times real time."""
EFFECTIVE_S: Final = -120.0
"""Orders begin two minutes before the start: whoever sets up has so long before silence counts."""
MIN_OUTAGE_MEMBERS: Final = 5
CARRIERS: Final = ("northstar", "prairie", "capitol")
UPLOADS_S: Final = (0.0, 0.0, 60.0, 60.0, 300.0)  # at once, or batches of one and five minutes
DEFAULT_PARTICIPANTS: Final = 100
LAB_DEVICES: Final = 4  # a feed of five would be an outage whenever nobody was tested for ten minutes


class Feed(NamedTuple):
    """A vendor's feed: its wire format and what its operator has to set."""

    id: str
    adapter: str
    settings: dict[str, str]


FEEDS: Final = (
    Feed(MAIN, "native", {}),
    Feed(FLEET, "traccar", {}),
    Feed(POCKET, "owntracks", {"assume_method": "gnss", "device_from": "device"}),
    Feed(UNITS, "native", {}),
    Feed(LAB, "csv_export", {}),
)


@dataclass(frozen=True, slots=True)
class World:
    """What `build` laid out."""

    seed: int
    start_us: int
    plans: tuple[Plan, ...] = field(repr=False)
    areas: tuple[Area, ...] = field(repr=False)
    outages: dict[str, tuple[tuple[float, float], ...]] = field(repr=False)
    feeds: tuple[Feed, ...] = FEEDS

    def source(self) -> Source:
        """All readings from the beginning, chunk by chunk; each call starts anew."""
        return Source(self.seed, self.start_us, self.plans, self.outages)

    def orders(self) -> list[Document]:
        """Order documents, later versions with their `received_at`."""
        return [document for plan in self.plans for document in documents.orders(plan, self.start_us)]

    def amendments(self) -> list[tuple[int, Document]]:
        """(arrival in microseconds UTC, order document) of versions that arrive after the start, in order."""
        late = [(instant.parse(document["received_at"]), document) for document in self.orders()
                if "received_at" in document]
        return sorted(late, key=lambda pair: pair[0])

    def zones(self) -> Document:
        """All zones as one GeoJSON FeatureCollection."""
        return {"type": "FeatureCollection", "features": [area.feature() for area in self.areas]}

    def people(self) -> list[Document]:
        """Officers, a supervisor and the participants."""
        return documents.people(self.plans)

    def bindings(self) -> list[Document]:
        """Binding documents (orders name no devices: they change without a court)."""
        return [document for plan in self.plans for document in documents.bindings(plan, self.start_us)]

    def write(self, folder: Path, *, truth_until_us: int | None = None) -> None:
        """Writes orders/, bindings/, zones/, people/ and truth.json (three hours unless told)."""
        from simulators.truth import establish

        documents.write(folder, self.orders(), self.zones(), self.people(), self.bindings())
        until_us = self.start_us + 3 * instant.HOUR if truth_until_us is None else truth_until_us
        establish(self, until_us).write(folder / "truth.json")


def default_start(seed: int) -> int:
    """19:30 in Madison on a September day that the seed chooses; clocks do not change for a month."""
    day = datetime(2026, 9, 7, 19, 30, tzinfo=ZoneInfo(documents.TIME_ZONE)) + timedelta(days=seed % 21)
    return instant.from_datetime(day)


def build(seed: int, participants: int = DEFAULT_PARTICIPANTS, start_us: int | None = None) -> World:
    """The world of a seed. `start_us` must be 19:30 local for the scenarios to make sense."""
    start_us = default_start(seed) if start_us is None else start_us
    rng = np.random.default_rng([seed, participants])
    land = Land(rng)
    cast = _cast(participants)
    rng.shuffle(cast)
    led = [_participant(i, scenario, land) for i, scenario in enumerate(cast)]
    plans = (*led, *_protected(led))
    _limit_laboratory(plans)
    for plan in plans:
        _more_zones(plan, land)
    fleet = [p for p in plans if p.devices[0].feed == FLEET]
    outages: dict[str, tuple[tuple[float, float], ...]] = {}
    if len(fleet) >= MIN_OUTAGE_MEMBERS:
        low, high = scenarios.OUTAGE_MIN
        outages[FLEET] = tuple((d * 86_400 + low * 60, d * 86_400 + high * 60) for d in range(DAYS))
    return World(seed, start_us, plans, (county(), *land.areas), outages)


def _cast(participants: int) -> list[Any]:
    """Who lives which scenario: shares of a hundred, at least one each, in order of importance."""
    cast: list[Scenario] = []
    for scenario in SCENARIOS:
        count = max(1, round(scenario.share * participants / 100))
        cast += [scenario] * min(count, participants - len(cast))
    return cast + [ORDINARY] * (participants - len(cast))


def _participant(index: int, scenario: Scenario, land: Land) -> Plan:
    home = land.spot()
    number = index + 1
    plan = Plan(index, f"P-{number:04d}", f"WI-2026-{number:06d}", documents.name(index), scenario.name,
                home, land.work(home), EFFECTIVE_S)
    plan.supervision = ("medium", "medium", "low", "high")[int(land.rng.integers(4))]
    plan.network = scenario.feed != POCKET  # a phone's app says no method, so it is set to GPS alone
    plan.devices = _devices(plan, scenario, land)
    for terms in scenario.terms:
        terms(plan, land)
    for device in plan.devices:
        device.from_s = plan.effective_s if device.from_s is None else device.from_s
    plan.begin(plan.work if scenario.starts_at_work else plan.home)
    if scenario.starts_at_work:
        plan.stay(float(land.rng.uniform(-30, -12)) * 60)
        plan.go(plan.home, 8.0)
    for day in range(DAYS):
        t0 = day * 86_400.0
        if day:
            _working_day(plan, land, t0)
        scenario.evening(plan, land, t0)
    plan.stay(DAYS * 86_400.0)
    plan.seal()
    return plan


def _protected(plans: list[Plan]) -> list[Plan]:
    """The people whom orders keep away from; they stay at home."""
    found = [plan.protects for plan in plans if plan.protects is not None]
    for number, person in enumerate(found):
        person.index = len(plans) + number
        person.stay(DAYS * 86_400.0)
        person.seal()
    return found


def _working_day(plan: Plan, land: Land, t0: float) -> None:
    """Out at half past seven, home by six, before the evening of `t0`."""
    leave = t0 - 12 * 3600 + float(land.rng.uniform(-10, 30)) * 60
    plan.visit(plan.work, leave, t0 - 2 * 3600 + float(land.rng.uniform(-15, 15)) * 60)


def _devices(plan: Plan, scenario: Scenario, land: Land) -> list[Device]:
    number, rng = plan.index + 1, land.rng
    carrier = "northstar" if scenario.name == "dead_carrier" else CARRIERS[int(rng.integers(1, 3))]
    upload = 0.0 if scenario.name != "ordinary" else UPLOADS_S[int(rng.integers(len(UPLOADS_S)))]
    tracker = Device(_tracker_id(scenario.feed, number), scenario.feed, "position", "fixes", upload_s=upload,
                     clock_drift_s=int(rng.integers(-3, 4)), carrier=carrier,
                     tells_status=scenario.feed != POCKET)
    unit = Device(f"HOME-{number:04d}", UNITS, "home", "presence", beacon=tracker.id)
    bracelet = Device(f"TAC-{number:04d}", MAIN, "alcohol", "transdermal")
    match scenario.equipment:
        case "unit":
            unit.beacon = None
            return [unit]
        case "transdermal":
            return [bracelet]
        case "gps+unit":
            return [tracker, unit]
        case "gps+transdermal":
            return [tracker, bracelet]
        case "gps+breath":
            return [tracker, Device(f"BREATH-{number:04d}", MAIN, "alcohol", "breath")]
        case "gps+laboratory":
            return [tracker, Device(f"LAB-{number:04d}", LAB, "other", "laboratory")]
        case _:
            return [tracker]


def _tracker_id(feed: str, number: int) -> str:
    match feed:
        case scenarios.FLEET:
            return f"35615359{number:07d}"
        case scenarios.POCKET:
            return f"pocket-{number:04d}"
        case _:
            return f"LAKE-{number:04d}"


def _limit_laboratory(plans: tuple[Plan, ...]) -> None:
    """Only so many are sent to the laboratory, of each scenario one before a second."""
    sent: list[tuple[int, int, Plan]] = []
    turns: Counter[str] = Counter()
    for plan in plans:
        if any(device.sends == "laboratory" for device in plan.devices):
            sent.append((turns[plan.scenario], plan.index, plan))
            turns[plan.scenario] += 1
    for _, _, plan in sorted(sent, key=lambda one: one[:2])[LAB_DEVICES:]:
        plan.devices = [device for device in plan.devices if device.sends != "laboratory"]
        plan.tests.clear()
        plan.happenings.clear()


def _more_zones(plan: Plan, land: Land) -> None:
    """Up to two shared zones that the participant never comes near."""
    if plan.devices[0].sends != "fixes":
        return
    for area in land.elsewhere(plan, int(land.rng.integers(1, 3))):
        scenarios.exclude(plan, land, area)


__all__ = ["BEGIN_S", "FEEDS", "Feed", "World", "build", "default_start"]
