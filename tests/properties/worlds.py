"""Small random worlds in which everything collides: coarse minutes, few sites, borders nearby.

A world is drawn as a few tracks (fixes of one device at one site) plus *twists*, each of which adds one
of the situations that break evaluators: late uploads, conflicts, swaps, back-dated versions, outages, clock
changes. `labels` says which situations a world really holds, so that a test can count them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from hypothesis import strategies as st

from emon.domain.binding import Binding
from emon.domain.finding import Finding
from emon.domain.order import Condition, Order
from emon.domain.order import Test as PlannedTest
from emon.domain.reading import Reading, content, identity
from emon.domain.verdict import RESULTS, Verdict
from emon.domain.zone import Zone
from emon.journal.records import InputRecord
from tests.oracle.scene import (
    COUNTY,
    HOME,
    SCHOOL,
    SCHOOL_SMALLER,
    SISTER,
    Scene,
    clock,
    contact,
    day_exception,
    exclusion,
    inclusion,
    window,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]

STARTS = {  # local midnight of an ordinary day, and of the two days on which clocks change
    "ordinary": ("2026-11-24T00:00:00Z", "UTC", "2026-11-24"),
    "doubled": ("2026-11-01T05:00:00Z", "America/Chicago", "2026-11-01"),
    "missing": ("2026-03-08T06:00:00Z", "America/Chicago", "2026-03-08"),
}
LABELS = (
    "later than 24 h",
    "equal received_at",
    "conflict",
    "tie",
    "swap overlap",
    "back-dated version",
    "late leave",
    "clock change",
    "split finding",
    "merged finding",
    "feed outage",
    "own outage",
    "RF presence",
    "duplicate",
    "unbound then bound",
    "reading from the future",
    "zone version",
    "rebound",
    "suspension",
    "withdrawn",
    "late version",
    "absent",
    "unknown after",
    "order ended",
    "breath_failed",
    "breath_missed",
    "breath_incomplete",
    "breath_refused",
    "breath_not_received",
    "test_failed",
    "test_missed",
    "attendance",
    "attendance unknown",
    "tamper",
    "panic",
    "battery",
    "zone_crossing",
    "motion_without_fix",
    "charging_missed",
    "unbound",
    "curfew_accumulated",
    "alcohol_possible",
    "alcohol_confirmed",
    "alcohol_review",
    "alcohol_no_upload",
    "keep_away",
    "protected_contact_lost",
    "protected_battery",
    "protected person's new phone",
    "late fix of a protected person",
    "verdict",
    "verdict before readings",
    "verdict void",
    "verdict of several",
    "verdict rules",
)
LABEL_OF_KIND = {
    "feed_outage": "feed outage",
    "curfew_absent": "absent",
    "attendance_missed": "attendance",
    "attendance_late": "attendance",
    "attendance_left": "attendance",
    "location_lost": "attendance unknown",
}
DAY_LATE = 1500.0  # minutes: a bracelet that was docked a day later


@dataclass
class World:
    """A scene, until when it is judged (minutes), and what was put into it."""

    scene: Scene
    until: float
    twists: frozenset[str]
    labels: set[str] = field(default_factory=set)

    @property
    def records(self) -> list[InputRecord]:
        return self.scene.records()

    @property
    def until_at(self) -> int:
        return self.scene.at(self.until)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How Hypothesis prints a counterexample."""
        printer.text(f"World with {sorted(self.twists)} until minute {self.until}:\n{self.scene.story()}")


minutes = st.sampled_from([0, 1, 5, 10, 20, 29, 30, 31, 45, 60, 61, 75, 90, 100, 120, 121, 150, 180])
steps = st.sampled_from([1, 1, 5, 10, 30, 31, 55])
sites = st.sampled_from(["home", "porch", "wall", "street", "fence", "school", "school", "far", "far"])
accuracies = st.sampled_from([5.0, 5.0, 5.0, 12.0, 30.0, None])
methods = st.sampled_from(["gnss", "gnss", "gnss", "gnss", "wifi", "cell", "unknown"])
delays = st.sampled_from([0.0, 0.0, 0.0, 1.0, 0.51, 12.0, 20.0, 45.0])
holds = st.sampled_from([None, 0, 60, 300, 600])
confirms = st.sampled_from([None, None, 1, 2, 3])
hours = st.sampled_from(
    [
        ("00:30", "02:00"),
        ("00:30", "02:00"),
        ("01:00", "01:30"),
        ("23:00", "01:00"),
        ("01:30", "02:30"),
        ("00:00", "00:00"),
        ("02:30", "04:00"),
    ]
)


def _knobs(draw: Draw) -> dict[str, Any]:
    return {"confirm_fixes": draw(confirms), "hold_s": draw(holds)}


def _conditions(draw: Draw, kinds: Sequence[str]) -> list[Condition]:
    made: list[Condition] = []
    if "exclusion" in kinds:
        made.append(exclusion(buffer_m=draw(st.sampled_from([None, 40])), **_knobs(draw)))
    if "inclusion" in kinds:
        made.append(inclusion(**_knobs(draw)))
    if "curfew" in kinds:
        windows = tuple(window(*pair) for pair in draw(st.lists(hours, min_size=1, max_size=2)))
        places = draw(st.sampled_from([("home",), ("home",), ("home", "sister")]))
        where: dict[str, Any] = {"place": places[0]} if len(places) == 1 else {"places": places}
        made.append(
            Condition(
                id="curfew",
                kind="curfew",
                windows=windows,
                grace_s=draw(st.sampled_from([None, 120])),
                **where,
                **_knobs(draw),
            )
        )
    if "contact" in kinds:
        made.append(
            contact(every_s=draw(st.sampled_from([None, 1200])), hold_s=draw(st.sampled_from([None, 60])))
        )
    return made


