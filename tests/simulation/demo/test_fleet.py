"""The fleet delivers everything, in five formats, through refusals and broken connections."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from emon.clock import ScaledClock
from emon.ingest import endpoint, keys
from emon.journal.port import RAW, TopicPartition
from emon.journal.records import RawReading, decode_raw
from emon.journal.sqlite import SqliteJournal
from emon.store import open_engine, upgrade
from simulators.demo import FEEDS, Fleet, Progress, World, build

SPEED = 150.0


@asynccontextmanager
async def _serving(app: Any, lifespan: str) -> AsyncIterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan=lifespan))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


async def _drive(fleet: Fleet, real_s: float) -> Progress:
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(real_s, stop.set)
    return await fleet.run(stop)


def _observed(world: World, feed: str, sent_before_s: float) -> set[tuple[str, int]]:
    """Device and instant of what this feed must have delivered by then."""
    return {(e.reading["device"], e.reading["observed_at"]) for e in world.source().until(sent_before_s)
            if e.feed == feed and e.send_s <= sent_before_s}


async def test_all_that_is_due_is_on_the_journal(tmp_path: Path) -> None:
    """Five feeds against the real endpoint with real keys: nothing rejected, nothing left out."""
    world = build(41, 40)
    engine = open_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")
    upgrade(engine)
    journal = SqliteJournal(tmp_path / "journal", partitions=2)
    await journal.open()
    made = {f.id: keys.create(engine, f.id, f.adapter, f.settings, now=world.start_us).key for f in FEEDS}
    clock = ScaledClock(world.start_us, SPEED)
    app = FastAPI()
    app.include_router(endpoint.router(journal, engine, clock))
    async with _serving(app, "on") as url:
        fleet = Fleet(world, url, made, clock)
        progress = await _drive(fleet, 6.0)
    records = [decode_raw(record.value) for p in range(await journal.partitions(RAW))
               for record in await journal.read(TopicPartition(RAW, p), 0, 100_000)]
    await journal.close()
    engine.dispose()
    taken = {(r.reading.device, r.reading.observed_at) for r in records if isinstance(r, RawReading)}
    assert progress.rejected == progress.refused == 0, progress.last_problem
    assert progress.accepted > 500
    last_s = (progress.simulated_us - world.start_us) / 1e6
    for feed in ("lakeland", "fleetgate", "homebase"):
        due = _observed(world, feed, last_s)
        assert due and due <= taken, f"{feed}: {len(due - taken)} of {len(due)} are missing"
    assert any(device.startswith("pocket-") for device, _ in taken)


class _Moody:
    """Answers each request only at the third attempt: first 503, then a broken connection."""

    def __init__(self) -> None:
        self.attempts: Counter[bytes] = Counter()
        self.readings: Counter[tuple[str, str]] = Counter()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.attempts[body] += 1
        attempt = self.attempts[body]
        if attempt == 2:
            return  # no answer at all: uvicorn closes the connection with a 500 or without a word
        status = 503 if attempt == 1 else 202
        headers = [(b"content-type", b"application/json"), (b"retry-after", b"0")]
        answer = {"accepted": body.count(b"\n"), "duplicates": 0, "rejected": []}
        if status == 202:
            for line in body.splitlines():
                reading = json.loads(line)
                self.readings[reading["device"], reading["observed_at"]] += 1
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


async def test_what_was_not_acknowledged_is_sent_again() -> None:
    """After 503 and after a connection that broke, the same body comes again until it is taken."""
    world = build(42, 20)
    server = _Moody()
    clock = ScaledClock(world.start_us, SPEED)
    async with _serving(server, "off") as url:
        fleet = Fleet(world, url, {"lakeland": "key"}, clock, only=("lakeland",))
        progress = await _drive(fleet, 4.0)
    assert progress.retried >= 2
    assert progress.refused == 0
    assert progress.accepted == sum(server.readings.values()) > 100


async def test_order_versions_are_published_when_they_arrive() -> None:
    """The hospital's letter is handed over at its instant, not before."""
    world = build(43, 60)
    due = world.amendments()
    assert due
    clock = ScaledClock(due[0][0] - 120 * 1_000_000, SPEED)
    published: list[tuple[int, int]] = []

    async def publish(document: dict[str, Any]) -> None:
        published.append((clock.now_us(), document["version"]))

    async with _serving(_Moody(), "off") as url:
        await _drive(Fleet(world, url, {}, clock, publish=publish, only=()), 2.5)
    assert [version for _, version in published] == [2] * len(due)
    assert all(0 <= at - arrival < 60 * 1_000_000 for (at, _), (arrival, _) in zip(published, due, strict=True))
