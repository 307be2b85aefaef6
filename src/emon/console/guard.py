"""Keeps other sites' pages away from a console that listens on loopback without log-in.

A page from elsewhere can make a browser send requests here: with a name that it re-points to 127.0.0.1 (DNS
rebinding: the Host gives it away), or across sites (the Origin gives it away). Both are refused, and commands
are JSON, which no form of another site can send. Vendors' feeds and what monitors scrape have their own
authentication or no secrets, and are left alone.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_OPEN = ("/v1/feeds/", "/metrics", "/healthz", "/readyz")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM_TYPES = frozenset({"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"})


def hosts(public_url: str) -> frozenset[str]:
    """The names that the console answers to."""
    name = urlsplit(public_url).hostname
    return LOOPBACK | ({name} if name else set())


class Guard:
    """ASGI middleware; refuses before anything reads the body."""

    def __init__(self, app: ASGIApp, allowed: frozenset[str]) -> None:
        self._app, self._allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (why := self._refusal(scope)) is not None:
            answer = JSONResponse({"error": why[1], "detail": why[2]}, status_code=why[0])
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:  # PostgreSQL fails on it
            return 400, "bad_request", "A NUL stands in the address: nothing here is called so."
        if scope["path"].startswith(_OPEN):
            return None
        method, headers = scope["method"], Headers(scope=scope)
        if _name(f"//{headers.get('host', '')}") not in self._allowed:
            return 403, "foreign_host", "The console does not answer to this name: use its own address."
        origin = headers.get("origin")
        if origin is not None and _name(origin) not in self._allowed:
            return 403, "foreign_origin", "A page of another site may not ask the console."
        if method in _SAFE:
            return None
        if headers.get("sec-fetch-site") == "cross-site":
            return 403, "foreign_origin", "A page of another site may not ask the console."
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _FORM_TYPES or (not kind and headers.get("content-length", "0") != "0"):
            return 415, "not_json", "Commands are JSON: send Content-Type: application/json."
        return None


def _name(url: str) -> str | None:
    """The host's name; None where there is none, as in the origin `null`."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
