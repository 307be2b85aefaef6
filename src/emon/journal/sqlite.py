"""The embedded journal: one SQLite file in a folder, for one machine and any number of its processes.

Appends are durable (WAL, synchronous=FULL) and share fsyncs; offsets of groups stand in the same file, so
`append_and_commit` is one transaction. Other processes' appends are seen by watching the file's version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from emon.domain.errors import Unavailable
from emon.journal import sqlite_members
from emon.journal.port import TOPICS, Entry, Record, TopicPartition, check_size, partition_of
from emon.journal.sqlite_consumer import SqliteConsumer
from emon.journal.sqlite_file import JournalFile, Pairs, explained
from emon.journal.sqlite_recent import Recent
from emon.journal.sqlite_writer import Committed, Writer
from emon.limits import DEAD_MEMBERS_EVERY_S, MAX_RECORD_BYTES, WATCH_EVERY_S

T = TypeVar("T")


class SqliteJournal:
    """The journal in `folder`. Topics that are missing are created with so many `partitions`."""

    def __init__(self, folder: Path, *, partitions: int = 1, topics: Sequence[str] = TOPICS) -> None:
        self.folder = folder
        self._wanted, self._default_partitions = tuple(topics), partitions
        self._tables: dict[TopicPartition, int] = {}
        self._positions: dict[int, TopicPartition] = {}
        self._counts: dict[str, int] = {}
        self._reader: JournalFile | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._writer: Writer | None = None
        self._watch: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._groups: set[str] = set()
        self._generations: dict[str, int] = {}  # as far as they are known to be the newest
        self._recent: dict[int, Recent] = {}
        self.times_not_alone = 0

    async def open(self) -> None:
        if self._writer is not None:
            return
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="emon-journal-reader")
        self._writer = await self._open_writer()
        await self._writer.do(lambda file: file.create_topics(self._wanted, self._default_partitions))
        self._reader = JournalFile(self.folder)
        self._tables = await self.look(lambda file: file.tables())
        self._positions = {table: position for position, table in self._tables.items()}
        for position in self._tables:
            self._counts[position.topic] = self._counts.get(position.topic, 0) + 1
        self._watch = asyncio.create_task(self._watching(), name="emon-journal-watch")

    async def _open_writer(self) -> Writer:
        try:
            return Writer(self.folder, self._committed)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
            self._watch = None
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        if self._threads is not None:
            threads, self._threads = self._threads, None
            await asyncio.to_thread(threads.shutdown)
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    async def append(self, entries: Sequence[Entry]) -> Mapping[TopicPartition, range]:
        if not entries:
            return {}
        written = await self.write(None, entries)
        return {self._positions[table]: offsets for table, offsets in written.items()}

    async def consumer(self, group: str, topics: Sequence[str], *,
                       transactional: bool = False) -> SqliteConsumer:
        for topic in topics:
            await self.partitions(topic)
        consumer = SqliteConsumer(self, group, tuple(topics), transactional)
        await consumer.join()
        self._groups.add(group)
        return consumer

    async def partitions(self, topic: str) -> int:
        self._open_reader()
        if topic not in self._counts:
            raise ValueError(f"journal in {self.folder} has no topic {topic!r}")
        return self._counts[topic]

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        await self.partitions(topic)
        return await self.look(lambda file: file.end_offsets(topic))

    async def read(self, position: TopicPartition, offset: int, max_records: int) -> Sequence[Record]:
        self._open_reader()
        table = self.table(position)
        recent = self._recent.get(table)
        if recent is not None and (written := recent.read(position, offset, max_records)):
            return written
        records = await self.look(lambda file: file.read(position, table, offset, max_records))
        return records[:max_records]

    async def trim(self, topic: str, before: Mapping[int, int]) -> None:
        tables = {self.table(TopicPartition(topic, index)): offset for index, offset in before.items()}
        await self.do(lambda file: file.trim(tables))
        self._forget()

    # --- for SqliteConsumer ------------------------------------------------------------------------------

    async def look(self, question: Callable[[JournalFile], T]) -> T:
        """Asks on the reading thread. Raises Unavailable."""
        reader, threads = self._open_reader()

        def ask() -> T:
            with explained(self.folder):
                return question(reader)

        return await asyncio.get_running_loop().run_in_executor(threads, ask)

    async def do(self, act: Callable[[JournalFile], object]) -> None:
        """One durable transaction. Raises Fenced, Unavailable."""
        await self.write(act, ())

    async def write(self, act: Callable[[JournalFile], object] | None,
                    entries: Sequence[Entry]) -> Mapping[int, range]:
        """One durable transaction of `act` and `entries`; the latter's offsets by table. Raises Fenced,
        Unavailable."""
        if self._writer is None:
            raise self._not_open()
        return await self._writer.do(act, self._by_table(entries))

    def table(self, position: TopicPartition) -> int:
        """The chunk table's number."""
        if position not in self._tables:
            raise ValueError(f"journal in {self.folder} has no {position.topic}/{position.partition}")
        return self._tables[position]

    def _by_table(self, entries: Sequence[Entry]) -> dict[int, Pairs]:
        grouped: dict[tuple[str, int], Pairs] = {}
        for entry in entries:
            topic, key, value, partition = entry.topic, entry.key, entry.value, entry.partition
            if len(value) + len(key) > MAX_RECORD_BYTES:
                check_size(topic, key, value)
            if partition is None:
                partition = partition_of(key, self._counts.get(topic, 1))
            pairs = grouped.get((topic, partition))
            if pairs is None:
                pairs = grouped[topic, partition] = ([], [])
            pairs[0].append(key)
            pairs[1].append(value)
        return {self.table(TopicPartition(*position)): pairs for position, pairs in grouped.items()}

    def _open_reader(self) -> tuple[JournalFile, ThreadPoolExecutor]:
        if self._reader is None or self._threads is None:
            raise self._not_open()
        return self._reader, self._threads

    def _not_open(self) -> Unavailable:
        return Unavailable(f"journal in {self.folder} is not open")

    @property
    def changed(self) -> asyncio.Event:
        """Will be set by the next commit of anybody: take it before looking, wait for it after."""
        return self._changed

    def knows(self, group: str, generation: int) -> bool:
        """Whether this is still the group's generation, as far as this process can know without asking."""
        return self._generations.get(group) == generation

    def recent(self, position: TopicPartition, offset: int, max_records: int, *, at_end: bool) -> list[Record] | None:
        """Records from `offset` on, if this process has just written them; None where only the file knows.
        `at_end`: it ended there when this process was seen to be alone."""
        recent = self._recent.get(self.table(position))
        if recent is None:
            return [] if at_end else None
        return recent.read(position, offset, max_records)

    def told(self, group: str, generation: int) -> None:
        """The group's generation, as the file said just now."""
        self._generations[group] = generation

    def _committed(self, committed: Committed) -> None:
        if not committed.alone:
            self._forget()
        for table, written in committed.written.items():
            self._recent.setdefault(table, Recent()).add(written)
        self._wake()

    def _forget(self) -> None:
        """From now on the file has to be asked, until it is known again what it holds."""
        self.times_not_alone += 1
        self._recent.clear()
        self._generations.clear()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _watching(self) -> None:
        """Other processes: their appends, and their deaths."""
        seen, rounds = -1, 0
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            try:
                version = await self.look(lambda file: file.version())
                rounds += 1
                if rounds * WATCH_EVERY_S >= DEAD_MEMBERS_EVERY_S:
                    rounds = 0
                    for group in self._groups:
                        await self.bury(group)
            except (Unavailable, OSError):
                continue  # whoever polls or appends is told so
            if version != seen:
                seen = version
                self._wake()

    async def bury(self, group: str) -> None:
        """Takes members out whose process is gone."""
        gone = sqlite_members.dead(self.folder, await self.look(lambda file: file.members(group)))
        if gone:
            await self.do(lambda file: file.leave(group, gone))
