"""How fast the journal alone is, per driver: the floor under every end-to-end figure.

`python -m tests.bench.journal [sqlite] [kafka]`. Records of 218 bytes, as one native reading has. Every
append is durable: an fsync or the broker's acknowledgement.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from emon.journal.kafka import KafkaJournal
from emon.journal.port import Entry, Journal, TopicPartition
from emon.journal.sqlite import SqliteJournal
from simulators import parts

TOPIC, OUT = "bench.in", "bench.out"
RECORDS = 200_000
SINGLES = 4_000
APPENDERS = 64
TRANSACTIONS = 40
_VALUE = (b'{"v":1,"device":"ACME-0001","seq":42,"kind":"position","observed_at":1795592373000000,'
          b'"lat":43.0731,"lon":-89.4012,"accuracy_m":8.5,"method":"gnss","hdop":1.1,"satellites":9,'
          b'"speed_mps":1.3,"course_deg":271,"x":1}')[:218]


class Rate(NamedTuple):
    """One figure."""

    driver: str
    what: str
    per_s: float


async def measure(driver: str, journal: Journal) -> AsyncIterator[Rate]:
    """All rates of a new journal with the two topics."""
    batches = [_batch(size) for size in (1_000, 5_000)]
    for batch in batches:
        seconds = await _timed(_append_all(journal, batch))
        yield Rate(driver, f"append, {len(batch)} a call", RECORDS / seconds)
    seconds = await _timed(_append_singly(journal))
    yield Rate(driver, f"append, 1 a call, {APPENDERS} at once", SINGLES / seconds)
    records, seconds = 0, time.monotonic()
    position, offset = TopicPartition(TOPIC, 0), 0
    while found := await journal.read(position, offset, 5_000):
        offset, records = found[-1].offset + 1, records + len(found)
    yield Rate(driver, "read by offset", records / (time.monotonic() - seconds))
    yield Rate(driver, "poll in a group", await _poll_all(journal))
    yield Rate(driver, "transactions of 1,000 in and out", await _transactions(journal))


def _batch(size: int) -> list[Entry]:
    return [Entry(TOPIC, f"ACME-{number % 10_000:05}", _VALUE) for number in range(size)]


async def _timed(work: Awaitable[None]) -> float:
    started = time.monotonic()
    await work
    return time.monotonic() - started


async def _append_all(journal: Journal, batch: list[Entry]) -> None:
    """Four callers, as four requests under way."""
    async def calls() -> None:
        for _ in range(RECORDS // len(batch) // 4):
            await journal.append(batch)

    await asyncio.gather(*(calls() for _ in range(4)))


async def _append_singly(journal: Journal) -> None:
    entry = _batch(1)

    async def calls() -> None:
        for _ in range(SINGLES // APPENDERS):
            await journal.append(entry)

    await asyncio.gather(*(calls() for _ in range(APPENDERS)))


async def _poll_all(journal: Journal) -> float:
    consumer = await journal.consumer("bench.poll", [TOPIC])
    while not consumer.assignment():
        await consumer.poll(max_records=1, timeout_s=0.1)
    records, started = 0, time.monotonic()
    while batch := await consumer.poll(max_records=5_000, timeout_s=0.5):
        records, last = records + sum(map(len, batch.values())), time.monotonic()
    await consumer.close()
    return records / (last - started)


async def _transactions(journal: Journal) -> float:
    consumer = await journal.consumer("bench.transactions", [TOPIC], transactional=True)
    out = [msgspec.structs.replace(entry, topic=OUT) for entry in _batch(1_000)]
    while not consumer.assignment():
        await consumer.poll(max_records=1, timeout_s=0.1)
    started = time.monotonic()
    for _ in range(TRANSACTIONS):
        batch = await consumer.poll(max_records=1_000, timeout_s=5)
        await consumer.append_and_commit(out, {at: records[-1].offset + 1 for at, records in batch.items()})
    await consumer.close()
    return TRANSACTIONS / (time.monotonic() - started)


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Journal]:
    """An embedded journal of one partition."""
    journal = SqliteJournal(folder / "journal", topics=(TOPIC, OUT))
    await journal.open()
    yield journal
    await journal.close()


@asynccontextmanager
async def kafka(folder: Path) -> AsyncIterator[Journal]:
    """A journal of one partition on a broker of its own on this machine."""
    broker = parts.Kafka(folder / "kafka")
    await asyncio.to_thread(broker.start)
    journal = KafkaJournal(broker.bootstrap, partitions=1, topics=(TOPIC, OUT))
    await journal.open()
    yield journal
    await journal.close()
    await asyncio.to_thread(broker.stop)


DRIVERS = {"sqlite": sqlite, "kafka": kafka}


async def floors(names: Sequence[str], *, quiet: bool = False) -> list[Rate]:
    """The rates of these drivers, printed as they come unless `quiet`."""
    rates = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            async with DRIVERS[name](Path(folder)) as journal:
                async for rate in measure(name, journal):
                    if not quiet:
                        print(f"journal {rate.driver:7} {rate.what:36} {rate.per_s:>12,.0f} /s", flush=True)
                    rates.append(rate)
    return rates


if __name__ == "__main__":
    asyncio.run(floors(sys.argv[1:] or list(DRIVERS)))
