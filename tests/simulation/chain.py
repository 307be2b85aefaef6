"""The chain in processes of its own, on one scaled clock, that can be killed and started again.

Simulated vendors speak to it over HTTP and send again whatever was not acknowledged. Processes are those that
a user starts; none outlives the test, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, Protocol

import httpx

from emon import config
from emon.clock import ScaledClock, monotonic_ns
from emon.formats.check import check
from emon.ingest import keys
from emon.ingest.orders import Document, publish
from emon.journal.open import open_journal
from emon.journal.port import Journal
from emon.store import open_engine, upgrade
from simulators.fleet import Fleet, Progress
from simulators.parts import free_port
from simulators.world import Feed, World
from tests.bench.processes import Process

UNAVAILABLE: Final = 3  # exit code
# Every process ends within this time of a SIGTERM: 5 s where it has the machine to itself, and less than one
# wait for an absent Kafka where it shares a slow one.
STOP_S: Final = 9.0
READY_S: Final = 180.0


class Role(Process):
    """One process of emon, `emon ARGUMENTS`."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log, self.down, self.url = log, False, ""
        super().__init__(["emon", *arguments], environment, log)

    def start(self) -> None:
        """As a process of its own; again after `kill`."""
        super().start()
        self.down = False

    def kill(self) -> None:
        """kill -9; nobody starts it again but us."""
        self.down = True
        super().kill()

    def revive(self) -> None:
        """What a supervisor does: starts it again where it ended because a service was away."""
        if not self.down and (code := self._process.poll()) is not None:
            assert code == UNAVAILABLE, f"{self.log.stem} ended with {code}: {self.said()[-3000:]}"
            super().kill()
            self.start()

    def end(self) -> tuple[int, float]:
        """SIGTERM; the exit code and the seconds that it took (a minute: killed)."""
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(60)
        took_s = time.monotonic() - began
        self.kill()
        return self._process.returncode, took_s

    def said(self) -> str:
        """All that it has written so far, over all its lives."""
        return self.log.read_text(encoding="utf-8", errors="replace")


class Setting(Protocol):
    """What a chain needs of a world: its feeds, and its documents in folders of the one given."""

    @property
    def start_us(self) -> int: ...

    @property
    def feeds(self) -> tuple[Feed, ...]: ...

    def write(self, folder: Path) -> None: ...


@dataclass(slots=True)
class Chain:
    """A folder, a world and its clock. `more`: environment beside what is set here."""

    folder: Path
    world: Setting
    speed: float
    more: Mapping[str, str] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    clock: ScaledClock = field(init=False)
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clock = ScaledClock(self.world.start_us, self.speed)

    @property
    def url(self) -> str:
        """Where ingest listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> config.Settings:
        """As the processes see them."""
        return config.Settings(**{name.removeprefix("EMON_").lower(): value
                                  for name, value in self.environment.items()})  # type: ignore[arg-type]

    async def prepare(self, start_up_s: float) -> None:
        """Tables, orders, feeds with their keys. Devices speak after `start_up_s`, not before."""
        self.clock = ScaledClock(self.world.start_us, self.speed, monotonic_ns() + int(start_up_s * 1e9))
        self.environment = {
            "EMON_DATA": str(self.folder / "data"),
            "EMON_CLOCK": f"scaled:{self.clock.start_us}:{self.speed}:{self.clock.origin_ns}",
            "EMON_LISTEN_PORT": str(self.port), **self.more}
        self.world.write(self.folder / "world")
        checked = check([path for path in (self.folder / "world").iterdir() if path.is_dir()], complete=True)
        assert not checked.faults
        (self.folder / "data").mkdir(exist_ok=True)
        for url in dict.fromkeys((config.store_url(self.settings), config.history_url(self.settings))):
            engine = open_engine(url)
            upgrade(engine)
            if url == config.store_url(self.settings):
                self.keys = {feed.id: keys.create(engine, feed.id, feed.adapter, feed.settings,
                                                  now=self.world.start_us).key for feed in self.world.feeds}
            engine.dispose()
        known: list[Document] = [*checked.people, *checked.zones, *checked.orders, *checked.bindings]
        async with self.journal() as journal:
            await publish(journal, [one for one in known if one.received_at is None])

    def start(self, name: str, *arguments: str, port: int = 0) -> Role:
        """One more process; `port` 0: any, for its metrics."""
        listen = {"EMON_LISTEN_PORT": str(port)} if port else {}
        self.roles[name] = Role(arguments, {**self.environment, **listen}, self.folder / f"{name}.log")
        return self.roles[name]

    async def answering(self, url: str | None = None) -> None:
        """Returns when ingest is ready."""
        limit = time.monotonic() + READY_S
        async with httpx.AsyncClient(timeout=2) as client:
            while time.monotonic() < limit:
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get(f"{url or self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.05)
        raise AssertionError(f"not ready in {READY_S:g} s: {[role.said()[-1500:] for role in self.roles.values()]}")

    async def stream(self, stop: asyncio.Event) -> Progress:
        """The world's vendors speak until `stop`; then everything due is still delivered."""
        assert isinstance(self.world, World)
        fleet = _Persistent(self.world, self.url, self.keys, self.clock, publish=self._hand_in)
        return await fleet.run(stop)

    async def _hand_in(self, order: dict[str, Any]) -> None:
        """A court's clerk tries until the order is taken."""
        async with httpx.AsyncClient(base_url=self.url, timeout=5) as client:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    answer = await client.post("/v1/orders", json=order)
                    if answer.status_code < 500:
                        assert answer.status_code < 400, answer.text
                        return
                await asyncio.sleep(0.1)

    @contextlib.asynccontextmanager
    async def journal(self) -> AsyncIterator[Journal]:
        """The journal, beside the processes that use it."""
        journal = open_journal(config.journal_url(self.settings), partitions=config.partitions(self.settings))
        await journal.open()
        try:
            yield journal
        finally:
            await journal.close()

    @contextlib.asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Processes that end because a service is away are started again, as any supervisor does."""

        async def look() -> None:
            while True:
                for role in tuple(self.roles.values()):
                    role.revive()
                await asyncio.sleep(0.5)

        looking = asyncio.create_task(look())
        try:
            yield
        finally:
            if looking.done():
                looking.result()
            looking.cancel()

    def end(self) -> dict[str, tuple[int, float]]:
        """SIGTERM to all, one after the other; how each took it."""
        ended = {name: role.end() for name, role in self.roles.items()}
        self.roles.clear()
        return ended

    def kill(self) -> None:
        """No process is left."""
        for role in self.roles.values():
            role.kill()
        self.roles.clear()


class _Persistent(Fleet):
    """A fleet that does not end before everything due is acknowledged."""

    async def _drain(self) -> None:
        for _ in range(20):
            await super()._drain()
            if not self.progress.queued:
                return


class Mortal(Protocol):
    """A process, of emon or of a service."""

    def kill(self) -> None:
        """kill -9."""

    def start(self) -> None:
        """Again."""


async def kills(targets: Iterable[Mortal], random: Random, *, alive_s: tuple[float, float],
                dead_s: tuple[float, float]) -> None:
    """kill -9 of one after the other, each started again after a while."""
    for target in targets:
        await asyncio.sleep(random.uniform(*alive_s))
        await asyncio.to_thread(target.kill)
        await asyncio.sleep(random.uniform(*dead_s))
        await asyncio.to_thread(target.start)


def seed_of_this_run() -> int:
    """Drawn anew each time; EMON_TEST_SEED repeats one."""
    return int(os.environ.get("EMON_TEST_SEED") or int.from_bytes(os.urandom(3)))

