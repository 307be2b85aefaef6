"""Attendance: being at one of the places for some time within a window.

Decided at the window's end, by what was observed in it. Leave and suspensions take time out of a window, they do
not make two of it; what is left and is too short to hold the minimum asks nothing of anybody. A window that the
order itself does not outlast is not decided. Whoever was not watched well enough is not accused: then it is his
location that was lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from emon.domain import instant, schedule
from emon.domain.instant import DAY, SECOND
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.machine import AGAINST, FOR, Event
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.signals import OUT, Case, place_events
from emon.evaluate.track import key
from emon.evaluate.verdict import Hint, Interval, Judged, Settled, arrived, bounds_of, distances
from emon.journal.records import Bound
from emon.limits import ACCURACY_FACTOR, ATTENDANCE_EDGE, ATTENDANCE_LOOK

_PRESENT, _AWAY = AGAINST, FOR  # what contradicts and what supports a finding


class Appointment(NamedTuple):
    """A window: the instant at which it starts by the calendar, and its parts without leave, in order."""

    starts: int
    parts: tuple[Stretch, ...]

    @property
    def from_(self) -> int:
        return self.parts[0].from_

    @property
    def until(self) -> int:
        return self.parts[-1].until


class Attendance:
    """Kinds attendance_missed, attendance_late, attendance_left of one family; location_lost beside it."""

    kinds = ("attendance",)
    by_time = True
    reads = frozenset({"position", "presence"})

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule. Windows are independent: only those that the news touches are judged."""
        judged = Judged(from_, from_)
        bound_from = case.body.bound_from
        if bound_from is None:
            return Judged(from_, NEVER)
        start = max(term.from_, bound_from)
        if start == ALWAYS:  # then judging begins with the first reading, and an earlier one begins it earlier
            start = case.floor
            until = case.clock if from_ <= start else until
        for window in _appointments(term, max(from_, start), min(until, case.clock)):
            if window.until <= start:
                continue
            judged.from_, judged.until = min(judged.from_, window.from_), max(judged.until, window.until)
            if window.until <= case.clock:
                judged.intervals += _judge(case, term, window)
        _look_again(term, judged, case.clock)
        return judged


def minimum(term: Term) -> int:
    """How long one has to be there, in microseconds."""
    return round((term.condition.minimum_s or 0) * SECOND)


def decided_until(term: Term, clock: int) -> int:
    """What is observed from then on changes nothing before the end of the next window. Microseconds UTC."""
    ended = [s.until for s in term.duty(clock - ATTENDANCE_LOOK, clock) if s.until <= clock]
    return max([*ended, clock - ATTENDANCE_LOOK])


def _look_again(term: Term, judged: Judged, clock: int) -> None:
    """The end of the next window; where none is near, some time ahead."""
    if clock >= term.until:
        return
    ahead = [s.until for s in term.duty(clock, clock + ATTENDANCE_LOOK) if s.until > clock]
    judged.fall_due(min([*ahead, clock + ATTENDANCE_LOOK]), clock)


def _appointments(term: Term, from_: int, until: int) -> Iterator[Appointment]:
    """Windows that touch [from_, until], whole."""
    if from_ > until:
        return
    parts: list[Stretch] = []
    for stretch in term.duty(from_ - ATTENDANCE_LOOK, until + ATTENDANCE_LOOK):
        if parts and not _is_one_window(term, parts[-1].until, stretch.from_):
            yield from _touching(term, parts, from_, until)
            parts = []
        parts.append(stretch)
    yield from _touching(term, parts, from_, until)


def _touching(term: Term, parts: list[Stretch], from_: int, until: int) -> Iterator[Appointment]:
    if not parts or parts[-1].until < from_ or parts[0].from_ > until:
        return
    if parts[0].from_ > ALWAYS and parts[-1].until < NEVER and parts[-1].reason == "window_ended":
        yield Appointment(_starts(term, parts[0].from_), tuple(parts))


def _is_one_window(term: Term, end: int, begin: int) -> bool:
    """Whether nothing but leave or a suspension lies between two stretches."""
    return term.off(end) is not None and any(a <= end and b >= begin for a, b in _windows(term, end, begin))


