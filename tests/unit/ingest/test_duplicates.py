"""The part of the duplicate index that is in memory."""

from __future__ import annotations

from typing import Any

from emon.domain.reading import Reading, content
from emon.ingest.duplicates import Tail, digest, marks_of, spans
from emon.limits import CHUNK_AGE


def fix(at: int, **more: Any) -> Reading:
    return Reading(**{"device": "D", "kind": "position", "observed_at": at, "received_at": at + 5, "lat": 1.0,
                      "lon": 2.0, **more})


def test_the_digest_is_of_what_was_measured_alone() -> None:
    assert digest(fix(1)) == digest(fix(1, seq=4, sent_at=3, received_at=99, feed="x"))
    assert digest(fix(1)) != digest(fix(1, accuracy_m=4.0)) and digest(fix(1)) != digest(fix(2))


def test_only_what_is_newer_than_everything_is_certainly_new() -> None:
    tail = Tail()
    assert tail.certainly_new(fix(10))
    tail.add(fix(10), 1)
    assert not tail.certainly_new(fix(10)) and not tail.certainly_new(fix(9)) and tail.certainly_new(fix(11))
    assert tail.certainly_new(fix(5, device="E"))
    tail.learn({"E": (50, 60)})
    assert not tail.certainly_new(fix(5, device="E")), "chunks may hold it"


def test_a_reading_is_held_once_and_for_as_long_as_asked() -> None:
    tail = Tail()
    for _ in range(2):
        tail.add(fix(10, seq=3), 7)
    assert len(tail) == 1
    assert tail.holds("D", 7, 15) and not tail.holds("D", 7, 16) and not tail.holds("D", 8, 0)
    assert not tail.holds("E", 7, 0)
    assert [(r.observed_at, r.received_at, r.kind, r.seq) for r in tail.received("D")] == [
        (10, 15, "position", 3)]


def test_what_chunks_hold_is_forgotten_and_what_arrived_with_their_last_is_not() -> None:
    tail = Tail()
    for at in (10, 20, 30):
        tail.add(fix(at), at)
    tail.trim({"D": (20, 25)}, 0)
    assert [r.observed_at for r in tail.received("D")] == [20, 30]
    assert not tail.certainly_new(fix(10)), "what is forgotten here is still not new"
    tail.trim({}, 1_000)
    assert len(tail) == 0


def test_numbers_beyond_63_bits_break_nothing() -> None:
    tail = Tail()
    tail.add(fix(10, seq=1 << 70), 1)
    assert [r.seq for r in tail.received("D")] == [None]


def test_marks_leave_out_what_arrived_before() -> None:
    assert marks_of([fix(10), fix(20)], 20) == {("D", digest(fix(20)))}


def test_a_digest_tells_what_content_tells() -> None:
    """The way a reading came says nothing, and everything measured does."""
    same = [fix(10), fix(10, seq=7), fix(10, sent_at=9, received_at=99, feed="other")]
    assert len({digest(each) for each in same}) == len({content(each) for each in same}) == 1
    others = [fix(10), fix(11), fix(10, lat=3.0), fix(10, extra={"a": 1, "b": 2}), fix(10, battery_fraction=0.5)]
    assert len({digest(each) for each in others}) == len(others)
    assert digest(fix(10, extra={"a": 1, "b": 2})) == digest(fix(10, extra={"b": 2, "a": 1}))


def test_instants_close_to_each_other_are_one_span() -> None:
    far = 10 * CHUNK_AGE
    assert spans({"A": {far, 5, 1, far + CHUNK_AGE}, "B": {3}, "C": set()}) == [
        ("A", 1, 5), ("A", far, far + CHUNK_AGE), ("B", 3, 3)]
