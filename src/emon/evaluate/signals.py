"""Readings as events of one condition: FOR a finding, AGAINST it, or UNSURE.

A fix is in or out only where its distance to the border exceeds k times its accuracy. Only gnss positions
and presence may speak for a finding; wifi, cell, rf and beacon positions only against one; unknown methods
for neither. Each fix is judged by the zone version and the order version in force at its instant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from emon.domain import versions
from emon.domain.binding_book import BindingBook
from emon.domain.instant import DAY
from emon.evaluate.analysts import VerdictBook
from emon.evaluate.geo import NOWHERE, Degrees, Shape
from emon.evaluate.machine import AGAINST, FOR, UNSURE, Event
from emon.evaluate.orderbook import OrderBook, Piece, Term, places_of
from emon.evaluate.positions import Body, accuracy_m, paired_positions, place_readings
from emon.evaluate.track import Track
from emon.journal.records import Bound
from emon.limits import ACCURACY_FACTOR

IN, OUT = 1, -1
STRICT_FACTOR: Final = 3.0  # at so many accuracies a chain raises a finding to level 3
CONTRARY_ONLY: Final = ("wifi", "cell", "rf", "beacon")


class Outage(NamedTuple):
    """A feed was silent after its last reading at `last`; the outage counts from `onset`; None: it stands."""

    feed: str
    last: int
    onset: int
    ended: int | None
    members: frozenset[str]  # devices


class Wording(NamedTuple):
    """The texts that judge readings observed in [from_, until)."""

    from_: int
    until: int
    piece: Piece
    zone_version: int | None
    shapes: tuple[Shape, ...]


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
    verdicts: VerdictBook = field(default_factory=VerdictBook)
    chosen: dict[tuple[int, int], list[Bound]] = field(default_factory=dict)
    wordings: dict[Term, Wording] = field(default_factory=dict)  # of each term the one asked for last
    discreet: bool = False  # where the person was must not be told
    others: Callable[[str], Case] | None = None  # what is known of those who must be kept away from
    paired: dict[tuple[int, int], list[Bound]] = field(default_factory=dict)
    boxes: dict[tuple[int, int], Degrees] = field(default_factory=dict)

    def place_readings(self, from_: int, until: int) -> list[Bound]:
        """Positions and presence that count, in [from_, until]."""
        known = self.chosen.get((from_, until))
        if known is None:
            known = place_readings(self.readings(from_, until), self.body, self.bindings)
            self.chosen[from_, until] = known
        return known

    def paired_positions(self, from_: int, until: int) -> list[Bound]:
        """Positions that count where two people are compared, in [from_, until]."""
        known = self.paired.get((from_, until))
        if known is None:
            known = self.paired[from_, until] = paired_positions(self.readings(from_, until), self.body)
        return known

    def readings(self, from_: int, until: int) -> list[Bound]:
        """Readings of devices bound when observed, in [from_, until] and up to the clock."""
        if from_ < self.floor:
            from_ = self.floor
        if until > self.clock:
            until = self.clock
        if from_ > until:
            return []
        body = self.body
        return [b for b in self.track.between(from_, until)
                if body.wearing(b.reading.device, b.reading.observed_at) is not None]

    def surroundings(self, from_: int, until: int) -> Degrees:
        """The box around all gnss fixes in [from_, until], whether they count or not."""
        known = self.boxes.get((from_, until))
        if known is None:
            lon, lat = [], []
            for bound in self.readings(from_, until):
                reading = bound.reading
                if reading.method == "gnss" and reading.lon is not None and reading.lat is not None:
                    lon.append(reading.lon)
                    lat.append(reading.lat)
            known = self.boxes[from_, until] = (min(lon), min(lat), max(lon), max(lat)) if lon else NOWHERE
        return known

    def measured(self, kind: str, from_: int, until: int) -> list[Bound]:
        """As `readings`, of a kind whose days are remembered, so that other days need not be looked at."""
        days = sorted(d for d in self.body.measured_days.get(kind, ()) if from_ // DAY <= d <= until // DAY)
        return [b for day in days for b in self.readings(max(from_, day * DAY), min(until, day * DAY + DAY - 1))
                if b.reading.kind == kind]


def place_events(case: Case, term: Term, supports: int, from_: int, until: int) -> list[Event]:
    """Events of a condition about a zone or places, in [from_, until], in fold order, only those that say
    something. `supports`: IN or OUT, what the condition forbids."""
    events: list[Event] = []
    wording = case.wordings.get(term)
    for bound in case.place_readings(from_, until):
        at = bound.reading.observed_at
        if wording is None or not wording.from_ <= at < wording.until:
            wording = case.wordings[term] = wording_at(case, term, at)
        event = _event(case, wording, supports, bound)
        if event is not None:
            events.append(event)
    return events


def said_at(case: Case, term: Term, supports: int, at: int) -> int:
    """How many readings observed at an instant support a finding, as `place_events` would find them; with none,
    AGAINST where some speak against it, else UNSURE."""
    wording = case.wordings.get(term)
    if wording is None or not wording.from_ <= at < wording.until:
        wording = case.wordings[term] = wording_at(case, term, at)
    fors, others = 0, UNSURE
    for bound in case.place_readings(at, at):
        if bound.reading.kind == "position":
            sign = _signs(supports, bound, wording)[0]
        else:
            event = _presence_event(case, wording.piece, supports, bound)
            sign = UNSURE if event is None else event.sign
        if sign == FOR:
            fors += 1
        elif sign == AGAINST:
            others = AGAINST
    return fors or others


def wording_at(case: Case, term: Term, at: int) -> Wording:
    """The texts that judge what is observed at an instant."""
    piece = term.piece_at(at)
    from_ = piece.from_ if at >= piece.from_ else versions.ALWAYS
    until = piece.until if at < piece.until else versions.NEVER
    if at < piece.from_:
        until = piece.from_
    buffer_m = piece.condition.buffer_m or 0.0
    if piece.condition.zone is None:
        shapes = tuple(case.orders.place_shape(place, buffer_m) for place in places_of(piece))
        return Wording(from_, until, piece, None, shapes)
    for span in case.orders.zone_spans(piece.condition.zone):
        if span.from_ <= at < span.until:
            shape = case.orders.zone_shape(span.item, buffer_m)
            return Wording(max(from_, span.from_), min(until, span.until), piece, span.item.version, (shape,))
        if span.from_ > at:
            until = min(until, span.from_)
        else:
            from_ = max(from_, span.until)
    return Wording(from_, until, piece, None, ())


def side(distance_m: float, accuracy: float, factor: float) -> int:
    """IN, OUT, or 0 where the fix does not decide."""
    if abs(distance_m) <= factor * accuracy:
        return 0
    return IN if distance_m > 0 else OUT


def _event(case: Case, wording: Wording, supports: int, bound: Bound) -> Event | None:
    if bound.reading.kind == "presence":
        return _presence_event(case, wording.piece, supports, bound)
    sign, strict = _signs(supports, bound, wording)
    if sign == UNSURE:
        return None
    return Event(bound.reading.observed_at, sign, strict, wording.shapes, accuracy_m(bound.reading), bound,
                 wording.zone_version)


def _signs(supports: int, bound: Bound, wording: Wording) -> tuple[int, int]:
    """What a position says, at one and at three accuracies."""
    reading, shapes = bound.reading, wording.shapes
    lon, lat = reading.lon, reading.lat
    if lon is None or lat is None or not shapes:
        return UNSURE, UNSURE
    if reading.method != "gnss" and reading.method not in CONTRARY_ONLY:
        return UNSURE, UNSURE
    accuracy = accuracy_m(reading)
    sign = strict = OUT * supports
    for shape in shapes:
        if not shape.is_far(lon, lat, STRICT_FACTOR * accuracy):
            distance_m = max(each.distance_of_one_m(lon, lat) for each in shapes)
            sign = side(distance_m, accuracy, ACCURACY_FACTOR) * supports
            strict = side(distance_m, accuracy, STRICT_FACTOR) * supports
            break
    if reading.method in CONTRARY_ONLY:
        sign, strict = min(sign, UNSURE), min(strict, UNSURE)
    return sign, strict


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
    return Event(reading.observed_at, sign, AGAINST if sign == AGAINST else UNSURE, (), None, bound)

