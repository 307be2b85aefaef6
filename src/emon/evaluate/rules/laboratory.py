"""Laboratory tests: results that are not clean, tests that were missed, and months with too few results.

A month counts in the order's time zone, and only where the condition holds in all of it: a quota for a part of
a month is nowhere defined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from emon.domain import schedule
from emon.domain.instant import DAY
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.results import Tested, is_final, tests_of
from emon.evaluate.signals import Case
from emon.evaluate.verdict import Hint, Interval, Judged, Settled
from emon.journal.records import Bound
from emon.limits import TEST_SPAN

_MONTH = 32 * DAY  # a month and a day at most


class Laboratory:
    """Kinds test_failed and test_missed, a family each."""

    kinds = ("substance_testing",)
    by_time = True
    reads = frozenset({"lab_result"})

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """See verdict.Reaching. A result matters to its whole month."""
        if news is not None:
            instants = [b.reading.observed_at for b in news if b.reading.kind in self.reads]
            if not instants:
                return until, from_ - 1
            from_, until = min(instants), max(instants)
        if any(term.from_ == ALWAYS for term in terms):
            until = NEVER  # months count since the first result, which may be this one
        return max(from_, ALWAYS // 2) - _MONTH - TEST_SPAN, min(until, NEVER // 2) + TEST_SPAN

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule."""
        judged = Judged(from_, min(until, case.clock) + 1)
        results = case.measured("lab_result", from_ - TEST_SPAN, judged.until + _MONTH + TEST_SPAN)
        tests = tests_of(results)
        for stretch in term.duty(from_, NEVER):
            for test in tests:
                _judge_test(term, stretch, test, judged)
            if term.condition.per_month is not None and case.body.bound_from is not None:
                for begin, end in _months(case, term, stretch, judged):
                    _judge_month(case, term, tests, begin, end, judged)
        return judged


def _judge_test(term: Term, stretch: Stretch, test: Tested, judged: Judged) -> None:
    agreed = test.agreed
    if agreed is None or not stretch.from_ <= agreed.reading.observed_at < stretch.until:
        return
    at, result = agreed.reading.observed_at, agreed.reading.result or ""
    kind = {"positive": "test_failed", "refused": "test_failed", "dilute": "test_failed",
            "missed": "test_missed"}.get(result)
    if kind is not None:
        tested = {"test_id": agreed.reading.test_id, "panel": agreed.reading.panel, "result": result}
        _add(term, judged, test.part, kind, at, at, result, (agreed,), {"tests": [tested]})


def _judge_month(case: Case, term: Term, tests: list[Tested], begin: int, end: int, judged: Judged) -> None:
    if end > case.clock:
        judged.fall_due(end, case.clock)
        return
    counted = [min(test.best, key=lambda b: b.received_at) for test in tests
               if all(is_final(b.reading) and begin <= b.reading.observed_at < end for b in test.best)]
    demanded = term.condition.per_month or 0
    if len(counted) < demanded:
        numbers = {"parameters": {"per_month": demanded}, "final_results": len(counted), "due": end,
                   "window_from_at": begin, "window_until_at": end}
        _add(term, judged, f"month {begin}", "test_missed", begin, end, "too_few", tuple(counted), numbers)


def _months(case: Case, term: Term, stretch: Stretch, judged: Judged) -> Iterator[tuple[int, int]]:
    """Whole months of the stretch that begin in the region and have begun."""
    start = stretch.from_
    if start == ALWAYS:
        start = case.floor if case.body.bound_from in (None, ALWAYS) else case.body.bound_from or ALWAYS
    low, high = max(start, judged.from_), min(stretch.until, judged.until, case.clock + 1)
    if judged.until > case.clock and start < stretch.until:
        high = min(stretch.until, max(case.clock, start) + _MONTH)
    if low >= high:
        return
    zone = term.piece_at(low).order.time_zone
    first = schedule.local_date(low, zone).replace(day=1)
    while True:
        following = (first + timedelta(days=32)).replace(day=1)
        zone = term.piece_at(max(low, _midnight(first, zone))).order.time_zone
        begin, end = _midnight(first, zone), _midnight(following, zone)
        if begin >= high:
            return
        if begin >= low and end <= stretch.until:
            yield begin, end
        first = following


def _midnight(day: date, zone: str) -> int:
    return schedule.wall_clock(day, 0, zone)


def _add(term: Term, judged: Judged, part: str, kind: str, onset: int, ended: int, reason: str,
         used: tuple[Bound, ...], numbers: dict[str, Any]) -> None:
    if judged.from_ <= onset < judged.until:
        judged.intervals.append(Interval(
            family=kind, kind=kind, onset=onset, ended=ended, level=3, reason=reason, settled=ended, used=used,
            numbers=numbers, order_version=term.piece_at(onset).order.version, part=part))
