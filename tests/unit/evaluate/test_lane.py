"""The fast lane is invisible: with it, without it and in any batches the same revisions come out."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from emon.domain.binding import Binding
from emon.domain.finding import Finding
from emon.domain.instant import SECOND
from emon.domain.order import Order
from emon.domain.reading import Reading
from emon.evaluate import batch, evaluator, lane_pending
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory
from emon.evaluate.port import Snapshot
from emon.evaluate.track import day_of, decode_lines
from emon.journal.records import Bound, InputRecord, encode
from tests.unit.evaluate.world import CONTACT, CURFEW, EXCLUSION, SCHOOL, at, fix, order

PEOPLE = 6


def crowd(seed: int) -> list[InputRecord]:
    """Some people with every condition, a fix a minute, 10 % of them late, a few doubled or contradicted."""
    rng = random.Random(seed)
    readings: list[Reading] = []
    orders: list[Order] = []
    bindings: list[Binding] = []
    for person in range(PEOPLE):
        conditions = rng.sample([EXCLUSION, CURFEW, CONTACT], rng.randint(1, 3))
        orders.append(order(*conditions, id=f"O{person}", participant=f"P{person}", since=-60))
        bindings.append(Binding(id=f"B{person}", device=f"D{person}", participant=f"P{person}", from_=at(-60)))
        bold = rng.random() < 0.4
        for minute in range(180):
            where = rng.choice(["school", "fence", "elsewhere", "home"]) if bold and rng.random() < 0.2 else "home"
            late = rng.choice([7, 40, 100]) if rng.random() < 0.1 else person / 60
            readings.append(fix(minute, where, minute + late, device=f"D{person}", accuracy_m=rng.choice([5.0, 60.0])))
            if rng.random() < 0.03:
                readings.append(fix(minute, rng.choice(["home", "school"]), minute + late + 1, device=f"D{person}"))
        readings = [r for r in readings if not (r.device == "D3" and at(60) < r.observed_at < at(100))]
    readings.sort(key=lambda r: r.received_at)
    spread = [msgspec.structs.replace(r, received_at=r.received_at + i % 7 * SECOND) for i, r in enumerate(readings)]
    return list(batch.merge(sorted(spread, key=lambda r: r.received_at), orders, [SCHOOL], bindings))


def run(given: list[InputRecord], size: int, *, restart: bool = False) -> tuple[list[Finding], int]:
    """Revisions, and how many people the lane has seen."""
    history, parts, written = MemoryHistory(), {}, []
    judge = Evaluator(history)
    for start in range(0, len(given), size):
        end = start + size
        while end < len(given) and given[end].received_at == given[end - 1].received_at:
            end += 1
        written += judge.arrivals(given[start:end] if not start else [
            r for r in given[start:end] if r.received_at > given[start - 1].received_at])
        judge.flush_history()
        shared, changed = judge.snapshot()
        parts.update({name: part for name, part in changed.items() if part is not None})
        if restart:
            judge = Evaluator.restore(Snapshot(start, shared, parts), history)
    return written + judge.advance(at(400)), len(judge._lane.names)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_lane_is_invisible(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = crowd(seed)
    with_lane, people = run(given, len(given))
    assert people == PEOPLE and len(with_lane) >= 10
    assert run(given, 100)[0] == with_lane
    assert run(given, 333, restart=True)[0] == with_lane
    nobody: Callable[..., None] = lambda *_, **__: None  # noqa: E731
    monkeypatch.setattr(evaluator, "compile_person", nobody)
    without, people = run(given, len(given))
    assert people == 0
    assert without == with_lane


@pytest.mark.parametrize("seed", [3, 4])
def test_how_readings_wait_for_the_history_is_invisible(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushed at the end or over and over again."""
    given = crowd(seed)
    plainly, _ = run(given, len(given))
    assert run(given, 50, restart=True)[0] == plainly
    monkeypatch.setattr(evaluator, "PENDING_BYTES", 500)
    assert run(given, len(given))[0] == plainly
    assert run(given, 77, restart=True)[0] == plainly


def test_who_waits_is_given_back_whole_and_written_once() -> None:
    waiting = lane_pending.Waiting()
    bounds = [Bound(participant=f"P{i % 2}", received_at=at(30 + i), reading=fix(60 * i * 7, "home", 30 + i))
              for i in range(8)]
    for begin in range(0, 8, 4):
        of_chunk = bounds[begin:begin + 4]
        rows = sorted(range(4), key=lambda row: of_chunk[row].participant)
        waiting.add(np.array([int(of_chunk[row].participant[1:]) for row in rows]),
                    np.array([of_chunk[row].reading.observed_at for row in rows]), np.array(rows),
                    list(map(encode, of_chunk)))
    assert waiting.bytes > 0
    assert waiting.of(0, 0) == bounds[::2] and waiting.of(1, 1) == bounds[5::2] and waiting.of(2, 0) == []
    chunks = waiting.take(["P0", "P1"])
    assert len(waiting) == 0 and waiting.bytes == 0 and waiting.take(["P0", "P1"]) == []
    assert sorted(bound.received_at for chunk in chunks for bound in decode_lines(chunk.payload)) == [
        bound.received_at for bound in bounds]
    for chunk in chunks:
        held = decode_lines(chunk.payload)
        assert {(b.participant, day_of(b.reading.observed_at)) for b in held} == {(chunk.participant, chunk.day)}
        instants = [b.reading.observed_at for b in held]
        assert (chunk.first_observed_at, chunk.last_observed_at, chunk.count) == (
            min(instants), max(instants), len(held))
    assert len({(chunk.participant, chunk.day) for chunk in chunks}) == len(chunks) > 2


def test_the_largest_accuracy_there_is_says_nothing_and_overflows_nothing() -> None:
    readings = [fix(minute, "school", device="D1", accuracy_m=1e308) for minute in range(10)]
    readings += [fix(minute, "school", device="D1", accuracy_m=5.0) for minute in range(20, 22)]
    given = list(batch.merge(readings, [order(EXCLUSION, id="O1", participant="P1", since=-60)], [SCHOOL],
                             [Binding(id="B1", device="D1", participant="P1", from_=at(-60))]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, people = run(given, 1)
    assert people == 1 and [finding.onset for finding in found] == [at(20)]
