"""The live stream over real HTTP: no gap, no repeat, proof of life."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from emon.console import stream as streams
from emon.domain.instant import SECOND
from emon.store import log, reading
from tests.contract.store.running import Stage, console, stage
from tests.unit.alerts.worlds import T0, finding


@pytest.fixture
async def stage_(engine: Engine) -> AsyncIterator[Stage]:
    async with stage(engine) as running:
        yield running


async def listen(
    client: httpx.AsyncClient,
    *,
    until: int = 0,
    names: int = 0,
    last: str | None = None,
    after: int | None = None,
) -> list[dict[str, Any]]:
    """Events up to seq `until`, or so many `names` of any kind."""
    found: list[dict[str, Any]] = []
    headers = {} if last is None else {"Last-Event-ID": last}
    params = {} if after is None else {"after": after}
    async with (
        asyncio.timeout(60),
        client.stream("GET", "/v1/alerts/stream", headers=headers, params=params) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: dict[str, Any] = {}
        async for line in answer.aiter_lines():
            if line.startswith(":"):
                event["comment"] = line
            elif line:
                name, _, value = line.partition(": ")
                event[name] = value
            elif event:
                found.append(event)
                if (until and int(event.get("id", 0)) >= until) or (names and len(found) >= names):
                    return found
                event = {}
    return found


def seqs(events: list[dict[str, Any]]) -> list[int]:
    return [int(event["id"]) for event in events if event.get("event") == "alert"]


async def test_changes_arrive_with_the_alert_as_it_is(stage_: Stage) -> None:
    async with console(stage_) as client:
        await stage_.documents()
        listening = asyncio.create_task(listen(client, until=1))
        await asyncio.sleep(0.3)
        await stage_.findings(finding())
        events = await listening
    data = json.loads(events[-1]["data"])
    assert (data["seq"], data["kind"], data["alert"]["id"]) == (1, "opened", 1)
    assert data["alert"]["participant_name"] == "Pat One"


async def test_resume_has_no_gap_and_no_repeat(stage_: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """From memory and from the store alike, over several pages, by Last-Event-ID or by `after`."""
    monkeypatch.setattr(streams, "STREAM_PAGE", 7)
    async with console(stage_) as client:
        await stage_.findings(*(finding(id_=f"f{n}", participant=f"P-{n}") for n in range(60)))
        await stage_.settled()
        assert seqs(await listen(client, until=60, last="0")) == list(range(1, 61))
        assert seqs(await listen(client, until=60, last="23")) == list(range(24, 61))
        assert seqs(await listen(client, until=60, after=59)) == [60]
    async with console(stage_) as client:  # a new process has nothing in memory
        assert seqs(await listen(client, until=60, last="5")) == list(range(6, 61))


async def test_clients_that_reconnect_at_random_see_every_event_once(stage_: Stage) -> None:
    """Cut off again and again while alerts come in: put together, the log from 1 to its end."""
    async with console(stage_) as client:

        async def feed() -> None:
            for n in range(80):
                await stage_.findings(finding(id_=f"f{n}", participant=f"P-{n}", decided_at=T0 + n * SECOND))
                await asyncio.sleep(0.01)

        async def follow(cut: int) -> list[int]:
            seen: list[int] = []
            while not seen or seen[-1] < 80:
                target = min(80, (seen[-1] if seen else 0) + cut)
                seen += seqs(await listen(client, until=target, last=str(seen[-1] if seen else 0)))
            return seen

        feeding = asyncio.create_task(feed())
        results = await asyncio.gather(*(follow(cut) for cut in (1, 3, 7, 50)))
        await feeding
    for seen in results:
        assert seen == list(range(1, 81))


async def test_heartbeats_carry_the_clocks(stage_: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "STREAM_HEARTBEAT_S", 0.2)
    async with console(stage_) as client:
        events = await listen(client, names=4)
    clocks = [event for event in events if event.get("event") == "clock"]
    assert len(clocks) == 3
    assert all(event["comment"].startswith(": 2") for event in clocks)
    assert json.loads(clocks[0]["data"])["now"]
    assert all("id" not in event for event in clocks), "a heartbeat moves no position"


@pytest.mark.parametrize("last", ["999999", "nonsense"])
async def test_a_position_that_is_not_ours_is_a_resync(stage_: Stage, last: str) -> None:
    """The store was replaced, or the id is somebody else's: read the queue anew, go on from here."""
    async with console(stage_) as client:
        await stage_.findings(finding())
        await stage_.settled()
        await asyncio.sleep(0.5)
        events = await listen(client, names=3, last=last)
    assert [event.get("event") for event in events[1:]] == ["resync", "clock"]
    assert events[1]["id"] == "1"


async def test_a_slow_client_holds_nothing_and_loses_nothing(
    stage_: Stage, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not read while the log outgrows what is kept in memory, and still gets all of it."""
    monkeypatch.setattr(streams, "STREAM_TAIL", 20)
    async with (
        console(stage_) as client,
        client.stream("GET", "/v1/alerts/stream", params={"after": 0}) as answer,
    ):
        for start in range(0, 300, 100):
            await stage_.findings(*(finding(id_=f"f{n}", participant=f"P-{n}") for n in range(start, start + 100)))
            await stage_.settled()
        with reading(engine) as connection:
            assert log.end(connection) == 300
        seen: list[int] = []
        async with asyncio.timeout(60):
            async for line in answer.aiter_lines():
                if line.startswith("id: "):
                    seen.append(int(line[4:]))
                    if seen[-1] == 300:
                        break
    assert seen == list(range(1, 301))
