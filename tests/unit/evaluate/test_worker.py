"""Whatever happens to the process or the group, the findings topic tells the same story."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from emon.clock import SystemClock
from emon.domain import finding as findings
from emon.evaluate import worker
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory, MemorySnapshots
from emon.journal.memory import MemoryJournal
from emon.journal.port import FINDINGS, READINGS, Entry, TopicPartition
from emon.journal.records import InputRecord, encode
from tests.unit.evaluate.test_evaluator import day


class Place:
    """A journal and what evaluators keep."""

    def __init__(self) -> None:
        self.journal, self.history, self.snapshots = MemoryJournal(), MemoryHistory(), MemorySnapshots()

    async def feed(self, records: list[InputRecord]) -> None:
        await self.journal.append([Entry(READINGS, "P", encode(record), 0) for record in records])

    async def work(self, seconds: float, told: list[tuple[str, int, str]] | None = None) -> None:
        """Runs a worker for a while, longer where it has not `told` all this yet, and stops it in good order."""
        stop = asyncio.Event()
        task = asyncio.create_task(worker.run(self.journal, self.history, self.snapshots, SystemClock(), stop))
        await asyncio.sleep(seconds)
        if told is not None:
            await self.until(told)
        stop.set()
        await asyncio.wait_for(task, 60)

    async def until(self, told: list[tuple[str, int, str]], patience_s: float = 60) -> None:
        """Waits until the topic tells this, or the patience ends."""
        for _ in range(int(patience_s / 0.05)):
            if await self.told() == told:
                return
            await asyncio.sleep(0.05)

    async def told(self) -> list[tuple[str, int, str]]:
        """Distinct revisions in the order in which they first stand on the topic."""
        seen: dict[tuple[str, int, str], None] = {}
        for record in await self.journal.read(TopicPartition(FINDINGS, 0), 0, 100_000):
            finding = findings.decode(record.value)
            assert finding.recorded_at is not None
            seen.setdefault((finding.finding_id, finding.revision, finding.status))
        return list(seen)


def expected() -> list[tuple[str, int, str]]:
    return [(f.finding_id, f.revision, f.status) for f in Evaluator(MemoryHistory()).step(day())]


async def test_a_worker_goes_on_where_the_one_before_stopped() -> None:
    place, given = Place(), day()
    await place.feed(given[:100])
    await place.work(0.5)
    await place.feed(given[100:])
    await place.work(0.5, told=expected())
    assert await place.told() == expected()


async def test_a_killed_worker_repeats_itself_and_loses_nothing() -> None:
    place, given = Place(), day()
    await place.feed(given[:120])
    task = asyncio.create_task(
        worker.run(place.journal, place.history, place.snapshots, SystemClock(), asyncio.Event()))
    await asyncio.sleep(0.4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await place.feed(given[120:])
    await place.work(0.6, told=expected())
    assert await place.told() == expected()


async def test_a_rebalance_in_the_middle_changes_nothing() -> None:
    place, given = Place(), day()
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(place.journal, place.history, place.snapshots, SystemClock(), stop))
    for start in range(0, len(given), 40):
        await place.feed(given[start:start + 40])
        await asyncio.sleep(0.15)
        place.journal.rebalance(worker.GROUP)
    place.journal.fail_next_append()
    await place.until(expected())
    stop.set()
    await asyncio.wait_for(task, 60)
    assert await place.told() == expected()


@pytest.mark.parametrize("spoil", [
    lambda shared: b"emon state 0\n" + shared[len(worker.STATE_MARK):],  # written by another version
    lambda shared: shared[:-7],  # cut off
], ids=["other version", "unreadable"])
async def test_a_snapshot_that_is_no_use_is_folded_anew(spoil: Callable[[bytes], bytes]) -> None:
    place, given = Place(), day()
    await place.feed(given[:120])
    await place.work(0.5)
    saved = place.snapshots.load(0)
    assert saved is not None
    place.snapshots.save(0, 1, saved.offset, spoil(saved.shared), {"nobody": b"left over"})
    await place.feed(given[120:])
    await place.work(1.0, told=expected())
    assert await place.told() == expected()
    now = place.snapshots.load(0)
    assert now is not None
    assert "nobody" not in now.participants
