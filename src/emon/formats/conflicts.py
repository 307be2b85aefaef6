"""Conditions that cannot all be kept, told in words: a curfew's place inside a zone that is forbidden meanwhile.

Nothing here is a fault: each condition is judged by itself, as it stands. But whoever wrote them should know
before somebody is accused of what nobody could have done otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final, NamedTuple

import shapely
from shapely import Geometry

from emon.domain import instant, schedule, versions
from emon.domain.instant import SECOND
from emon.domain.order import Condition, Order, Place
from emon.domain.versions import ALWAYS, NEVER, Span
from emon.domain.zone import Zone
from emon.formats.ground import Ground, enclosed_by
from emon.limits import CONFLICT_SPAN

_ANY_MONDAY: Final = 1704067200 * SECOND  # for orders without a beginning: weekly windows look alike every week
Times = list[tuple[int, int]]


class Conflict(NamedTuple):
    """`condition`: its place in the order version."""

    order: Order
    condition: int
    reason: str


class Demand(NamedTuple):
    """A condition for as long as one order version is in force. `times`: when it is judged, of the first weeks."""

    order: Order
    at: int
    condition: Condition
    times: Times

    @property
    def name(self) -> str:
        """As an officer would call it."""
        return f"{self.condition.id} ({self.condition.kind})"

    @property
    def places(self) -> list[Place]:
        """Places that it names."""
        names = self.condition.places or ((self.condition.place,) if self.condition.place else ())
        return [place for place in self.order.places if place.id in names]


def conflicts(orders: Iterable[Order], zones: Iterable[Zone]) -> Iterator[Conflict]:
    """All that contradict each other, participant by participant."""
    spans = _zone_spans(zones)
    of_participant: dict[str, dict[str, list[Order]]] = {}
    for order in orders:
        of_participant.setdefault(order.participant, {}).setdefault(order.id, []).append(order)
    for known in of_participant.values():
        demands = [demand for versions_ in known.values() for demand in _demands(versions_)]
        for one, other in combinations(demands, 2):
            yield from _between(one, other, spans)
        yield from _unreachable(demands, spans)


def _demands(known: Sequence[Order]) -> Iterator[Demand]:
    for span in versions.ruling(known):
        begin = span.from_ if span.from_ > ALWAYS else min(_ANY_MONDAY, span.until - CONFLICT_SPAN)
        end = min(span.until, begin + CONFLICT_SPAN)
        for at, condition in enumerate(span.item.conditions):
            yield Demand(span.item, at, condition, _times(span.item, condition, begin, end))


def _times(order: Order, condition: Condition, begin: int, end: int) -> Times:
    if condition.windows or condition.kind in ("curfew", "attendance"):
        raw = schedule.stretches(condition.windows, condition.exceptions, order.time_zone, begin, end)
        spans = schedule.clip(raw, begin, end)
    else:
        spans = [(begin, end)]
    return schedule.subtract(spans, [(a.from_, a.to) for a in (*condition.leave, *condition.suspensions)])


def _zone_spans(zones: Iterable[Zone]) -> dict[str, list[Span[Zone]]]:
    known: dict[str, list[Zone]] = {}
    for zone in zones:
        known.setdefault(zone.id, []).append(zone)
    return {name: versions.ruling(of_name) for name, of_name in known.items()}


def _between(one: Demand, other: Demand, zones: dict[str, list[Span[Zone]]]) -> Iterator[Conflict]:
    """What contradicts between two conditions; told at the one that stands later."""
    kinds = {one.condition.kind: one, other.condition.kind: other}
    reason: str | None = None
    there = kinds.get("curfew") or kinds.get("attendance")
    if there is not None and there.places:
        if "exclusion_zone" in kinds:
            reason = _forbidden(there, kinds["exclusion_zone"], zones)
        elif "inclusion_zone" in kinds:
            reason = _outside(there, kinds["inclusion_zone"], zones)
        elif "attendance" in kinds and "curfew" in kinds:
            reason = _no_time(kinds["attendance"], kinds["curfew"])
        elif one.condition.kind == other.condition.kind == "curfew":
            reason = _two_places(one, other)
    elif kinds.keys() == {"exclusion_zone", "inclusion_zone"}:
        reason = _nowhere(kinds["inclusion_zone"], kinds["exclusion_zone"], zones)
    if reason is not None:
        yield Conflict(other.order, other.at, reason)


def _forbidden(there: Demand, zone: Demand, zones: dict[str, list[Span[Zone]]]) -> str | None:
    ground = Ground((there.places[0].lon, there.places[0].lat))
    for shape, when in _shapes(zone, zones, ground, there.times):
        circles = [ground.place(place) for place in there.places]
        if all(shape.contains(circle) for circle in circles):
            return (f"{there.name} wants {_named(there)}, which lies inside zone {zone.condition.zone} that "
                    f"{zone.name} forbids at the same time, first {when}: nobody can keep both")
        shares = [shape.intersection(circle).area / circle.area for circle in circles]
        if all(share > 0 for share in shares):
            return (f"{there.name} wants {_named(there)}, {max(1, round(100 * min(shares)))} % of which lies inside "
                    f"zone {zone.condition.zone} that {zone.name} forbids at the same time, first {when}: whoever is "
                    "there may be found in the zone")
    return None


def _outside(there: Demand, zone: Demand, zones: dict[str, list[Span[Zone]]]) -> str | None:
    ground = Ground((there.places[0].lon, there.places[0].lat))
    for shape, when in _shapes(zone, zones, ground, there.times):
        if not any(shape.intersects(ground.place(place)) for place in there.places):
            return (f"{there.name} wants {_named(there)}, which lies outside zone {zone.condition.zone} that "
                    f"{zone.name} does not let anybody leave at the same time, first {when}: nobody can keep both")
    return None


def _nowhere(inside: Demand, outside: Demand, zones: dict[str, list[Span[Zone]]]) -> str | None:
    for span in zones.get(inside.condition.zone or "", []):
        ground = Ground(_middle(span.item))
        allowed = ground.zone(span.item, inside.condition.buffer_m or 0.0)
        for shape, when in _shapes(outside, zones, ground, schedule.clip(inside.times, span.from_, span.until)):
            if shape.contains(allowed):
                return (f"zone {inside.condition.zone} of {inside.name} lies inside zone {outside.condition.zone} that "
                        f"{outside.name} forbids at the same time, first {when}: there is nowhere to be")
    return None


def _no_time(appointment: Demand, curfew: Demand) -> str | None:
    if not _apart(appointment, curfew):
        return None
    minimum = round((appointment.condition.minimum_s or 0) * SECOND)
    for window in appointment.times:
        free = schedule.subtract([window], curfew.times)
        if max((end - begin for begin, end in free), default=0) < max(minimum, 1):
            return (f"{appointment.name} wants {_named(appointment)} from {instant.iso(window[0])} to "
                    f"{instant.iso(window[1])}, when {curfew.name} wants {_named(curfew)}: without leave "
                    "nobody can keep both")
    return None


def _two_places(one: Demand, other: Demand) -> str | None:
    both = _common(one.times, other.times)
    if not both or not _apart(one, other):
        return None
    return (f"{one.name} wants {_named(one)} and {other.name} wants {_named(other)} at the same time, first "
            f"{_span(both[0])}: nobody can be at both")


def _apart(one: Demand, other: Demand) -> bool:
    """Whether nobody can be at a place of each at once."""
    if not one.places or not other.places:
        return False
    ground = Ground((one.places[0].lon, one.places[0].lat))
    return not any(ground.place(a).intersects(ground.place(b)) for a in one.places for b in other.places)


def _unreachable(demands: Sequence[Demand], zones: dict[str, list[Span[Zone]]]) -> Iterator[Conflict]:
    """Appointments behind zones that leave no way from where somebody lives."""
    forbidden = [d for d in demands if d.condition.kind == "exclusion_zone"]
    for there in (d for d in demands if d.condition.kind == "attendance" and d.places):
        homes = [place for d in demands if d.condition.kind == "curfew" for place in d.places] or list(
            there.order.places[:1])
        ground = Ground((there.places[0].lon, there.places[0].lat))
        for window in there.times[:1]:
            walls = {d.name: [shape for shape, _ in _shapes(d, zones, ground, [window])] for d in forbidden}
            walls = {name: shapes for name, shapes in walls.items() if shapes}
            every = [shape for shapes in walls.values() for shape in shapes]
            if every and homes and all(enclosed_by(every, ground.place(place), ground.place(home))
                                       for place in there.places for home in homes):
                yield Conflict(there.order, there.at, f"{there.name} wants {_named(there)}, which cannot be reached "
                               f"from {', '.join(dict.fromkeys(home.id for home in homes))} without crossing a zone of "
                               f"{', '.join(walls)}, first {_span(window)}")


def _shapes(zone: Demand, zones: dict[str, list[Span[Zone]]], ground: Ground,
            times: Times) -> Iterator[tuple[Geometry, str]]:
    """The zone's versions in force while both are judged, and when that is first."""
    for span in zones.get(zone.condition.zone or "", []):
        both = _common(schedule.clip(zone.times, span.from_, span.until), times)
        if both:
            shape = ground.zone(span.item, zone.condition.buffer_m or 0.0)
            shapely.prepare(shape)
            yield shape, _span(both[0])


def _common(one: Times, other: Times) -> Times:
    return [(max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) < min(b, d)]


def _middle(zone: Zone) -> tuple[float, float]:
    return zone.centre or zone.polygons[0][0][0]


def _named(demand: Demand) -> str:
    return " or ".join(place.id for place in demand.places)


def _span(span: tuple[int, int]) -> str:
    end = "without end" if span[1] >= NEVER else f"to {instant.iso(span[1])}"
    return f"{instant.iso(span[0])} {end}"
