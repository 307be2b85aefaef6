"""Findings that have ended rest as bytes: less memory, and late news finds them as they were."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import msgspec
import pytest

from emon.domain import finding as findings
from emon.domain.finding import Finding
from emon.evaluate import sentences
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory
from emon.evaluate.matching import Book, Key, Moment, Standing, revise
from emon.evaluate.port import Snapshot
from emon.evaluate.verdict import Interval
from tests.unit.evaluate.test_lane import crowd
from tests.unit.evaluate.world import at

KEY = Key("P", "O", "c", "exclusion_zone")


def moment(clock: int) -> Moment:
    return Moment(clock, 1, lambda _: "late_data", sentences.evidence, sentences.retraction)


def interval(minute: int, until: int | None) -> Interval:
    numbers = {"fixes": [{"observed_at": at(minute + i), "distance_m": 12.5 - i, "accuracy_m": 5.0} for i in range(9)]}
    return Interval("exclusion_zone", "exclusion_zone_entered", at(minute), None if until is None else at(until),
                    2, "left_zone", numbers=numbers, settled=at(until or minute))


def visits(count: int) -> Book:
    """A visit every ten minutes, five minutes long."""
    book = Book()
    for i in range(count):
        revise(KEY, book, at(10 * i), at(10 * i + 6), [interval(10 * i, 10 * i + 5)], moment(at(10 * i + 6)))
    return book


def rested(book: Book) -> Book:
    """The book as it is after a save."""
    for standing in book.standing:
        standing.rest()
    return book


def decided(lines: list[Finding]) -> list[bytes]:
    return [findings.encode(line) for line in lines]


@pytest.mark.parametrize("news", [
    (20, 26, [(20, 25)]),  # says the same again
    (20, 26, [(20, 23)]),  # shorter
    (20, 26, []),  # nothing there after all
    (10, 36, [(10, 35)]),  # three were one
    (0, 60, [(1, 2), (3, 4), (24, 31), (50, 55)]),
])
def test_late_news_treats_a_finding_at_rest_like_any_other(news: tuple[int, int, list[tuple[int, int]]]) -> None:
    from_, until, spans = news
    lines = []
    for book in (visits(6), rested(visits(6))):
        lines.append(decided(revise(KEY, book, at(from_), at(until), [interval(*span) for span in spans],
                                    moment(at(100)))))
        assert [s.onset for s in book.standing] == sorted(s.finding.onset for s in book.standing)
        assert [s.ended for s in book.standing] == [s.finding.ended for s in book.standing]
    assert lines[0] == lines[1]
    assert (not lines[0]) == (spans == [(20, 25)])


def test_what_has_ended_takes_little_memory_and_what_has_not_stays_as_it_is() -> None:
    book = rested(visits(200))
    assert all(s._finding is None for s in book.standing)
    assert max(sys.getsizeof(s._packed) for s in book.standing) < 700
    revise(KEY, book, at(1000), at(1006), [interval(1000, 1005)], moment(at(3000)))
    assert sum(s._finding is not None for s in book.standing) == 1  # only what was concerned was looked at
    open_ = Standing.of(visits(1).standing[0].finding, 0, None)
    open_.finding = msgspec.structs.replace(open_.finding, ended=None, status="opened")
    assert open_.rest() is open_.finding and open_.ended is None


def test_findings_at_rest_survive_restarts_and_late_news() -> None:
    """A backlog that changes findings which were saved, restored and saved again."""
    given = crowd(5)
    by_hour = sorted(given, key=lambda record: record.received_at)
    straight = Evaluator(MemoryHistory()).arrivals(by_hour)
    history = MemoryHistory()
    judge, parts, written = Evaluator(history), dict[str, bytes](), list[Finding]()
    for begin in range(0, len(by_hour), 150):
        written += judge.step(by_hour[begin:begin + 150])
        judge.flush_history()
        shared, changed = judge.snapshot()
        parts.update({name: part for name, part in changed.items() if part is not None})
        judge = Evaluator.restore(Snapshot(begin, shared, parts), history)
    written += judge.advance(by_hour[-1].received_at)
    assert decided(written) == decided(straight)
    assert sum(line.status == "closed" and line.revision > 2 for line in written) > 0  # of one that had ended


def test_a_year_of_findings_at_rest_fits_into_memory() -> None:
    """What a finding leaves behind for good: well under a kilobyte, however long its evidence."""
    visits(1)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    book = rested(visits(300))
    gc.collect()
    each = (tracemalloc.get_traced_memory()[0] - before) / len(book.standing)
    tracemalloc.stop()
    assert each < 1000