def _breath(draw: Draw, scene: Scene, date: str) -> None:
    """Breath tests around planned ones, with confirmations that come too early, in time, or late."""
    tests = tuple(
        PlannedTest(at_s=clock(at), window_s=draw(st.sampled_from([1200, 3600, 7200])))
        for at in draw(st.sets(st.sampled_from(["00:30", "01:00", "02:30"]), max_size=2))
    )
    limits = draw(st.sampled_from([None, None, {"breath_g_210l": 0.08}]))
    _with_condition(scene, Condition(id="alcohol", kind="alcohol", tests=tests, limits=limits))
    scene.bind("B", "P", since=draw(st.sampled_from([-60, -60, 40])), role=draw(st.sampled_from([None, "alcohol"])))
    for index in range(draw(st.integers(0, 4))):
        minute = draw(minutes) + draw(st.sampled_from([0, 0.25])) + index * 0.03  # no two at one onset
        name = draw(st.sampled_from([None, f"t-{index}"]))
        arrive = minute + draw(delays)
        result = draw(st.sampled_from(["ok", "ok", "ok", "ok", "missed", "incomplete", "refused"]))
        scheduled = draw(st.sampled_from([None, minute - 7.5])) if result == "missed" else None
        value = draw(breath_values)
        scene.breath(minute, value, result=result, scheduled=scheduled, test_id=name, arrive=arrive,
                     purpose=draw(st.sampled_from([None, "random"])))
        if result == "ok" and value >= 0.02 and draw(st.booleans()):
            later = minute + draw(st.sampled_from([14, 15, 20, 30, 30.25]))
            scene.breath(later, draw(breath_values), test_id=f"c-{index}", purpose="confirmation",
                         arrive=later + draw(delays))
        if draw(st.sampled_from([False, False, True])):
            of = scene.readings[-1]
            other = draw(st.sampled_from(["ok", "missed", "incomplete", "refused"]))
            scene.readings.append(msgspec.structs.replace(
                of, result=other, brac_g_210l=draw(breath_values) if other == "ok" else None, scheduled_at=None,
                received_at=of.received_at + scene_us(draw(delays))))
    if draw(st.booleans()):
        minute = draw(minutes) + 0.1
        scene.status(minute, device="B", arrive=minute + draw(delays))


def _transdermal(draw: Draw, scene: Scene, date: str) -> None:
    """A curve through the skin, more or less like drinking, with holes, conflicts and late uploads."""
    limits = draw(st.sampled_from([None, {"gap_s": 3600.0}, {"no_upload_s": 3600.0}, {"gap_s": 7200.0}]))
    if not any(c.id == "alcohol" for c in _orders(scene)[0].conditions):
        _with_condition(scene, Condition(id="alcohol", kind="alcohol", limits=limits))
    scene.bind("T", "P", since=-60, until=draw(st.sampled_from([None, None, 150])))
    minute = draw(minutes)
    step = draw(st.sampled_from([5, 30, 30, 60, 91]))
    air = draw(st.sampled_from([False, False, False, False, True]))
    values = st.sampled_from([0.0, 0.0, 0.01, 0.02, 0.02, 0.03, 0.03, 0.05, 0.16])
    drinking = st.sampled_from([[0.0, 0.01, 0.02, 0.03, 0.03, 0.02, 0.01, 0.0, 0.0],
                                [0.0, 0.02, 0.02, 0.02, 0.0, 0.02, 0.01, 0.0, 0.0]])
    for value in draw(drinking | drinking | st.lists(values, min_size=4, max_size=10)):
        measured: dict[str, Any] = {"tac_ug_l": 200 * value} if air else {"tac_g_dl": value}
        arrive = minute + draw(delays)
        scene.reading(minute, arrive, device="T", kind="alcohol_transdermal", **measured)
        if draw(st.sampled_from([False, False, False, True])):
            scene.reading(minute, arrive + draw(delays), device="T", kind="alcohol_transdermal",
                          **dict.fromkeys(measured, 0.0))
        minute += step * draw(st.sampled_from([1, 1, 1, 2]))


def _verdict(draw: Draw, scene: Scene, date: str) -> None:
    """Analysts on a curve through the skin: before it is over, afterwards, twice, against each other, taken back."""
    if not any(r.kind == "alcohol_transdermal" for r in scene.readings):
        _transdermal(draw, scene, date)
    seen = [(r.observed_at - scene.at(0)) / 60e6 for r in scene.readings if r.kind == "alcohol_transdermal"]
    for name in draw(st.sampled_from([["V"], ["V"], ["V", "W"], ["W", "V", "U"]])):
        for version in draw(st.sampled_from([[1], [1], [2], [1, 2], [3, 1]])):
            minute = draw(st.sampled_from(seen)) + draw(st.sampled_from([0, 0, 0, -1, 1]))
            arrive = max(-60.0, minute + draw(st.sampled_from([-100_000, -30, 0, 45, 120, 300, 300, 900])))
            scene.verdict(minute, draw(st.sampled_from(RESULTS)), arrive, name=name, version=version,
                          condition=draw(st.sampled_from(["alcohol", "alcohol", "alcohol", "alcohol", "other"])),
                          void=draw(st.sampled_from([False, False, False, True])))


