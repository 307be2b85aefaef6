"""How near two people were: each fix of the one beside the other's fix nearest in time.

The distance is geodesic, on the WGS 84 ellipsoid: the same number as in an azimuthal equidistant projection centred
at either fix, since such a projection keeps distances from its centre.

Which fix is nearest follows from all that is known, also from what was observed shortly after: both are facts
about the instant of the participant's fix.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from emon.domain.geodesy import WGS84
from emon.domain.instant import SECOND
from emon.evaluate.machine import AGAINST, FOR, UNSURE, Event
from emon.evaluate.positions import accuracy_m
from emon.evaluate.signals import CONTRARY_ONLY, STRICT_FACTOR, Case
from emon.journal.records import Bound
from emon.limits import ACCURACY_FACTOR

_MICROMETRES: Final = 6  # decimals to which sums of metres are compared: below them floating point only adds noise


class Pair(NamedTuple):
    """Two fixes. `apart_s`: seconds between them; `speed_mps`: how fast the two may have moved meanwhile."""

    mine: Bound
    hers: Bound
    distance_m: float
    accuracy_m: float  # of both together
    apart_s: float
    speed_mps: float

    def slack_m(self, factor: float) -> float:
        """By how much the distance may be wrong, at so many accuracies."""
        return round(factor * self.accuracy_m + self.apart_s * self.speed_mps, _MICROMETRES)

    def near(self, limit_m: float, factor: float) -> int:
        """FOR: certainly nearer than the limit, AGAINST: certainly further away, UNSURE: neither."""
        slack = self.slack_m(factor)
        if round(self.distance_m + slack, _MICROMETRES) < limit_m:
            return FOR
        return AGAINST if round(self.distance_m - slack, _MICROMETRES) > limit_m else UNSURE


def pair_events(case: Case, hers: Case, limit_m: float, limits: Mapping[str, float], from_: int,
                until: int) -> list[Event]:
    """What the participant's fixes in [from_, until] say, in fold order, only those that say something."""
    mine = case.paired_positions(from_, until)
    if not mine:
        return []
    reach = round(limits["pair_s"] * SECOND)
    others = hers.paired_positions(mine[0].reading.observed_at - reach, mine[-1].reading.observed_at + reach)
    instants = [b.reading.observed_at for b in others]
    events = []
    for bound in mine:
        nearest = _nearest(instants, bound.reading.observed_at, reach)
        event = None if nearest is None else _event(pair_of(bound, others[nearest], limits), limit_m)
        if event is not None:
            events.append(event)
    return events


def pair_of(mine: Bound, hers: Bound, limits: Mapping[str, float]) -> Pair:
    """The distance between two fixes and what makes it unsure."""
    a, b = mine.reading, hers.reading
    metres = WGS84.inv(a.lon, a.lat, b.lon, b.lat)[2]
    speeds = [r.speed_mps for r in (a, b) if r.speed_mps is not None]
    apart_s = abs(a.observed_at - b.observed_at) / SECOND
    return Pair(mine, hers, round(metres, 2), accuracy_m(a) + accuracy_m(b), apart_s,
                max(speeds, default=limits["unknown_speed_mps"]))


def described(event: Event, limits: Mapping[str, float]) -> dict[str, Any]:
    """What was compared: distances, times and accuracies, never where anybody was."""
    assert event.beside is not None
    pair = pair_of(event.bound, event.beside, limits)
    return {"observed_at": event.at, "protected_observed_at": pair.hers.reading.observed_at,
            "distance_m": pair.distance_m, "slack_m": pair.slack_m(ACCURACY_FACTOR), "apart_s": pair.apart_s,
            "speed_mps": pair.speed_mps, "accuracy_m": accuracy_m(pair.mine.reading),
            "protected_accuracy_m": accuracy_m(pair.hers.reading), "method": pair.mine.reading.method,
            "protected_method": pair.hers.reading.method}


def _nearest(instants: Sequence[int], at: int, reach: int) -> int | None:
    """Where the instant nearest to `at` stands, of two equally near the earlier one; None where none is in reach."""
    index = bisect_left(instants, at)
    near = [(abs(instants[i] - at), instants[i], i) for i in (index - 1, index) if 0 <= i < len(instants)]
    best = min(near, default=None)
    return None if best is None or best[0] > reach else best[2]


def _event(pair: Pair, limit_m: float) -> Event | None:
    sign, strict = pair.near(limit_m, ACCURACY_FACTOR), pair.near(limit_m, STRICT_FACTOR)
    methods = {pair.mine.reading.method, pair.hers.reading.method}
    if methods != {"gnss"}:
        if not methods <= {"gnss", *CONTRARY_ONLY}:
            return None
        sign, strict = min(sign, UNSURE), min(strict, UNSURE)
    if sign == UNSURE:
        return None
    return Event(pair.mine.reading.observed_at, sign, strict, (), accuracy_m(pair.mine.reading), pair.mine,
                 beside=pair.hers)
