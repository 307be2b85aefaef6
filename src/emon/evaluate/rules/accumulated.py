"""A curfew's weekly allowance: lateness and leaving add up, each week anew, until there is too much of it.

Weeks are ISO weeks on the order's wall clock. What stands at the clock counts; what later turns out to have been
an absence, or nothing at all, counts no more. A finding stands until its week is over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from emon.domain import schedule
from emon.domain.instant import SECOND
from emon.evaluate.orderbook import Term
from emon.evaluate.signals import Case
from emon.evaluate.track import key
from emon.evaluate.verdict import Interval, Judged
from emon.journal.records import Bound

_COUNTED = ("curfew_late", "curfew_left")


def week_start(term: Term, instant: int) -> int:
    """The start of the week around an instant."""
    zone = term.piece_at(instant).order.time_zone
    day = schedule.local_date(instant, zone)
    return schedule.wall_clock(day - timedelta(days=day.weekday()), 0, zone)


def reach(case: Case, term: Term, from_: int) -> int:
    """From where to judge for news observed at `from_`: the start of the week in which what it touches began."""
    bottom = min(case.floor, case.clock)
    from_ = max(from_, bottom)
    return week_start(term, max(min([from_, *(stretch.from_ for stretch in term.duty(from_, from_))]), bottom))


def add_up(case: Case, term: Term, from_: int, judged: Judged) -> None:
    """Adds what is above the allowance of every week from `from_`, a week's start, to the clock."""
    allowance = round((term.condition.allowance_s_per_week or 0) * SECOND)
    counted = [i for i in judged.intervals if i.kind in _COUNTED]
    for begin, end in _weeks(term, from_, case.clock):
        mine = [i for i in counted if i.onset < end and _end(i, case.clock) > begin]
        total = sum(min(_end(i, case.clock), end) - max(i.onset, begin) for i in mine)
        last = max(mine, key=lambda i: i.onset, default=None)
        runs_on = last is not None and last.ended is None and case.clock < end
        if total > allowance or (runs_on and total == allowance):
            judged.intervals.append(_interval(case, term, begin, end, mine, total))
            judged.fall_due(min(end, term.until), case.clock)
        elif runs_on:
            judged.fall_due(case.clock + allowance - total, case.clock)
        judged.from_, judged.until = min(judged.from_, max(begin, term.from_)), max(judged.until, min(end, term.until))


def _weeks(term: Term, from_: int, until: int) -> Iterator[tuple[int, int]]:
    zone = term.piece_at(from_).order.time_zone
    begin, day = from_, schedule.local_date(from_, zone)
    while begin <= until and begin < term.until:
        day += timedelta(days=7)
        end = schedule.wall_clock(day, 0, zone)
        if end > term.from_:
            yield begin, end
        begin = end


def _end(interval: Interval, clock: int) -> int:
    return clock if interval.ended is None else interval.ended


def _interval(case: Case, term: Term, begin: int, end: int, mine: Sequence[Interval], total: int) -> Interval:
    onset, last = max(begin, term.from_), min(end, term.until)
    ended = last if case.clock >= last else None
    reason = "allowance_used" if ended is None else "week_ended" if last == end else term.end_reason
    used: dict[Any, Bound] = {key(bound): bound for interval in mine for bound in interval.used}
    numbers = {
        "parameters": {"allowance_s_per_week": term.condition.allowance_s_per_week},
        "away_s": total / SECOND,
        "away": [{"kind": i.kind, "from_at": max(i.onset, begin), "until_at": min(_end(i, case.clock), end)}
                 for i in mine],
        "week_from_at": begin, "week_until_at": end}
    return Interval(
        family="curfew_accumulated", kind="curfew_accumulated", onset=onset, ended=ended, level=2, reason=reason,
        settled=last, used=tuple(bound for _, bound in sorted(used.items())), numbers=numbers,
        order_version=term.piece_at(onset).order.version)
