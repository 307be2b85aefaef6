"""A store that was migrated is a store as the schema describes it."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine

from emon import store
from emon.domain.errors import Fault, Unavailable
from emon.store import schema
from emon.store.migrations import regenerate


def test_migrations_give_the_schema(engine: Engine) -> None:
    """Nothing differs between the migrated tables and the metadata, on either database."""
    with store.reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_the_revision_is_what_the_schema_renders() -> None:
    """Whoever changes the schema also regenerates the revision."""
    assert regenerate.TARGET.read_text(encoding="utf-8") == regenerate.render()


def test_upgrade_is_safe_to_repeat(engine: Engine) -> None:
    """A second upgrade keeps what is stored."""
    with store.writing(engine) as connection:
        connection.execute(schema.progress.insert().values(
            stage="alerts", partition=0, position=1 << 40, end=1 << 40, updated_at=0))
    store.upgrade(engine)
    with store.reading(engine) as connection:
        assert connection.execute(schema.progress.select()).one().position == 1 << 40


def test_no_integer_is_narrower_than_64_bits(engine: Engine) -> None:
    """A value beyond 2^63 / 2 fits in every integer column of every table."""
    for table in schema.metadata.sorted_tables:
        for column in table.columns:
            if column.type.python_type is int:
                assert "BIGINT" in column.type.compile(engine.dialect) or engine.dialect.name == "sqlite"


def test_a_store_without_tables_says_what_to_do(empty_engine: Engine) -> None:
    """The error names the command that helps."""
    with pytest.raises(Unavailable, match="emon db upgrade"), store.reading(empty_engine) as connection:
        connection.execute(schema.progress.select())


def test_an_absent_database_is_unavailable() -> None:
    """Nobody listens on that port."""
    with (pytest.raises(Unavailable, match="store is away"),
          store.reading(store.open_engine("postgresql://nobody@127.0.0.1:1/none"))):
        pass


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    """The error says so, without a traceback of the driver's."""
    (tmp_path / "notes.txt").write_text("not a database, but long enough to look at" * 100)
    engine = store.open_engine(f"sqlite:///{tmp_path / 'notes.txt'}")
    with pytest.raises(Unavailable, match="not a database"), store.reading(engine) as connection:
        connection.execute(schema.progress.select())
    with pytest.raises(Fault, match="cannot make the folder"):
        store.open_engine(f"sqlite:///{tmp_path / 'notes.txt' / 'below' / 'emon.sqlite'}")


@pytest.mark.parametrize("url", ["", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_other_urls_are_faults(url: str) -> None:
    """The fault says which URLs there are."""
    with pytest.raises(Fault, match="sqlite:///FILE"):
        store.open_engine(url)


def test_a_reader_sees_one_state(engine: Engine) -> None:
    """What is committed between two of its statements is not seen by it."""
    def count(connection: Connection) -> int:
        return len(connection.execute(schema.progress.select()).all())

    with store.reading(engine) as one:
        before = count(one)
        with store.writing(engine) as other:
            other.execute(schema.progress.insert().values(
                stage="x", partition=0, position=0, end=0, updated_at=0))
        assert (before, count(one)) == (0, 0)
    with store.reading(engine) as one:
        assert count(one) == 1


def test_a_write_waits_for_another(engine: Engine) -> None:
    """Two read-then-write transactions in two threads both commit."""
    with store.writing(engine) as connection:
        connection.execute(schema.progress.insert().values(
            stage="x", partition=0, position=0, end=0, updated_at=0))

    def add() -> None:
        for _ in range(20):
            with store.writing(engine) as connection:
                row = schema.progress
                connection.execute(row.select().with_for_update()).one()
                connection.execute(row.update().values(position=row.c.position + 1))

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading(engine) as connection:
        assert connection.execute(schema.progress.select()).one().position == 60
