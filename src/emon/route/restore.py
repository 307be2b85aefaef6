"""What the router knows at its start, made anew from the logs and the store.

The store says up to where versions were told and readings were put into chunks. It is written after the
journal's transaction, so it may lag behind: versions past its position may have been told or not. Where a
position lags, things are told twice, which evaluators count once; nothing is told never.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from emon.journal.port import ORDERS, RAW, READINGS, Journal, Record, TopicPartition
from emon.journal.records import Bound, InputRecord, Tick, decode_input, decode_orders
from emon.route.bind import Binder, VersionRecord
from emon.route.heads import RawHead, Reading, decode_head, decode_raw
from emon.route.history import DeviceHistory
from emon.route.sequence import Sequencer

Batch = Mapping[TopicPartition, Sequence[Record]]
Positions = Mapping[tuple[str, int], int]

_AT_ONCE = 5_000
_LOOK_BACK = 512  # records at the end of a partition, then twice as many, until a tick is among them
_UNREAD = msgspec.Raw(b"{}")


async def load_versions(journal: Journal, binder: Binder, positions: Positions) -> list[VersionRecord]:
    """Versions up to the stored position were told; of later ones, returned, nobody knows (Binder.expect)."""
    unsure: list[VersionRecord] = []
    records = []
    for partition, end in (await journal.end_offsets(ORDERS)).items():
        async for record in _all(journal, TopicPartition(ORDERS, partition), 0, end):
            version = decode_orders(record.value)
            records.append((record.offset >= positions.get((ORDERS, partition), 0), version.received_at,
                            partition, record.offset, version))
    for uncertain, _, _, _, version in sorted(records, key=lambda r: r[:4]):
        if uncertain:
            unsure += binder.expect(version)
        else:
            binder.take(version)
    return unsure


async def load_sequence(journal: Journal, partitions: int) -> Sequencer:
    """Where the total order ended, and what was heard since the last tick."""
    tails = [await _tail(journal, partition) for partition in range(partitions)]
    last = max((record.received_at for tail in tails for record in tail[-1:]), default=0)
    tick = max((record.received_at for tail in tails for record in tail if isinstance(record, Tick)),
               default=None)
    sequencer = Sequencer(partitions, last, tick)
    for partition, tail in enumerate(tails):
        for record in tail:
            if isinstance(record, Bound) and record.received_at > (tick or 0):
                reading = record.reading
                sequencer.hear(Reading(reading.device, reading.observed_at, 0, reading.feed or "", _UNREAD),
                               (partition,))
    return sequencer


async def _tail(journal: Journal, partition: int) -> list[InputRecord]:
    """The newest records of a partition of emon.readings, back to a tick or its beginning."""
    end = (await journal.end_offsets(READINGS))[partition]
    count = _LOOK_BACK
    while True:
        start = max(0, end - count)
        records = [decode_input(r.value) async for r in
                   _all(journal, TopicPartition(READINGS, partition), start, end)]
        if start == 0 or any(isinstance(record, Tick) for record in records):
            return records
        count *= 2


async def load_history(journal: Journal, positions: Positions, batch: Batch) -> DeviceHistory:
    """Readings that no chunk holds and that are not about to be routed."""
    starts = {p: positions.get((RAW, p), 0) for p in range(await journal.partitions(RAW))}
    history = DeviceHistory(starts)
    for partition, end in (await journal.end_offsets(RAW)).items():
        coming = batch.get(TopicPartition(RAW, partition))
        until = min(end, coming[0].offset) if coming else end
        async for record in _all(journal, TopicPartition(RAW, partition), starts[partition], until):
            if record.offset >= until:
                break
            head = decode_raw(record.value)
            if isinstance(head, RawHead):
                reading = decode_head(head.reading)
                history.add(Reading(reading.device, reading.observed_at, head.received_at, head.feed,
                                    head.reading, record.offset, partition))
    return history


async def _all(journal: Journal, position: TopicPartition, offset: int, end: int) -> AsyncIterator[Record]:
    """Every record from `offset` to `end`. A read at the end may wait for a record to come: there is none."""
    while offset < end and (records := await journal.read(position, offset, _AT_ONCE)):
        for record in records:
            yield record
        offset = records[-1].offset + 1
