"""The shortest way in for bodies: `POST /v1/feeds/{feed}` is answered before the web framework sees it.

The framework's layers (routing, dependencies, exception groups, one wrapper around another) cost several times
what the door does with a body, and the door needs none of them: it judges headers and bodies itself and refuses
in words of its own. The same route is registered with the framework too, for OpenAPI and for whatever is not
plain here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

log = structlog.get_logger()

_PATH: Final = "/v1/feeds/"
Post = Callable[[str, Request], Awaitable[Response]]


class Front:
    """ASGI application: hands bodies of feeds to `post`, everything else to `app`."""

    def __init__(self, app: ASGIApp, post: Post) -> None:
        self._app, self._post = app, post

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        feed = _feed(scope)
        if feed is None:
            await self._app(scope, receive, send)
            return
        answer = await self._answer(feed, Request(scope, receive))
        await answer(scope, receive, send)

    async def _answer(self, feed: str, request: Request) -> Response:
        try:
            return await self._post(feed, request)
        except Exception:  # a bug: the vendor sends again, the others go on
            log.exception("a body could not be answered", feed=feed)
            return Response(b"Internal Server Error", 500, media_type="text/plain")


def _feed(scope: Scope) -> str | None:
    """Whose body it is; None for any other request, and for addresses that have to be looked at closely."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    path: str = scope["path"]
    feed = path[len(_PATH):]
    return feed if feed and path.startswith(_PATH) and "/" not in feed and "\0" not in feed else None
