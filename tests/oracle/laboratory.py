"""Laboratory tests, told plainly: every sample that is known, and every whole month of the order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.oracle.breath import Fact
from tests.oracle.curfew import wall
from tests.oracle.fixes import Person
from tests.oracle.knowledge import LONG_AGO, Heard, Sighting
from tests.oracle.versions import Span, Term

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FINAL = ("negative", "positive", "dilute", "refused")


def _best(sighting: Sighting) -> list[Heard]:
    def strength(heard: Heard) -> int:
        result = heard.reading.result
        return 2 if result in _FINAL else 1 if result == "pending" else 0

    strongest = max(strength(h) for h in sighting.readings)
    return [h for h in sighting.readings if strength(h) == strongest]


def facts(
    person: Person, term: Term, start: int, end: int, horizon: Span, reached: Callable[[int], bool]
) -> Iterator[Fact]:
    """Of one judged span."""
    samples = [s for s in person.sightings if s.kind == "lab_result"]
    for sample in samples:
        best = _best(sample)
        if len({(h.reading.result, h.at) for h in best}) > 1 or not start <= best[0].at < end:
            continue
        result, at = best[0].reading.result or "", best[0].at
        kind = "test_missed" if result == "missed" else "test_failed"
        if result not in ("negative", "pending"):
            first = min(best, key=lambda h: h.received_at)
            yield Fact(f"{sample.device} {first.reading.test_id or at}", kind, at, at, 3, (first,), result)
    if term.condition.per_month is not None and person.bonds:
        yield from _months(samples, term, start, end, horizon, reached)


def _months(
    samples: list[Sighting],
    term: Term,
    start: int,
    end: int,
    horizon: Span,
    reached: Callable[[int], bool],
) -> Iterator[Fact]:
    begun = horizon[0] if start == LONG_AGO else start
    zone = term.piece_at(start).order.time_zone
    first = (_EPOCH + timedelta(microseconds=begun)).astimezone(ZoneInfo(zone)).date().replace(day=1)
    while wall(first, 0, zone) < horizon[1]:
        following = (first + timedelta(days=31)).replace(day=1)
        month_start, month_end = wall(first, 0, zone), wall(following, 0, zone)
        first = date(following.year, following.month, 1)
        if month_start < begun or month_end > end or not reached(month_end):
            continue
        counted = [
            min(_best(s), key=lambda h: h.received_at)
            for s in samples
            if all(h.reading.result in _FINAL and month_start <= h.at < month_end for h in _best(s))
        ]
        if len(counted) < (term.condition.per_month or 0):
            yield Fact(f"month {month_start}", "test_missed", month_start, month_end, 3, tuple(counted), "few")
