"""Paths through a forbidden zone, told plainly: one pair of neighbouring fixes at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from emon.domain.order import Place
from emon.domain.zone import Zone
from tests.oracle.breath import Fact
from tests.oracle.fixes import Person, places, side_of
from tests.oracle.ground import depth, leads_through
from tests.oracle.knowledge import MINUTE, Heard, best_position
from tests.oracle.versions import Judged, in_force


def facts(person: Person, span: Judged) -> Iterator[Fact]:
    """Of one judged span."""
    fixes: list[Heard] = []
    for sighting in person.sightings:
        if sighting.kind == "position" and person.deciding_device(sighting.at) == sighting.device:
            best = best_position(sighting)
            if best is not None and best.reading.method == "gnss" and span.start <= best.at < span.end:
                fixes.append(best)
    for one, other in pairwise(fixes):
        if one.reading.device != other.reading.device or other.at - one.at > 5 * MINUTE:
            continue
        buffer_m = span.term.condition.buffer_m or 0.0
        if any(side_of(_shapes(person, span, fix.at), buffer_m, fix, 1) == "IN" for fix in (one, other)):
            continue
        ends = [(fix.reading.lat or 0.0, fix.reading.lon or 0.0) for fix in (one, other)]
        shapes = _shapes(person, span, one.at)
        if any(
            leads_through(shape, buffer_m, ends[0], ends[1], 25.0) and not any(_deep(shape, buffer_m, *e) for e in ends)
            for shape in shapes
        ):
            yield Fact("", "zone_crossing", one.at, other.at, 1, (one, other))


def _deep(shape: Zone | Place, buffer_m: float, lat: float, lon: float) -> bool:
    """Whether a fix itself lies as deep as a path must go: it is rough, and tells of no way through."""
    found = depth(shape, buffer_m, lat, lon)
    return found.inside and found.distance_m >= 25.0


def zone_version(person: Person, span: Judged, at: int) -> int | None:
    zone = in_force(person.known.zones.get(span.term.condition.zone or "", []), at)
    return None if zone is None else zone.version


def _shapes(person: Person, span: Judged, at: int) -> list[Zone | Place]:
    piece = span.term.piece_at(at)
    if piece.condition.zone is None:
        return [*places(piece.order, piece.condition)]
    zone = in_force(person.known.zones.get(piece.condition.zone, []), at)
    return [] if zone is None else [zone]
