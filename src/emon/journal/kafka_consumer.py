"""A member of a consumer group on Kafka, and its transactions.

Work is fenced by the group's generation: offsets of what was polled before a rebalance are refused here,
and by the broker where it knows better. The transactional id is that of the lowest partition held: two
live members never share it, and whoever takes over after a crash ends the dead one's transaction at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener
from aiokafka import TopicPartition as KafkaPosition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from emon.domain.errors import Unavailable
from emon.journal.kafka_client import Connection, explained, in_time, stopped
from emon.journal.kafka_fencing import FencedProducer, FencedRequests
from emon.journal.kafka_members import client_id, dismiss_dead
from emon.journal.kafka_producer import Grouped, producer_arguments, send, unwrapped
from emon.journal.kafka_records import make_records
from emon.journal.port import Entry, Fenced, Record, TopicPartition
from emon.limits import KAFKA_HEARTBEAT_S, KAFKA_SESSION_S, KAFKA_TRANSACTION_S, MAX_RECORD_BYTES

log = structlog.get_logger()

_POLL_SLACK_S = 0.1  # a poll ends so long after its time-out while the group is being rebalanced


def consumer_arguments(connection: Connection) -> dict[str, Any]:
    """Of every consumer, with a group or without."""
    return {**connection.arguments(), "enable_auto_commit": False, "auto_offset_reset": "earliest",
            "isolation_level": "read_committed", "max_partition_fetch_bytes": 2 << 20,
            "fetch_max_bytes": 2 * MAX_RECORD_BYTES}


class Given(NamedTuple):
    """What a rebalance has given this member."""

    generation: int
    member: str
    held: frozenset[TopicPartition]


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Hears what the group decides, for one client. Who left a client makes it `deaf`: while that client is
    still ending, it must not change what its successor was given."""

    def __init__(self, decided: Callable[[frozenset[TopicPartition] | None], None]) -> None:
        """`decided` is called with the partitions given; None: the group begins a rebalance."""
        self._decided = decided
        self.deaf = False

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Called by aiokafka."""
        if not self.deaf:
            self._decided(None)

    def on_partitions_assigned(self, assigned: Any) -> None:
        """Called by aiokafka."""
        if not self.deaf:
            self._decided(frozenset(TopicPartition(one.topic, one.partition) for one in assigned))


class KafkaConsumer:
    """One member of a group."""

    def __init__(self, connection: Connection, group: str, topics: Sequence[str], transactional: bool,
                 place: Callable[[Sequence[Entry]], Grouped]) -> None:
        self._connection, self._group, self._topics = connection, group, list(topics)
        self._transactional, self._place = transactional, place
        self._consumer: AIOKafkaConsumer | None = None
        self._requests: FencedRequests | None = None
        self._listener: Listener | None = None
        self._producer: FencedProducer | None = None
        self._given: Given | None = None  # by the group; None: being decided
        self._seen: Given | None = None  # at the latest poll
        self._closed = False

    # --- the port ----------------------------------------------------------------------------------------

    async def join(self) -> None:
        """Enters the group as a new member. Raises Unavailable."""
        consumer = AIOKafkaConsumer(
            group_id=self._group, client_id=client_id(), partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=int(KAFKA_SESSION_S * 1000),
            heartbeat_interval_ms=int(KAFKA_HEARTBEAT_S * 1000),
            **consumer_arguments(self._connection))
        try:
            with explained(self._connection.bootstrap):
                await in_time(consumer.start())
        except BaseException:
            await stopped(consumer)
            raise
        await dismiss_dead(self._connection, self._group)
        make_records(consumer)
        self._requests = FencedRequests(consumer)
        self._listener = Listener(self._decided)
        consumer.subscribe(self._topics, listener=self._listener)
        self._consumer = consumer

    async def poll(self, *, max_records: int, timeout_s: float) -> Mapping[TopicPartition, Sequence[Record]]:
        if self._closed:
            raise Fenced(f"this consumer of group {self._group} is closed")
        if self._consumer is None:
            await self.join()
        try:
            with explained(self._connection.bootstrap):
                await self._take_over()
                found = await self._getmany(max_records, timeout_s)
        except Unavailable:
            await self._leave()
            raise
        if self._given is not None:
            self._seen = self._given
        return {TopicPartition(position.topic, position.partition): some for position, some in found.items()}

    async def _getmany(self, max_records: int, timeout_s: float) -> Mapping[Any, Sequence[Record]]:
        assert self._consumer is not None
        polling = self._consumer.getmany(timeout_ms=int(timeout_s * 1000), max_records=max_records)
        try:
            found: Mapping[Any, Sequence[Record]] = await asyncio.wait_for(polling, timeout_s + _POLL_SLACK_S)
        except TimeoutError:
            return {}
        return found

    def assignment(self) -> Mapping[TopicPartition, int]:
        if self._seen is None:
            return {}
        return dict.fromkeys(sorted(self._seen.held), self._seen.generation)

    async def positions(self) -> dict[TopicPartition, int]:
        held = self._check_current(()).held
        assert self._consumer is not None
        with explained(self._connection.bootstrap):
            return {position: await in_time(self._consumer.position(KafkaPosition(*position)))
                    for position in sorted(held)}

    async def seek(self, position: TopicPartition, offset: int) -> None:
        self._check_current((position,))
        assert self._consumer is not None
        with explained(self._connection.bootstrap):
            self._consumer.seek(KafkaPosition(*position), offset)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._check_current(offsets)
        if offsets:
            assert self._consumer is not None
            with explained(self._connection.bootstrap):
                await in_time(self._consumer.commit(_kafka_offsets(offsets)))

    async def append_and_commit(self, entries: Sequence[Entry],
                                offsets: Mapping[TopicPartition, int]) -> None:
        if not self._transactional:
            raise ValueError("append_and_commit needs a consumer made with transactional=True")
        grouped = self._place(entries)
        generation, member, held = self._check_current(offsets)
        try:
            with explained(self._connection.bootstrap), unwrapped():
                producer = await in_time(self._producer_of(min(held)))
                producer.set_membership(generation, member)
                await in_time(self._transact(producer, grouped, offsets))
        except Fenced:
            await self._drop_producer()
            self._given = None
            self._requests_of().rejoin()  # puts the positions back to the last commits, too
            raise
        except BaseException:  # Unavailable, cancelled or a bug: nobody knows whether it was written
            await self._leave()
            raise

    async def close(self) -> None:
        self._closed = True
        await self._leave()

    # --- inside ------------------------------------------------------------------------------------------

    def _decided(self, held: frozenset[TopicPartition] | None) -> None:
        if held is None:
            self._given = None
            return
        self._given = Given(*self._requests_of().membership(), held)
        log.info("partitions assigned", group=self._group, generation=self._given.generation,
                 partitions=sorted(f"{one.topic}/{one.partition}" for one in held))

    def _check_current(self, positions: Iterable[TopicPartition]) -> Given:
        if self._consumer is None or self._seen is None or self._seen != self._given:
            raise Fenced(f"group {self._group} was rebalanced since this consumer's last poll")
        for position in positions:
            if position not in self._seen.held:
                raise Fenced(f"{position.topic}/{position.partition} is not held by this consumer")
        self._requests_of().generation = self._seen.generation
        return self._seen

    def _requests_of(self) -> FencedRequests:
        assert self._requests is not None, "join first"
        return self._requests

    async def _take_over(self) -> None:
        """Ends the transaction that a former holder may have left open: its offsets would be waited for."""
        given = self._given
        if self._transactional and given is not None and given.held:
            await in_time(self._producer_of(min(given.held)))

    async def _producer_of(self, lowest: TopicPartition) -> FencedProducer:
        name = f"{self._group}.{lowest.topic}.{lowest.partition}"
        if self._producer is not None and self._producer._txn_manager.transactional_id != name:
            await self._drop_producer()
        if self._producer is None:
            producer = FencedProducer(transactional_id=name,
                                      transaction_timeout_ms=int(KAFKA_TRANSACTION_S * 1000),
                                      **producer_arguments(self._connection))
            try:
                await producer.start()
            except BaseException:
                await stopped(producer)
                raise
            self._producer = producer
        return self._producer

    async def _transact(self, producer: FencedProducer, grouped: Grouped,
                        offsets: Mapping[TopicPartition, int]) -> None:
        await producer.begin_transaction()
        try:
            await send(producer, grouped)
            if offsets:
                await producer.send_offsets_to_transaction(_kafka_offsets(offsets), self._group)
        except Exception:
            if not producer._txn_manager.is_fatal_error():
                await producer.abort_transaction()
            raise
        await producer.commit_transaction()

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)

    async def _leave(self) -> None:
        consumer, self._consumer = self._consumer, None
        self._given = self._seen = None
        if self._listener is not None:
            self._listener.deaf = True
        await self._drop_producer()
        if consumer is not None:
            await stopped(consumer)


def _kafka_offsets(offsets: Mapping[TopicPartition, int]) -> dict[KafkaPosition, int]:
    return {KafkaPosition(*position): offset for position, offset in offsets.items()}
