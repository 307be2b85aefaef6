"""What this process wrote last into the embedded journal, still in memory: its own consumers read it there.

A stage that follows another in one process would otherwise fetch from the file what has just gone into it, by
way of a thread that has to wait for Python's interpreter lock twice. Only what is durable stands here, and only
while this process is alone: as soon as another one has committed, or a group has changed, all is forgotten, and
readers go on in the file. Used on the event loop only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import count, repeat
from typing import NamedTuple

from emon.journal.port import Record, TopicPartition
from emon.limits import RECENT_RECORDS


class Written(NamedTuple):
    """Records of one partition that one transaction wrote, from offset `first` on."""

    first: int
    keys: Sequence[str]
    values: Sequence[bytes]


class Recent:
    """The newest records of one partition, at most RECENT_RECORDS and one transaction more."""

    def __init__(self) -> None:
        self._written: deque[Written] = deque()
        self._records = 0

    def add(self, written: Written) -> None:
        """Takes in what was written after everything that is here."""
        self._written.append(written)
        self._records += len(written.keys)
        while self._records - len(self._written[0].keys) >= RECENT_RECORDS:
            self._records -= len(self._written.popleft().keys)

    def read(self, position: TopicPartition, offset: int, max_records: int) -> list[Record] | None:
        """Records from `offset` on; None where what stands at `offset` is older than what is here."""
        if offset < self._written[0].first:
            return None
        found: list[Record] = []
        for first, keys, values in self._written:
            skip = offset - first
            if skip < len(keys):
                end = skip + max_records - len(found)
                found += map(Record, repeat(position.topic), repeat(position.partition), count(offset),
                             keys[skip:end], values[skip:end])
                if len(found) >= max_records:
                    break
                offset = first + len(keys)
        return found