def _starts(term: Term, begin: int) -> int:
    """The start of the window, leave or not."""
    if term.off(begin - 1) is None:
        return begin
    return next((max(a, term.from_) for a, b in _windows(term, begin - 1, begin)
                 if a < begin < b), begin)


def _windows(term: Term, from_: int, until: int) -> list[tuple[int, int]]:
    piece = term.piece_at(from_)
    return schedule.stretches(piece.condition.windows, piece.condition.exceptions, piece.order.time_zone,
                              from_, until)


def _judge(case: Case, term: Term, window: Appointment) -> list[Interval]:
    """What is found of a window that is over: nothing or one interval."""
    needed = minimum(term)
    if sum(part.until - part.from_ for part in window.parts) < needed:
        return []
    seen = [place_events(case, term, OUT, part.from_, part.until - 1) for part in window.parts]
    events = [event for part in seen for event in part]
    first, last, dwell = _dwell(events)
    if first is not None and dwell >= needed:
        return []
    gap = max(b - a for part, mine in zip(window.parts, seen, strict=True)
              for a, b in pairwise([part.from_, *(e.at for e in mine), part.until]))
    away = next((e for e in events if e.sign == _AWAY), None)
    there = [e for e in events if e.sign == _PRESENT]
    used = [e for e in (first, last, *there[:1], *there[-1:], away) if e is not None]
    used += [max(events, key=lambda e: arrived(e.bound))] if events else []
    numbers: dict[str, Any] = {
        "parameters": {"minimum_s": needed / SECOND, "edge_s": ATTENDANCE_EDGE // SECOND,
                       "buffer_m": term.condition.buffer_m or 0, "accuracy_factor": ACCURACY_FACTOR},
        "dwell_s": dwell / SECOND, "longest_gap_s": gap / SECOND, "fixes": distances(*used),
        "first_seen_at": there[0].at if there else None, "last_seen_at": there[-1].at if there else None,
        "seen_away": sum(e.sign == _AWAY for e in events),
        "window_from_at": window.from_, "window_until_at": window.until, "due": window.until}
    bounds = bounds_of(*used)
    if away is None or gap >= needed:
        return [_interval(term, window, "location_lost", "location_lost", 1, bounds or _before(case, window), numbers)]
    return [_interval(term, window, "attendance", _kind(window, there), 3, bounds, numbers)]


def _interval(term: Term, window: Appointment, family: str, kind: str, level: int, used: tuple[Bound, ...],
              numbers: dict[str, Any]) -> Interval:
    return Interval(
        family=family, kind=kind, onset=window.from_, ended=window.until, level=level, reason="window_ended",
        settled=window.until, used=used, numbers=numbers,
        order_version=term.piece_at(window.from_).order.version, part=instant.iso(window.starts))


def _kind(window: Appointment, there: Sequence[Event]) -> str:
    if there and window.until - there[-1].at <= ATTENDANCE_EDGE:
        return "attendance_late"
    if there and there[0].at - window.from_ <= ATTENDANCE_EDGE:
        return "attendance_left"
    return "attendance_missed"


def _dwell(events: Sequence[Event]) -> tuple[Event | None, Event | None, int]:
    """The longest time from a first to a last fix there without a gnss fix elsewhere between them."""
    best: tuple[Event | None, Event | None, int] = (None, None, 0)
    first: Event | None = None
    for event in events:
        if event.sign == _AWAY:
            if event.bound.reading.method == "gnss":
                first = None
            continue
        first = event if first is None else first
        if best[0] is None or event.at - first.at > best[2]:
            best = (first, event, event.at - first.at)
    return best


def _before(case: Case, window: Appointment) -> tuple[Bound, ...]:
    """The last reading before a window in which nothing said where somebody was."""
    before = case.readings(window.from_ - DAY, window.from_ - 1)
    twins = [b for b in before if key(b) == key(before[-1])]
    return (min(twins, key=lambda b: b.received_at),) if twins else ()
