"""What a consumer has fetched as our records, without the steps between.

aiokafka 0.14 makes an object of eleven fields for each record, of which five are wanted, and hands it on one by
one: together more than all that a stage does with it. What is fetched is told here to make our records at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import PartitionRecords

from emon.journal.port import Record


def make_records(consumer: AIOKafkaConsumer) -> None:
    """Has a started consumer that has fetched nothing yet give `Record`s."""
    consumer._fetcher._records = _Fetched()


class _Fetched(OrderedDict[Any, Any]):
    """By partition what was fetched and not yet given."""

    def __setitem__(self, position: Any, found: Any) -> None:
        fetched = getattr(found, "_partition_records", None)
        if fetched is not None:  # else an error, which is raised when it is its turn
            fetched.__class__ = _Records
        super().__setitem__(position, found)


class _Records(PartitionRecords):  # type: ignore[misc]
    def __iter__(self) -> Iterator[Record]:
        iterator: Iterator[Record] = self._records_iterator
        return iterator

    def _consumer_record(self, position: Any, found: Any) -> Record:
        key, value = found.key, found.value
        return Record(position.topic, position.partition, found.offset,
                      "" if key is None else key.decode("utf-8", "replace"), b"" if value is None else value)
