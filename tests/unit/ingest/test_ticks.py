"""Ticks: every whole second of the pipeline's clock, one instant for all partitions."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

from emon.clock import ScaledClock
from emon.domain.instant import SECOND
from emon.ingest import ticks
from emon.journal.memory import MemoryJournal
from emon.journal.port import RAW, TopicPartition
from emon.journal.records import Tick, decode_raw

T0 = 1_764_000_000 * SECOND + 300_000


async def told(journal: MemoryJournal, partition: int) -> list[int]:
    records = [decode_raw(r.value) for r in await journal.read(TopicPartition(RAW, partition), 0, 10_000)]
    assert all(isinstance(r, Tick) for r in records)
    return [r.received_at for r in records]


async def ticked(journal: MemoryJournal, real_s: float, speed: float) -> None:
    stop = asyncio.Event()
    task = asyncio.create_task(ticks.run(journal, ScaledClock(T0, speed), stop))
    await asyncio.sleep(real_s)
    stop.set()
    await asyncio.wait_for(task, 60)


async def test_each_second_once_in_every_partition() -> None:
    journal = MemoryJournal(partitions=3)
    await ticked(journal, 0.5, 20)
    seconds = await told(journal, 0)
    assert len(seconds) >= 5 and seconds[0] % SECOND == 0 and seconds[0] > T0
    assert all(at % SECOND == 0 for at in seconds) and seconds == sorted(set(seconds))
    assert await told(journal, 1) == await told(journal, 2) == seconds


async def test_seconds_that_could_not_be_written_are_not_made_up() -> None:
    journal = MemoryJournal()
    journal.away = True
    stop = asyncio.Event()
    task = asyncio.create_task(ticks.run(journal, ScaledClock(T0, 50), stop))
    await asyncio.sleep(0.3)
    journal.away = False
    await asyncio.sleep(0.3)
    stop.set()
    await asyncio.wait_for(task, 60)
    first = (await told(journal, 0))[0]
    assert first - T0 > 8 * SECOND


async def test_a_process_that_was_held_up_says_that_it_is_no_outage() -> None:
    journal = MemoryJournal()
    stop = asyncio.Event()
    task = asyncio.create_task(ticks.run(journal, ScaledClock(T0, 600), stop))
    await asyncio.sleep(0.1)
    time.sleep(0.4)  # noqa: ASYNC251 (the whole process stands still: four minutes of its clock)
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.wait_for(task, 60)
    seconds = await told(journal, 0)
    assert seconds[-1] - seconds[0] > 200 * SECOND
    assert max(b - a for a, b in pairwise(seconds)) <= 30 * SECOND


async def test_an_away_journal_is_a_gap_also_after_ticks_went_well() -> None:
    journal = MemoryJournal()
    stop = asyncio.Event()
    task = asyncio.create_task(ticks.run(journal, ScaledClock(T0, 600), stop))
    await asyncio.sleep(0.1)
    journal.away = True
    await asyncio.sleep(0.2)
    journal.away = False
    await asyncio.sleep(0.1)
    stop.set()
    await asyncio.wait_for(task, 60)
    seconds = await told(journal, 0)
    assert max(b - a for a, b in pairwise(seconds)) > 60 * SECOND
