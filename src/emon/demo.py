"""The demo: a simulated county streams into the real pipeline, embedded or scaled out, on one scaled clock.

What it shows is what runs in earnest: devices speak their vendors' formats to the real endpoint with real
keys, every stage does its work, messages arrive in an outbox folder. When it ends, it recomputes every
finding from the recording and holds them against the truth.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from rich.console import Console
from rich.live import Live
from rich.table import Table

from emon import serve
from emon.batch import evaluate_files
from emon.clock import ScaledClock, monotonic_ns, monotonic_s, pause
from emon.config import Settings
from emon.domain import instant
from emon.domain.errors import Fault, Unavailable
from emon.recording import export

MARK: Final = ".emon-demo"  # a folder with this file may be replaced by the next demo
PROCESSES: Final = (("ingest", "route"), ("evaluate",), ("alerts", "notify"), ("console",))
READY_TIMEOUT_S: Final = 60.0
START_UP_S: Final = 3
SCALE_OUT_START_UP_S: Final = 20  # four processes that import at once
DRAIN_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. `speed`: simulated seconds a second; `for_s` None: until interrupted."""

    participants: int
    seed: int
    speed: float
    for_s: float | None
    data: Path
    port: int
    scale_out: bool


async def run(options: Options) -> int:
    """Runs the demo; returns the exit code."""
    from simulators import world as worlds
    from simulators.fleet import Fleet

    console = Console(stderr=True, highlight=False)
    folder = _fresh(options.data)
    console.print(f"emon demo: {options.participants} participants, seed {options.seed}, "
                  f"{options.speed:g} simulated seconds a second; everything is kept in {folder}")
    world = worlds.build(options.seed, options.participants)
    world.write(folder / "world")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        settings = Settings(data=folder, listen_port=options.port, outbox_dir=folder / "outbox", log_level="warning")
        if options.scale_out:
            settings = await stack.enter_async_context(_real_parts(settings, folder, console))
        # time begins a little earlier, while the stages start: devices speak when everybody can hear them
        start_up_s = SCALE_OUT_START_UP_S if options.scale_out else START_UP_S
        clock = ScaledClock(world.start_us, options.speed, monotonic_ns() + start_up_s * 1_000_000_000)
        settings = settings.model_copy(update={
            "clock": f"scaled:{clock.start_us}:{clock.speed}:{clock.origin_ns}",
            "public_url": f"http://127.0.0.1:{options.port}"})
        keys = await _prepare(settings, world, folder)
        pipeline = _processes if options.scale_out else _embedded
        async with pipeline(settings, folder) as (url, ingest_url):
            console.print(f"[bold]console: {url}[/bold]   messages: {folder / 'outbox'}   (Ctrl-C ends)")
            await clock.sleep(max(0.0, (world.start_us - clock.now_us()) / 1e6))
            fleet = Fleet(world, ingest_url, keys, clock, publish=_publisher(ingest_url))
            await _show(options, fleet, url, clock, stop, console)
        return await _results(settings, folder, console)


def _fresh(folder: Path) -> Path:
    """An empty folder; only what an earlier demo made is replaced."""
    folder = folder.resolve()
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise Fault("data_folder", f"{folder} has something else in it: name an empty folder", "--data")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("The next demo here replaces this folder.\n", encoding="utf-8")
    return folder


async def _prepare(settings: Settings, world: Any, folder: Path) -> Mapping[str, str]:
    """Creates tables, feeds with their keys, and takes the orders in."""
    from emon.formats.check import check
    from emon.ingest import keys
    from emon.ingest.orders import Document, publish
    from emon.store.upgrade import upgrade

    checked = check([path for path in (folder / "world").iterdir() if path.is_dir()], complete=True)
    assert not checked.faults, [str(fault) for fault in checked.faults]
    parts = serve.Parts(settings)
    for engine in (parts.store, parts.history):
        await asyncio.to_thread(upgrade, engine)
    await parts.open()
    try:
        made = {feed.id: keys.create(parts.store, feed.id, feed.adapter, feed.settings, now=world.start_us).key
                for feed in world.feeds}
        known: list[Document] = [*checked.people, *checked.zones, *checked.orders, *checked.bindings,
                                 *checked.verdicts]
        await publish(parts.journal, [one for one in known if one.received_at is None])  # the others come later
    finally:
        await parts.close()
    return made


