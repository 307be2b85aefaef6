"""Opens the store and hands out transactions: one way for SQLite and PostgreSQL.

Invariants: a committed transaction is on disk (SQLite: WAL with synchronous=FULL); a SQLite writer takes its
lock when it begins, so that no transaction fails half-way because another wrote meanwhile; everything that
is the database's absence or contention leaves as `Unavailable`, and only that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from emon.domain.errors import Fault, Unavailable
from emon.limits import HISTORY_PAGE_BYTES, STORE_BUSY_TIMEOUT_S, STORE_POOL_SIZE
from emon.store.turns import turns_of


def open_engine(url: str, *, page_bytes: int | None = None) -> Engine:
    """An engine for `sqlite:///FILE` or `postgresql://...`; connects when first used. `page_bytes`: of a SQLite file
    that is new; None: its usual 4096.

    Raises Fault `bad_store_url` for any other URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Fault("bad_store_url", f"{url!r:.80} is no URL: use sqlite:///FILE or postgresql://") from None
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(parsed, page_bytes)
        case "postgresql" | "postgres":
            return _open_postgres(parsed)
        case other:
            raise Fault("bad_store_url", f"no store for {other!r}: use sqlite:///FILE or postgresql://...")


def open_history(url: str) -> Engine:
    """As `open_engine`, for the file or database that holds readings and snapshots."""
    return open_engine(url, page_bytes=HISTORY_PAGE_BYTES)


def _open_sqlite(url: URL, page_bytes: int | None) -> Engine:
    if not url.database or url.database == ":memory:":
        raise Fault("bad_store_url", "a store in memory is lost with its process: use sqlite:///FILE")
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault("bad_store_url", f"cannot make the folder of {url.database}: {error.strerror}") from error
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), pool_size=STORE_POOL_SIZE, max_overflow=0,
                           pool_timeout=STORE_BUSY_TIMEOUT_S,
                           connect_args={"timeout": STORE_BUSY_TIMEOUT_S, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, not where sqlite3 guesses
        if page_bytes is not None:
            connection.execute(f"PRAGMA page_size={page_bytes}")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("emon_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _open_postgres(url: URL) -> Engine:
    # jit=off: PostgreSQL compiles our short batch statements longer than it runs them
    return create_engine(
        url.set(drivername="postgresql+psycopg"), pool_size=STORE_POOL_SIZE, max_overflow=0,
        pool_timeout=STORE_BUSY_TIMEOUT_S, pool_pre_ping=True,
        connect_args={"options": "-c jit=off", "connect_timeout": 5})


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads: one consistent view. Raises Unavailable."""
    with _translated(engine), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            yield connection.execution_options(emon_reads=True)
        else:
            yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Commits at the end of the block, rolls back on any exception. Raises Unavailable."""
    with _translated(engine), _turn(engine), engine.begin() as connection:
        yield connection


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """This process's writers of a SQLite file go one after the other; PostgreSQL queues them itself."""
    if engine.dialect.name != "sqlite":
        yield
        return
    with turns_of(str(engine.url.database)).mine():
        yield


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("the store is away: all its connections are in use") from error
    except DBAPIError as error:
        reason = _absence(error, engine)
        if reason is None:
            raise
        raise Unavailable(reason) from error


def _absence(error: DBAPIError, engine: Engine) -> str | None:
    """Why the store is away; None where the error is a bug of ours."""
    text = str(error.orig).strip().splitlines()[0] if str(error.orig).strip() else type(error.orig).__name__
    if "no such table" in text or (isinstance(error, ProgrammingError) and "does not exist" in text):
        return f"the store lacks a table ({text}): run `emon db upgrade`"
    unreadable = type(error) is DatabaseError  # SQLite: no database, or a damaged one
    if unreadable or isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        advice = f"; check that {engine.url.database} can be written and its disk has room" \
            if engine.dialect.name == "sqlite" and "locked" not in text else ""
        return f"the store is away: {text}{advice}"
    return None
