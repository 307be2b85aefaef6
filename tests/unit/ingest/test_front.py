"""What is answered before the framework, and what is left to it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from emon.ingest.front import Front


def ask(path: str, *, method: str = "POST", query: bytes = b"", kind: str = "http") -> tuple[str, int]:
    """Who answered, and with which status."""
    sent: list[Any] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b"framework"})

    async def post(feed: str, request: Request) -> Response:
        body = (await request.body()).decode()
        if body == "bug":
            raise ZeroDivisionError
        return PlainTextResponse(f"door {feed} {body}", 202)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"bug" if "broken" in path else b"body", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path, "query_string": query, "headers": []}
    asyncio.run(Front(app, post)(scope, receive, send))
    return sent[1]["body"].decode(), sent[0]["status"]


def test_bodies_of_feeds_are_answered_at_the_door() -> None:
    assert ask("/v1/feeds/acme") == ("door acme body", 202)


@pytest.mark.parametrize("other", [
    {"path": "/v1/feeds/acme/received", "method": "GET"}, {"path": "/v1/feeds/acme", "method": "GET"},
    {"path": "/v1/feeds"}, {"path": "/v1/feeds/"}, {"path": "/v1/feeds/acme/more"}, {"path": "/v1/orders"},
    {"path": "/v1/feeds/acme", "query": b"a=1"}, {"path": "/v1/feeds/ac\0me"}, {"path": "/V1/feeds/acme"},
    {"path": "/v1/feeds/acme", "kind": "websocket"}])
def test_everything_else_is_left_to_the_framework(other: dict[str, Any]) -> None:
    assert ask(**other) == ("framework", 404)


def test_a_bug_costs_one_answer() -> None:
    """The vendor is told to send again, and sees nothing of our insides."""
    assert ask("/v1/feeds/broken") == ("Internal Server Error", 500)
