"""The journal's port. Three drivers keep its contract: SQLite (embedded), Kafka, memory (simulation).

Contract:
- `append` returns only when every entry is durable (SQLite: fsync; Kafka: acks=all), or raises Unavailable.
- Entries of one key go to one partition (hash of the key, the same for every driver and process) and keep
  the order in which one producer appended them. An explicit `partition` overrides the key.
- A consumer of a group is given whole partitions; two of one group never share one. After a crash or a
  rebalance reading resumes at the last commit: at least once.
- `commit` by a consumer that has lost the partition meanwhile raises Fenced and changes nothing.
- `append_and_commit` makes outputs visible and moves the offsets in one transaction, where a reader with
  default settings of this port never sees outputs of an aborted one.
- A rebalance puts every member of the group back to the last commits: what was polled before it is polled
  again by whoever holds the partition now, so a commit is Fenced as soon as the group has a newer generation
  than the consumer's latest poll returned. Work in progress from before is to be thrown away.
- A group that has never committed a partition begins at its oldest record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol
from zlib import crc32

import msgspec

from emon.domain.errors import Fenced as Fenced  # raised by drivers; part of the contract
from emon.limits import MAX_RECORD_BYTES

RAW, ORDERS, READINGS = "emon.raw", "emon.orders", "emon.readings"
FINDINGS, ALERTS, REJECTED = "emon.findings", "emon.alerts", "emon.rejected"
TOPICS: Final = (RAW, ORDERS, READINGS, FINDINGS, ALERTS, REJECTED)
COMPACTED: Final = frozenset({ORDERS})  # keys name id and version, so compaction erases nothing but re-sends
SCHEMA_VERSION: Final = 1  # of the JSON on all topics; Kafka records carry it as header `v`


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: CRC-32 of its UTF-8 bytes, modulo; the same for every driver and release."""
    return crc32(key.encode()) % partitions


def check_size(topic: str, key: str, value: bytes) -> None:
    """Raises ValueError for an entry that no driver takes."""
    if len(value) + len(key) > MAX_RECORD_BYTES:
        raise ValueError(f"a record of {len(value)} bytes for {topic} (key {key[:40]!r}) is larger than "
                         f"{MAX_RECORD_BYTES}")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What is to be written."""

    topic: str
    key: str
    value: bytes
    partition: int | None = None


class TopicPartition(NamedTuple):
    """One ordered log."""

    topic: str
    partition: int


class Record(msgspec.Struct, frozen=True, gc=False):
    """What was written: `offset` grows by at least one within its partition."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes


class Consumer(Protocol):
    """One member of a consumer group. Not safe to use from two tasks at once."""

    async def poll(self, *, max_records: int, timeout_s: float) -> Mapping[TopicPartition, Sequence[Record]]:
        """Records after the position, at most so many in all; empty when none came in time.

        Raises Unavailable, after which the next poll tries again, and Fenced on a closed consumer.
        """

    def assignment(self) -> Mapping[TopicPartition, int]:
        """Partitions held, each with the generation in which it was given (grows at every rebalance)."""

    async def positions(self) -> dict[TopicPartition, int]:
        """Per partition held, the offset behind what was polled: where the next poll goes on, or the group's
        last commit where nothing was polled yet. Raises Fenced, Unavailable."""

    async def seek(self, position: TopicPartition, offset: int) -> None:
        """The next poll of this partition begins at `offset`."""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Next offsets to read. Raises Fenced, Unavailable (then nobody knows; commit or poll again)."""

    async def append_and_commit(self, entries: Sequence[Entry],
                                offsets: Mapping[TopicPartition, int]) -> None:
        """Writes entries and moves the offsets, both or neither. Raises Fenced, Unavailable.

        After Unavailable nobody knows which of the two: the consumer joins its group anew, so that the next
        poll goes on at the last commit, under a newer generation.
        """

    async def close(self) -> None:
        """Leaves the group."""


class Journal(Protocol):
    """A set of topics. `open` creates what is missing; `close` is safe to call twice."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def append(self, entries: Sequence[Entry]) -> Mapping[TopicPartition, range]:
        """Durable when it returns. Raises Unavailable.

        Returns the offsets that they have, of those partitions where they surely stand beside one another.
        """

    async def consumer(self, group: str, topics: Sequence[str], *, transactional: bool = False) -> Consumer:
        """Joins a group. `transactional`: the only kind that may `append_and_commit`."""

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        """Per partition the offset that the next entry will have."""

    async def read(self, position: TopicPartition, offset: int, max_records: int) -> Sequence[Record]:
        """Records from `offset` on without any group: for replay, export and loading what is compacted.

        Offsets that are gone (trimmed, compacted, aborted) are passed over: begin again behind the last
        record given. Empty only when nothing readable stands at or after `offset`.
        """

    async def trim(self, topic: str, before: Mapping[int, int]) -> None:
        """Forgets, per partition, the records below the offset, to give disk space back. May keep some."""