def _laboratory(draw: Draw, scene: Scene, date: str) -> None:
    """Samples of somebody else's last months, some told only now."""
    day = 1440
    demanded = draw(st.sampled_from([None, 1, 2]))
    ordered = Condition(id="lab", kind="substance_testing", per_month=demanded)
    how: dict[str, Any] = {"participant": "S", "time_zone": _orders(scene)[0].time_zone, "since": -60 * day}
    scene.order(ordered, until=draw(st.sampled_from([None, None, -10 * day, 20])), **how)
    if draw(st.booleans()):
        start = draw(st.sampled_from([-30 * day, -1.0, 10.0]))
        absence = (scene.leave(start, start + draw(st.sampled_from([5, day]))),)
        name = draw(st.sampled_from(["leave", "suspensions"]))
        later = msgspec.structs.replace(ordered, **{name: absence})
        scene.order(later, version=2, arrive=draw(minutes), **how)
    scene.bind("L", "S", since=-60 * day)
    results = st.sampled_from(["negative", "negative", "positive", "dilute", "refused", "missed", "pending"])
    for index in range(draw(st.integers(0, 3))):
        minute = draw(st.sampled_from([-30 * day, -20 * day, -1.0, 0.0, 30.0])) + index * 0.03
        arrive = max(minute, -60) + draw(delays)
        for _ in range(draw(st.sampled_from([1, 1, 2]))):
            name = draw(st.sampled_from([None, f"s-{index}"]))
            scene.reading(minute, arrive, device="L", kind="lab_result", result=draw(results), test_id=name)
            arrive += draw(delays)


def _device(draw: Draw, scene: Scene, date: str) -> None:
    """What the bracelet says of itself, around borders, with and without its closing event."""
    _with_condition(scene, Condition(id="device", kind="device_integrity"))
    for _ in range(draw(st.integers(1, 4))):
        minute = draw(minutes) + draw(st.sampled_from([0, 0, 0.25]))
        event = draw(device_events)
        scene.status(minute, event=event, arrive=minute + draw(delays))
        if event == "mock_location":
            later = minute + draw(st.sampled_from([5, 9.75, 10, 15]))
            scene.fix(later, draw(sites), method=draw(methods), arrive=later + draw(delays))
        elif event in CLOSING and draw(st.booleans()):
            later = minute + draw(st.sampled_from([0, 0, 0.25, 5, 30]))
            scene.status(later, event=CLOSING[event], arrive=later + draw(delays))
        if draw(st.sampled_from([False, False, True])):
            of = scene.readings[-1]
            scene.readings.append(msgspec.structs.replace(
                of, battery_fraction=draw(charges), received_at=of.received_at + scene_us(draw(delays))))
    for _ in range(draw(st.integers(0, 4))):
        minute = draw(minutes) + draw(st.sampled_from([0, 0.25]))
        scene.status(minute, event=draw(st.sampled_from(["battery", "heartbeat"])), battery_fraction=draw(charges),
                     arrive=minute + draw(delays))
    if draw(st.sampled_from([False, False, True])):
        scene.bind("D", "P", version=2, until=draw(minutes), arrive=draw(st.sampled_from([-60, 60])))


def _passing(draw: Draw, scene: Scene, date: str) -> None:
    """To and fro past the school, and through it, by fixes that lie outside or cannot tell."""
    if all(c.kind != "exclusion_zone" for c in _orders(scene)[0].conditions):
        _with_condition(scene, exclusion(buffer_m=draw(st.sampled_from([None, 30]))))
    minute, north_m = draw(minutes) + 0.0, draw(st.sampled_from([0, 0, 100, 120, 124, 126, 150, 154, 156]))
    ways = [("street", "beyond"), ("beyond", "street", "beyond"), ("street", "fence", "beyond"), ("street", "far"),
            ("home", "street", "beyond", "far")]
    for site in draw(st.sampled_from(ways)):
        how: dict[str, Any] = {"method": draw(st.sampled_from(["gnss", "gnss", "gnss", "gnss", "gnss", "wifi"])),
                               "accuracy_m": draw(st.sampled_from([5.0, 5.0, 30.0, 200.0])), "north_m": north_m}
        scene.fix(minute, site, arrive=minute + draw(delays), **how)
        if draw(st.sampled_from([False, False, False, True])):
            scene.fix(minute, draw(sites), arrive=minute + draw(delays), **how)
        minute += draw(st.sampled_from([1, 2, 4.75, 5, 5, 5.25]))
    if draw(st.sampled_from([False, True])):
        between = minute - draw(st.sampled_from([1, 3, 6, 7.5]))
        site = draw(st.sampled_from(["school", "beyond", "street", "fence"]))
        scene.fix(between, site, arrive=between + draw(delays))


