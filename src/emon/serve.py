"""Runs roles in one process: the other half of `cli`, which alone wires stages together.

Every role is one coroutine that stops when `stop` is set. A role that dies takes the process with it: it
restarts from its snapshot, because going on without a stage would be silence that nobody ordered.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from emon import config, process
from emon.clock import Clock, ScaledClock, SystemClock
from emon.config import Settings
from emon.domain.errors import Fault, Unavailable
from emon.ingest.ticks import Ticker
from emon.journal.open import open_journal
from emon.journal.port import Journal
from emon.limits import THREADS

if TYPE_CHECKING:
    from emon.evaluate.worker import Reached
    from emon.ingest.endpoint import Feeds

log = structlog.get_logger()

ROLES = ("ingest", "route", "evaluate", "alerts", "notify", "console")
STOP_GRACE_S = 3.0  # what a role may take to end in good order
Role = Callable[[], Coroutine[Any, Any, None]]


class Parts:
    """The opened journal and store, shared by the roles of this process."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or clock_of(settings)
        self.journal: Journal = open_journal(
            config.journal_url(settings), partitions=config.partitions(settings), **config.kafka_security(settings))
        self.ticker = Ticker()
        from emon.store.engine import open_engine, open_history

        self.store: Engine = open_engine(config.store_url(settings))
        self.history: Engine = open_history(config.history_url(settings))

    async def open(self) -> None:
        """Connects; brings the tables up to date where the store is a file of our own."""
        from emon.store.upgrade import upgrade

        for engine in {id(e): e for e in (self.store, self.history)}.values():
            if engine.dialect.name == "sqlite":
                await asyncio.to_thread(upgrade, engine)
        await self.journal.open()

    async def close(self) -> None:
        """Safe to call twice."""
        await self.journal.close()
        self.store.dispose()
        self.history.dispose()


def clock_of(settings: Settings) -> Clock:
    """The system's clock, or the demo's scaled one, the same in every process that is told its three numbers."""
    if settings.clock == "system":
        return SystemClock()
    kind, *numbers = settings.clock.split(":")
    try:
        start_us, speed, origin_ns = int(numbers[0]), float(numbers[1]), int(numbers[2])
    except (IndexError, ValueError):
        kind = ""
    if kind != "scaled":
        raise Fault("bad_clock", f"{settings.clock!r}: use system or scaled:START_US:SPEED:ORIGIN_NS", "EMON_CLOCK")
    return ScaledClock(start_us, speed, origin_ns)


def check_roles(roles: Sequence[str]) -> None:
    """Raises Fault for a role that does not exist."""
    for role in roles:
        if role not in ROLES:
            raise Fault("unknown_role", f"{role!r} is no role: use {', '.join(ROLES)}")


async def serve(parts: Parts, roles: Sequence[str], *, stop: asyncio.Event | None = None,
                ready: Callable[[str], None] | None = None) -> None:
    """Runs the roles until `stop`, or where there is none until SIGINT or SIGTERM. `ready` is called with the
    address once requests are answered."""
    process.prepare()
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="emon"))
    listening = _listen(parts.settings.listen_host, _port(parts.settings, roles))
    with contextlib.closing(listening):
        try:
            await parts.open()
            async with asyncio.TaskGroup() as group:
                for name, role in _roles(parts, roles, stop):
                    group.create_task(_named(name, role, stop), name=name)
                group.create_task(_http(parts, roles, stop, listening, ready), name="http")
        finally:
            await parts.close()


async def _named(name: str, role: Role, stop: asyncio.Event) -> None:
    """Runs a role. One that does not end in time after `stop` is cut off, which does no more harm than a crash."""
    log.info("role starts", role=name)
    working, stopping = asyncio.create_task(role(), name=name), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait((working,), timeout=STOP_GRACE_S)
        if not working.done():
            log.warning("role does not stop in time: cut off", role=name)
            return
        await working
        if not stop.is_set():
            raise RuntimeError(f"role {name} ended by itself")
    except Exception as error:
        log.error("role died: this process ends and has to be started again", role=name,
                  reason=f"{type(error).__name__}: {error}")
        raise
    finally:
        stop.set()  # a cancellation can get lost in `wait_for`; nobody misses this
        for task in (working, stopping):
            task.cancel()
        await asyncio.wait((working, stopping), timeout=STOP_GRACE_S)
    log.info("role stopped", role=name)


