"""The journal on Kafka: any number of processes, replicated by the brokers.

Topics that are missing are created with unlimited retention; `emon.orders` is compacted, and its keys name
object and version, so that nothing old is lost. Readers see committed transactions only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPosition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from emon.domain.errors import Unavailable
from emon.journal.kafka_client import Connection, explained, in_time, stopped
from emon.journal.kafka_consumer import KafkaConsumer, consumer_arguments
from emon.journal.kafka_producer import Appender, Pairs
from emon.journal.kafka_records import make_records
from emon.journal.port import COMPACTED, TOPICS, Entry, Record, TopicPartition, check_size, partition_of
from emon.limits import MAX_RECORD_BYTES

_READ_WAIT_MS = 200


class KafkaJournal:
    """The journal at `bootstrap` (HOST:PORT[,HOST:PORT...])."""

    def __init__(self, bootstrap: str, *, partitions: int = 4, topics: Sequence[str] = TOPICS,
                 username: str = "", password: str = "", mechanism: str = "SCRAM-SHA-512", tls: bool = False,
                 ca_file: Path | None = None) -> None:
        """`partitions`: of topics that are missing. `username`: empty for no login."""
        self._connection = Connection(bootstrap, username, password, mechanism, tls, ca_file)
        self._wanted, self._default_partitions = tuple(topics), partitions
        self._counts: dict[str, int] = {}
        self._appender: Appender | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._reading = asyncio.Lock()
        self._next: tuple[TopicPartition, int] | None = None  # where the reader stands

    async def open(self) -> None:
        if self._appender is None:
            with explained(self._connection.bootstrap):
                await in_time(self._open_topics())
            self._appender = Appender(self._connection)

    async def close(self) -> None:
        if self._appender is not None:
            appender, self._appender = self._appender, None
            await appender.close()
        await self._drop_reader()

    async def append(self, entries: Sequence[Entry]) -> Mapping[TopicPartition, range]:
        if self._appender is None:
            raise self._not_open()
        if entries:
            await self._appender.append(self._place(entries))
        return {}  # other producers' batches may stand between ours

    async def consumer(self, group: str, topics: Sequence[str], *,
                       transactional: bool = False) -> KafkaConsumer:
        for topic in topics:
            await self.partitions(topic)
        consumer = KafkaConsumer(self._connection, group, topics, transactional, self._place)
        await consumer.join()
        return consumer

    async def partitions(self, topic: str) -> int:
        if self._appender is None:
            raise self._not_open()
        if topic not in self._counts:
            raise ValueError(f"the journal was not opened with topic {topic!r}")
        return self._counts[topic]

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        positions = [KafkaPosition(topic, index) for index in range(await self.partitions(topic))]
        async with self._reading:
            with explained(self._connection.bootstrap):
                found = await in_time(self._end_offsets(positions))
        return {position.partition: offset for position, offset in found.items()}

    async def read(self, position: TopicPartition, offset: int, max_records: int) -> Sequence[Record]:
        await self.partitions(position.topic)
        async with self._reading:
            try:
                with explained(self._connection.bootstrap):
                    return await in_time(self._read(position, offset, max_records))
            except Unavailable:
                await self._drop_reader()
                raise

    async def trim(self, topic: str, before: Mapping[int, int]) -> None:
        await self.partitions(topic)
        with explained(self._connection.bootstrap):
            await in_time(self._trim({KafkaPosition(topic, index): RecordsToDelete(before_offset=offset)
                                      for index, offset in before.items()}))

    # --- inside ------------------------------------------------------------------------------------------

    def _not_open(self) -> Unavailable:
        return Unavailable(f"the journal on Kafka at {self._connection.bootstrap} is not open")

    def _place(self, entries: Sequence[Entry]) -> dict[TopicPartition, Pairs]:
        grouped: dict[TopicPartition, Pairs] = {}
        for entry in entries:
            topic, key, value, partition = entry.topic, entry.key, entry.value, entry.partition
            check_size(topic, key, value)
            count = self._counts.get(topic, 0)
            if partition is None and count:
                partition = partition_of(key, count)
            if partition is None or not 0 <= partition < count:
                raise ValueError(f"the journal was not opened with {topic}/{partition or 0}")
            grouped.setdefault(TopicPartition(topic, partition), []).append((key, value))
        return grouped

    async def _open_topics(self) -> None:
        admin = AIOKafkaAdminClient(**self._connection.arguments())
        try:
            await admin.start()
            missing = set(self._wanted) - set(await admin.list_topics())
            if missing:
                await self._create_topics(admin, sorted(missing))
            # brokers learn of a new topic one by one, and there is nothing to wait for
            while not await self._learn_partitions(admin):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        finally:
            await admin.close()

    async def _create_topics(self, admin: AIOKafkaAdminClient, topics: Sequence[str]) -> None:
        replication = min(3, len((await admin.describe_cluster())["brokers"]))
        answer = await admin.create_topics([NewTopic(
            topic, self._default_partitions, replication, topic_configs=_topic_configs(topic))
            for topic in topics])
        for topic, code, *message in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:  # another process was faster
                why = message[0] if message else error.__name__
                raise KafkaError(f"topic {topic} cannot be created: {why}")

    async def _learn_partitions(self, admin: AIOKafkaAdminClient) -> bool:
        for said in await admin.describe_topics(list(self._wanted)):
            if said["error_code"] == 0 and all(one["leader"] >= 0 for one in said["partitions"]):
                self._counts[said["topic"]] = len(said["partitions"])
        return set(self._wanted) <= set(self._counts)

    async def _trim(self, before: Mapping[KafkaPosition, RecordsToDelete]) -> None:
        admin = AIOKafkaAdminClient(**self._connection.arguments())
        try:
            await admin.start()
            await admin.delete_records(before)
        finally:
            await admin.close()

    async def _end_offsets(self, positions: Sequence[KafkaPosition]) -> Mapping[KafkaPosition, int]:
        reader = await self._open_reader()
        found: Mapping[KafkaPosition, int] = await reader.end_offsets(positions)
        return found

    async def _read(self, position: TopicPartition, offset: int, max_records: int) -> Sequence[Record]:
        reader = await self._open_reader()
        where = KafkaPosition(*position)
        if self._next != (position, offset):
            self._next = None
            reader.assign([where])
            reader.seek(where, offset)
        end = None
        while True:
            found: Sequence[Record] | None = (await reader.getmany(where, timeout_ms=_READ_WAIT_MS if end else 0,
                                          max_records=max_records)).get(where)
            if found:
                self._next = (position, found[-1].offset + 1)
                return found
            end = end or (await reader.end_offsets([where]))[where]
            if await reader.position(where) >= end:
                self._next = None
                return []

    async def _open_reader(self) -> Any:
        if self._reader is None:
            # at the end of a log: 20 ms, not half a second
            reader = AIOKafkaConsumer(**consumer_arguments(self._connection), fetch_max_wait_ms=20)
            try:
                await reader.start()
            except BaseException:
                await stopped(reader)
                raise
            make_records(reader)
            self._reader = reader
        return self._reader

    async def _drop_reader(self) -> None:
        reader, self._reader, self._next = self._reader, None, None
        if reader is not None:
            await stopped(reader)


def _topic_configs(topic: str) -> dict[str, str]:
    cleanup = "compact" if topic in COMPACTED else "delete"
    return {"cleanup.policy": cleanup, "retention.ms": "-1", "retention.bytes": "-1",
            "max.message.bytes": str(MAX_RECORD_BYTES + (1 << 16))}
