"""Two people's fixes beside each other, told plainly: of hers the nearest in time, and what both are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyproj import Transformer

from emon.domain.order import Condition
from tests.oracle import devices, silence
from tests.oracle.breath import Fact
from tests.oracle.fixes import Fix, Person
from tests.oracle.knowledge import SECOND, Heard, Known, Sighting, accuracy_m, best_position
from tests.oracle.versions import Judged, Term, bonds

Reached = Callable[[int], bool]
_SAY_WHERE = ("gnss", "wifi", "cell", "rf", "beacon")


def protected(known: Known, term: Term) -> Person | None:
    """Who must be kept away from: the person named, or whoever held the named device first since the term began."""
    name, device = term.condition.protected_person, term.condition.protected_device
    if name is None:
        holders = sorted((b for b in bonds(known) if b.device == device), key=lambda b: b.start)
        later = [b for b in holders if b.end > term.start] or holders[-1:]
        bearer = later[0].binding if later else None
        name = device if bearer is None else bearer.participant or bearer.protected_person
    if name is None or name == term.pieces[0].order.participant:
        return None
    return Person(known, name)


def fixes(person: Person, hers: Person | None, term: Term) -> list[Fix]:
    """What each fix of the participant says."""
    others = [] if hers is None else _positions(hers)
    found = []
    for mine in _positions(person) if others else []:
        nearest = min(others, key=lambda h: (abs(h.at - mine.at), h.at))
        apart = abs(nearest.at - mine.at)
        if apart <= _limit(term.condition, "pair_s", 90) * SECOND:
            fix = _compared(mine, nearest, term.condition)
            found += [] if fix is None else [fix]
    return found


def _positions(person: Person) -> list[Heard]:
    chosen = [_chosen(s) for s in person.sightings
              if s.kind == "position" and s.device == person.deciding_device(s.at)]
    return [heard for heard in chosen if heard is not None]


def _chosen(sighting: Sighting) -> Heard | None:
    """As wherever somebody is located, but equally good ones that differ in speed disagree too."""
    best = best_position(sighting)
    if best is None:
        return None
    as_good = [h for h in sighting.readings if (h.reading.lat, h.reading.lon) == (best.reading.lat, best.reading.lon)
               and h.reading.method == best.reading.method and accuracy_m(h.reading) == accuracy_m(best.reading)]
    return best if len({h.reading.speed_mps for h in as_good}) == 1 else None


def _compared(mine: Heard, hers: Heard, condition: Condition) -> Fix | None:
    near, strictly = _side(mine, hers, condition, 1), _side(mine, hers, condition, 3)
    methods = (mine.reading.method, hers.reading.method)
    if near is None or any(method not in _SAY_WHERE for method in methods):
        return None
    if near and methods != ("gnss", "gnss"):
        return None
    return Fix(mine, near, strictly == near, hers)


def _side(mine: Heard, hers: Heard, condition: Condition, k: int) -> bool | None:
    """Whether they were nearer than they may be; None: unsure."""
    a, b = mine.reading, hers.reading
    speeds = [speed for speed in (a.speed_mps, b.speed_mps) if speed is not None]
    speed = max(speeds) if speeds else _limit(condition, "unknown_speed_mps", 1.5)
    slack = k * (accuracy_m(a) + accuracy_m(b)) + abs(mine.at - hers.at) / SECOND * speed
    distance, limit = _metres(mine, hers), condition.distance_m or 0.0
    if round(distance + slack, 6) < limit:
        return True
    return False if round(distance - slack, 6) > limit else None


def _metres(mine: Heard, hers: Heard) -> float:
    """Seen from where she is."""
    projection = f"+proj=aeqd +lat_0={hers.reading.lat!r} +lon_0={hers.reading.lon!r} +datum=WGS84 +units=m"
    x, y = _transformer(projection).transform(mine.reading.lon, mine.reading.lat)
    return round((x * x + y * y) ** 0.5, 2)


_transformers: dict[str, Transformer] = {}


def _transformer(projection: str) -> Transformer:
    if projection not in _transformers:
        _transformers[projection] = Transformer.from_crs("EPSG:4326", projection, always_xy=True)
    return _transformers[projection]


def _limit(condition: Condition, name: str, usual: float) -> float:
    return float((condition.limits or {}).get(name, usual))


def silences(hers: Person, term: Term, span: Judged) -> list[silence.Silence]:
    """When nothing at all is heard of her."""
    pace = Condition(id="", kind="contact", every_s=_limit(term.condition, "every_s", 600),
                     hold_s=_limit(term.condition, "hold_s", 300))
    return silence.silences(hers, pace, span.start, span.end, [], of_location=False)


def batteries(hers: Person, term: Term, span: Judged, reached: Reached) -> Iterator[Fact]:
    """What her devices say of their batteries."""
    for fact in devices.facts(hers, term, span, reached, of_the_battery_only=True):
        yield Fact(fact.part, "protected_battery", fact.onset, fact.ended, fact.level, fact.evidence, fact.reason)
