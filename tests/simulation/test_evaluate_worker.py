"""The evaluator's worker on a journal that fails and with processes that die, against the batch run.

Invariant 3, live equals replay, and invariant 4, crashes do not matter: whatever happens on the way, the
findings topic ends up with the revisions of the batch run, each at least once, in the same words.
"""

from __future__ import annotations

import asyncio
from random import Random

import msgspec
import pytest

from emon.clock import SystemClock
from emon.domain import finding as findings
from emon.domain.finding import Finding
from emon.evaluate import saving, worker
from emon.evaluate.history import MemoryHistory, MemorySnapshots
from emon.journal.memory import MemoryJournal
from emon.journal.port import FINDINGS, READINGS, Entry, TopicPartition
from emon.journal.records import InputRecord, Tick, encode
from tests.properties.corpus import corpus
from tests.properties.running import REAL, at_once

POSITION = TopicPartition(READINGS, 0)
SECOND = 1_000_000


class World:
    """What outlives every process: the journal, the history, the snapshots; and the input still to be written."""

    def __init__(self, records: list[InputRecord]) -> None:
        self.journal = MemoryJournal()
        self.history, self.snapshots = MemoryHistory(), MemorySnapshots()
        self.left = list(records)
        self._processes: list[tuple[asyncio.Task[None], asyncio.Event]] = []

    def start(self) -> None:
        """One more worker."""
        stop = asyncio.Event()
        self._processes.append(
            (
                asyncio.create_task(
                    worker.run(self.journal, self.history, self.snapshots, SystemClock(), stop)
                ),
                stop,
            )
        )

    async def kill(self, random: Random) -> None:
        """One worker dies where it stands."""
        task, _ = self._processes.pop(random.randrange(len(self._processes)))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def stop(self) -> None:
        """All workers end in good order, without an error."""
        for task, stop in self._processes:
            stop.set()
            await asyncio.wait_for(task, 60)

    def write(self, count: int) -> None:
        """The router's next transaction. It bypasses the faults, which are for the workers."""
        part, self.left = self.left[:count], self.left[count:]
        fail, lose = self.journal._fail_appends, self.journal._lose_acks
        self.journal._fail_appends = self.journal._lose_acks = 0
        self.journal.write([Entry(READINGS, "", encode(record), 0) for record in part])
        self.journal._fail_appends, self.journal._lose_acks = fail, lose

    def told(self) -> list[Finding]:
        """All lines of the findings topic, without the wall's time."""
        lines = self.journal.slice(TopicPartition(FINDINGS, 0), 0, 1 << 20)
        return [msgspec.structs.replace(findings.decode(line.value), recorded_at=None) for line in lines]

    async def drained(self) -> None:
        """Returns when the snapshot covers everything written; a commit may have been refused after it."""
        for _ in range(12_000):
            saved = self.snapshots.load(0)
            if saved is not None and saved.offset == self.journal.end(POSITION):
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the workers did not get to the end")


def _input(seed: int) -> tuple[list[InputRecord], list[Finding]]:
    """One world of the corpus with a last tick, and the batch run's answer."""
    cases = [case for case in corpus() if len(case.expected) >= 4]
    one = cases[seed * 7 % len(cases)]
    last = -(-one.until // SECOND) * SECOND + SECOND
    records = [*one.records, Tick(received_at=last)]
    return records, at_once(REAL, records, last)


@pytest.mark.parametrize("seed", range(3))
async def test_3_live_equals_replay(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that nothing happens to tells line by line what the batch run tells."""
    monkeypatch.setattr(saving, "SNAPSHOT_MOST_S", 0.0)
    records, expected = _input(seed)
    world = World(records)
    world.start()
    random = Random(seed)
    while world.left:
        world.write(random.randint(1, 12))
        await asyncio.sleep(0)
    await world.drained()
    await world.stop()
    assert world.told() == expected


@pytest.mark.parametrize("seed", range(8))
async def test_4_crashes_do_not_matter(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed, rebalanced, refused: every revision is told, in the batch run's words, and no other."""
    await storm(seed, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 400))
async def test_4_crashes_do_not_matter_soak(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for many seeds."""
    await storm(seed, monkeypatch)


async def storm(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes a world bit by bit while workers die, come and are refused."""
    random = Random(seed)
    monkeypatch.setattr(saving, "SNAPSHOT_MOST_S", random.choice([0.0, 0.02]))
    monkeypatch.setattr(worker, "RETRY_FIRST_S", 0.001)
    monkeypatch.setattr(worker, "EVALUATE_RECORDS", random.choice([1, 5, 50]))
    records, expected = _input(seed)
    world = World(records)
    world.start()
    while world.left:
        world.write(random.randint(1, 12))
        for _ in range(random.randint(0, 3)):
            await asyncio.sleep(random.choice([0, 0.001, 0.005]))
        match random.choice(["kill", "join", "rebalance", "refuse", "lose", "calm", "calm"]):
            case "kill":
                await world.kill(random)
                world.start()
            case "join":
                world.start()
            case "rebalance":
                if worker.GROUP in world.journal._groups:
                    world.journal.rebalance(worker.GROUP)
            case "refuse":
                world.journal.fail_next_append()
            case "lose":
                world.journal.lose_next_ack()
            case _:
                pass
    await world.drained()
    await world.stop()
    told = world.told()
    by_id = {(line.finding_id, line.revision): line for line in expected}
    assert {(line.finding_id, line.revision) for line in told} == set(by_id)
    assert all(by_id[line.finding_id, line.revision] == line for line in told)
