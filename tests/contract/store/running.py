"""A running alerts stage and console for tests: real store, real HTTP server, the journal in memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from sqlalchemy import Engine

from emon import config
from emon.alerts import worker
from emon.alerts.endpoint import Commands
from emon.clock import SystemClock
from emon.console.app import STATIC, create_app
from emon.domain import finding as findings
from emon.domain.finding import Finding
from emon.domain.order import Condition, Order, Place
from emon.domain.person import ContactMethod, Person
from emon.domain.zone import Zone
from emon.journal.memory import MemoryJournal
from emon.journal.port import FINDINGS, ORDERS, Entry, Journal
from emon.journal.records import OrderVersion, PersonVersion, ZoneVersion, encode
from emon.store import progress, reading
from tests.unit.alerts.worlds import T0

ORDER = Order(
    id="O-1",
    participant="P-1",
    time_zone="America/Chicago",
    supervision_level="standard",
    officer="o-1",
    agency="dane",
    places=(Place(id="home", lat=43.07, lon=-89.4, radius_m=75.0),),
    conditions=(
        Condition(id="c1", kind="exclusion_zone", zone="school", buffer_m=100.0),
        Condition(id="c2", kind="curfew", place="home"),
    ),
)
ZONE = Zone(
    id="school", name="School", polygons=((((-89.4, 43.0), (-89.39, 43.0), (-89.39, 43.01), (-89.4, 43.0)),),)
)
OFFICER = Person(
    id="o-1",
    role="officer",
    name="Officer One",
    time_zone="America/Chicago",
    contacts=(ContactMethod(channel="email", address="one@example.org", verified=True),),
)
PARTICIPANT = Person(id="P-1", role="participant", name="Pat One")


class MovableClock(SystemClock):
    """Real time moved by hand."""

    def __init__(self, ahead_us: int = 0) -> None:
        self.ahead_us = ahead_us

    def now_us(self) -> int:
        return super().now_us() + self.ahead_us


@dataclass
class Stage:
    """The alerts stage on a store, fed by hand."""

    store: Engine
    journal: Journal = field(default_factory=lambda: MemoryJournal(partitions=2))
    clock: MovableClock = field(default_factory=MovableClock)
    wall: MovableClock = field(default_factory=MovableClock)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def documents(self, *records: OrderVersion | ZoneVersion | PersonVersion) -> None:
        """Puts documents on emon.orders; without any the usual ones."""
        usual = (
            OrderVersion(received_at=T0, order=ORDER),
            ZoneVersion(received_at=T0, zone=ZONE),
            PersonVersion(received_at=T0, person=OFFICER),
            PersonVersion(received_at=T0, person=PARTICIPANT),
        )
        await self.journal.append(
            [Entry(ORDERS, f"{n}", encode(one)) for n, one in enumerate(records or usual)]
        )

    async def findings(self, *found: Finding) -> None:
        """Puts revisions on emon.findings."""
        await self.journal.append(
            [Entry(FINDINGS, one.participant or one.feed or "", findings.encode(one)) for one in found]
        )

    async def settled(self) -> None:
        """Returns once the stage has taken in all there is."""
        ends = await self.journal.end_offsets(FINDINGS)
        for _ in range(400):
            if await asyncio.to_thread(self._caught_up, dict(ends)):
                return
            await asyncio.sleep(0.025)
        raise AssertionError("the alerts stage did not catch up")

    def _caught_up(self, ends: dict[int, int]) -> bool:
        with reading(self.store) as connection:
            known = {one.partition: one for one in progress.all_stages(connection) if one.stage == "alerts"}
        return all(
            partition in known
            and known[partition].caught_up_at is not None
            and known[partition].position >= end
            for partition, end in ends.items()
        )

    async def run(self) -> None:
        await worker.run(self.journal, self.store, self.clock, self.stop, wall=self.wall)


@contextlib.asynccontextmanager
async def stage(store: Engine) -> AsyncIterator[Stage]:
    """A running alerts stage."""
    running = Stage(store)
    await running.journal.open()
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        running.stop.set()
        await task
        await running.journal.close()


@contextlib.asynccontextmanager
async def console(of: Stage, static: Path = STATIC) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a console on that stage's store, on a real socket."""
    commands = Commands(of.store, of.clock, of.wall)
    settings = config.load({})
    app = create_app(
        of.journal, of.store, of.store, of.clock, settings, commands=commands, wall=of.wall, static=static
    )
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client
    server.should_exit = True
    await serving