def _motion(draw: Draw, scene: Scene, date: str) -> None:
    """Motion that begins and ends, now and then without a word of its end, with positions far apart."""
    if all(c.id != "device" for c in _orders(scene)[0].conditions):
        _with_condition(scene, Condition(id="device", kind="device_integrity"))
    minute = draw(minutes) + draw(st.sampled_from([0, 0, 0.25]))
    for _ in range(draw(st.integers(1, 3))):
        scene.status(minute, event="motion_start", arrive=minute + draw(delays))
        minute += draw(st.sampled_from([2, 5, 9.75, 10, 10.25, 30, 60]))
        if draw(st.sampled_from([True, True, True, False])):
            scene.status(minute, event="motion_stop", arrive=minute + draw(delays))
        minute += draw(st.sampled_from([0, 1, 30, 49.75, 50, 55]))
    for _ in range(draw(st.integers(0, 2))):
        at = minute + draw(st.sampled_from([-60, -30, -10, 0, 10, 60]))
        scene.fix(at, draw(sites), method=draw(methods), arrive=at + draw(delays))
    if draw(st.sampled_from([False, False, True])):
        scene.bind("H", "P", role="home")
        at = minute + draw(st.sampled_from([-40, 0, 40]))
        beacon = draw(st.sampled_from([None, "D", "X"]))
        scene.presence(at, draw(st.booleans()), beacon=beacon, arrive=at + draw(delays))
    if draw(st.sampled_from([False, False, True])):
        scene.bind("D", "P", version=3, until=draw(minutes), role=draw(st.sampled_from([None, "alcohol"])),
                   arrive=draw(st.sampled_from([-60, 60])))


def _charging(draw: Draw, scene: Scene, date: str) -> None:
    """Hours on the charger, in pieces, with and without a word of their end; a home unit beside, or what may be one."""
    every = draw(st.sampled_from([1.5, 2.0, 0.5]))
    _with_condition(scene, Condition(id="charge", kind="device_integrity", charge_every_h=every))
    minute = draw(st.sampled_from([-60, -30, 0, 15]))
    for _ in range(draw(st.integers(0, 4))):
        scene.status(minute, event="charging_start", arrive=minute + draw(delays))
        minute += draw(st.sampled_from([20, 30, 59.75, 60, 60.25, 90]))
        if draw(st.sampled_from([True, True, True, False])):
            scene.status(minute, event="charging_stop", arrive=minute + draw(delays))
        minute += draw(st.sampled_from([0, 1, 30, 60, 90, 120]))
    if draw(st.sampled_from([False, False, True])):
        scene.bind("C", "P", role=draw(st.sampled_from([None, None, "position", "home"])), since=draw(minutes) - 60,
                   place=draw(st.sampled_from([None, None, "home"])), until=draw(st.sampled_from([None, None, 200])))
        for _ in range(draw(st.integers(0, 2))):
            at = draw(minutes)
            scene.status(at, device="C", arrive=at + draw(delays))
        if draw(st.sampled_from([False, False, True])):
            at = draw(minutes)
            scene.presence(at, True, device="C", arrive=at + draw(delays))


def _with_condition(scene: Scene, condition: Condition) -> None:
    """The first order of all demands this too."""
    index = next(i for i, (_, v) in enumerate(scene.versions) if isinstance(v, Order))
    at, order = scene.versions[index]
    assert isinstance(order, Order)
    scene.versions[index] = (at, msgspec.structs.replace(order, conditions=(*order.conditions, condition)))


def _away(draw: Draw, scene: Scene, date: str) -> None:
    """A protected person whose phone goes where the bracelet goes, or elsewhere, a little earlier or later."""
    named = draw(st.sampled_from([{"protected_person": "V"}] * 3 + [{"protected_device": "V1"}]))
    limits = draw(st.sampled_from([None, None, {"every_s": 1800.0, "hold_s": 60.0}]))
    hours_of = draw(st.sampled_from([(), (), (), (window("00:30", "01:30"), window("02:00", "23:59"))]))
    away = Condition(id="away", kind="keep_away", distance_m=draw(st.sampled_from([300, 300, 150])), limits=limits,
                     windows=hours_of, **named, **_knobs(draw))
    _with_condition(scene, away)
    if draw(st.sampled_from([False, False, True])):
        scene.order(away, participant="Q", time_zone=_orders(scene)[0].time_zone)
    phones = ["V1"]
    if named != {"protected_device": "V1"} or draw(st.booleans()):
        swap = draw(st.sampled_from([None, None, 45, 90]))
        lap = draw(st.sampled_from([0, 0, 30]))
        scene.bind("V1", protected="V", until=None if swap is None else swap + lap)
        if swap is not None:
            scene.bind("V2", protected="V", since=swap, arrive=draw(st.sampled_from([-60, swap, swap + 40])))
            phones.append("V2")
    for _ in range(draw(st.integers(1, 3))):
        _meeting(draw, scene, phones)
    for reading in [r for r in scene.readings if r.kind == "position" and r.device == "D"]:
        if draw(st.booleans()):
            minute = (reading.observed_at - scene.at(0)) / 60e6
            _her_fix(draw, scene, draw(st.sampled_from(phones)), minute, draw(sites))
    for _ in range(draw(st.integers(0, 4))):
        minute = draw(minutes) + draw(st.sampled_from([0, 0.25]))
        scene.status(minute, device=draw(st.sampled_from(phones)), battery_fraction=draw(st.none() | charges),
                     arrive=minute + draw(delays))


def _meeting(draw: Draw, scene: Scene, phones: Sequence[str]) -> None:
    """Both at two sites for some minutes."""
    start, here, there = draw(minutes), draw(sites), draw(sites)
    phone, step = draw(st.sampled_from(phones)), draw(st.sampled_from([1, 1, 2, 10]))
    how: dict[str, Any] = {"accuracy_m": draw(accuracies), "speed_mps": draw(speeds)}
    for index in range(draw(st.integers(2, 4))):
        minute = start + index * step + 0.1
        scene.fix(minute, here, arrive=minute + draw(delays), **how)
        _her_fix(draw, scene, phone, minute, there)


