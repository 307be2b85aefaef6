"""The embedded journal's file: tables, transactions and their words for what can go wrong. Synchronous.

One table a partition; one row holds what one commit wrote into it (keys and values as MessagePack, at most
CHUNK_RECORDS), under the offset of its last record. Rows of single entries were rejected: each step of a
statement hands over Python's interpreter lock, and beside a busy event loop a thousand steps take seconds.

Invariants: offsets are given inside the transaction that writes them; `next_offset` never falls, also when
everything is trimmed; a group's generation never falls.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, repeat
from pathlib import Path

import msgspec

from emon.domain.errors import Unavailable
from emon.journal.groups import assign
from emon.journal.port import Fenced, Record, TopicPartition
from emon.limits import CHUNK_RECORDS, POLL_BYTES, SQLITE_BUSY_S

_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS topic_partition (
  id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  UNIQUE (topic, partition));
CREATE TABLE IF NOT EXISTS consumer_group (name TEXT PRIMARY KEY, generation INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS member (
  consumer_group TEXT NOT NULL, member TEXT NOT NULL, topics TEXT NOT NULL,
  PRIMARY KEY (consumer_group, member));
CREATE TABLE IF NOT EXISTS committed (
  consumer_group TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  PRIMARY KEY (consumer_group, topic, partition));
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[list[str], list[bytes]]).decode

Pairs = tuple[list[str], list[bytes]]
"""Keys and values, of equal length."""


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turns SQLite's errors into Unavailable with words that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise Unavailable(f"journal in {folder}: {error}; {_advice(error)}") from error


def _advice(error: sqlite3.Error) -> str:
    match getattr(error, "sqlite_errorname", ""):
        case "SQLITE_FULL":
            return "the disk is full: free space, what was acknowledged is safe"
        case "SQLITE_BUSY" | "SQLITE_LOCKED" | "SQLITE_BUSY_SNAPSHOT" | "SQLITE_BUSY_RECOVERY":
            return f"another process has held it for {SQLITE_BUSY_S:g} s: stop that process"
        case "SQLITE_CORRUPT" | "SQLITE_NOTADB":
            return "the file is damaged: stop emon, keep the folder, restore it from a backup"
        case "SQLITE_READONLY" | "SQLITE_CANTOPEN" | "SQLITE_PERM" | "SQLITE_READONLY_DIRECTORY":
            return "check that the folder exists and that this user may write it"
        case _:
            return "check the disk and the folder's permissions"


class JournalFile:
    """One connection. May move between threads, but is used by one at a time."""

    def __init__(self, folder: Path) -> None:
        """Opens the file, makes it where it is missing. Raises Unavailable."""
        self.folder = folder
        self.regrouped = False  # whether a group has changed through this connection; whoever asks may reset it
        with explained(folder):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Unavailable(f"journal in {folder}: {error.strerror}; choose a folder that this user "
                                  "may write") from error
            self._db = sqlite3.connect(folder / "journal.sqlite", timeout=SQLITE_BUSY_S, isolation_level=None,
                                       check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA wal_autocheckpoint=4000")
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > _SCHEMA_VERSION:
            raise Unavailable(f"journal in {self.folder} was written by a newer emon (layout {version}, this "
                              f"one knows {_SCHEMA_VERSION}): run that release")
        if version < _SCHEMA_VERSION:
            self._db.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={_SCHEMA_VERSION};COMMIT;")

    def close(self) -> None:
        """Closes the connection."""
        self._db.close()

    # --- transactions ------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Takes the write lock."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Durable when it returns."""
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Forgets the transaction, if there is one."""
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    # --- topics ------------------------------------------------------------------------------------------

    def create_topics(self, topics: Sequence[str], partitions: int) -> None:
        """Creates those that are missing, in the transaction that is open."""
        for topic in topics:
            for index in range(0 if self.end_offsets(topic) else partitions):
                row = self._db.execute("INSERT INTO topic_partition (topic, partition, next_offset) "
                                       "VALUES (?, ?, 0)", (topic, index)).lastrowid
                self._db.execute(f"CREATE TABLE chunk_{row} "
                                 "(last INTEGER PRIMARY KEY, payload BLOB NOT NULL)")

    def tables(self) -> dict[TopicPartition, int]:
        """The chunk table's number for every partition there is."""
        rows = self._db.execute("SELECT topic, partition, id FROM topic_partition ORDER BY topic, partition")
        return {TopicPartition(topic, partition): table for topic, partition, table in rows.fetchall()}

    def end_offsets(self, topic: str) -> dict[int, int]:
        """Per partition the offset that the next record will have."""
        return dict(self._db.execute("SELECT partition, next_offset FROM topic_partition WHERE topic=?",
                                     (topic,)).fetchall())

    # --- records -----------------------------------------------------------------------------------------

    def append(self, table: int, pairs: Pairs) -> int:
        """Writes in the transaction that is open. Returns the first record's offset."""
        keys, values = pairs
        (offset,) = self._db.execute("UPDATE topic_partition SET next_offset=next_offset+? WHERE id=? "
                                     "RETURNING next_offset", (len(keys), table)).fetchone()
        first: int = offset - len(keys)
        for begin in range(0, len(keys), CHUNK_RECORDS):
            end = min(begin + CHUNK_RECORDS, len(keys))
            self._db.execute(f"INSERT INTO chunk_{table} VALUES (?, ?)",
                             (first + end - 1, _encode((keys[begin:end], values[begin:end]))))
        return first

    def read(self, position: TopicPartition, table: int, offset: int, max_records: int) -> list[Record]:
        """Records from `offset` on to the end of the chunk that holds the last one asked for, or with which they
        are many bytes."""
        found: list[Record] = []
        size = 0
        cursor = self._db.execute(f"SELECT last, payload FROM chunk_{table} WHERE last>=? ORDER BY last",
                                  (offset,))
        try:
            for last, payload in cursor:
                found += _records(position, last, payload, offset)
                size += len(payload)
                if len(found) >= max_records or size >= POLL_BYTES:
                    break
        finally:
            cursor.close()
        return found

    def trim(self, before: Mapping[int, int]) -> None:
        """Deletes, by table, the chunks that lie wholly below the offset, in the transaction that is open."""
        for table, offset in before.items():
            self._db.execute(f"DELETE FROM chunk_{table} WHERE last<?", (offset,))

    # --- groups ------------------------------------------------------------------------------------------

    def members(self, group: str) -> dict[str, list[str]]:
        """Topics by member."""
        rows = self._db.execute("SELECT member, topics FROM member WHERE consumer_group=?", (group,))
        return {member: topics.split("\n") for member, topics in rows.fetchall()}

    def join(self, group: str, member: str, topics: Sequence[str]) -> None:
        """Adds a member under a new generation."""
        self._db.execute("INSERT OR REPLACE INTO member VALUES (?, ?, ?)", (group, member, "\n".join(topics)))
        self._next_generation(group)

    def leave(self, group: str, members: Sequence[str]) -> None:
        """Takes members out; a new generation where one was in."""
        gone = sum(self._db.execute("DELETE FROM member WHERE consumer_group=? AND member=?",
                                    (group, member)).rowcount for member in members)
        if gone:
            self._next_generation(group)

    def _next_generation(self, group: str) -> None:
        self.regrouped = True
        self._db.execute("INSERT INTO consumer_group VALUES (?, 1) ON CONFLICT (name) "
                         "DO UPDATE SET generation=generation+1", (group,))

    def generation(self, group: str) -> int:
        """The group's newest generation."""
        row = self._db.execute("SELECT generation FROM consumer_group WHERE name=?", (group,)).fetchone()
        return int(row[0]) if row else 0

    def given(self, group: str, member: str) -> dict[TopicPartition, int] | None:
        """The member's partitions with the group's committed offsets; None for one that is not in."""
        members = self.members(group)
        if member not in members:
            return None
        counts = self._db.execute("SELECT topic, count(*) FROM topic_partition GROUP BY topic").fetchall()
        rows = self._db.execute("SELECT topic, partition, next_offset FROM committed WHERE consumer_group=?",
                                (group,)).fetchall()
        committed = {TopicPartition(topic, partition): offset for topic, partition, offset in rows}
        return {position: committed.get(position, 0) for position in assign(members, dict(counts))[member]}

    def move(self, group: str, generation: int, offsets: Mapping[TopicPartition, int]) -> None:
        """Commits in the transaction that is open. Raises Fenced before it changes anything."""
        if self.generation(group) != generation:
            raise Fenced(f"group {group} was rebalanced since this consumer's last poll")
        for position, offset in offsets.items():
            self._db.execute("INSERT INTO committed VALUES (?, ?, ?, ?) ON CONFLICT (consumer_group, topic, "
                             "partition) DO UPDATE SET next_offset=excluded.next_offset",
                             (group, position.topic, position.partition, offset))

    def version(self) -> int:
        """Changes when another connection has committed."""
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        return int(version)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Several reads that see one state."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self.rollback()


def _records(position: TopicPartition, last: int, payload: bytes, offset: int) -> Iterator[Record]:
    keys, values = _decode(payload)
    first = last - len(keys) + 1
    skip = max(0, offset - first)
    return map(Record, repeat(position.topic), repeat(position.partition), count(first + skip), keys[skip:],
               values[skip:])
