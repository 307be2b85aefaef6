"""Appends to Kafka in large batches: acks=all, idempotent, one flush at a time.

Appends that come while a flush is under way share the next one, as they share an fsync on the embedded
journal. After a failure the producer is thrown away: nobody knows which of its batches were written, and
the next one begins with sequence numbers of its own.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaProducer

from emon.domain.errors import Unavailable
from emon.journal.kafka_client import Connection, explained, in_time, stopped
from emon.journal.port import SCHEMA_VERSION, TopicPartition
from emon.limits import KAFKA_APPEND_RECORDS, KAFKA_BATCH_BYTES, MAX_RECORD_BYTES

Pairs = list[tuple[str, bytes]]
Grouped = Mapping[TopicPartition, Pairs]
"""Keys and values by where they go."""

_HEADERS = [("v", str(SCHEMA_VERSION).encode())]


def producer_arguments(connection: Connection) -> dict[str, Any]:
    """Of every producer."""
    return {**connection.arguments(), "acks": "all", "enable_idempotence": True,
            "max_batch_size": KAFKA_BATCH_BYTES, "max_request_size": 2 * MAX_RECORD_BYTES}


async def send(producer: AIOKafkaProducer, grouped: Grouped) -> None:
    """Returns when all of it is acknowledged. Raises what aiokafka raises."""
    async with asyncio.TaskGroup() as tasks:
        for position, pairs in grouped.items():
            tasks.create_task(_send_partition(producer, position, pairs))


async def _send_partition(producer: AIOKafkaProducer, position: TopicPartition, pairs: Pairs) -> None:
    sent = []
    batch = producer.create_batch()
    for key, value in pairs:
        if batch.append(timestamp=None, key=key.encode(), value=value, headers=_HEADERS) is None:
            sent.append(await producer.send_batch(batch, position.topic, partition=position.partition))
            batch = producer.create_batch()
            batch.append(timestamp=None, key=key.encode(), value=value, headers=_HEADERS)
    batch.close()
    sent.append(await producer.send_batch(batch, position.topic, partition=position.partition))
    await asyncio.gather(*sent)


class Appender:
    """The appending side of a journal. Made on the event loop that it runs on."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._producer: AIOKafkaProducer | None = None
        self._waiting: deque[tuple[Grouped, int, asyncio.Future[None]]] = deque()
        self._wake = asyncio.Event()
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="emon-kafka-appender")

    async def append(self, grouped: Grouped) -> None:
        """Durable when it returns. Raises Unavailable."""
        if self._closed:
            raise Unavailable("the journal is closed")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((grouped, sum(map(len, grouped.values())), done))
        self._wake.set()
        await done

    async def close(self) -> None:
        """Finishes what is waiting."""
        self._closed = True
        self._wake.set()
        await self._task
        await self._drop()

    async def _run(self) -> None:
        while self._waiting or not self._closed:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            grouped, awaiting = self._next_flush()
            error = await self._flush(grouped)
            for done in awaiting:
                if done.done():  # its awaiter was cancelled; what it wrote stays
                    continue
                if error is None:
                    done.set_result(None)
                else:
                    done.set_exception(error)

    def _next_flush(self) -> tuple[Grouped, list[asyncio.Future[None]]]:
        gathered: dict[TopicPartition, Pairs] = {}
        awaiting: list[asyncio.Future[None]] = []
        records = 0
        while self._waiting and records < KAFKA_APPEND_RECORDS:
            grouped, count, done = self._waiting.popleft()
            for position, pairs in grouped.items():
                gathered.setdefault(position, []).extend(pairs)
            awaiting.append(done)
            records += count
        return gathered, awaiting

    async def _flush(self, grouped: Grouped) -> Exception | None:
        try:
            with explained(self._connection.bootstrap), unwrapped():
                await in_time(self._send(grouped))
        except Exception as error:  # Unavailable, or a bug: all awaiters hear of it, this task lives on
            await self._drop()
            return error
        return None

    async def _send(self, grouped: Grouped) -> None:
        if self._producer is None:
            producer = AIOKafkaProducer(**producer_arguments(self._connection))
            try:
                await producer.start()
            except BaseException:
                await stopped(producer)
                raise
            self._producer = producer
        await send(self._producer, grouped)

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)


@contextmanager
def unwrapped() -> Iterator[None]:
    """Raises the first error of a task group in place of the group."""
    try:
        yield
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        raise first from group