def _her_fix(draw: Draw, scene: Scene, device: str, minute: float, site: str) -> None:
    minute += draw(st.sampled_from([0, 0, 0.25, -0.25, 0.5, -0.5, 1.5, -1.5, 1.51]))
    scene.fix(minute, site, device=device, accuracy_m=draw(accuracies), method=draw(methods), speed_mps=draw(speeds),
              arrive=minute + draw(delays))


speeds = st.sampled_from([None, None, 0.0, 1.0, 3.0])
CLOSING = {
    "strap_open": "strap_closed",
    "case_open": "case_closed",
    "proximity_lost": "proximity_restored",
    "shielding_start": "shielding_stop",
    "jamming_start": "jamming_stop",
}
device_events = st.sampled_from([*CLOSING, "strap_open", "strap_open", "mock_location", "mock_location", "panic"])
charges = st.sampled_from([0.0, 0.049, 0.05, 0.1, 0.149, 0.15, 0.299, 0.3, 0.9])
breath_values = st.sampled_from([0.0, 0.019, 0.02, 0.05, 0.08])
kinds_of_conditions = st.sets(
    st.sampled_from(["exclusion", "inclusion", "curfew", "contact"]), min_size=1, max_size=3
)


def _track(draw: Draw, scene: Scene, device: str) -> None:
    start, step, count = draw(minutes), draw(steps), draw(st.integers(1, 4))
    how: dict[str, Any] = {"device": device, "accuracy_m": draw(accuracies), "method": draw(methods)}
    site, delay = draw(sites), draw(delays)
    in_one_batch = draw(st.booleans())
    for index in range(count):
        minute = start + index * step
        arrive = start + (count - 1) * step + delay if in_one_batch else minute + delay
        scene.fix(minute, site, arrive=arrive, **how)


def _conflict(draw: Draw, scene: Scene, date: str) -> None:
    """Another content under the identity of a reading that is there."""
    fixes = [r for r in scene.readings if r.kind == "position"]
    if not fixes:
        return
    of = draw(st.sampled_from(fixes))
    scene.readings.append(
        msgspec.structs.replace(
            of,
            lon=draw(st.sampled_from([HOME.lon, of.lon, *(r.lon for r in fixes)])),
            method=draw(methods),
            accuracy_m=draw(accuracies),
            received_at=of.received_at + scene_us(draw(delays)),
        )
    )


def scene_us(minute: float) -> int:
    """Microseconds of minutes."""
    return round(minute * 60_000_000)


def _tie(draw: Draw, scene: Scene, date: str) -> None:
    """Equally good, elsewhere."""
    fixes = [r for r in scene.readings if r.kind == "position"]
    if fixes:
        of = draw(st.sampled_from(fixes))
        scene.readings.append(
            msgspec.structs.replace(
                of, lon=(of.lon or 0) + 0.02, received_at=of.received_at + scene_us(draw(delays))
            )
        )


def _duplicate(draw: Draw, scene: Scene, date: str) -> None:
    if scene.readings:
        of = draw(st.sampled_from(scene.readings))
        scene.readings.append(
            msgspec.structs.replace(of, seq=7, received_at=of.received_at + scene_us(draw(delays)))
        )


def _late(draw: Draw, scene: Scene, date: str) -> None:
    """The readings of some minutes come a day later, all at once."""
    start = draw(minutes)
    for index, reading in enumerate(scene.readings):
        if scene.at(start) <= reading.observed_at <= scene.at(start + 45):
            scene.readings[index] = msgspec.structs.replace(reading, received_at=scene.at(DAY_LATE + start))


def _future(draw: Draw, scene: Scene, date: str) -> None:
    if scene.readings:
        index = draw(st.integers(0, len(scene.readings) - 1))
        reading = scene.readings[index]
        scene.readings[index] = msgspec.structs.replace(
            reading, received_at=reading.observed_at - scene_us(draw(st.sampled_from([0.51, 5, 20])))
        )


def _swap(draw: Draw, scene: Scene, date: str) -> None:
    """A second device of the same person, bound while the first still is."""
    since = draw(minutes)
    scene.bind("E", "P", since=since, role=draw(st.sampled_from([None, "position"])), arrive=-60)
    for _ in range(draw(st.integers(1, 2))):
        _track(draw, scene, "E")


def _late_middle(draw: Draw, scene: Scene, date: str) -> None:
    """There, away, there again: what comes late in the middle splits one finding or merges two."""
    start = draw(minutes)
    there = "school" if any(c.kind == "exclusion_zone" for c in _orders(scene)[0].conditions) else "far"
    scene.fixes([start, start + 1, start + 20, start + 21], there)
    merges = draw(st.booleans())
    scene.fixes([start + 8, start + 12], "home", arrive=None if merges else start + 30)
    if merges:
        scene.fix(start + 10, there, arrive=start + 30)


def _demand(scene: Scene, condition: Condition) -> None:
    """One condition more in the first order."""
    index = next(i for i, (_, v) in enumerate(scene.versions) if isinstance(v, Order))
    at, first = scene.versions[index]
    assert isinstance(first, Order)
    conditions = (*first.conditions, condition)
    scene.versions[index] = (at, msgspec.structs.replace(first, conditions=conditions))


