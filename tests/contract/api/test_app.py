"""The application around the API: other sites kept out, pages, vital signs, documentation."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from emon import store
from tests.contract.store.running import Stage, console, stage
from tests.unit.alerts.worlds import finding


@pytest.fixture
async def stage_(tmp_path: Path) -> AsyncIterator[Stage]:
    engine = store.open_engine(f"sqlite:///{tmp_path / 'emon.sqlite'}")
    store.upgrade(engine)
    async with stage(engine) as running:
        yield running
    engine.dispose()


@pytest.fixture
async def client(stage_: Stage, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<!doctype html><title>queue</title>")
    (static / "assets" / "a.js").write_text("1")
    async with console(stage_, static) as one:
        await stage_.findings(finding("battery"))
        await stage_.settled()
        yield one


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8800"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]:8800"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://localhost:8800"}, 200),
    ],
)
async def test_reading_from_elsewhere_is_refused(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    """A name re-pointed to us, or a page of another site."""
    assert (await client.get("/v1/alerts", headers=headers)).status_code == status
    assert (await client.get("/", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "application/json"}, 200),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({}, 415),
        ({"Content-Type": "application/json", "Origin": "http://evil.example"}, 403),
        ({"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_commands_from_elsewhere_are_refused(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    """Only JSON, only from our own pages or from no page at all; nothing was done where it is refused."""
    answer = await client.post("/v1/alerts/1/claim", content=b"{}", headers=headers)
    assert answer.status_code == status
    row = (await client.get("/v1/alerts")).json()["alerts"][0]
    assert (row["holder"] is not None) == (status == 200)


async def test_a_command_without_a_body_will_do(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/alerts/1/claim")).status_code == 200


async def test_vital_signs_answer_to_any_name(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await client.get(path, headers={"Host": "10.0.0.7:8800"})).status_code == 200
    assert "emon_stage_lag_records" in (await client.get("/metrics")).text


async def test_pages_of_the_console(client: httpx.AsyncClient) -> None:
    """The one page for every address of the console, with a policy; files; 404 elsewhere."""
    for path in ("/", "/alerts/1", "/participants/P-1"):
        answer = await client.get(path)
        assert "<title>queue</title>" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (await client.get("/static/assets/a.js")).text == "1"
    missing = await client.get("/v1/nothing")
    assert (missing.status_code, missing.json()["error"]) == (404, "refused")


async def test_pages_that_are_not_built_say_so(stage_: Stage, tmp_path: Path) -> None:
    async with console(stage_, tmp_path / "nowhere") as client:
        answer = await client.get("/")
        assert answer.status_code == 503
        assert "make setup" in answer.text


async def test_not_ready_without_its_store(stage_: Stage, tmp_path: Path) -> None:
    stage_.store = store.open_engine("postgresql://nobody@127.0.0.1:1/none")
    async with console(stage_, tmp_path) as client:
        assert (await client.get("/healthz")).status_code == 200
        for path in ("/readyz", "/v1/alerts"):
            answer = await client.get(path)
            assert answer.status_code == 503
            assert answer.headers["Retry-After"] == "1"


async def test_every_route_is_documented_and_exists(client: httpx.AsyncClient) -> None:
    """The generated OpenAPI names exactly the promised routes, and each of them answers."""
    document = (await client.get("/openapi.json")).json()
    found = {(method, path) for path, methods in document["paths"].items() for method in methods}
    alert = "/v1/alerts/{alert_id}"
    assert found == {
        ("get", "/v1/alerts"),
        ("get", "/v1/alerts/stream"),
        ("get", alert),
        *(("post", f"{alert}/{name}") for name in ("claim", "release", "ack", "note", "close")),
        ("get", "/v1/participants/{participant}"),
        ("get", "/v1/participants/{participant}/track"),
        ("get", "/v1/orders"),
        ("get", "/v1/orders/{order}"),
        ("get", "/v1/zones"),
        ("get", "/v1/zones/{zone}"),
        ("get", "/v1/status"),
        ("get", "/healthz"),
        ("get", "/readyz"),
    }
    for method, path in found - {("get", "/v1/alerts/stream")}:
        answer = await client.request(method, re.sub(r"\{.*?\}", "1", path), json={} if method == "post" else None)
        assert answer.status_code not in (405, 500), (method, path)
        assert answer.status_code != 404 or answer.json()["error"].startswith("unknown_"), (method, path)
