"""Readings as events of one condition: FOR a finding, AGAINST it, or UNSURE.

A fix is in or out only where its distance to the border exceeds k times its accuracy. Only gnss positions
and presence may speak for a finding; wifi, cell, rf and beacon positions only against one; unknown methods
for neither. Each fix is judged by the zone version and the order version in force at its instant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

from emon.domain import versions
from emon.domain.binding_book import BindingBook
from emon.domain.zone import Zone
from emon.evaluate.geo import Shape
from emon.evaluate.machine import AGAINST, UNSURE, Event
from emon.evaluate.orderbook import OrderBook, Piece, Term, places_of
from emon.evaluate.positions import Body, accuracy_m, place_readings
from emon.evaluate.track import Track
from emon.journal.records import Bound
from emon.limits import ACCURACY_FACTOR

IN, OUT = 1, -1
STRICT_FACTOR: Final = 3.0  # at so many accuracies a chain raises a finding to level 3
_CONTRARY_ONLY: Final = ("wifi", "cell", "rf", "beacon")


class Outage(NamedTuple):
    """A feed was silent after its last reading at `last`; the outage counts from `onset`; None: it stands."""

    feed: str
    last: int
    onset: int
    ended: int | None
    members: frozenset[str]  # devices


@dataclass(slots=True)
class Case:
    """What is known of one participant at `clock`."""

    participant: str
    clock: int
    track: Track
    body: Body
    bindings: BindingBook
    orders: OrderBook
    floor: int  # nothing observed earlier is judged
    outages: Sequence[Outage] = ()  # of feeds, as the last tick saw them
    own_outages: Sequence[tuple[int, int]] = ()

    def readings(self, from_: int, until: int) -> list[Bound]:
        """Readings of devices bound when observed, in [from_, until] and up to the clock."""
        from_, until = max(from_, self.floor), min(until, self.clock)
        if from_ > until:
            return []
        body = self.body
        return [b for b in self.track.between(from_, until)
                if body.wearing(b.reading.device, b.reading.observed_at) is not None]


def place_events(case: Case, term: Term, supports: int, from_: int, until: int) -> list[Event]:
    """Events of a condition about a zone or places, in [from_, until], in fold order, only those that say
    something. `supports`: IN or OUT, what the condition forbids."""
    events: list[Event] = []
    chosen = place_readings(case.readings(from_, until), case.body, case.bindings)
    for _, group in groupby(chosen, lambda b: _wording(case, term, b)):
        events += _events(case, term, supports, list(group))
    return events


def _wording(case: Case, term: Term, bound: Bound) -> tuple[int, int | None]:
    """Equal for readings that the same texts judge."""
    piece = term.piece_at(bound.reading.observed_at)
    zone = _zone(case, piece, bound.reading.observed_at)
    return piece.order.version, None if zone is None else zone.version


def _zone(case: Case, piece: Piece, at: int) -> Zone | None:
    if piece.condition.zone is None:
        return None
    return versions.at(case.orders.zone_spans(piece.condition.zone), at)


def _events(case: Case, term: Term, supports: int, bounds: list[Bound]) -> list[Event]:
    at = bounds[0].reading.observed_at
    piece = term.piece_at(at)
    zone = _zone(case, piece, at)
    shapes = _shapes(case, piece, zone)
    if not shapes:
        return []
    fixes = [b for b in bounds if b.reading.kind == "position" and b.reading.lat is not None]
    distances = iter(signed_distances_m(shapes, fixes))
    events = []
    for bound in bounds:
        event = None
        if bound.reading.kind == "presence":
            event = _presence_event(case, piece, supports, bound)
        elif bound.reading.lat is not None:
            event = _fix_event(supports, bound, next(distances), zone.version if zone else None)
        if event is not None:
            events.append(event)
    return events


def _shapes(case: Case, piece: Piece, zone: Zone | None) -> list[Shape]:
    buffer_m = piece.condition.buffer_m or 0.0
    if piece.condition.zone is not None:
        return [] if zone is None else [case.orders.zone_shape(zone, buffer_m)]
    return [case.orders.place_shape(place, buffer_m) for place in places_of(piece)]


def signed_distances_m(shapes: Sequence[Shape], fixes: Sequence[Bound]) -> list[float]:
    """Per fix metres to the border of the shape that it is deepest in or closest to."""
    if not fixes:
        return []
    lon = np.array([b.reading.lon for b in fixes], dtype=np.float64)
    lat = np.array([b.reading.lat for b in fixes], dtype=np.float64)
    best = shapes[0].signed_distance_m(lon, lat)
    for shape in shapes[1:]:
        best = np.maximum(best, shape.signed_distance_m(lon, lat))
    values: list[float] = best.tolist()
    return values


def side(distance_m: float, accuracy: float, factor: float) -> int:
    """IN, OUT, or 0 where the fix does not decide."""
    if abs(distance_m) <= factor * accuracy:
        return 0
    return IN if distance_m > 0 else OUT


def _fix_event(supports: int, bound: Bound, distance_m: float, zone_version: int | None) -> Event | None:
    reading = bound.reading
    accuracy = accuracy_m(reading)
    sign = side(distance_m, accuracy, ACCURACY_FACTOR) * supports
    strict = side(distance_m, accuracy, STRICT_FACTOR) * supports
    if reading.method in _CONTRARY_ONLY:
        sign, strict = min(sign, UNSURE), min(strict, UNSURE)
    elif reading.method != "gnss":
        return None
    if sign == UNSURE:
        return None
    return Event(reading.observed_at, sign, strict, distance_m, accuracy, bound, zone_version)


def _presence_event(case: Case, piece: Piece, supports: int, bound: Bound) -> Event | None:
    reading = bound.reading
    wearing = case.body.wearing(reading.device, reading.observed_at)
    home = wearing.binding_at(reading.observed_at).place if wearing else None
    if home is None and piece.order.places:
        home = piece.order.places[0].id
    named = [place.id for place in places_of(piece)]
    if home not in named or piece.condition.zone is not None:
        return None
    if reading.present:
        where = IN
    elif len(named) == 1 and case.body.deciding(reading.observed_at) is None:
        where = OUT
    else:
        return None
    sign = where * supports
    return Event(reading.observed_at, sign, AGAINST if sign == AGAINST else UNSURE, None, None, bound)