def _appointment(draw: Draw, scene: Scene, date: str) -> None:
    """An appointment at home from minute 60 on, kept, missed or something between, some of it told late."""
    length, minimum_s = draw(st.sampled_from([(90, 3600), (90, 3600), (60, 1800), (120, 5400)]))
    windows = (window("01:00", f"0{1 + length // 60}:{length % 60:02}"),)
    if draw(st.booleans()):
        windows = (*windows, window(*draw(hours)))
    _demand(
        scene, Condition(id="work", kind="attendance", place="home", windows=windows, minimum_s=minimum_s)
    )
    step = draw(st.sampled_from([19, 20, 25, 30, 31]))
    there = draw(st.sampled_from(["last", "", "first", "last", "both", "most"]))
    for minute in [*range(62, 60 + length, step), 60 + length - draw(st.sampled_from([10, 5, 11]))]:
        early, late = minute < 70, minute >= 50 + length
        home = (
            (early and there in ("first", "both"))
            or (late and there in ("last", "both"))
            or (there == "most" and not early)
        )
        delay = draw(st.sampled_from([0, 0, 0, 0, 0, 0, 0, 100]))
        scene.fix(minute, "home" if home else "far", arrive=minute + delay)


def _allowance(draw: Draw, scene: Scene, date: str) -> None:
    """A curfew that may be broken for some time a week, and a night in which it is, once or twice."""
    allowance_s = draw(st.sampled_from([600, 1200, 1800, 0, 3600]))
    windows = (window("01:00", "03:00"), window("03:30", "04:30"))
    _demand(
        scene,
        Condition(
            id="allowed", kind="curfew", place="home", windows=windows, allowance_s_per_week=allowance_s
        ),
    )
    for begin in draw(st.sampled_from([(62,), (62, 130), (90, 220), (100, 205)])):
        away, delay = draw(st.sampled_from([5, 10, 20, 30])), draw(st.sampled_from([0, 0, 0, 45]))
        scene.fixes([begin - 2], "home").fixes([begin, begin + 1], "far", arrive=begin + 1 + delay)
        scene.fixes([begin + away, begin + away + 1], "home")


def _routine(draw: Draw, scene: Scene, date: str) -> None:
    """Hours of fixes that change nothing, before, between and after those that do."""
    step, site = draw(st.sampled_from([1, 3, 10])), draw(st.sampled_from(["home", "home", "street"]))
    start, delay = draw(st.sampled_from([-50, 0, 60])), draw(st.sampled_from([0.0, 0.0, 0.51, 5.0]))
    for index in range(draw(st.sampled_from([20, 40]))):
        scene.fix(start + index * step, site, arrive=start + index * step + delay)


def _presence(draw: Draw, scene: Scene, date: str) -> None:
    scene.bind("H", "P", role="home", place=draw(st.sampled_from([None, "home"])))
    for _ in range(draw(st.integers(1, 4))):
        minute = draw(minutes)
        scene.presence(
            minute,
            draw(st.booleans()),
            beacon=draw(st.sampled_from([None, "D", "D-Q"])),
            arrive=minute + draw(delays),
        )


def _orders(scene: Scene, participant: str = "P") -> list[Order]:
    return [v for _, v in scene.versions if isinstance(v, Order) and v.id == f"O-{participant}"]


def _next_version(
    draw: Draw, scene: Scene, conditions: tuple[Condition, ...], since: float, arrive: float, **more: Any
) -> None:
    last = _orders(scene)[-1]
    scene.order(
        *conditions,
        version=last.version + 1,
        since=since,
        arrive=arrive,
        time_zone=last.time_zone,
        **{"places": last.places, **more},
    )


def _version(draw: Draw, scene: Scene, date: str) -> None:
    """Other, fewer or the same terms from some minute on; often told late."""
    conditions = list(_orders(scene)[-1].conditions)
    change = draw(st.sampled_from(["same", "knob", "drop", "add", "bigger home"]))
    places = (HOME if change != "bigger home" else msgspec.structs.replace(HOME, radius_m=150), SISTER)
    if change == "knob":
        conditions = [msgspec.structs.replace(c, hold_s=draw(st.sampled_from([0, 300]))) for c in conditions]
    elif change == "drop":
        conditions = conditions[1:]
    elif change == "add" and all(c.kind != "exclusion_zone" for c in conditions):
        conditions.append(exclusion())
    since = draw(minutes)
    arrive = max(-60, since + draw(st.sampled_from([-60, 0, 30, 100])))
    _next_version(draw, scene, tuple(conditions), since, arrive, places=places)


def _second_order(draw: Draw, scene: Scene, date: str) -> None:
    """Another court's order for the same person, judged by itself."""
    first = _orders(scene)[-1]
    conditions = _conditions(draw, sorted(draw(kinds_of_conditions)))
    scene.order(*conditions, order="S-P", time_zone=first.time_zone, since=draw(minutes), places=first.places)


def _end(draw: Draw, scene: Scene, date: str) -> None:
    since = draw(minutes)
    if draw(st.booleans()):
        _next_version(draw, scene, (), since, since + draw(st.sampled_from([-30, 0, 40])), void=True)
    else:
        _next_version(
            draw, scene, _orders(scene)[-1].conditions, -50, draw(st.sampled_from([-50, 60])), until=since
        )


def _with(conditions: tuple[Condition, ...], **more: Any) -> tuple[Condition, ...]:
    return tuple(msgspec.structs.replace(c, **more) for c in conditions)


def _leave(draw: Draw, scene: Scene, date: str) -> None:
    """Leave that is told when it is over, or before."""
    start, length = draw(minutes), draw(st.sampled_from([5, 30, 90]))
    absence = (scene.leave(start, start + length),)
    _next_version(
        draw,
        scene,
        _with(_orders(scene)[-1].conditions, leave=absence),
        -60,
        draw(st.sampled_from([-55, start + 10, start + length + 30])),
    )


