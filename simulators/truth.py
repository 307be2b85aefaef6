"""Ground truth: what really happened, from paths and devices, in intervals that findings are held against.

A breach is true where the path is on the wrong side of the border (or nothing was measured for too long),
whether or not a device could show it. It is `clear` where it must be found under the order's own knobs: at
least three good fixes (gnss, error within the claimed accuracy, at least three accuracies and 30 m deep, at
least 15 s apart within 30 min) with nothing to the contrary among them and up to the end of hold and grace.
`findable_at` is when the last thing needed for that was sent; before it nobody can know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from emon.domain import instant
from simulators import happenings
from simulators.devices import Emission
from simulators.duty import Span, stretches
from simulators.evidence import Signals, Track, earliest, pairs, track
from simulators.ground import Floats, depth_m
from simulators.happenings import Known
from simulators.plan import Document, Innocent, Plan
from simulators.silence import Silence, contact_breaches, outages

if TYPE_CHECKING:
    from simulators.world import World

KINDS: Final = frozenset({"exclusion_zone", "zone_crossing", "inclusion_zone", "curfew_left", "curfew_late",
                          "curfew_absent", "curfew_accumulated", "contact_lost", "location_lost", "feed_outage",
                          "attendance_missed", "attendance_late", "attendance_left", "tamper", "panic", "battery",
                          "alcohol_possible", "alcohol_confirmed", "alcohol_review", "alcohol_no_upload",
                          "breath_failed", "breath_missed", "breath_incomplete", "breath_refused",
                          "breath_not_received", "test_failed", "test_missed", "keep_away",
                          "protected_contact_lost", "protected_battery", "motion_without_fix", "charging_missed"})
"""What this truth knows about; findings of other kinds are not judged by it."""
RESOLUTION_S: Final = 1.0
LOOK_AHEAD_S: Final = 900.0
"""Readings observed so long after the end are made too, so that the end itself is no silence."""


class Breach(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One true interval; instants are microseconds UTC, `to` None: still so at the end."""

    participant: str | None
    order: str | None
    condition: str | None
    kind: str
    from_: int
    to: int | None
    feed: str | None = None
    depth_m: float | None = None
    clear: bool = False
    findable_at: int | None = None


