"""Fencing of transactions by consumer group generation (Kafka's KIP-447), which aiokafka 0.14 lacks.

Two requests in newer versions than aiokafka speaks, put into its clients by subclass and wrapper:
- TxnOffsetCommit 3 names the member and generation, so that the broker refuses offsets of work that was
  polled before a rebalance, and with them the whole transaction;
- OffsetFetch 7 asks for stable offsets, so that whoever gets a partition waits for the transaction of its
  former holder to end, instead of beginning before it.
With these the transactional id need not carry the fence. Rejected: one producer a partition (Kafka before
KIP-447): a transaction that moves offsets of several partitions would need several.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import CommitFailedError, IllegalGenerationError
from aiokafka.producer.sender import CoordinationType, Sender, TxnOffsetCommitHandler
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

_ILLEGAL_GENERATION, _UNKNOWN_MEMBER, _REBALANCE_IN_PROGRESS, _FENCED_INSTANCE = 22, 25, 27, 82
_FENCED = {_ILLEGAL_GENERATION, _UNKNOWN_MEMBER, _REBALANCE_IN_PROGRESS, _FENCED_INSTANCE}
_UNSTABLE = 88
_UNSTABLE_AGAIN_S = 0.05

_TEXT = CompactString("utf-8")
_PARTITION_ERRORS = CompactArray(("partition", Int32), ("error_code", Int16), ("tags", TaggedFields))


class _TxnOffsetCommitResponse3(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 28, 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("topics", CompactArray(("topic", _TEXT), ("partitions", _PARTITION_ERRORS), ("tags", TaggedFields))),
        ("tags", TaggedFields))


class _TxnOffsetCommitRequest3(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION = 28, 3, True
    RESPONSE_TYPE = _TxnOffsetCommitResponse3
    SCHEMA = Schema(
        ("transactional_id", _TEXT), ("group_id", _TEXT), ("producer_id", Int64), ("producer_epoch", Int16),
        ("generation_id", Int32), ("member_id", _TEXT), ("group_instance_id", _TEXT),
        ("topics", CompactArray(
            ("topic", _TEXT),
            ("partitions", CompactArray(
                ("partition", Int32), ("offset", Int64), ("leader_epoch", Int32), ("metadata", _TEXT),
                ("tags", TaggedFields))),
            ("tags", TaggedFields))),
        ("tags", TaggedFields))


class _TxnOffsetCommit(Request[_TxnOffsetCommitRequest3]):  # type: ignore[misc]
    API_KEY = 28

    def __init__(self, *fields: Any) -> None:
        self._fields = fields

    def build(self, request_struct_class: type[_TxnOffsetCommitRequest3]) -> _TxnOffsetCommitRequest3:
        return request_struct_class(*self._fields, {})


class _OffsetFetchResponse7(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 9, 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("topics", CompactArray(
            ("topic", _TEXT),
            ("partitions", CompactArray(
                ("partition", Int32), ("offset", Int64), ("leader_epoch", Int32), ("metadata", _TEXT),
                ("error_code", Int16), ("tags", TaggedFields))),
            ("tags", TaggedFields))),
        ("error_code", Int16), ("tags", TaggedFields))


class _OffsetFetchRequest7(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION = 9, 7, True
    RESPONSE_TYPE = _OffsetFetchResponse7
    SCHEMA = Schema(
        ("group_id", _TEXT),
        ("topics", CompactArray(
            ("topic", _TEXT), ("partitions", CompactArray(Int32)), ("tags", TaggedFields))),
        ("require_stable", Boolean), ("tags", TaggedFields))


class _OffsetFetch(Request[_OffsetFetchRequest7]):  # type: ignore[misc]
    API_KEY = 9

    def __init__(self, group: str, partitions: list[tuple[str, list[int]]]) -> None:
        self._group, self._partitions = group, partitions

    def build(self, request_struct_class: type[_OffsetFetchRequest7]) -> _OffsetFetchRequest7:
        topics: list[Any] = [(topic, partitions, {}) for topic, partitions in self._partitions]
        return request_struct_class(self._group, topics, True, {})


# --- the producer's side -----------------------------------------------------------------------------------


class FencedProducer(AIOKafkaProducer):  # type: ignore[misc]
    """A transactional producer whose offsets count only while the group is in `generation`."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._sender = _FencedSender(
            self.client, acks=-1, txn_manager=self._txn_manager,
            message_accumulator=self._message_accumulator, retry_backoff_ms=100,
            request_timeout_ms=self._request_timeout_ms)

    def set_membership(self, generation: int, member: str) -> None:
        """As whom the next transactions commit offsets."""
        self._sender.generation, self._sender.member = generation, member


