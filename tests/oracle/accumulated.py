"""A curfew's weekly allowance, added up from what is found of the curfew itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.oracle.curfew import wall
from tests.oracle.knowledge import SECOND
from tests.oracle.ledger import Interval
from tests.oracle.versions import Span, Term


@dataclass(frozen=True)
class Week:
    """A week of a term, and the curfew's findings that lie in it."""

    start: int
    end: int
    away: tuple[Interval, ...]
    total: int

    def goes_on(self, clock: int) -> bool:
        """Whether time alone adds to it."""
        return clock < self.end and any(interval.ended is None for interval in self.away)


def weeks(term: Term, found: Sequence[Interval], clock: int, horizon: Span) -> Iterator[Week]:
    """Weeks in which something counts."""
    zone = term.pieces[0].order.time_zone
    day = datetime.fromtimestamp(horizon[0] / SECOND, UTC).astimezone(ZoneInfo(zone)).date()
    day -= timedelta(days=day.weekday())
    while (start := wall(day, 0, zone)) <= clock:
        day += timedelta(days=7)
        end = wall(day, 0, zone)
        away = [
            interval
            for interval in found
            if interval.kind in ("curfew_late", "curfew_left")
            and interval.onset < end
            and _until(interval, clock) > start
        ]
        total = sum(min(_until(i, clock), end) - max(i.onset, start) for i in away)
        if away:
            yield Week(start, end, tuple(away), total)


def allowance(term: Term) -> int:
    return round((term.condition.allowance_s_per_week or 0) * SECOND)


def _until(interval: Interval, clock: int) -> int:
    return clock if interval.ended is None else interval.ended
