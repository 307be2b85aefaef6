"""A member of a consumer group on the embedded journal.

Every poll asks for the group's generation first; every commit is checked against it inside the writing
transaction, so that whoever has lost a partition changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar
from uuid import uuid4

from emon.clock import monotonic_ns
from emon.domain.errors import Unavailable
from emon.journal.port import Entry, Fenced, Record, TopicPartition
from emon.journal.sqlite_file import JournalFile
from emon.journal.sqlite_members import MemberLock

T = TypeVar("T")


class Source(Protocol):
    """What a consumer needs of its journal."""

    folder: Path

    @property
    def changed(self) -> asyncio.Event: ...

    async def look(self, question: Callable[[JournalFile], T]) -> T: ...

    async def do(self, act: Callable[[JournalFile], object]) -> None: ...

    async def write(self, act: Callable[[JournalFile], object] | None, entries: Sequence[Entry]) -> object: ...

    async def bury(self, group: str) -> None: ...

    times_not_alone: int
    """How often other processes were seen to have written, or a group to have changed."""

    def knows(self, group: str, generation: int) -> bool: ...

    def recent(self, position: TopicPartition, offset: int, max_records: int, *,
               at_end: bool) -> list[Record] | None: ...

    def told(self, group: str, generation: int) -> None: ...

    def table(self, position: TopicPartition) -> int: ...


class SqliteConsumer:
    """One member of a group."""

    def __init__(self, journal: Source, group: str, topics: tuple[str, ...],
                 transactional: bool) -> None:
        self._journal, self._group, self._topics, self._transactional = journal, group, topics, transactional
        self._member = ""
        self._lock: MemberLock | None = None
        self._generation = 0
        self._positions: dict[TopicPartition, int] = {}
        self._rest: dict[TopicPartition, list[Record]] = {}  # read, not yet polled
        self._turn = 0
        self._at_end: dict[TopicPartition, int] = {}  # the file had no more, when others had written so often
        self._doubts = False  # a commit was Fenced: the next poll asks the file what the group has decided
        self._closed = False

    async def join(self) -> None:
        """Enters the group as a new member."""
        await self._leave()
        member = f"{monotonic_ns():020d}-{uuid4().hex}"  # who came first keeps the first partitions
        self._lock = MemberLock(self._journal.folder, member)
        await self._journal.bury(self._group)
        await self._journal.do(lambda file: file.join(self._group, member, self._topics))
        self._member, self._generation = member, 0

    async def poll(self, *, max_records: int, timeout_s: float) -> Mapping[TopicPartition, Sequence[Record]]:
        if self._closed:
            raise Fenced(f"this consumer of group {self._group} is closed")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            changed = self._journal.changed
            batch = await self._take(max_records)
            while batch is None:
                await self._follow()
                batch = await self._take(max_records)
            left = deadline - loop.time()
            if batch or left <= 0:
                return batch
            try:
                await asyncio.wait_for(changed.wait(), left)
            except TimeoutError:
                return {}

    def assignment(self) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(self._positions, self._generation)

    async def positions(self) -> dict[TopicPartition, int]:
        if not self._member:
            raise Fenced(f"this consumer of group {self._group} is not in its group")
        return dict(self._positions)

    async def seek(self, position: TopicPartition, offset: int) -> None:
        self._check_held((position,))
        self._positions[position] = offset
        self._rest.pop(position, None)
        self._at_end.pop(position, None)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._check_held(offsets)
        generation = self._generation
        try:
            await self._journal.do(lambda file: file.move(self._group, generation, offsets))
        except Fenced:
            self._doubts = True
            raise

    async def append_and_commit(self, entries: Sequence[Entry],
                                offsets: Mapping[TopicPartition, int]) -> None:
        if not self._transactional:
            raise ValueError("append_and_commit needs a consumer made with transactional=True")
        self._check_held(offsets)
        generation = self._generation
        try:
            await self._journal.write(lambda file: file.move(self._group, generation, offsets), entries)
        except Unavailable:
            self._member = ""  # unknown outcome: the next poll joins anew, at what is on record
            raise
        except Fenced:
            self._doubts = True
            raise

    async def close(self) -> None:
        self._closed = True
        await self._leave()

    async def _leave(self) -> None:
        member, self._member = self._member, ""
        try:
            if member:
                await self._journal.do(lambda file: file.leave(self._group, [member]))
        except Unavailable:
            pass  # without its lock the others bury it
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def _check_held(self, positions: Sequence[TopicPartition] | Mapping[TopicPartition, int]) -> None:
        for position in positions:
            if not self._member or position not in self._positions:
                raise Fenced(f"{position.topic}/{position.partition} is not held by this consumer")

    async def _follow(self) -> None:
        """Takes over what the group has decided since."""
        if not self._member:
            await self.join()
        if await self._journal.look(lambda file: file.generation(self._group)) == self._generation:
            return
        given = await self._journal.look(self._membership)
        if given is None:
            self._member = ""
            await self._follow()
            return
        self._generation, self._positions = given
        self._rest.clear()
        self._at_end.clear()

    def _membership(self, file: JournalFile) -> tuple[int, dict[TopicPartition, int]] | None:
        with file.snapshot():
            given = file.given(self._group, self._member)
            return None if given is None else (file.generation(self._group), given)

    async def _take(self, max_records: int) -> dict[TopicPartition, Sequence[Record]] | None:
        """What comes next; None where the group has decided something since. Partitions take turns at going
        first, so that a full one starves nobody."""
        if not self._member:
            return None
        self._turn += 1
        held = list(self._positions)
        begin = self._turn % len(held) if held else 0
        held = held[begin:] + held[:begin]
        read = {} if self._doubts else self._recent(held, max_records)
        if not read:
            times = self._journal.times_not_alone
            generation, read = await self._journal.look(
                lambda file: (file.generation(self._group), self._read(file, held, max_records)))
            self._journal.told(self._group, generation)
            self._doubts = False
            if generation != self._generation:
                return None
            asked_all = sum(map(len, read.values())) < max_records
            self._at_end = dict.fromkeys((p for p in held if asked_all and p not in read), times)
        batch: dict[TopicPartition, Sequence[Record]] = {}
        for position, records in read.items():
            batch[position], self._rest[position] = records[:max_records], records[max_records:]
            max_records -= len(batch[position])
            self._positions[position] = batch[position][-1].offset + 1
        return batch

    def _recent(self, positions: Sequence[TopicPartition], max_records: int) -> dict[TopicPartition, list[Record]]:
        """What this process wrote itself; nothing where the file has to be asked for any of the partitions."""
        found: dict[TopicPartition, list[Record]] = {}
        if not self._journal.knows(self._group, self._generation):
            return found
        for position in positions:
            if max_records <= 0:
                break
            at_end = self._at_end.get(position) == self._journal.times_not_alone
            records = None if self._rest.get(position) else self._journal.recent(
                position, self._positions[position], max_records, at_end=at_end)
            if records is None:
                return {}
            if records:
                found[position] = records
                max_records -= len(records)
        return found

    def _read(self, file: JournalFile, positions: Sequence[TopicPartition],
              max_records: int) -> dict[TopicPartition, list[Record]]:
        found: dict[TopicPartition, list[Record]] = {}
        for position in positions:
            if max_records <= 0:
                break
            records = self._rest.get(position) or []
            if not records:
                records = file.read(position, self._journal.table(position), self._positions[position],
                                    max_records)
            if records:
                found[position] = records
                max_records -= len(records)
        return found
