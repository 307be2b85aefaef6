"""GET /v1/feeds and /v1/feeds/{feed}/received: what a vendor may know."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from emon.domain.instant import SECOND, iso
from emon.ingest import keys
from emon.journal.port import RAW
from emon.limits import CHUNK_READINGS
from emon.route import worker
from emon.store import ingest as store
from tests.contract.ingest.conftest import NOW, Site, fix, serving
from tests.contract.ingest.test_feeds import ndjson, send


async def test_gaps_are_told_along_the_devices_own_time(site: Site) -> None:
    async with serving(site.journal, site.engine, site.clock) as client:
        await send(client, site, fix("A", 50, 10), fix("A", 40, 11), fix("A", 20, 15), fix("A", 10, 16))
        answer = (await client.get("/v1/feeds/acme/received?device=A", headers=site.bearer())).json()
        assert answer["count"] == 4 and [r["seq"] for r in answer["readings"]] == [10, 11, 15, 16]
        assert [(g["first_seq"], g["last_seq"], g["missing"]) for g in answer["gaps"]] == [(12, 14, 3)]
        await send(client, site, fix("A", 30, 13))
        later = (await client.get("/v1/feeds/acme/received", headers=site.bearer(),
                                  params={"device": "A", "from": iso(NOW - 35 * SECOND)})).json()
        assert later["count"] == 3 and [(g["first_seq"], g["last_seq"]) for g in later["gaps"]] == [(14, 14)]


async def test_what_the_router_has_put_into_chunks_is_still_told_once(site: Site) -> None:
    count = CHUNK_READINGS + 8
    readings = [fix("A", 500 - n, n) for n in range(count) if n != 5]
    async with serving(site.journal, site.engine, site.clock) as client:
        await send(client, site, *readings)
        stop = asyncio.Event()
        router = asyncio.create_task(worker.run(site.journal, site.engine, site.clock, stop))
        for _ in range(3000):
            await asyncio.sleep(0.02)
            if store.device_chunks(site.engine, ["A"], 0, 1 << 62):
                break
        stop.set()
        await router
    async with serving(site.journal, site.engine, site.clock) as client:  # starts with an empty memory
        answer = (await client.get("/v1/feeds/acme/received?device=A", headers=site.bearer())).json()
        assert answer["count"] == len(readings)
        assert [(g["first_seq"], g["last_seq"]) for g in answer["gaps"]] == [(5, 5)]
        again = await send(client, site, *readings)
        assert (again["accepted"], again["duplicates"]) == (0, len(readings))
        late = await send(client, site, fix("A", 495, 5))
        assert (late["accepted"], late["duplicates"]) == (1, 0)


@pytest.mark.parametrize(("query", "named"), [
    ("", "device"), ("?device=", "device"), ("?device=A&from=yesterday", "from"),
    ("?device=A&from=2026-11-22T02:42:49", "from"), ("?device=A&since=2026-11-22T02:42:49Z", "since")])
async def test_bad_questions_get_clear_words(small_site: Site, query: str, named: str) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        answer = await client.get(f"/v1/feeds/acme/received{query}", headers=site.bearer())
        assert answer.status_code == 422 and answer.json()["parameter"] == named and answer.json()["detail"]


async def test_another_feeds_device_is_not_told(small_site: Site) -> None:
    site = small_site
    other = keys.create(site.engine, "other", "native", now=NOW)
    async with serving(site.journal, site.engine, site.clock) as client:
        await send(client, site, fix("A", 50, 10))
        answer = await client.get("/v1/feeds/other/received?device=A",
                                  headers={"authorization": f"Bearer {other.key}"})
        assert answer.status_code == 403
        stranger = await client.get("/v1/feeds/acme/received?device=Z", headers=site.bearer())
        assert stranger.status_code == 200 and stranger.json()["count"] == 0


async def test_feeds_are_listed_without_their_secrets(site: Site) -> None:
    async with serving(site.journal, site.engine, site.clock) as client:
        answer = await client.get("/v1/feeds")
        assert [(f["feed"], f["adapter"]) for f in answer.json()["feeds"]] == [("acme", "native")]
        assert site.key not in answer.text and site.signing_secret not in answer.text


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(small_site: Site,
                                                                       tmp_path: Path) -> None:
    """A process of its own, killed without warning after its 2xx: the readings stand, and are duplicates."""
    site = small_site
    program = tmp_path / "server.py"
    program.write_text(SERVER, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), str(tmp_path), stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    port = int((await asyncio.wait_for(process.stdout.readline(), 90)).split()[-1])
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        answer = await client.post("/v1/feeds/acme", content=ndjson(fix("A", 9, 1), fix("B", 8, 1)),
                                   headers=site.bearer())
        assert answer.json()["accepted"] == 2
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    async with serving(site.journal, site.engine, site.clock) as client:
        again = await send(client, site, fix("A", 9, 1), fix("B", 8, 1), fix("B", 7, 2))
        assert (again["accepted"], again["duplicates"]) == (1, 2)
    assert len(await site.raw()) == 3
    ends = await site.journal.end_offsets(RAW)
    assert sum(ends.values()) == 3


SERVER = '''
import asyncio, sys
from pathlib import Path
import uvicorn
from fastapi import FastAPI
from emon.clock import SystemClock
from emon.ingest import endpoint
from emon.journal.sqlite import SqliteJournal
from emon.store import open_engine

async def main():
    folder = Path(sys.argv[1])
    journal = SqliteJournal(folder / "journal", partitions=2)
    await journal.open()
    app = FastAPI()
    store = open_engine(f"sqlite:///{folder / 'store.sqlite'}")
    app.include_router(endpoint.router(journal, store, SystemClock()))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print("port", server.servers[0].sockets[0].getsockname()[1], flush=True)
    await task

asyncio.run(main())
'''