def _port(settings: Settings, roles: Sequence[str]) -> int:
    return settings.listen_port if {"ingest", "console"} & set(roles) else settings.metrics_port


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens, on this machine only. Raises Fault, Unavailable."""
    if host != "localhost" and not _is_loopback(host):
        raise Fault("not_loopback", f"{host!r} can be reached from elsewhere, and there is no log-in yet: use "
                    "127.0.0.1 and a proxy of your own that knows who may come in", "EMON_LISTEN_HOST")
    try:
        return socket.create_server((host, port), backlog=2048,
                                    family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise Unavailable(f"cannot listen on {host} port {port}: {error.strerror or error}; end what uses it, or set "
                          "EMON_LISTEN_HOST and EMON_LISTEN_PORT") from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _roles(parts: Parts, roles: Sequence[str], stop: asyncio.Event) -> list[tuple[str, Role]]:
    """What each role runs. Imported when needed: a console has no use for the evaluator's numpy."""
    journal, store, clock = parts.journal, parts.store, parts.clock

    async def ingest() -> None:
        from emon.ingest import ticks

        await ticks.run(journal, clock, stop, parts.ticker)

    async def route() -> None:
        from emon.route import worker

        await worker.run(journal, store, clock, stop)

    async def evaluate() -> None:
        from emon.evaluate import worker
        from emon.store.history import SqlHistory, SqlSnapshots

        await worker.run(journal, SqlHistory(parts.history), SqlSnapshots(parts.history), clock, stop,
                         report=lambda reached: report_evaluated(store, reached))

    async def alerts() -> None:
        from emon.alerts import worker

        await worker.run(journal, store, clock, stop)

    async def notify() -> None:
        from emon.notify import worker
        from emon.notify.channels import open_channels

        await worker.run(store, open_channels(parts.settings), clock, stop, public_url=parts.settings.public_url)

    known = {"ingest": ingest, "route": route, "evaluate": evaluate, "alerts": alerts, "notify": notify}
    return [(name, known[name]) for name in roles if name in known]


def report_evaluated(store: Engine, reached: Sequence[Reached]) -> None:
    """Puts the evaluator's position where the console looks for it: the evaluator knows no store. Raises
    Unavailable."""
    from emon.store import writing
    from emon.store.progress import Progress, report

    now = SystemClock().now_us()
    with writing(store) as connection:
        report(connection, [
            Progress(stage="evaluate", partition=one.partition, position=one.position, end=one.end,
                     last_tick=one.clock, updated_at=now, caught_up_at=now if one.position >= one.end else None)
            for one in reached])


def app_of(parts: Parts, roles: Sequence[str]) -> FastAPI:
    """The HTTP application of these roles; every process answers /metrics, /healthz and /readyz."""
    return _app_of(parts, roles, _feeds(parts, roles))


def _feeds(parts: Parts, roles: Sequence[str]) -> Feeds | None:
    from emon.ingest import endpoint

    if "ingest" not in roles:
        return None
    return endpoint.router(parts.journal, parts.store, parts.clock, ticker=parts.ticker)


def _app_of(parts: Parts, roles: Sequence[str], feeds: Feeds | None) -> FastAPI:
    from emon.alerts.endpoint import Commands
    from emon.console.app import create_app

    routers: list[APIRouter] = [] if feeds is None else [feeds]
    if feeds is None and "console" in roles:  # analysts set verdicts on its pages
        from emon.ingest import documents

        routers.append(documents.verdict_router(parts.journal, parts.clock))
    return create_app(parts.journal, parts.store, parts.history, parts.clock, parts.settings,
                      commands=Commands(parts.store, parts.clock, SystemClock()), routers=routers,
                      console="console" in roles, lists_documents="ingest" not in roles)


class _Server(uvicorn.Server):
    """Leaves signals to `serve`, which stops all roles and not only this one."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _http(parts: Parts, roles: Sequence[str], stop: asyncio.Event, listening: socket.socket,
                ready: Callable[[str], None] | None) -> None:
    feeds = _feeds(parts, roles)
    app: Any = _app_of(parts, roles, feeds)
    app = ProxyHeadersMiddleware(app, "127.0.0.1")
    if feeds is not None:
        app = feeds.in_front(app)
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, ws="none",
                                    timeout_graceful_shutdown=2, lifespan="on",
                                    timeout_keep_alive=75))  # vendors that post once a minute need not connect anew
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn offers no event
            await asyncio.sleep(0.01)
        if server.started:
            host, bound = listening.getsockname()[:2]
            log.info("listening", address=f"http://{host}:{bound}")
            if ready:
                ready(f"http://{host}:{bound}")
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait((serving, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    finally:
        server.should_exit = True
        await serving


def data_folder(settings: Settings) -> Path:
    """Creates the data folder. Raises Fault where that cannot be."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault("data_folder", f"cannot make {settings.data}: {error.strerror}", "EMON_DATA") from error
    return settings.data
