"""What was read, as arrivals: bodies, versions, ticks.

A body is one arrival; where it was spread over several partitions of the raw log, each part is one of its own
(parts of a body concern different devices, and whole bodies would have to wait for their slowest part). A
body cut by the end of what was read waits for its rest, once: a writer that died in the middle never sends
it. Arrivals of all partitions are merged by when they were received; within one, order is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emon.journal.port import RAW, Record, TopicPartition
from emon.journal.records import OrdersRecord, Tick, decode_orders
from emon.route.heads import RawHead, Reading, decode_head, decode_raw, on_its_way


@dataclass(slots=True)
class Arrival:
    """One of: readings of a body, a version, a tick (neither)."""

    received_at: int
    readings: list[Reading] = field(default_factory=list)
    version: OrdersRecord | None = None


@dataclass(slots=True)
class _Open:
    """A body whose last record was not seen yet."""

    batch: str
    offset: int
    arrival: Arrival
    next_offset: int = 0


class Arrivals:
    """Cuts what is polled into arrivals. `offsets`: from where each partition must be read again."""

    def __init__(self) -> None:
        self.offsets: dict[TopicPartition, int] = {}
        self._open: dict[TopicPartition, _Open] = {}

    def of(self, batch: Mapping[TopicPartition, Sequence[Record]]) -> list[Arrival]:
        """Arrivals that are complete, in the order in which they are to be told."""
        merged: list[tuple[int, Arrival]] = []
        for position in [*batch, *(position for position in self._open if position not in batch)]:
            records = batch.get(position, ())
            if records:
                self.offsets[position] = records[-1].offset + 1
            found = self._raw(position, records) if position.topic == RAW else _versions(records)
            newest = 0
            for arrival in found:
                newest = max(newest, arrival.received_at)
                merged.append((newest, arrival))
        merged.sort(key=lambda pair: pair[0])
        return [arrival for _, arrival in merged]

    def _raw(self, position: TopicPartition, records: Sequence[Record]) -> list[Arrival]:
        arrivals: list[Arrival] = []
        waited = self._open.pop(position, None)
        open_: _Open | None = waited
        for record in records:
            head = decode_raw(record.value)
            if isinstance(head, RawHead):
                if open_ is None or open_.batch != head.batch:
                    _close(open_, arrivals)
                    open_ = _Open(head.batch, record.offset, Arrival(head.received_at))
                open_.arrival.readings.append(on_its_way(decode_head(head.reading), head.received_at, head.feed,
                                                         head.reading, record.offset, position.partition))
                if not head.last and head.batch:
                    continue
            _close(open_, arrivals)
            open_ = None
            if isinstance(head, Tick):
                arrivals.append(Arrival(head.received_at))
        if open_ is None:
            return arrivals
        if open_ is waited:
            _close(open_, arrivals)
            self.offsets[position] = records[-1].offset + 1 if records else open_.next_offset
        else:
            open_.next_offset, self.offsets[position] = self.offsets[position], open_.offset
            self._open[position] = open_
        return arrivals


def _close(open_: _Open | None, arrivals: list[Arrival]) -> None:
    if open_ is not None:
        arrivals.append(open_.arrival)


def _versions(records: Sequence[Record]) -> list[Arrival]:
    arrivals = []
    for record in records:
        version = decode_orders(record.value)
        arrivals.append(Arrival(version.received_at, version=version))
    return arrivals