def _suspension(draw: Draw, scene: Scene, date: str) -> None:
    start, length = draw(minutes), draw(st.sampled_from([5, 30, 90]))
    absence = (scene.leave(start, start + length),)
    _next_version(
        draw,
        scene,
        _with(_orders(scene)[-1].conditions, suspensions=absence),
        -60,
        draw(st.sampled_from([-55, start + length + 30])),
    )


def _exception(draw: Draw, scene: Scene, date: str) -> None:
    excepted = (day_exception(date, *draw(st.sampled_from([(), (window("00:20", "01:20"),)]))),)
    conditions = tuple(
        msgspec.structs.replace(c, exceptions=excepted) if c.kind == "curfew" else c
        for c in _orders(scene)[-1].conditions
    )
    _next_version(draw, scene, conditions, -60, draw(st.sampled_from([-55, 100])))


def _zone(draw: Draw, scene: Scene, date: str) -> None:
    since = draw(minutes)
    scene.zone(SCHOOL_SMALLER, since=since, arrive=max(-60, since + draw(st.sampled_from([-60, 0, 40]))))


def _unbound(draw: Draw, scene: Scene, date: str) -> None:
    """The first binding is only learnt later."""
    scene.versions = [
        (scene.at(draw(minutes)) if isinstance(v, Binding) and v.device == "D" else at, v)
        for at, v in scene.versions
    ]


def _rebound(draw: Draw, scene: Scene, date: str) -> None:
    """It turns out that the device was somebody else's from some minute on."""
    since, arrive = draw(minutes), draw(minutes)
    scene.order(
        *_orders(scene)[0].conditions,
        participant="Q",
        version=len(_orders(scene, "Q")) + 1,
        arrive=-60,
        time_zone=_orders(scene)[0].time_zone,
        places=_orders(scene)[0].places,
    )
    scene.bind("D", "P", version=2, takes_effect=since, void=True, arrive=arrive)
    scene.bind("D", "Q", since=since, arrive=arrive)


def _outage(draw: Draw, scene: Scene, date: str) -> None:
    """Five more devices of one feed that fall silent together, perhaps to come back."""
    silent_from = draw(st.sampled_from([10, 30, 60]))
    back = draw(st.sampled_from([None, 45, 75, 100]))
    backlog = draw(st.booleans())
    for index in range(5):
        person, device = f"M{index}", f"F{index}"
        scene.order(contact(), participant=person, since=-10)
        scene.bind(device, person, since=-10, feed=draw(st.sampled_from(["acme", None])))
        for minute in (-5, 1, silent_from - 9, silent_from - draw(st.sampled_from([0, 0, 1, 9, 11]))):
            scene.status(minute, device=device, feed="acme")
        if back is not None and (index == 0 or draw(st.booleans())):
            scene.status(back, device=device, feed="acme", arrive=back + draw(st.sampled_from([0, 0, 0.51])))
        if backlog and back is not None and index == 1:
            scene.status(silent_from + 8, device=device, feed="acme", arrive=back)


def _deaf(draw: Draw, scene: Scene, date: str) -> None:
    """We take nothing in for a while; what was sent meanwhile comes afterwards."""
    start = draw(minutes)
    end = start + draw(st.sampled_from([1, 10, 30, 60]))
    scene.deaf(start, end)
    first, last = scene.at(start), scene.at(end)
    scene.readings = [
        msgspec.structs.replace(r, received_at=last) if first < r.received_at < last else r
        for r in scene.readings
    ]
    scene.versions = [(last if first < at < last else at, v) for at, v in scene.versions]


TWISTS: dict[str, Callable[[Draw, Scene, str], None]] = {  # in the order in which they are applied
    "breath": _breath,
    "laboratory": _laboratory,
    "device": _device,
    "motion": _motion,
    "charging": _charging,
    "transdermal": _transdermal,
    "away": _away,
    "verdict": _verdict,
    "passing": _passing,
    "routine": _routine,
    "appointment": _appointment,
    "allowance": _allowance,
    "late_middle": _late_middle,
    "presence": _presence,
    "swap": _swap,
    "outage": _outage,
    "second_order": _second_order,
    "version": _version,
    "leave": _leave,
    "suspension": _suspension,
    "exception": _exception,
    "end": _end,
    "zone": _zone,
    "conflict": _conflict,
    "tie": _tie,
    "duplicate": _duplicate,
    "unbound": _unbound,
    "rebound": _rebound,
    "late": _late,
    "future": _future,
    "deaf": _deaf,
}
DUTIES = ("appointment", "allowance")  # places and people, beside zones and curfews
MEASURES = ("breath", "laboratory", "device", "motion", "charging", "transdermal", "verdict")  # beside positions


@st.composite
def worlds(
    draw: Draw, twists: Sequence[str] = tuple(TWISTS), most_twists: int = 3, always: Sequence[str] = ()
) -> World:
    """Any small world; `twists` restricts what may be put into it, `always` is put in whatever is drawn."""
    start, time_zone, date = STARTS[draw(st.sampled_from(["ordinary", "ordinary", "doubled", "missing"]))]
    scene = Scene(start=start)
    scene.order(
        *_conditions(draw, sorted(draw(kinds_of_conditions))), time_zone=time_zone, places=(HOME, SISTER)
    )
    scene.bind().zone(SCHOOL).zone(COUNTY)
    for _ in range(draw(st.integers(1, 4))):
        _track(draw, scene, "D")
    chosen = draw(st.sets(st.sampled_from(sorted(twists)), max_size=most_twists)) if twists else set()
    chosen |= set(always)
    for name, apply in TWISTS.items():
        if name in chosen:
            apply(draw, scene, date)
    return World(scene, _until(draw, scene), frozenset(chosen), labels_of_input(scene, time_zone))


