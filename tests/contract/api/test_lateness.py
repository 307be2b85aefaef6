"""A pipeline that falls behind says so, whichever stage it is, and also where that stage is not there at all."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from sqlalchemy import Engine

from emon.console.lateness import Lateness
from emon.domain.instant import SECOND
from emon.evaluate import worker
from emon.evaluate.history import MemoryHistory, MemorySnapshots
from emon.evaluate.worker import Reached
from emon.journal.memory import MemoryJournal
from emon.journal.port import READINGS, Entry, TopicPartition
from emon.journal.records import Tick, encode
from emon.serve import report_evaluated
from emon.store import writing
from emon.store.progress import Progress, report

T = 1_764_000_000 * SECOND


class Hands:
    """A clock that is set by hand."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now_us(self) -> int:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class WithMarks(MemoryJournal):
    """Ends where a transactional log ends: behind marks that are no records."""

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        return {partition: end and end + 2 for partition, end in (await super().end_offsets(topic)).items()}


async def ticks(journal: MemoryJournal, *seconds: int) -> None:
    await journal.append([Entry(READINGS, "tick", encode(Tick(T + s * SECOND)), p)
                          for s in seconds for p in range(2)])


async def late(of: Lateness) -> float | None:
    return of.late_s(await of.last_tick(await of.stages()))


def routed(engine: Engine, second: int) -> None:
    """The router has worked through a second."""
    with writing(engine) as connection:
        report(connection, [Progress(stage="route", partition=0, position=1, end=1, last_tick=T + second * SECOND,
                                     updated_at=T)])


async def test_an_evaluator_that_stopped_is_seen_though_the_router_goes_on(engine: Engine) -> None:
    journal, clock, stop = MemoryJournal(partitions=2), Hands(T), asyncio.Event()
    watched = Lateness(engine, journal, clock)
    told, loop = asyncio.Event(), asyncio.get_running_loop()

    def tell(reached: Sequence[Reached]) -> None:
        report_evaluated(engine, reached)
        if [one.clock for one in reached] == [T + 2 * SECOND] * 2:
            loop.call_soon_threadsafe(told.set)

    await ticks(journal, 1, 2)
    task = asyncio.create_task(
        worker.run(journal, MemoryHistory(), MemorySnapshots(), clock, stop, report=tell))
    await asyncio.wait_for(told.wait(), 60)
    clock.at = T + 3 * SECOND
    routed(engine, 3)
    assert await late(watched) == 1
    stop.set()
    await task
    await ticks(journal, 3, 60)
    routed(engine, 60)
    clock.at = T + 60 * SECOND
    assert await late(watched) == 58
    stages = {(one.stage, one.partition): one for one in await watched.stages()}
    assert stages["evaluate", 0].position == stages["evaluate", 0].end == 2


async def test_one_partition_that_nobody_judges_counts(engine: Engine) -> None:
    journal, clock = MemoryJournal(partitions=2), Hands(T + 50 * SECOND)
    watched = Lateness(engine, journal, clock)
    await ticks(journal, 1, 2, 50)
    routed(engine, 50)
    assert await late(watched) == 49, "nobody has ever judged anything"
    report_evaluated(engine, [Reached(1, 3, 3, T + 50 * SECOND)])
    assert await late(watched) == 49, "partition 0 is still where it began"
    report_evaluated(engine, [Reached(0, 3, 3, T + 50 * SECOND)])
    assert await late(watched) == 0


async def test_before_any_report_the_newest_record_counts_also_behind_the_marks_of_transactions(
        engine: Engine) -> None:
    journal, clock = WithMarks(partitions=2), Hands(T + 9 * SECOND)
    watched = Lateness(engine, journal, clock)
    assert await late(watched) is None
    await ticks(journal, 1, 2, 5)
    assert not await journal.read(TopicPartition(READINGS, 0), (await journal.end_offsets(READINGS))[0] - 1, 1)
    assert await late(watched) == 4
