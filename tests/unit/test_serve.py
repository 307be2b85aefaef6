"""Roles in one process: one that dies takes the others with it, and links lead to where the console listens."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from emon import config, serve


async def _stubborn(stop: asyncio.Event) -> None:
    """Loses its cancellation, as `asyncio.wait_for` may when what it waits for comes at that moment."""
    while not stop.is_set():
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            continue


async def _dies() -> None:
    raise ValueError("a bug")


def test_a_role_that_dies_ends_those_that_miss_their_cancellation() -> None:
    """A process that hangs in its shutdown is a silence that no supervisor ends."""

    async def run() -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(serve._named("stubborn", lambda: _stubborn(stop), stop))
            group.create_task(serve._named("bad", _dies, stop))

    async def bounded() -> None:
        running = asyncio.ensure_future(run())
        done, _ = await asyncio.wait([running], timeout=30)
        if not done:
            pytest.fail("the others run on")
        with pytest.raises(ExceptionGroup, match="unhandled"):
            await running

    asyncio.run(asyncio.wait_for(bounded(), 60))


def test_links_lead_to_the_port_that_is_listened_on() -> None:
    assert config.load({"EMON_X": ""}).public_url == "http://127.0.0.1:8800"
    assert config.Settings(listen_port=9000).public_url == "http://127.0.0.1:9000"
    assert config.Settings(listen_port=9000, public_url="https://emon.example").public_url == "https://emon.example"


def test_every_route_of_the_whole_is_answered_once_and_described(tmp_path: Path) -> None:
    """Two answers to one question would make OpenAPI describe the one that nobody gets."""
    parts = serve.Parts(config.Settings(data=tmp_path))
    app = serve.app_of(parts, serve.ROLES)
    document = app.openapi()
    assert "cursor" not in json.dumps(document["paths"]["/v1/orders"]["get"])
    assert {"400", "401", "403", "404", "413", "415", "429", "503"} <= set(
        document["paths"]["/v1/feeds/{feed}"]["post"]["responses"])
    ids = Counter(one["operationId"] for path in document["paths"].values() for one in path.values())
    assert max(ids.values()) == 1
    text = json.dumps(document)
    for name in set(text.split("#/components/schemas/")[1:]):
        assert name.partition('"')[0] in document["components"]["schemas"]
    parts.store.dispose()
    parts.history.dispose()
