"""What the router knows at its start, made anew from the logs and the store.

Outputs and the group's offsets move in one transaction, so what stands before an offset was told and what
stands behind it was not, wherever the process died. What the store holds (chunks of readings, which devices
belong to which feed) is written afterwards and may lag behind: its own positions say from where to read again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from emon.journal.port import ORDERS, RAW, READINGS, Journal, Record, TopicPartition
from emon.journal.records import decode_orders
from emon.route.bind import Binder, VersionRecord
from emon.route.heads import (
    BoundHead,
    RawHead,
    TickHead,
    ToldHead,
    decode_head,
    decode_raw,
    decode_told,
    on_its_way,
    reading_of,
)
from emon.route.history import DeviceHistory
from emon.route.sequence import Sequencer

Batch = Mapping[TopicPartition, Sequence[Record]]
Begin = Mapping[TopicPartition, int]
"""What stands behind these offsets is still to be told."""
Positions = Mapping[tuple[str, int], int]

_AT_ONCE = 5_000
_LOOK_BACK = 512  # records at the end of a partition, then twice as many before them, until a tick is among them


async def load_versions(journal: Journal, binder: Binder, begin: Begin, positions: Positions) -> list[VersionRecord]:
    """Takes in all versions that were told; those that the store has heard nothing of."""
    versions = []
    for partition in range(await journal.partitions(ORDERS)):
        position = TopicPartition(ORDERS, partition)
        async for record in _all(journal, position, 0, begin[position]):
            version = decode_orders(record.value)
            stored = record.offset < positions.get(position, 0)
            versions.append((version.received_at, partition, record.offset, stored, version))
    unknown: list[VersionRecord] = []
    for _, _, _, stored, version in sorted(versions, key=lambda each: each[:3]):
        change = binder.take(version)
        unknown += () if stored else change.versions
    return unknown


async def load_sequence(journal: Journal, partitions: int) -> Sequencer:
    """Where the total order ended, and what was heard since the last tick."""
    tails = [await _tail(journal, partition) for partition in range(partitions)]
    last = max((record.received_at for tail in tails for record in tail[-1:]), default=0)
    tick = max((record.received_at for tail in tails for record in tail if isinstance(record, TickHead)),
               default=None)
    sequencer = Sequencer(partitions, last, tick)
    for partition, tail in enumerate(tails):
        for record in tail:
            if isinstance(record, BoundHead) and record.received_at > (tick or 0):
                sequencer.hear(reading_of(record.reading), (partition,), record.received_at)
    return sequencer


async def _tail(journal: Journal, partition: int) -> list[ToldHead]:
    """The newest records of a partition of emon.readings, back to a tick or its beginning."""
    position = TopicPartition(READINGS, partition)
    tail: list[ToldHead] = []
    end, count = (await journal.end_offsets(READINGS))[partition], _LOOK_BACK
    while end > 0 and not any(isinstance(record, TickHead) for record in tail[:count]):
        start = max(0, end - count)
        tail[:0] = [decode_told(r.value) async for r in _all(journal, position, start, end)]
        end, count = start, count * 2
    return tail


async def load_history(journal: Journal, begin: Begin, positions: Positions) -> DeviceHistory:
    """Readings that were routed and that no chunk holds."""
    starts = {p: positions.get((RAW, p), 0) for p in range(await journal.partitions(RAW))}
    history = DeviceHistory(starts)
    for partition, start in starts.items():
        position = TopicPartition(RAW, partition)
        async for record in _all(journal, position, start, begin[position]):
            head = decode_raw(record.value)
            if isinstance(head, RawHead):
                history.add(on_its_way(decode_head(head.reading), head.received_at, head.feed, head.reading,
                                       record.offset, partition))
    return history


async def _all(journal: Journal, position: TopicPartition, offset: int, end: int) -> AsyncIterator[Record]:
    """Every record from `offset` to `end`. A read at the end may wait for a record to come: there is none."""
    while offset < end and (records := await journal.read(position, offset, _AT_ONCE)):
        for record in records:
            if record.offset >= end:
                return
            yield record
        offset = records[-1].offset + 1
