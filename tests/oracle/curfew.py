"""Curfews: duty as stretches of absolute time, and what kind of absence a run in one is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from emon.domain.order import Condition, Window
from tests.oracle.fixes import Fix
from tests.oracle.knowledge import MINUTE, SECOND
from tests.oracle.runs import Run
from tests.oracle.versions import Span, Term, absences, minus, union

STATE_AGE = 30 * MINUTE
OBSERVED_GAP = 60 * MINUTE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Stretch:
    """Duty without a break. `reason`: why it ends early, "" where by its own schedule."""

    start: int
    end: int
    reason: str
    term: Term


def _utc(naive: datetime, zone: ZoneInfo) -> int:
    """Microseconds UTC, right or wrong about gaps."""
    return (naive.replace(tzinfo=zone).astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=4096)
def wall(day: date, seconds: int, zone_name: str) -> int:
    """The instant of a wall-clock time: a doubled one is the first, a missing one the end of the gap."""
    zone = ZoneInfo(zone_name)
    naive = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)
    instant = _utc(naive, zone)
    if (_EPOCH + timedelta(microseconds=instant)).astimezone(zone).replace(tzinfo=None) == naive:
        return instant

    def offset(at: int) -> timedelta | None:
        return (_EPOCH + timedelta(microseconds=at)).astimezone(zone).utcoffset()

    before, after = instant - 86_400 * SECOND, instant + 86_400 * SECOND
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if offset(middle) == offset(before) else (before, middle)
    return after


def windows(condition: Condition, zone_name: str, horizon: Span) -> list[Span]:
    """Windows in absolute time, those of excepted dates replaced."""
    first = (_EPOCH + timedelta(microseconds=horizon[0])).date() - timedelta(days=2)
    last = (_EPOCH + timedelta(microseconds=horizon[1])).date() + timedelta(days=2)
    excepted = {exception.date: exception.windows for exception in condition.exceptions}
    spans: list[Span] = []
    day = first
    while day <= last:
        todays: Sequence[Window] = (
            excepted.get(day.isoformat(), ())
            if day.isoformat() in excepted
            else [window for window in condition.windows if day.weekday() in window.days]
        )
        for window in todays:
            next_day = day + timedelta(days=1 if window.to_s <= window.from_s else 0)
            start, end = wall(day, window.from_s, zone_name), wall(next_day, window.to_s, zone_name)
            if start < end:
                spans.append((start, end))
        day += timedelta(days=1)
    return spans


def stretches(term: Term, horizon: Span) -> list[Stretch]:
    """A term's duty within the horizon."""
    spans: list[Span] = []
    own_ends: set[int] = set()
    for piece in term.pieces:
        duty = minus(
            union(windows(piece.condition, piece.order.time_zone, horizon)), absences(piece.condition)
        )
        own_ends |= {end for _, end in duty if piece.start < end <= piece.end}
        spans += [
            (max(start, piece.start), min(end, piece.end))
            for start, end in duty
            if max(start, piece.start) < min(end, piece.end)
        ]
    return [
        Stretch(start, end, term.end_reason if end == term.end and end not in own_ends else "", term)
        for start, end in union(spans)
    ]


def _state_before(start: int, all_fixes: Sequence[Fix]) -> Fix | None:
    """The last fix that counts before a stretch's start, unless it is too old to say anything."""
    earlier = [fix for fix in all_fixes if start - STATE_AGE <= fix.at < start]
    return earlier[-1] if earlier else None


def witness(run: Run, stretch: Stretch, all_fixes: Sequence[Fix]) -> Fix | None:
    """The fix that says where somebody was before a run: IN during the stretch, else the state before it."""
    seen_in = [fix for fix in run.before if not fix.supports]
    return seen_in[-1] if seen_in else _state_before(stretch.start, all_fixes)


def onset(run: Run, stretch: Stretch, before: Fix | None) -> int:
    """The start where somebody came into the stretch being out."""
    return stretch.start if before is not None and before.supports else run.first


def kind_while_open(before: Fix | None) -> str:
    """Left or late, by what is known of the time before the onset."""
    return "curfew_left" if before is not None and not before.supports else "curfew_late"


def kind_and_reason_at_end(
    kind: str, started: int, stretch: Stretch, span_fixes: Sequence[Fix]
) -> tuple[str, str]:
    """Of a run that lasted to the end of its stretch."""
    out = [fix for fix in span_fixes if fix.supports]
    seen_from = started if kind == "curfew_left" else stretch.start
    marks = [seen_from, *(fix.at for fix in out if fix.at >= seen_from), stretch.end]
    gapless = all(b - a <= OBSERVED_GAP for a, b in itertools.pairwise(marks))
    if kind == "curfew_late" and gapless and all(fix.supports for fix in span_fixes):
        kind = "curfew_absent"
    return kind, stretch.reason or ("" if gapless else "unknown_after")
