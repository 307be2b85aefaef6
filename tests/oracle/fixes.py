"""What each fix says about one condition: for it (supporting), against it (contrary), or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from emon.domain.binding import Binding
from emon.domain.order import Condition, Order, Place
from emon.domain.zone import Zone
from tests.oracle.ground import depth
from tests.oracle.knowledge import LONG_AGO, NEVER, Heard, Known, Sighting, accuracy_m, best_position
from tests.oracle.versions import Bond, Term, bonds, in_force


@dataclass(frozen=True)
class Fix:
    """A fix that counts. `strong`: it decides at three times its accuracy too."""

    heard: Heard
    supports: bool
    strong: bool
    beside: Heard | None = None  # the other person's fix that it was compared with

    @property
    def at(self) -> int:
        return self.heard.at


class Person:
    """One person's devices and sightings that are theirs by the bindings known."""

    def __init__(self, known: Known, participant: str) -> None:
        self.known, self.participant = known, participant
        self.bonds = bonds(known, participant) or _of_nobodys(known, participant)
        self.sightings = [s for s in known.sightings.get(participant, []) if self.bonds_at(s.at, s.device)]

    def bonds_at(self, at: int, device: str | None = None) -> list[Bond]:
        return [b for b in self.bonds if b.start <= at < b.end and device in (None, b.device)]

    def position_bonds(self, at: int) -> list[Bond]:
        """Bonds of devices that say where the person is."""
        return [
            b
            for b in self.bonds_at(at)
            if b.binding.role == "position"
            or any(
                s.kind == "position" and s.device == b.device and b.start <= s.at <= at
                for s in self.sightings
            )
        ]

    def deciding_device(self, at: int) -> str | None:
        bonds_now = self.position_bonds(at)
        if not bonds_now:
            return None
        return min(bonds_now, key=lambda b: (-b.bound_from, b.device)).device

    def beacon_is_theirs(self, beacon: str | None, at: int) -> bool:
        """False where the beacon is somebody else's."""
        return not any(
            b.device == beacon and b.start <= at < b.end and b.binding.participant != self.participant
            for b in bonds(self.known)
        )


def _of_nobodys(known: Known, device: str) -> list[Bond]:
    """A device that an order names and that nobody is known to hold is its bearer's, always."""
    named = {c.protected_device for versions in known.orders.values() for o in versions for c in o.conditions}
    if device not in named or any(bond.device == device for bond in bonds(known)):
        return []
    return [Bond(device, LONG_AGO, NEVER, LONG_AGO, Binding(id="", device=device, protected_person=device))]


def fixes(person: Person, term: Term) -> list[Fix]:
    """All fixes that count for a condition, each judged by the versions in force at its instant; those before
    the term (they only tell how somebody came into it) by the term's first wording."""
    result = []
    for sighting in person.sightings:
        if sighting.at >= term.end:
            continue
        piece = term.piece_at(max(sighting.at, term.start))
        fix = None
        if sighting.kind == "position":
            fix = _position(person, piece.order, piece.condition, sighting)
        elif sighting.kind == "presence":
            fix = _presence(person, piece.order, piece.condition, sighting)
        if fix is not None:
            result.append(fix)
    return result


def places(order: Order, condition: Condition) -> list[Place]:
    names = condition.places or ((condition.place,) if condition.place is not None else ())
    return [place for place in order.places if place.id in names]


def _position(person: Person, order: Order, condition: Condition, sighting: Sighting) -> Fix | None:
    heard = best_position(sighting)
    if heard is None or sighting.device != person.deciding_device(sighting.at):
        return None
    shapes: list[Zone | Place] = []
    if condition.zone is not None:
        zone = in_force(person.known.zones.get(condition.zone, []), sighting.at)
        shapes += [] if zone is None else [zone]
    else:
        shapes += places(order, condition)
    side = side_of(shapes, condition.buffer_m or 0.0, heard, 1)
    if side is None:
        return None
    supports = side == _supporting_side(condition)
    method = heard.reading.method
    if method != "gnss" and (supports or method not in ("wifi", "cell", "rf", "beacon")):
        return None
    strong = side_of(shapes, condition.buffer_m or 0.0, heard, 3) == side
    return Fix(heard, supports, strong)


def _supporting_side(condition: Condition) -> str:
    return "IN" if condition.kind == "exclusion_zone" else "OUT"


def side_of(shapes: list[Zone | Place], buffer_m: float, heard: Heard, k: int) -> str | None:
    """IN any of the shapes, OUT of all of them, or unsure (None)."""
    lat, lon = heard.reading.lat, heard.reading.lon
    if not shapes or lat is None or lon is None:
        return None
    depths = [depth(shape, buffer_m, lat, lon) for shape in shapes]
    sure = [d for d in depths if d.distance_m > k * accuracy_m(heard.reading)]
    if any(d.inside for d in sure):
        return "IN"
    return "OUT" if len(sure) == len(depths) else None


def presence_of(person: Person, sighting: Sighting) -> Heard | None:
    """The presence reading that counts; None where there is none or they disagree."""
    counting = [h for h in sighting.readings if person.beacon_is_theirs(h.reading.beacon, h.at)]
    if len({h.reading.present for h in counting}) != 1:
        return None
    return min(counting, key=lambda heard: heard.received_at)


def _presence(person: Person, order: Order, condition: Condition, sighting: Sighting) -> Fix | None:
    heard = presence_of(person, sighting)
    if heard is None:
        return None
    if condition.zone is not None or not order.places:
        return None
    home = person.bonds_at(sighting.at, sighting.device)[0].binding.place or order.places[0].id
    named = [place.id for place in places(order, condition)]
    if home not in named:
        return None
    if heard.reading.present:
        return Fix(heard, supports=False, strong=True)
    if heard.reading.present is False and named == [home] and not person.position_bonds(sighting.at):
        return Fix(heard, supports=True, strong=False)
    return None
