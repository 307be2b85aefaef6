"""Participants' readings and the evaluator's snapshots on disk: `evaluate.port` for both databases.

Embedded, they have a SQLite file of their own, so that bulk appends never hold up an operator's command.
Invariants: a chunk is on disk when `append` returns; a snapshot is replaced in one transaction, which a
lower generation than the one that saved last cannot begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, and_, select, update

from emon.domain import reading
from emon.domain.errors import Fenced, Unavailable
from emon.domain.instant import DAY
from emon.evaluate.port import Chunk, Snapshot
from emon.journal.records import Bound
from emon.limits import HISTORY_READ_BATCH
from emon.store import schema
from emon.store.engine import reading as reading_from
from emon.store.engine import writing
from emon.store.upsert import insert_new

_chunk = schema.history_chunk
_columns = (_chunk.c.participant, _chunk.c.day, _chunk.c.first_observed_at, _chunk.c.last_observed_at,
            _chunk.c.count, _chunk.c.payload)
_NAMES = ", ".join(column.name for column in _columns)
_INSERT = f"INSERT INTO {_chunk.name} ({_NAMES}) VALUES (?, ?, ?, ?, ?, ?)"
_COPY = f"COPY {_chunk.name} ({_NAMES}) FROM STDIN (FORMAT BINARY)"
_COPY_TYPES = ("text", "int8", "int8", "int8", "int8", "bytea")
_STATE = schema.snapshot_participant.name
_FORGET = f"DELETE FROM {_STATE} WHERE partition = ? AND participant = ?"
_REPLACE = f"INSERT OR REPLACE INTO {_STATE} (partition, participant, state) VALUES (?, ?, ?)"
_FORGET_ALL = f"DELETE FROM {_STATE} WHERE partition = %s AND participant = ANY(%s)"
_COPY_STATES = f"COPY {_STATE} (partition, participant, state) FROM STDIN (FORMAT BINARY)"
_PAGE = (f"SELECT chunk_id, {_NAMES} FROM {_chunk.name} WHERE participant = ? AND day BETWEEN ? AND ? AND chunk_id > ? "
         "ORDER BY chunk_id LIMIT ?")
_decode = msgspec.json.Decoder(Bound).decode


class SqlHistory:
    """Implements `evaluate.port.History`, and reads a time span for people."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, chunks: Sequence[Chunk]) -> None:
        """One transaction for all. Raises Unavailable."""
        if not chunks:
            return
        with writing(self._engine) as connection:
            _append(connection, chunks)

    def read(self, participant: str, from_day: int, to_day: int) -> Iterator[Chunk]:
        """Chunks of the days, both included, in the order they were appended. Raises Unavailable.

        Read in pages, none inside a transaction while the caller works on it.
        """
        last = 0
        while True:
            with reading_from(self._engine) as connection:
                rows = _page(connection, participant, from_day, to_day, last)
            for row in rows:
                _, name, day, first, last_at, count, payload = row
                yield Chunk(name, day, first, last_at, count, bytes(payload))
            if len(rows) < HISTORY_READ_BATCH:
                return
            last = rows[-1][0]

    def timeline(self, participant: str, from_: int, to: int, limit: int) -> tuple[list[Bound], bool]:
        """The participant's readings of every kind observed in [from_, to), oldest first, each once.

        At most `limit`, the oldest; whether there are more. Raises Unavailable.
        """
        found: list[Bound] = []
        for day in self._days(participant, from_, to):
            kept = [bound for bound in _distinct(self.read(participant, day, day))
                    if from_ <= bound.reading.observed_at < to]
            found += sorted(kept, key=lambda bound: reading.fold_key(bound.reading))
            if len(found) > limit:
                return found[:limit], True
        return found, False

    def newest(self, participant: str) -> tuple[Bound | None, Bound | None]:
        """The reading and the position observed last, on the newest days that have any."""
        with reading_from(self._engine) as connection:
            days = connection.execute(
                select(_chunk.c.day).where(_chunk.c.participant == participant)
                .distinct().order_by(_chunk.c.day.desc()).limit(3)).scalars().all()
        any_kind: Bound | None = None
        for day in days:
            bounds = sorted(_distinct(self.read(participant, day, day)),
                            key=lambda bound: reading.fold_key(bound.reading))
            any_kind = any_kind or (bounds[-1] if bounds else None)
            position = next((bound for bound in reversed(bounds) if bound.reading.kind == "position"), None)
            if position is not None:
                return any_kind, position
        return any_kind, None

    def _days(self, participant: str, from_: int, to: int) -> Sequence[int]:
        with reading_from(self._engine) as connection:
            return connection.execute(
                select(_chunk.c.day).where(_chunk.c.participant == participant,
                                           _chunk.c.day.between(from_ // DAY, to // DAY))
                .distinct().order_by(_chunk.c.day)).scalars().all()


def _append(connection: Connection, chunks: Sequence[Chunk]) -> None:
    """The driver's own bulk path: SQLAlchemy's costs more than the disk."""
    driver: Any = connection.connection.driver_connection
    try:
        if connection.dialect.name == "sqlite":
            driver.executemany(_INSERT, chunks)
            return
        with driver.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_COPY_TYPES)
            for chunk in chunks:
                copy.write_row(chunk)
    except connection.dialect.loaded_dbapi.OperationalError as error:
        raise Unavailable(f"the history is away: {error}") from error


def _page(connection: Connection, participant: str, from_day: int, to_day: int, last: int) -> Sequence[Any]:
    """The next chunks of some days, by the driver's own path too: days are read whenever somebody is judged in full."""
    driver: Any = connection.connection.driver_connection
    asked = (participant, from_day, to_day, last, HISTORY_READ_BATCH)
    try:
        if connection.dialect.name == "sqlite":
            return list(driver.execute(_PAGE, asked))
        with driver.cursor() as cursor:
            return list(cursor.execute(_PAGE.replace("?", "%s"), asked))
    except connection.dialect.loaded_dbapi.OperationalError as error:
        raise Unavailable(f"the history is away: {error}") from error


def _distinct(chunks: Iterable[Chunk]) -> list[Bound]:
    """The readings of some chunks, each measurement once, as it arrived first."""
    found: dict[bytes, Bound] = {}
    for chunk in chunks:
        for line in chunk.payload.splitlines():
            bound = _decode(line)
            found.setdefault(reading.content(bound.reading), bound)
    return list(found.values())


class SqlSnapshots:
    """Implements `evaluate.port.Snapshots`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, partition: int, generation: int, offset: int, shared: bytes,
             changed: Mapping[str, bytes | None]) -> None:
        """Replaces the shared part and the changed participants (None: forgets one), all or nothing.

        Raises Fenced where a higher generation has saved, Unavailable.
        """
        with writing(self._engine) as connection:
            _save_head(connection, partition, generation, offset, shared)
            _replace_states(connection, partition, changed)

    def load(self, partition: int) -> Snapshot | None:
        """The newest snapshot; None where there is none. Raises Unavailable."""
        head, states = schema.snapshot_head, schema.snapshot_participant
        with reading_from(self._engine) as connection:
            found = connection.execute(select(head).where(head.c.partition == partition)).one_or_none()
            if found is None:
                return None
            rows = connection.execute(select(states.c.participant, states.c.state)
                                      .where(states.c.partition == partition))
            participants = {name: bytes(state) for name, state in rows}
            return Snapshot(found.next_offset, bytes(found.shared), participants)


def _replace_states(connection: Connection, partition: int, changed: Mapping[str, bytes | None]) -> None:
    """By the driver's own bulk paths: at full load every participant has changed between two snapshots."""
    driver: Any = connection.connection.driver_connection
    rows = [(partition, name, state) for name, state in changed.items() if state is not None]
    try:
        if connection.dialect.name == "sqlite":
            driver.executemany(_FORGET, [(partition, name) for name, state in changed.items() if state is None])
            driver.executemany(_REPLACE, rows)
            return
        with driver.cursor() as cursor:
            cursor.execute(_FORGET_ALL, (partition, list(changed)))
            with cursor.copy(_COPY_STATES) as copy:
                copy.set_types(("int8", "text", "bytea"))
                for row in rows:
                    copy.write_row(row)
    except connection.dialect.loaded_dbapi.OperationalError as error:
        raise Unavailable(f"the history is away: {error}") from error


def _save_head(connection: Connection, partition: int, generation: int, offset: int, shared: bytes) -> None:
    """Takes the partition's row first: its lock makes a second writer wait, and then see who was here."""
    head = schema.snapshot_head
    values = {"generation": generation, "next_offset": offset, "shared": shared}
    insert_new(connection, head, [{"partition": partition, **values}])
    done = connection.execute(update(head).where(and_(head.c.partition == partition,
                                                      head.c.generation <= generation)).values(values))
    if done.rowcount == 1:
        return
    known = connection.execute(select(head.c.generation).where(head.c.partition == partition)).scalar()
    raise Fenced(f"partition {partition}: generation {known} has saved, ours is {generation}")