def _until(draw: Draw, scene: Scene) -> float:
    instants = [r.received_at for r in scene.readings] + [at for at, _ in scene.versions]
    instants += [r.observed_at for r in scene.readings] + [o.to for o in scene.own_outages]
    return (max(instants) - scene.at(0)) / 60e6 + float(draw(st.sampled_from([0, 20, 200])))


def labels_of_input(scene: Scene, time_zone: str) -> set[str]:
    """Which situations the input itself holds."""
    found = set()
    readings = scene.readings
    versions = [(at, v) for at, v in scene.versions if isinstance(v, Order | Binding)]
    verdicts = [(at, v) for at, v in scene.versions if isinstance(v, Verdict)]
    arrivals = Counter(r.received_at for r in readings)
    by_identity: dict[object, list[Reading]] = {}
    for reading in readings:
        by_identity.setdefault(identity(reading), []).append(reading)
    contents = [[content(r) for r in group] for group in by_identity.values()]
    conditions = [c for _, v in versions if isinstance(v, Order) for c in v.conditions]
    checks = {
        "later than 24 h": any(r.received_at - r.observed_at > 86_400_000_000 for r in readings),
        "equal received_at": max(arrivals.values(), default=0) > 1,
        "conflict": any(len(set(group)) > 1 for group in contents),
        "tie": any(
            len({(r.lon, r.lat) for r in group}) > 1 and len({(r.method, r.accuracy_m) for r in group}) == 1
            for group in by_identity.values()
            if group[0].kind == "position"
        ),
        "duplicate": any(len(group) > len(set(group)) for group in contents),
        "swap overlap": {r.device for r in readings} >= {"D", "E"},
        "back-dated version": any(
            v.effective_from is not None and v.effective_from < at and v.version > 1 for at, v in versions
        ),
        "late version": any(v.version > 1 and at > scene.at(0) for at, v in scene.versions),
        "late leave": any(
            at > absence.from_
            for at, v in versions
            if isinstance(v, Order)
            for c in v.conditions
            for absence in c.leave
        ),
        "suspension": any(c.suspensions for c in conditions),
        "clock change": time_zone != "UTC" and any(c.windows for c in conditions),
        "own outage": bool(scene.own_outages),
        "RF presence": any(r.kind == "presence" for r in readings),
        "unbound then bound": any(
            isinstance(v, Binding) and v.version == 1 and v.device == r.device and r.received_at < at
            for at, v in versions
            for r in readings
        ),
        "rebound": any(isinstance(v, Binding) and v.void for _, v in versions),
        "reading from the future": any(r.observed_at > r.received_at for r in readings),
        "protected person's new phone": any(r.device == "V2" for r in readings),
        "late fix of a protected person": any(
            r.device.startswith("V") and r.kind == "position" and r.received_at > other.received_at
            and abs(r.observed_at - other.observed_at) <= 90_000_000
            for r in readings
            for other in readings
            if other.device == "D"
        ),
        "verdict": bool(verdicts),
        "verdict before readings": any(at < (v.at or 0) for at, v in verdicts),
        "verdict void": any(v.void for _, v in verdicts),
        "verdict of several": len({v.id for _, v in verdicts if not v.void}) > 1,
        "zone version": any(isinstance(v, Zone) and v.version > 1 for _, v in scene.versions),
    }
    found |= {label for label, holds in checks.items() if holds}
    return found


def labels_of_output(lines: Sequence[Finding]) -> set[str]:
    """Which situations came to be while judging."""
    by_revision: dict[str, list[Finding]] = {}
    for line in lines:
        by_revision.setdefault(line.finding_id, []).append(line)
    found = set()
    for line in lines:
        if line.reason.startswith("analyst_"):
            found.add("verdict rules")
        if line.merged_into is not None:
            found.add("merged finding")
        if line.status == "withdrawn":
            found.add("withdrawn")
        found |= {
            label
            for kind, label in LABEL_OF_KIND.items()
            if line.kind == kind and (kind != "location_lost" or line.condition == "work")
        }
        found |= {
            label
            for reason, label in (
                ("unknown_after", "unknown after"), ("order_ended", "order ended"), ("unbound", "unbound"))
            if line.reason == reason
        }
        found |= {line.kind} & set(LABELS)
        if line.revision == 1 and _born_of_a_split(line, by_revision):
            found.add("split finding")
    return found


def _born_of_a_split(new: Finding, by_id: dict[str, list[Finding]]) -> bool:
    """Whether contrary fixes that came after the new finding's own cut an older one before its onset."""

    def key(line: Finding) -> tuple[str | None, ...]:
        return (line.participant, line.order, line.condition, line.family)

    own = min((r["received_at"] for r in new.evidence["readings"]), default=None)
    return own is not None and any(
        line.decided_at == new.decided_at
        and line.revision > 1
        and line.status == "closed"
        and key(line) == key(new)
        and (line.ended or 0) <= new.onset
        and line.received_at is not None
        and line.received_at > own
        for history in by_id.values()
        for line in history
    )
