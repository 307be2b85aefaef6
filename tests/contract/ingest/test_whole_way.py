"""From a vendor's request to emon.readings, on each journal that can be installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from emon.clock import SystemClock
from emon.domain.binding import Binding
from emon.ingest import ticks
from emon.ingest.orders import publish
from emon.journal.open import open_journal
from emon.journal.port import READINGS, Journal, TopicPartition, partition_of
from emon.journal.records import BindingVersion, Bound, InputRecord, Tick, decode_input
from emon.route import worker
from tests.contract.ingest.conftest import fix, serving, site_of
from tests.contract.ingest.test_feeds import send

PATIENCE_S = 180


@pytest.fixture(params=["sqlite", "kafka"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    url = f"sqlite:///{tmp_path / 'journal'}" if request.param == "sqlite" \
        else request.getfixturevalue("kafka").url
    journal = open_journal(url, partitions=3)
    await journal.open()
    yield journal
    await journal.close()


@asynccontextmanager
async def running(journal: Journal, engine: Engine) -> AsyncIterator[None]:
    """Ticks and the router."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(ticks.run(journal, SystemClock(), stop)),
             asyncio.create_task(worker.run(journal, engine, SystemClock(), stop))]
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 90)


async def told(journal: Journal, partition: int) -> list[InputRecord]:
    position, offset, records = TopicPartition(READINGS, partition), 0, []
    while batch := await journal.read(position, offset, 10_000):
        records += [decode_input(record.value) for record in batch]
        offset = batch[-1].offset + 1
    return records


async def told_of(journal: Journal, participant: str, count: int) -> list[Bound]:
    """The participant's readings, once so many are there."""
    partition = partition_of(participant, await journal.partitions(READINGS))
    found: list[Bound] = []
    for _ in range(PATIENCE_S * 5):
        found = [r for r in await told(journal, partition)
                 if isinstance(r, Bound) and r.participant == participant]
        if len(found) >= count:
            break
        await asyncio.sleep(0.2)
    return found


async def test_what_is_acknowledged_reaches_its_participant_through_restarts(
        journal: Journal, sqlite_engine: Engine) -> None:
    site = site_of(journal, sqlite_engine)
    mark = uuid4().hex[:8]
    people = [f"P{n}-{mark}" for n in range(6)]
    bindings: list[Any] = [Binding(id=f"b-{p}", device=f"D{p}", participant=p) for p in people[:-1]]
    await publish(journal, bindings)
    async with serving(journal, site.engine, site.clock) as client:
        async with running(journal, site.engine):
            await send(client, site, *[fix(f"D{p}", 60 - n, n) for n in range(20) for p in people])
            for p in people[:-1]:
                assert len(await told_of(journal, p, 20)) == 20
        await send(client, site, *[fix(f"D{p}", 30 - n, 20 + n) for n in range(20) for p in people])
        async with running(journal, site.engine):
            for p in people[:-1]:
                readings = [r.reading for r in await told_of(journal, p, 40)]
                assert [r.seq for r in readings] == list(range(40)), "each once and in order"
            assert await told_of(journal, people[-1], 0) == []
            await publish(journal, [Binding(id="late", device=f"D{people[-1]}", participant=people[-1])],
                          now=site.clock.now_us())
            late = await told_of(journal, people[-1], 40)
            assert sorted(r.reading.seq or 0 for r in late) == list(range(40))
    for partition in range(await journal.partitions(READINGS)):
        records = await told(journal, partition)
        ends = [r.received_at for r in records if getattr(r, "last", True)]
        assert ends == sorted(set(ends)), "effective instants strictly increase"
        assert any(isinstance(r, Tick) for r in records)
        assert sum(isinstance(r, BindingVersion) and mark in r.binding.device for r in records) == 6
