"""Orders and zones compiled: what was demanded of a participant when.

A `Term` is one condition for as long as its parameters stay equal, across any number of order versions.
Its `duty` is the time in which it is judged: windows or all of the term, without leave and suspensions.
Everything follows from the set of versions known, never from the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeVar

import msgspec

from emon.domain import schedule, versions
from emon.domain.instant import DAY
from emon.domain.order import Condition, Order, Place
from emon.domain.versions import ALWAYS, NEVER, Span
from emon.domain.zone import Zone
from emon.evaluate import geo
from emon.limits import ACCURACY_FACTOR

_AROUND: Final = 3 * DAY  # a window is at most a day and a half long; more than that on either side
FACETS: Final[Mapping[str, tuple[str, ...]]] = {
    "keep_away": ("protected_contact", "protected_battery"),
    "exclusion_zone": ("zone_crossing",),
    "device_integrity": ("motion_without_fix", "charging_missed"),
}
"""What else a condition of a kind demands, judged apart from it: each as a term of its own."""
FACET: Final = "\x1f"  # stands before a facet's name behind the condition's id; no id contains it
_REACH: Final = 800 * DAY  # touching windows are followed this far before they count as endless


class Piece(NamedTuple):
    """A condition as one order version words it, in force during [`from_`, `until`)."""

    from_: int
    until: int
    order: Order
    condition: Condition


class Stretch(NamedTuple):
    """Time in which a condition is judged, [`from_`, `until`); `reason`: why it ends there."""

    from_: int
    until: int
    reason: str


class Term:
    """One condition with unchanged parameters during [`from_`, `until`)."""

    __slots__ = ("_cached", "condition", "end_reason", "from_", "order_id", "participant", "pieces", "until")

    def __init__(self, participant: str, pieces: tuple[Piece, ...], end_reason: str) -> None:
        self.participant, self.pieces, self.end_reason = participant, pieces, end_reason
        self.order_id = pieces[0].order.id
        self.condition = pieces[0].condition.parameters()
        self.from_, self.until = pieces[0].from_, pieces[-1].until
        self._cached: tuple[int, int, list[Stretch]] | None = None

    @property
    def key(self) -> tuple[str, str]:
        """(order, condition)."""
        return self.order_id, self.condition.id

    def facets(self) -> list[Term]:
        """What else the condition demands, at all hours and under ids of its own."""
        found = []
        for kind in FACETS.get(self.condition.kind, ()):
            if kind == "charging_missed" and self.condition.charge_every_h is None:
                continue
            facet = Term(self.participant, self.pieces, self.end_reason)
            facet.condition = msgspec.structs.replace(
                self.condition, id=f"{self.condition.id}{FACET}{kind}", kind=kind, windows=(), exceptions=())
            found.append(facet)
        return found

    def piece_at(self, instant: int) -> Piece:
        """The wording in force at an instant of the term; before it, the first."""
        for piece in reversed(self.pieces):
            if piece.from_ <= instant:
                return piece
        return self.pieces[0]

    def off(self, instant: int) -> str | None:
        """Why the condition is not judged at an instant: `leave`, `suspension` or None."""
        condition = self.piece_at(instant).condition
        if any(a.from_ <= instant < a.to for a in condition.leave):
            return "leave"
        if any(a.from_ <= instant < a.to for a in condition.suspensions):
            return "suspension"
        return None

    def duty(self, from_: int, until: int) -> list[Stretch]:
        """Whole stretches that touch [from_, until]."""
        if self._cached is None or not (self._cached[0] <= from_ and until <= self._cached[1]):
            self._cached = self._compile(from_ - _AROUND, until + _AROUND)
        return [s for s in self._cached[2] if s.until >= from_ and s.from_ <= until]

    def _compile(self, from_: int, until: int) -> tuple[int, int, list[Stretch]]:
        if not (self.condition.windows or self.condition.kind in ("curfew", "attendance")):
            spans = schedule.merge(span for piece in self.pieces
                                   for span in _without_absences([(piece.from_, piece.until)], piece))
            return ALWAYS, NEVER, [Stretch(a, b, self._why_ends(b)) for a, b in spans]
        low, high = max(from_ - _AROUND, self.from_), min(until + _AROUND, self.until)
        while True:
            spans = [s for s in self._windows(low, high) if s[1] >= from_ and s[0] <= until]
            early = bool(spans) and spans[0][0] <= low + DAY and low > self.from_
            late = bool(spans) and spans[-1][1] >= high - DAY and high < self.until
            if early and low > from_ - _REACH:
                low = max(2 * low - from_ - _AROUND, self.from_)
            elif late and high < until + _REACH:
                high = min(2 * high - until + _AROUND, self.until)
            else:
                break
        if early:
            spans[0] = (ALWAYS, spans[0][1])
        if late:
            spans[-1] = (spans[-1][0], NEVER)
        return from_, until, [Stretch(a, b, self._why_ends(b)) for a, b in spans]

    def _windows(self, low: int, high: int) -> list[tuple[int, int]]:
        found = []
        for piece in self.pieces:
            begin, end = max(piece.from_, low), min(piece.until, high)
            if begin < end:
                raw = schedule.stretches(piece.condition.windows, piece.condition.exceptions,
                                         piece.order.time_zone, begin, end)
                found += _without_absences(schedule.clip(raw, piece.from_, piece.until), piece)
        return schedule.merge(found)

    def _why_ends(self, end: int) -> str:
        """An end of its own at the instant at which the term ends keeps its own reason."""
        off = self.off(end)
        if end == self.until and off is None and not (self.condition.windows and self._window_ends(end)):
            return self.end_reason
        if self.condition.windows:
            return "window_ended"
        return "order_ended" if off is None else f"{off}_began"

    def _window_ends(self, end: int) -> bool:
        last = self.pieces[-1]
        raw = schedule.stretches(last.condition.windows, last.condition.exceptions, last.order.time_zone,
                                 end - DAY, end + DAY)
        return any(span[1] == end for span in raw)


class OrderBook:
    """All order and zone versions known so far."""

    def __init__(self) -> None:
        self._orders: dict[str, dict[int, Order]] = {}
        self._zones: dict[str, dict[int, Zone]] = {}
        self._of_participant: dict[str, set[str]] = {}
        self._of_zone: dict[str, set[str]] = {}
        self._of_protected: dict[str, set[str]] = {}
        self.protected_devices: dict[str, set[str]] = {}  # devices that conditions name -> whom they concern
        self._terms: dict[str, tuple[Term, ...]] = {}
        self._by_key: dict[str, dict[tuple[str, str], list[Term]]] = {}
        self._zone_spans: dict[str, list[Span[Zone]]] = {}
        self._zone_shapes: dict[str, dict[tuple[int, float], geo.Shape]] = {}
        self._place_shapes: dict[tuple[Place, float], geo.Shape] = {}
        self._neutral: set[str] = set()

    def add_order(self, order: Order) -> dict[str, int]:
        """Takes a version in; returns participants whose demands may differ now, and from when on."""
        known = self._orders.setdefault(order.id, {})
        kept = _preferred(known.get(order.version), order)
        if known.get(order.version) is kept:
            return {}
        people = {o.participant for o in known.values()} | {order.participant}
        begin = min(versions.since(o.effective_from) for o in (kept, known.get(order.version, kept)))
        known[order.version] = kept
        for condition in kept.conditions:
            if condition.zone is not None:
                self._of_zone.setdefault(condition.zone, set()).add(order.participant)
            if condition.protected_person is not None:
                self._of_protected.setdefault(condition.protected_person, set()).add(order.participant)
            if condition.protected_device is not None:
                self.protected_devices.setdefault(condition.protected_device, set()).add(order.participant)
        self._of_participant.setdefault(order.participant, set()).add(order.id)
        for person in people:
            self._terms.pop(person, None)
            self._by_key.pop(person, None)
        return dict.fromkeys(people, begin)

    def add_zone(self, zone: Zone) -> dict[str, int]:
        """As `add_order`, for a zone version."""
        known = self._zones.setdefault(zone.id, {})
        kept = _preferred(known.get(zone.version), zone)
        if known.get(zone.version) is kept:
            return {}
        known[zone.version] = kept
        if kept.kind == "neutral":
            self._neutral.add(zone.id)
        self._zone_spans.pop(zone.id, None)
        self._zone_shapes.pop(zone.id, None)
        return dict.fromkeys(self._of_zone.get(zone.id, ()), versions.since(zone.effective_from))

    def terms(self, participant: str) -> tuple[Term, ...]:
        """All terms of the participant's orders, past and present, by order, condition and time."""
        terms = self._terms.get(participant)
        if terms is None:
            terms = self._terms[participant] = tuple(
                term for order_id in sorted(self._of_participant.get(participant, ()))
                for term in _terms(participant, self._orders[order_id]))
        return terms

    def by_condition(self, participant: str) -> dict[tuple[str, str], list[Term]]:
        """The participant's terms by (order, condition), in order."""
        grouped = self._by_key.get(participant)
        if grouped is None:
            grouped = self._by_key[participant] = {}
            for term in self.terms(participant):
                grouped.setdefault(term.key, []).append(term)
        return grouped

    def zone_spans(self, zone_id: str) -> list[Span[Zone]]:
        """When which version of the zone is in force."""
        spans = self._zone_spans.get(zone_id)
        if spans is None:
            spans = self._zone_spans[zone_id] = versions.ruling(self._zones.get(zone_id, {}).values())
        return spans

    def zone_shape(self, zone: Zone, buffer_m: float) -> geo.Shape:
        """The shape of a zone version, grown."""
        shapes = self._zone_shapes.setdefault(zone.id, {})
        shape = shapes.get((zone.version, buffer_m))
        if shape is None:
            shape = shapes[zone.version, buffer_m] = geo.of_zone(zone, buffer_m)
        return shape

    def neutral_at(self, at: int, lon: float, lat: float, accuracy_m: float) -> list[Zone]:
        """The neutral zones in force then that a fix certainly lies in: they give the place a name, no more."""
        found = []
        for name in sorted(self._neutral):
            zone = versions.at(self.zone_spans(name), at)
            if zone is not None and zone.kind == "neutral":
                shape = self.zone_shape(zone, 0.0)
                if not shape.is_far(lon, lat, 0.0) and shape.distance_of_one_m(lon, lat) > ACCURACY_FACTOR * accuracy_m:
                    found.append(zone)
        return found

    def place_shape(self, place: Place, buffer_m: float) -> geo.Shape:
        """The shape of a place, grown."""
        shape = self._place_shapes.get((place, buffer_m))
        if shape is None:
            shape = self._place_shapes[place, buffer_m] = geo.of_place(place, buffer_m)
        return shape

    @property
    def protects(self) -> bool:
        """Whether any version tells anybody to keep away from somebody."""
        return bool(self._of_protected or self.protected_devices)

    def kept_away(self, person: str, devices: Iterable[str]) -> set[str]:
        """Who is told, by any version, to keep away from a person by that name or who was given these devices."""
        found = set(self._of_protected.get(person, ()))
        for device in (person, *devices):
            found |= self.protected_devices.get(device, set())
        return found

    def participants(self) -> Iterable[str]:
        """Everybody whom an order names."""
        return self._of_participant.keys()

    def order_versions(self, order_id: str) -> list[Order]:
        """Every version of an order taken in."""
        return [order for _, order in sorted(self._orders.get(order_id, {}).items())]

    def zone_versions(self, zone_id: str) -> list[Zone]:
        """Every version of a zone taken in."""
        return [zone for _, zone in sorted(self._zones.get(zone_id, {}).items())]


