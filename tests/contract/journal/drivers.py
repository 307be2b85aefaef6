"""How the contract's tests get a journal of each driver, and a second view of the same data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

from emon.journal.kafka import KafkaJournal
from emon.journal.memory import MemoryJournal
from emon.journal.port import Consumer, Entry, Journal, Record, TopicPartition
from emon.journal.sqlite import SqliteJournal

Make = Callable[[tuple[str, ...], int], Journal]
"""A journal of these topics with so many partitions, not yet opened."""

PATIENCE_S = 60.0  # a first join of a Kafka group on a busy machine


class Driver:
    """One kind of journal. Topics `a` and `b` have names of their own in every test."""

    def __init__(self, name: str, make: Make, stack: AsyncExitStack) -> None:
        self.name, self._make, self._stack = name, make, stack
        mark = uuid4().hex[:8]
        self.a, self.b, self.group = f"test.a.{mark}", f"test.b.{mark}", f"group.{mark}"

    async def open(self, partitions: int = 1) -> Journal:
        """An open journal; a further one sees the same data, as from another process."""
        journal = self._make((self.a, self.b), partitions)
        await journal.open()
        self._stack.push_async_callback(journal.close)
        return journal

    async def join(self, journal: Journal, topic: str = "", *, transactional: bool = False) -> Consumer:
        """A member of the test's group."""
        consumer = await journal.consumer(self.group, [topic or self.a], transactional=transactional)
        self._stack.push_async_callback(consumer.close)
        return consumer


def memory() -> Make:
    """Every journal is the same one: it plays the broker."""
    made: list[MemoryJournal] = []

    def make(topics: tuple[str, ...], partitions: int) -> Journal:
        if not made:
            made.append(MemoryJournal(partitions=partitions, topics=topics))
        return made[0]

    return make


def sqlite(folder: Path) -> Make:
    """Journals on one folder."""
    return lambda topics, partitions: SqliteJournal(folder, partitions=partitions, topics=topics)


def kafka(bootstrap: str) -> Make:
    """Journals on a real broker."""
    return lambda topics, partitions: KafkaJournal(bootstrap, partitions=partitions, topics=topics)


def entries(topic: str, numbers: range, *, key: str = "k", partition: int | None = None) -> list[Entry]:
    """One entry a number."""
    return [Entry(topic, key, str(number).encode(), partition) for number in numbers]


def numbers(records: list[Record]) -> list[int]:
    """What `entries` wrote."""
    return [int(record.value) for record in records]


async def drain(consumer: Consumer, wanted: int, *, max_records: int = 1000) -> list[Record]:
    """Polls until so many records came; what came when the patience ends otherwise."""
    got: list[Record] = []
    rounds = 0
    while len(got) < wanted and rounds < PATIENCE_S / 0.5:
        batch = await consumer.poll(max_records=max_records, timeout_s=0.5)
        got += [record for records in batch.values() for record in records]
        rounds += 1
    return got


async def read_back(journal: Journal, position: TopicPartition, wanted: int) -> list[Record]:
    """Reads from the beginning until so many records are there: a broker marks the end of a transaction in the
    log just after it has said that it is committed."""
    for _ in range(int(PATIENCE_S / 0.1)):
        records = list(await journal.read(position, 0, 1000))
        if len(records) >= wanted:
            return records
        await asyncio.sleep(0.1)
    return records


async def settle(*consumers: Consumer, partitions: int) -> None:
    """Polls all members in turn until they hold so many partitions between them, each at least one, and the
    same generation."""
    for _ in range(int(PATIENCE_S / 0.1)):
        for consumer in consumers:
            await consumer.poll(max_records=1, timeout_s=0.05)
        held = [consumer.assignment() for consumer in consumers]
        generations = {generation for given in held for generation in given.values()}
        if all(held) and len(generations) == 1 and sum(map(len, held)) == partitions:
            return
    raise AssertionError(f"the group did not settle: {[consumer.assignment() for consumer in consumers]}")


def next_offsets(records: list[Record]) -> dict[TopicPartition, int]:
    """What to commit after these records."""
    return {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
