"""Zone crossings: between two fixes outside, the straight path leads through a forbidden zone.

Nobody was seen inside, so that it is never more than an unverified hint. A path has two consecutive gnss fixes of
one device, the one that decides, in one stretch of duty, neither of them IN by the zone of its own instant, and is
straight in the projection of the zone in force at the first. It goes through: a fix that lies deep inside, too rough
to be IN, makes no crossing. What a fix changes lies between its neighbours.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from emon.domain.instant import SECOND
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.geo import NOWHERE, Degrees, Shape
from emon.evaluate.orderbook import Term, places_of
from emon.evaluate.paths import around, depth_m, is_in, touches
from emon.evaluate.positions import accuracy_m
from emon.evaluate.rules.zones import zone_stretches
from emon.evaluate.signals import Case, Wording, wording_at
from emon.evaluate.verdict import Hint, Interval, Judged, Settled
from emon.journal.records import Bound
from emon.limits import ACCURACY_FACTOR, CROSSING_DEPTH_M, CROSSING_GAP

_EMPTY: Final = (NEVER, ALWAYS)


class Crossing:
    """Kind zone_crossing, under exclusion_zone."""

    kinds = ("zone_crossing",)
    by_time = False
    reads = frozenset({"position"})

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """See verdict.Reaching: from a fix's neighbours on, where the fixes around it lie about the zone."""
        if news is None:
            return from_ - CROSSING_GAP, until if until == NEVER else until + 1
        shapes = _shapes(case, terms)
        fresh = {b.reading.observed_at for b in news if _is_fix(b)}
        if not fresh:
            return _EMPTY
        near = case.surroundings(min(fresh) - CROSSING_GAP, max(fresh) + CROSSING_GAP)
        if not any(touches(shape, near) for shape in shapes):
            return _EMPTY
        begins = {at: _may_cross_from(case, shapes, at, fresh) for at in fresh}
        crossing = {at: begin for at, begin in begins.items() if begin is not None}
        return (min(crossing.values()), max(crossing) + 1) if crossing else _EMPTY

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule. Paths that begin before the region and reach into it are judged too."""
        from_ = min([from_, *(s.onset for s in old if s.onset < from_ < s.settled)])
        judged = Judged(from_, until)
        end = min(until, case.clock)
        for stretch in zone_stretches(case, term, max(from_ - CROSSING_GAP, case.floor), end):
            low = max(stretch.from_, from_ - CROSSING_GAP)
            fixes = [b for b in case.place_readings(low, min(stretch.until - 1, end + CROSSING_GAP)) if _is_fix(b)]
            for first, second in pairwise(fixes):
                begin, ended = first.reading.observed_at, second.reading.observed_at
                if ended > from_ and begin < until and ended - begin <= CROSSING_GAP and (
                        first.reading.device == second.reading.device):
                    judged.intervals += _judged(case, term, first, second)
        return judged


def _judged(case: Case, term: Term, first: Bound, second: Bound) -> Iterator[Interval]:
    wording, path = wording_at(case, term, first.reading.observed_at), (_place(first), _place(second))
    for shape in wording.shapes:
        deep_m = depth_m(shape, path) if touches(shape, _box((first, second))) else None
        if deep_m is not None and not (_is_in(case, term, first) or _is_in(case, term, second)):
            yield _interval(wording, first, second, deep_m)
            return


def _interval(wording: Wording, first: Bound, second: Bound, deep_m: float) -> Interval:
    onset, ended = first.reading.observed_at, second.reading.observed_at
    return Interval(
        family="zone_crossing", kind="zone_crossing", onset=onset, ended=ended, level=1, reason="crossed",
        settled=ended, used=(first, second), numbers={
            "depth_m": deep_m, "device": first.reading.device,
            "parameters": {"within_s": CROSSING_GAP // SECOND, "depth_m": CROSSING_DEPTH_M,
                           "buffer_m": wording.piece.condition.buffer_m or 0, "accuracy_factor": ACCURACY_FACTOR}},
        order_version=wording.piece.order.version, zone_version=wording.zone_version)


def _is_fix(bound: Bound) -> bool:
    reading = bound.reading
    return reading.kind == "position" and reading.method == "gnss" and (
        reading.lat is not None and reading.lon is not None)


def _is_in(case: Case, term: Term, bound: Bound) -> bool:
    """Whether a fix is surely inside, by the zone of its own instant."""
    reading = bound.reading
    return any(is_in(shape, *_place(bound), accuracy_m(reading))
               for shape in wording_at(case, term, reading.observed_at).shapes)


def _place(bound: Bound) -> tuple[float, float]:
    return bound.reading.lon or 0.0, bound.reading.lat or 0.0


def _box(bounds: Iterable[Bound]) -> Degrees:
    box = NOWHERE
    for bound in bounds:
        box = around(box, _place(bound) * 2)
    return box


def _shapes(case: Case, terms: Sequence[Term]) -> list[Shape]:
    """All shapes that the terms ever forbid."""
    shapes = []
    for term in terms:
        buffer_m, zone = term.condition.buffer_m or 0.0, term.condition.zone
        if zone is None:
            shapes += [case.orders.place_shape(place, buffer_m) for piece in term.pieces for place in places_of(piece)]
        else:
            shapes += [case.orders.zone_shape(span.item, buffer_m) for span in case.orders.zone_spans(zone)]
    return shapes


def _may_cross_from(case: Case, shapes: Sequence[Shape], at: int, fresh: Collection[int]) -> int | None:
    """Where paths begin to or from the fixes of an instant, or past them if they were not there; None where none may
    lead through a zone: those to and from their neighbours, with and without what is `fresh`, whatever counts of the
    instant itself."""
    here = _box(b for b in case.readings(at, at) if _is_fix(b))
    near = [b for b in case.place_readings(at - CROSSING_GAP, at + CROSSING_GAP) if _is_fix(b)]
    boxes, begin = [], at
    for group in (near, [b for b in near if b.reading.observed_at not in fresh]):
        before = [b for b in group if b.reading.observed_at < at][-1:]
        after = [b for b in group if b.reading.observed_at > at][:1]
        begin = min([begin, *(b.reading.observed_at for b in before)])
        boxes += [around(_box([b]), here) for b in (*before, *after)]
        boxes += [_box([*before, *after])] if before and after else []
    return begin if any(touches(shape, box) for box in boxes for shape in shapes) else None