@contextlib.asynccontextmanager
async def _embedded(settings: Settings, _folder: Path) -> AsyncIterator[tuple[str, str]]:
    stop = asyncio.Event()
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(serve.serve(serve.Parts(settings), serve.ROLES, stop=stop,
                                              ready=ready.set_result))
    await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
    try:
        if serving.done():
            await serving
        yield ready.result(), ready.result()
    finally:
        stop.set()
        await serving


@contextlib.asynccontextmanager
async def _processes(settings: Settings, folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Each line of PROCESSES a process of its own; the console's and ingest's ports differ."""
    from simulators import parts

    environment = {name: value for name, value in os.environ.items() if not name.startswith("EMON_")}
    environment |= {f"EMON_{name.upper()}": str(getattr(settings, name)) for name in (
        "data", "journal", "store", "clock", "outbox_dir", "public_url", "partitions")}
    ingest_port = parts.free_port()
    ports = {"ingest": ingest_port, "console": settings.listen_port}
    running = []
    try:
        for roles in PROCESSES:
            port = ports.get(roles[0], 0)
            log = (folder / f"{'-'.join(roles)}.log").open("wb")
            running.append(await asyncio.create_subprocess_exec(
                sys.executable, "-m", "emon", "run", *roles, stdout=log, stderr=log,
                env=environment | {"EMON_LISTEN_PORT": str(port)}))
        await _answers(f"http://127.0.0.1:{settings.listen_port}/readyz")
        await _answers(f"http://127.0.0.1:{ingest_port}/readyz")
        yield f"http://127.0.0.1:{settings.listen_port}", f"http://127.0.0.1:{ingest_port}"
    finally:
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await asyncio.gather(*(process.wait() for process in running))


async def _answers(url: str) -> None:
    limit = monotonic_s() + READY_TIMEOUT_S
    async with httpx.AsyncClient() as client:
        while monotonic_s() < limit:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(url)).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise Unavailable(f"{url} did not answer within {READY_TIMEOUT_S:g} s: see the logs in the data folder")


@contextlib.asynccontextmanager
async def _real_parts(settings: Settings, folder: Path, console: Console) -> AsyncIterator[Settings]:
    """A Kafka broker and a PostgreSQL server of our own, for as long as the demo lasts."""
    from simulators import parts

    console.print("starting Kafka and PostgreSQL")
    kafka, postgres = parts.Kafka(folder / "kafka"), parts.Postgres(folder / "postgres")
    try:
        await asyncio.to_thread(kafka.start)
        await asyncio.to_thread(postgres.start)
        yield settings.model_copy(update={"journal": kafka.url, "store": postgres.database("emon")})
    finally:
        await asyncio.to_thread(kafka.stop)
        await asyncio.to_thread(postgres.stop)


async def _show(options: Options, fleet: Any, url: str, clock: ScaledClock, stop: asyncio.Event,
                console: Console) -> None:
    """Devices speak until the time is over; the terminal shows how it goes."""
    talking = asyncio.create_task(fleet.run(stop))
    began = monotonic_s()
    async with httpx.AsyncClient(base_url=url, timeout=5) as client:
        with Live(console=console, refresh_per_second=4, transient=False) as live:
            while not stop.is_set() and not talking.done():
                elapsed = monotonic_s() - began
                live.update(_progress(options, elapsed, clock, fleet, await _status(client)))
                if options.for_s is not None and elapsed >= options.for_s:
                    stop.set()
                await pause(stop, 0.5)
        await talking
        await _drained(client)


def _publisher(url: str) -> Callable[[dict[str, Any]], Awaitable[None]]:
    """Hands in the orders that a court changes while the demo runs."""

    async def publish(order: dict[str, Any]) -> None:
        async with httpx.AsyncClient(base_url=url) as client:
            answer = await client.post("/v1/orders", json=order)
            if answer.status_code >= 400:
                raise Fault("order_refused", answer.text[:500])

    return publish


async def _status(client: httpx.AsyncClient) -> dict[str, Any]:
    with contextlib.suppress(httpx.HTTPError):
        answer = await client.get("/v1/status")
        if answer.status_code == 200:
            status: dict[str, Any] = answer.json()
            return status
    return {}


async def _drained(client: httpx.AsyncClient) -> None:
    """Waits until every stage has worked through what was there when the devices fell silent."""
    limit = monotonic_s() + DRAIN_TIMEOUT_S
    asked_at = (await _status(client)).get("pipeline_now")
    while monotonic_s() < limit:
        status = await _status(client)
        if (asked_at and (status.get("last_tick") or "") >= asked_at and not status.get("notifications_waiting")):
            return
        await asyncio.sleep(0.2)


def _progress(options: Options, elapsed: float, clock: ScaledClock, fleet: Any, status: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    left = "" if options.for_s is None else f" of {options.for_s:.0f} s"
    alerts = status.get("open_alerts", {})
    priorities = "  ".join(f"P{p} {n}" for p, n in sorted(alerts.get("by_priority", {}).items()))
    late = status.get("late_s")
    table.add_row("time", f"{elapsed:.0f} s{left}, simulated {instant.to_datetime(clock.now_us()):%Y-%m-%d %H:%M}Z")
    table.add_row("readings", f"{fleet.progress.accepted:,} accepted, {fleet.progress.duplicates:,} re-sent, "
                              f"{fleet.progress.rejected:,} rejected")
    table.add_row("open alerts", f"{alerts.get('total', 0)}   {priorities}")
    table.add_row("emon is late by", "-" if late is None else f"{late:.1f} simulated seconds")
    return table


async def _results(settings: Settings, folder: Path, console: Console) -> int:
    """Exports the recording, recomputes it, and prints the score against the truth."""
    from simulators import score as scoring
    from simulators import truth as truths

    parts = serve.Parts(settings)
    await parts.open()
    try:
        counts = await export(parts.journal, folder / "recording")
    finally:
        await parts.close()
    recording = folder / "recording"
    until = instant.parse(_manifest(recording)["until"])
    await asyncio.to_thread(evaluate_files, (recording / "orders",), (recording / "zones.geojson",),
                            (recording / "readings.ndjson",), recording / "recomputed.ndjson", until)
    live, again = (_revisions(recording / name) for name in ("findings.ndjson", "recomputed.ndjson"))
    console.print(f"recorded: {', '.join(f'{n:,} {what}' for what, n in counts.items())} in {recording}")
    equal = "equals" if live == again else "[red]differs from[/red]"
    console.print(f"recomputed from the recording: {len(again)} revisions; the live run {equal} it")
    result = scoring.score(scoring.read_findings(recording / "findings.ndjson"),
                           truths.read(folder / "world" / "truth.json"), until)
    (folder / "score.json").write_bytes(msgspec.json.encode(result.to_json() | {"recomputed_equal": live == again}))
    Console(highlight=False).print(result.table())
    return 0


def _manifest(recording: Path) -> dict[str, str]:
    manifest: dict[str, str] = msgspec.json.decode((recording / "manifest.json").read_bytes())
    return manifest


def _revisions(path: Path) -> list[dict[str, Any]]:
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    for line in lines:
        line.pop("recorded_at")  # when it was stored says nothing about what was found
    return lines