class _FencedSender(Sender):  # type: ignore[misc]
    generation, member = -1, ""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.asking: asyncio.Task[Any] | None = None
        """The request about the transaction that is under way: it tries until a broker answers, and outlives
        the sender itself."""

    def _maybe_do_transactional_request(self) -> asyncio.Task[Any] | None:
        self.asking = super()._maybe_do_transactional_request()
        return self.asking

    async def _do_txn_offset_commit(self, offsets: Mapping[Any, Any], group_id: str) -> None:
        node = await self._find_coordinator(CoordinationType.GROUP, group_id)
        await _FencedHandler(self, offsets, group_id).do(node)


class _FencedHandler(TxnOffsetCommitHandler):  # type: ignore[misc]
    def create_request(self) -> _TxnOffsetCommit:
        by_topic: dict[str, list[tuple[int, int, int, str, dict[int, bytes]]]] = defaultdict(list)
        for position, offset in sorted(self._offsets.items()):
            by_topic[position.topic].append((position.partition, offset.offset, -1, offset.metadata, {}))
        manager = self._sender._txn_manager
        return _TxnOffsetCommit(
            manager.transactional_id, self._group_id, manager.producer_id, manager.producer_epoch,
            self._sender.generation, self._sender.member, None,
            [(topic, partitions, {}) for topic, partitions in by_topic.items()])

    def handle_response(self, resp: Any) -> float | None:
        errors = [(topic, [(partition, code) for partition, code, _ in partitions])
                  for topic, partitions, _ in resp.topics]
        if not any(code in _FENCED for _, partitions in errors for _, code in partitions):
            backoff: float | None = super().handle_response(SimpleNamespace(errors=errors))
            return backoff
        manager = self._sender._txn_manager
        manager.error_transaction(CommitFailedError("the group has a newer generation"))
        manager.wait_for_transaction_end().exception()  # seen: the waiting task has it from its offsets
        return None


# --- the consumer's side -----------------------------------------------------------------------------------


class FencedRequests:
    """Stands between a consumer's coordinator and the broker."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        """`consumer` must be started and not yet subscribed."""
        self.generation = -1
        """Of the work whose offsets may be committed: no other generation's offsets are sent."""
        self._coordinator = consumer._coordinator
        self._send: Callable[[Any], Awaitable[Any]] = self._coordinator._send_req
        self._coordinator._send_req = self._request

    def membership(self) -> tuple[int, str]:
        """The group's generation and the name it has given this member."""
        return self._coordinator.generation, self._coordinator.member_id

    def rejoin(self) -> None:
        """Asks the group for its present assignment."""
        self._coordinator.request_rejoin()

    async def _request(self, request: Any) -> Any:
        if isinstance(request, OffsetCommitRequest):
            if request._consumer_group_generation_id != self.generation:
                raise IllegalGenerationError("rebalanced meanwhile")
        elif isinstance(request, OffsetFetchRequest):
            return await self._stable_offsets(request._consumer_group, request._partitions or [])
        return await self._send(request)

    async def _stable_offsets(self, group: str, partitions: list[tuple[str, list[int]]]) -> SimpleNamespace:
        """The answer in the form of the version that aiokafka knows."""
        while True:
            answer = await self._send(_OffsetFetch(group, partitions))
            if answer.error_code:
                return SimpleNamespace(topics=[(topic, [(one, -1, "", answer.error_code) for one in indexes])
                                               for topic, indexes in partitions])
            topics = [(topic, [_without_epoch(one) for one in found]) for topic, found, _ in answer.topics]
            if not any(code == _UNSTABLE for _, found in topics for *_, code in found):
                return SimpleNamespace(topics=topics)
            await asyncio.sleep(_UNSTABLE_AGAIN_S)


def _without_epoch(found: tuple[Any, ...]) -> tuple[int, int, str, int]:
    partition, offset, _, metadata, code, _ = found
    return partition, offset, metadata, code
