"""A broker's topics as the bench sees them: the raw topic filled as ingest leaves it, and how far groups are."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from emon.domain import instant
from emon.domain.reading import Reading
from emon.journal.kafka import KafkaJournal
from emon.journal.port import RAW, Entry, partition_of
from emon.journal.records import Bound, RawReading, Tick, encode
from simulators.workload import FEED, Workload
from tests.bench import loads

T = TypeVar("T")

_APPEND: Final = 20_000


async def fill(journal: KafkaJournal, load: Workload) -> None:
    """All of a load onto the raw topic, and the tick after its last reading."""
    partitions = await journal.partitions(RAW)
    entries: list[Entry] = []
    for number, arrival in enumerate(load.records(loads.BODY)):
        if isinstance(arrival[0], Tick):
            entries += [Entry(RAW, "tick", encode(arrival[0]), p) for p in range(partitions)]
        else:
            entries += _body(f"bench-{number}", arrival, partitions)
        if len(entries) >= _APPEND:
            await journal.append(entries)
            entries = []
    end = Tick(int(load.received_us[-1]) // instant.SECOND * instant.SECOND + instant.SECOND)
    await journal.append([*entries, *(Entry(RAW, "tick", encode(end), p) for p in range(partitions))])


def _body(name: str, arrival: Sequence[Bound | Tick], partitions: int) -> list[Entry]:
    """A body's records; its last one in each partition is marked."""
    entries: list[Entry] = []
    marked: set[int] = set()
    for bound in reversed(arrival):
        assert isinstance(bound, Bound)
        partition = partition_of(bound.reading.device, partitions)
        reading = msgspec.structs.replace(bound.reading, received_at=bound.received_at)
        raw = encode(RawReading(FEED, bound.received_at, reading, _line(reading), name, False,
                                partition not in marked))
        marked.add(partition)
        entries.append(Entry(RAW, reading.device, raw, partition))
    entries.reverse()
    return entries


def _line(reading: Reading) -> str:
    return (f'{{"v":1,"device":"{reading.device}","kind":"position","observed_at":"'
            f'{instant.iso(reading.observed_at)}","lat":{reading.lat},"lon":{reading.lon},'
            f'"accuracy_m":{reading.accuracy_m},"method":"gnss"}}')


class Progress:
    """Where groups stand. Asked from outside any event loop; its connections last until `close`."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        self._bootstrap, self._partitions = bootstrap, partitions
        self._runner = asyncio.Runner()
        self._admin: AIOKafkaAdminClient | None = None
        self._consumer: AIOKafkaConsumer | None = None

    def __enter__(self) -> Progress:
        self._run(self._open())
        return self

    def __exit__(self, *error: object) -> None:
        self._run(self._close())
        self._runner.close()

    def committed(self, group: str, topic: str) -> int:
        """Offsets that a group has committed."""
        return self._run(self._committed(group, topic))

    def behind(self, group: str, topic: str) -> int:
        """Offsets that a group has not committed. Where a transaction wrote last its marker is one of them,
        which nobody ever reads: one in every partition."""
        return self._run(self._end(topic)) - self.committed(group, topic)

    def _run(self, asked: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(asked)

    async def _open(self) -> None:
        self._admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await self._admin.start()
        self._consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap)
        await self._consumer.start()

    async def _close(self) -> None:
        if self._admin is not None:
            await self._admin.close()
        if self._consumer is not None:
            await self._consumer.stop()

    async def _committed(self, group: str, topic: str) -> int:
        assert self._admin is not None
        try:
            offsets = await self._admin.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            return 0  # no group has ever met on this broker yet
        return sum(max(0, at.offset) for where, at in offsets.items() if where.topic == topic)

    async def _end(self, topic: str) -> int:
        assert self._consumer is not None
        ends = await self._consumer.end_offsets([TopicPartition(topic, p) for p in range(self._partitions)])
        return sum(ends.values())