def places_of(piece: Piece) -> tuple[Place, ...]:
    """The places that a condition names; a condition without place and zone means the order's first."""
    names = piece.condition.places or ((piece.condition.place,) if piece.condition.place else ())
    if not names and piece.condition.zone is None:
        return piece.order.places[:1]
    return tuple(p for p in piece.order.places if p.id in names)


def _without_absences(spans: list[tuple[int, int]], piece: Piece) -> list[tuple[int, int]]:
    absences = (*piece.condition.leave, *piece.condition.suspensions)
    return schedule.subtract(spans, [(a.from_, a.to) for a in absences]) if absences else spans


def _terms(participant: str, known: Mapping[int, Order]) -> list[Term]:
    spans = versions.ruling(known.values())
    pieces: dict[str, list[Piece]] = {}
    for span in spans:
        if span.item.participant == participant:
            for condition in span.item.conditions:
                piece = Piece(span.from_, span.until, span.item, condition)
                pieces.setdefault(condition.id, []).append(piece)
    begins = {span.from_ for span in spans if span.item.participant == participant}
    terms = []
    for _, own in sorted(pieces.items()):
        first = 0
        for index, piece in enumerate(own):
            following = own[index + 1] if index + 1 < len(own) else None
            if following is None or not _runs_on(piece, following):
                reason = "terms_changed" if piece.until in begins else "order_ended"
                term = Term(participant, tuple(own[first:index + 1]), reason)
                terms += [term, *term.facets()]
                first = index + 1
    return terms


def _runs_on(piece: Piece, following: Piece) -> bool:
    return piece.until == following.from_ and (
        piece.condition.parameters() == following.condition.parameters())


_encode = msgspec.json.Encoder(order="deterministic").encode


V = TypeVar("V", Order, Zone)


def _preferred(old: V | None, new: V) -> V:
    if old is None:
        return new
    return max(old, new, key=lambda v: _encode(msgspec.structs.replace(v, received_at=None)))