class LookAlike(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Innocent, whatever it looks like. Until `settles_at` the system cannot know."""

    participant: str
    why: str
    family: str
    from_: int
    to: int
    settles_at: int | None = None


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, up to `until`."""

    seed: int
    start: int
    until: int
    kinds: tuple[str, ...]
    breaches: tuple[Breach, ...]
    innocents: tuple[LookAlike, ...]

    def write(self, path: Path) -> None:
        """As JSON with RFC 3339 instants."""
        value = msgspec.json.encode(_outside(msgspec.to_builtins(self)))
        path.write_bytes(msgspec.json.format(value, indent=1))


_INSTANTS = ("start", "until", "from_", "to", "findable_at", "settles_at")


def read(path: Path) -> Truth:
    """Inverse of `Truth.write`. Raises msgspec.ValidationError, msgspec.DecodeError or domain Fault."""
    return msgspec.convert(_inside(msgspec.json.decode(path.read_bytes())), Truth)


def establish(world: World, until_us: int) -> Truth:
    """The truth of a world from its start to `until_us`."""
    until_s = (until_us - world.start_us) / 1e6
    emissions = world.source().until(until_s + LOOK_AHEAD_S)
    by_participant: dict[int, list[Emission]] = defaultdict(list)
    for emission in emissions:
        by_participant[emission.participant].append(emission)
    ledger = _Ledger(world.start_us, until_s)
    feed_silence = outages(world, emissions, until_s)
    for feed, silences in feed_silence.items():
        for silence in silences:
            ledger.silence(None, None, "feed_outage", silence, feed=feed)
    for plan in world.plans:
        _participant(ledger, plan, by_participant[plan.index], feed_silence)
        if plan.protects is not None:
            her = plan.protects
            _apart(ledger, plan, her, track(plan, by_participant[plan.index]), track(her, by_participant[her.index]))
    innocents = tuple(ledger.innocent(plan, i) for plan in world.plans for i in plan.innocents
                      if i.from_s < until_s)
    found = sorted(ledger.breaches, key=lambda b: (b.from_, b.participant or "", b.kind))
    return Truth(seed=world.seed, start=world.start_us, until=until_us, kinds=tuple(sorted(KINDS)),
                 breaches=tuple(found), innocents=innocents)


class _Ledger:
    """Collects what is true, turning seconds into instants."""

    def __init__(self, start_us: int, until_s: float) -> None:
        self.start_us, self.until_s = start_us, until_s
        self.breaches: list[Breach] = []

    def us(self, seconds: float) -> int:
        return self.start_us + round(seconds * 1e6)

    def breach(self, plan: Plan | None, condition: str | None, kind: str, span: Span | Silence, *,
               findable_s: float | None, clear: bool, depth: float | None = None,
               feed: str | None = None) -> None:
        self.breaches.append(Breach(
            participant=plan.id if plan else None, order=plan.order if plan else None, condition=condition,
            kind=kind, feed=feed, from_=self.us(span.from_s),
            to=None if span.to_s >= self.until_s else self.us(span.to_s),
            depth_m=None if depth is None else round(depth, 1), clear=clear,
            findable_at=None if findable_s is None else self.us(findable_s)))

    def crossing(self, plan: Plan, condition: Document, kind: str, span: Span, depth: float, signals: Signals,
                 duty: Span | None = None) -> bool:
        findable = earliest(signals, span, condition, duty=duty)
        self.breach(plan, condition["id"], kind, span, findable_s=findable, clear=findable is not None,
                    depth=depth)
        return findable is not None

    def known(self, plan: Plan, found: Iterable[Known]) -> None:
        for one in found:
            self.breach(plan, one.condition, one.kind, Span(one.from_s, one.to_s),
                        findable_s=one.known_s if one.clear else None, clear=one.clear)

    def silence(self, plan: Plan | None, condition: str | None, kind: str, silence: Silence, *,
                feed: str | None = None) -> None:
        self.breach(plan, condition, kind, silence, findable_s=silence.due_s, clear=silence.clear, feed=feed)

    def innocent(self, plan: Plan, one: Innocent) -> LookAlike:
        return LookAlike(participant=plan.id, why=one.why, family=one.family, from_=self.us(one.from_s),
                         to=self.us(one.to_s),
                         settles_at=None if one.settles_s is None else self.us(one.settles_s))


def _participant(ledger: _Ledger, plan: Plan, emissions: list[Emission],
                 feed_silence: dict[str, list[Silence]]) -> None:
    seen = track(plan, emissions)
    t = np.arange(plan.effective_s, ledger.until_s, RESOLUTION_S)
    for condition in _final_conditions(plan):
        match condition["kind"]:
            case "exclusion_zone" | "inclusion_zone":
                _zone(ledger, plan, condition, seen, t)
            case "curfew":
                _curfews(ledger, plan, condition, seen, t)
            case "contact":
                for kind, silence in contact_breaches(plan, condition, seen, ledger.until_s, feed_silence):
                    ledger.silence(plan, condition["id"], kind, silence)
            case "attendance":
                ledger.known(plan, happenings.appointments(plan, condition, seen, ledger.start_us, ledger.until_s))
            case "alcohol":
                ledger.known(plan, happenings.skin(plan, condition, emissions, ledger.until_s))
            case "device_integrity" | "substance_testing" | "keep_away":
                pass  # only what is told of it, or what concerns two people
            case other:
                raise AssertionError(f"no truth for conditions of kind {other}")
    ledger.known(plan, happenings.told(plan, ledger.until_s))


def _curfews(ledger: _Ledger, plan: Plan, condition: Document, seen: Track, t: Floats) -> None:
    signals = seen.away_from(plan.home, plan.home_radius_m)
    x, y = plan.at(t)
    away = np.hypot(x - plan.home[0], y - plan.home[1]) - plan.home_radius_m
    spent: list[tuple[Span, bool]] = []
    for duty in stretches(condition, ledger.start_us, plan.effective_s, ledger.until_s):
        spent += _curfew(ledger, plan, condition, duty, t, away, signals)
    if "allowance_s_per_week" in condition:
        ledger.known(plan, happenings.used_up(plan, condition, spent, ledger.start_us, ledger.until_s))


def _zone(ledger: _Ledger, plan: Plan, condition: Document, seen: Track, t: Floats) -> None:
    x, y = plan.at(t)
    exclusion = condition["kind"] == "exclusion_zone"
    sign = 1.0 if exclusion else -1.0
    shape = (plan.exclusions if exclusion else plan.inclusions)[condition["id"]]
    spans = _runs(t, _wrong_side(shape, x, y, sign))
    signals = seen.against(shape, sign) if spans else None
    for span in spans:
        assert signals is not None
        inside = (t >= span.from_s) & (t < span.to_s)
        depth = float(np.max(depth_m(shape, x[inside], y[inside]) * sign))
        ledger.crossing(plan, condition, condition["kind"], span, depth, signals)


def _curfew(ledger: _Ledger, plan: Plan, condition: Document, duty: Span, t: Floats, away: Floats,
            signals: Signals) -> Iterator[tuple[Span, bool]]:
    """Notes what is true of one stretch; yields what of it is late or left, and whether that is clear."""
    within = (t >= duty.from_s) & (t < duty.to_s)
    at_home = within & (away <= 0)
    for span in _runs(t, within & (away > 0)):
        never = not at_home.any() and duty.to_s <= ledger.until_s
        left = bool((at_home & (t < span.from_s)).any())
        kind = "curfew_left" if left else "curfew_absent" if never else "curfew_late"
        depth = float(np.max(away[(t >= span.from_s) & (t < span.to_s)]))
        clear = ledger.crossing(plan, condition, kind, span, depth, signals, duty)
        if kind != "curfew_absent":
            yield span, clear


def _apart(ledger: _Ledger, plan: Plan, her: Plan, seen: Track, hers: Track) -> None:
    """Being too close to a protected person, and her device's silence."""
    condition = next(c for c in plan.conditions if c["kind"] == "keep_away")
    t = np.arange(plan.effective_s, ledger.until_s, RESOLUTION_S)
    (x, y), (her_x, her_y) = plan.at(t), her.at(t)
    metres = np.hypot(x - her_x, y - her_y)
    signals = pairs(seen, hers, condition["distance_m"])
    for span in _runs(t, metres < condition["distance_m"]):
        within = (t >= span.from_s) & (t < span.to_s)
        depth = condition["distance_m"] - float(np.min(metres[within]))
        ledger.crossing(plan, condition, "keep_away", span, depth, signals)
    patience = {"every_s": 600.0, "hold_s": 300.0, "id": condition["id"]}
    for kind, silence in contact_breaches(her, patience, hers, ledger.until_s, {}):
        if kind == "contact_lost":
            ledger.silence(plan, condition["id"], "protected_contact_lost", silence)


def _wrong_side(shape: Any, x: Any, y: Any, sign: float) -> Any:
    west, south, east, north = shape.bounds
    inside = (x > west) & (x < east) & (y > south) & (y < north)
    if inside.any():
        inside[inside] = depth_m(shape, x[inside], y[inside]) > 0
    return inside if sign > 0 else ~inside


def _final_conditions(plan: Plan) -> Sequence[Document]:
    """Conditions of the last version: what leave is told in the end."""
    conditions = {c["id"]: dict(c) for c in plan.conditions}
    for amendment in plan.amendments:
        for name, changes in amendment.changes.items():
            conditions[name].update(changes)
    return list(conditions.values())


def _runs(t: Any, flags: Any) -> list[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [Span(float(t[a]), float(t[b - 1]) + RESOLUTION_S) for a, b in edges.reshape(-1, 2).tolist()]


def _outside(value: Any) -> Any:
    if isinstance(value, dict):
        return {k.rstrip("_"): instant.iso(v) if k in _INSTANTS and v is not None else _outside(v)
                for k, v in value.items()}
    return [_outside(v) for v in value] if isinstance(value, (list, tuple)) else value


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        renamed = {"from_" if k == "from" else k: v for k, v in value.items()}
        return {k: instant.parse(v) if k in _INSTANTS and v is not None else _inside(v)
                for k, v in renamed.items()}
    return [_inside(v) for v in value] if isinstance(value, list) else value
