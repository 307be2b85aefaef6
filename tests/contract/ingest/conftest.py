"""A real HTTP server over a real journal and store; the router runs only where a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from emon.clock import Clock, SystemClock
from emon.domain.instant import SECOND, iso
from emon.ingest import endpoint, keys
from emon.journal.port import RAW, REJECTED, Journal, TopicPartition
from emon.journal.records import RawReading, RawRejected, decode_raw
from emon.journal.sqlite import SqliteJournal
from emon.store import open_engine, upgrade

NOW = SystemClock().now_us()


class TestClock(SystemClock):
    """Real time, put on by hand."""

    __test__ = False

    def __init__(self) -> None:
        self.ahead_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.ahead_us


@asynccontextmanager
async def serving(journal: Journal, engine: Engine, clock: Clock,
                  **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server that ends with the block."""
    app = FastAPI()
    feeds = endpoint.router(journal, engine, clock, **options)
    app.include_router(feeds)
    server = uvicorn.Server(uvicorn.Config(feeds.in_front(app), port=0, log_config=None, access_log=False,
                                           lifespan="on"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client
    server.should_exit = True
    await task


@dataclass
class Site:
    """Journal, store and keys of one installation."""

    journal: Journal
    engine: Engine
    clock: TestClock
    key: str
    signing_secret: str
    key_id: str

    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    async def raw(self) -> list[RawReading]:
        """Every reading on emon.raw."""
        return [r for r in await self._all(RAW) if isinstance(r, RawReading)]

    async def rejected(self) -> list[RawRejected]:
        """Every slice on emon.rejected."""
        return [r for r in await self._all(REJECTED) if isinstance(r, RawRejected)]

    async def _all(self, topic: str) -> list[Any]:
        return [decode_raw(record.value) for p in range(await self.journal.partitions(topic))
                for record in await self.journal.read(TopicPartition(topic, p), 0, 100_000)]


def site_of(journal: Journal, engine: Engine) -> Site:
    made = keys.create(engine, "acme", "native", now=NOW)
    return Site(journal, engine, TestClock(), made.key, made.signing_secret, made.key_id)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """A store with its tables, on each database."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}" if request.param == "sqlite" \
        else request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    upgrade(engine)
    return engine


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")
    upgrade(engine)
    return engine


@pytest.fixture
async def site(engine: Engine, tmp_path: Path) -> AsyncIterator[Site]:
    """An installation on a SQLite journal with two partitions, on each database."""
    journal = SqliteJournal(tmp_path / "journal", partitions=2)
    await journal.open()
    yield site_of(journal, engine)
    await journal.close()
    engine.dispose()


@pytest.fixture
async def small_site(sqlite_engine: Engine, tmp_path: Path) -> AsyncIterator[Site]:
    """The same on SQLite alone, for what does not depend on the database."""
    journal = SqliteJournal(tmp_path / "journal", partitions=2)
    await journal.open()
    yield site_of(journal, sqlite_engine)
    await journal.close()
    sqlite_engine.dispose()


def fix(device: str, ago_s: float, seq: int | None = None, **more: Any) -> dict[str, Any]:
    """A native position, so many seconds old."""
    fields: dict[str, Any] = {"v": 1, "device": device, "kind": "position",
                              "observed_at": iso(NOW - int(ago_s * SECOND)), "lat": 43.07, "lon": -89.4,
                              "accuracy_m": 8, "method": "gnss", **more}
    return fields if seq is None else fields | {"seq": seq}
