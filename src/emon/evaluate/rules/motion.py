"""Motion without a fix: a device says that it moves, and nothing says where it is.

Found where an hour without a position holds enough motion, however often it was interrupted. The finding begins
with the first motion of the earliest such hour and ends with the next position. Motion lasts from `motion_start`
to the device's next `motion_stop`: one whose stop never came goes on, since a device that rests would say so.
A position is any of a known method, of this device; being heard by the home unit says where it is just as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from emon.domain.instant import SECOND
from emon.domain.versions import NEVER
from emon.evaluate import lasting
from emon.evaluate.devices import reach_of, where_nothing_is_open, worn_stretches
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.positions import Wearing, located
from emon.evaluate.signals import Case
from emon.evaluate.track import key
from emon.evaluate.verdict import Hint, Interval, Judged, Settled
from emon.journal.records import Bound
from emon.limits import MOTION_LEAST, MOTION_WITHIN

_TRACKERS = (None, "position")  # what a binding may say of a device that is expected to know where it is
_EVENTS = ("motion_start", "motion_stop")


class Fix(NamedTuple):
    """An instant at which something says where the device is, and the reading that said so first."""

    at: int
    first: Bound


class Motion:
    """Kind motion_without_fix, under device_integrity, each device by itself.

    The timer is set as if no position were to come: positions that came are counted when it fires.
    """

    kinds = ("motion_without_fix",)
    by_time = True
    reads = frozenset({"status", "position", "presence"})

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """See verdict.Reaching: from the earliest reading that matters on."""
        if news is None:
            return from_, NEVER
        return reach_of(b for b in news if _matters(case, hint, b))

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule. Hours that end in the region count, though they may begin before it."""
        from_ = where_nothing_is_open(from_, old)
        judged = Judged(from_, NEVER)
        for worn in worn_stretches(term.duty(from_, NEVER), case.body.wearings):
            if worn.time.from_ > case.clock:
                judged.fall_due(worn.time.from_, case.clock)
            else:
                _worn(case, term, worn.time, worn.wearing, from_, judged)
        hint.open_from = min((i.onset for i in judged.intervals if i.ended is None), default=None)
        ends = [s.settled for s in (*old, *judged.intervals) if s.settled < NEVER]
        hint.last_event = max(ends, default=hint.last_event)
        return judged


def _matters(case: Case, hint: Hint, bound: Bound) -> bool:
    reading = bound.reading
    if reading.kind == "status":
        return reading.event in _EVENTS
    if reading.kind not in ("position", "presence"):
        return False
    at = reading.observed_at
    return hint.open_from is not None or (hint.last_event is not None and at <= hint.last_event) or (
        reading.kind == "presence" and sum(key(b) == key(bound) for b in case.readings(at, at)) > 1)


def _worn(case: Case, term: Term, stretch: Stretch, wearing: Wearing, from_: int, judged: Judged) -> None:
    """Adds what is found of one wearing within a stretch from `from_` on, where nothing is open."""
    low = max(stretch.from_, from_ - MOTION_WITHIN)
    said = lasting.events(case, wearing, "motion", low)
    moving = lasting.spans(said)
    if not moving:
        return
    fixes = _fixes(case, wearing, low, min(stretch.until, wearing.until - 1))
    marks: list[Fix | None] = [None, *fixes]
    for last, following in zip(marks, [*fixes, None], strict=True):
        begin = low if last is None else last.at
        if following is not None and following.at - begin <= MOTION_WITHIN:
            continue
        due = _due(moving, begin + MOTION_WITHIN)
        if due is None or due >= stretch.until or (following is not None and following.at <= due):
            continue
        if due > case.clock:
            judged.fall_due(due, case.clock)
        else:
            _add(case, term, stretch, wearing, said, (last, following), due, judged)


def _add(case: Case, term: Term, stretch: Stretch, wearing: Wearing, said: Sequence[Bound],
         gap: tuple[Fix | None, Fix | None], due: int, judged: Judged) -> None:
    moving, window = lasting.spans(said), due - MOTION_WITHIN
    onset = max(window, min(begin for begin, end in moving if end > window))
    if wearing.binding_at(onset).role not in _TRACKERS:
        return
    last, following = gap
    if last is None:
        last = _last_before(case, wearing, max(stretch.from_, case.floor), window)
    ended, reason = None, "moving"
    if following is not None:
        ended, reason = following.at, "located"
    elif case.clock >= stretch.until:
        ended, reason = stretch.until, stretch.reason
    else:
        judged.fall_due(stretch.until, case.clock)
    before, after = ([] if fix is None else [fix.first] for fix in (last, following))
    judged.intervals.append(Interval(
        family="motion_without_fix", kind="motion_without_fix", onset=onset, ended=ended, level=1, reason=reason,
        settled=NEVER if ended is None else ended,
        used=(*before, *lasting.around(said, window, due), *after),
        numbers={"device": wearing.device, "due": due, "moved_s": lasting.total(moving, window, due) / SECOND,
                 "parameters": {"motion_s": MOTION_LEAST // SECOND, "within_s": MOTION_WITHIN // SECOND}},
        order_version=term.piece_at(onset).order.version, part=f"{wearing.device}|motion"))


def _due(moving: Sequence[tuple[int, int]], earliest: int) -> int | None:
    """The end of the first hour, ending at `earliest` or later, that holds enough motion."""
    def moved(until: int) -> int:
        return lasting.total(moving, until - MOTION_WITHIN, until)

    edges = {e for span in moving for edge in span for e in (edge, edge + MOTION_WITHIN)}
    at = earliest
    for edge in [*sorted(e for e in edges if earliest < e < NEVER), NEVER]:
        so_far = moved(at)
        if so_far >= MOTION_LEAST:
            return at
        if moved(at + 1) > so_far and at + MOTION_LEAST - so_far <= edge:
            return at + MOTION_LEAST - so_far
        at = edge
    return None


def _last_before(case: Case, wearing: Wearing, bottom: int, until: int) -> Fix | None:
    """The last fix before an instant, for the evidence."""
    top, step = until - 1, MOTION_WITHIN
    while top >= bottom:
        low = max(top - step, bottom)
        fixes = _fixes(case, wearing, low, top)
        if fixes:
            return fixes[-1]
        top, step = low - 1, step * 4
    return None


def _fixes(case: Case, wearing: Wearing, from_: int, until: int) -> list[Fix]:
    """When something says where the device is, by time."""
    readings = [b for b in case.readings(from_, until) if _speaks(b, wearing.device)]
    instants = located(readings, case.participant, case.bindings)
    found = []
    for at, group in groupby(readings, key=lambda b: b.reading.observed_at):
        if at in instants:
            found.append(Fix(at, min(group, key=lambda b: b.received_at)))
    return found


def _speaks(bound: Bound, device: str) -> bool:
    """Whether a reading may say where the device is."""
    reading = bound.reading
    if reading.kind == "presence":
        return reading.beacon in (None, device)
    return reading.kind == "position" and reading.device == device
