"""The HTTP application of a process: what every role answers, and with the console its API and pages.

The pages are built from `ui/` into `static/`; without them the API works and the pages say how to build
them. Stages never import each other: other stages' routers and the alerts' commands are passed in.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Engine, select

import emon
from emon.clock import Clock, SystemClock
from emon.config import Settings
from emon.console import api, problems, records, stream
from emon.console.guard import Guard, hosts
from emon.console.lateness import Lateness
from emon.console.port import Commands
from emon.console.stream import Tail
from emon.domain.errors import Unavailable
from emon.journal.port import READINGS, Journal
from emon.store import reading
from emon.store.history import SqlHistory

STATIC = Path(__file__).parent / "static"
# What the built pages need and nothing else; MapLibre draws into blobs and runs a worker.
_CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'")
_PAGE_HEADERS = {"Content-Security-Policy": _CSP, "X-Content-Type-Options": "nosniff",
                 "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>emon</title>
<h1>The console's pages are not built</h1>
<p>The API works: see <a href="/docs">/docs</a> and <a href="/v1/alerts">/v1/alerts</a>.
To build the pages run <code>make setup</code> in the source folder, then load this page again.</p></html>
"""


def create_app(journal: Journal, store: Engine, history: Engine, clock: Clock, settings: Settings, *,
               commands: Commands | None = None, routers: Sequence[APIRouter] = (), console: bool = True,
               wall: Clock | None = None, static: Path = STATIC, lists_documents: bool = True) -> FastAPI:
    """The application. `routers`: other stages' routes; `lists_documents`: none of them answers GET /v1/orders
    and /v1/zones; `commands`: the alerts stage's, needed with `console`. `clock` is the pipeline's, `wall`
    (default: the system's) the one that people work by."""
    wall = wall or SystemClock()
    late = Lateness(store, journal, clock)
    tail = Tail(store, clock, wall, late) if console else None

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if tail is None:
            yield
            return
        await tail.begin()
        follower = asyncio.create_task(tail.run())
        yield
        follower.cancel()

    app = FastAPI(title="emon", version=emon.__version__, lifespan=lifespan)
    app.add_middleware(Guard, allowed=hosts(settings.public_url))
    problems.install(app)
    _vital_signs(app, journal, store)
    for router in routers:
        app.include_router(router)
    if tail is not None:
        assert commands is not None, "a console needs the alerts' commands"
        app.include_router(stream.router(tail))
        app.include_router(api.router(store, commands, wall))
        app.include_router(records.router(store, SqlHistory(history), clock, wall, late, lists=lists_documents))
        _pages(app, static)
    return app


def _vital_signs(app: FastAPI, journal: Journal, store: Engine) -> None:
    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/healthz", tags=["vital signs"], response_class=PlainTextResponse, summary="The process lives")
    async def healthz() -> str:
        return "ok\n"

    @app.get("/readyz", tags=["vital signs"], response_class=PlainTextResponse,
             summary="Journal and store answer")
    async def readyz() -> Response:
        try:
            await asyncio.to_thread(_ask, store)
            await journal.end_offsets(READINGS)
        except Unavailable as error:
            return PlainTextResponse(f"{error}\n", status_code=503, headers={"Retry-After": "1"})
        return PlainTextResponse("ready\n")


def _ask(store: Engine) -> None:
    with reading(store) as connection:
        connection.execute(select(1))


def _pages(app: FastAPI, static: Path) -> None:
    if static.is_dir():
        app.mount("/static", StaticFiles(directory=static), name="static")

    def page() -> Response:
        index = static / "index.html"
        if not index.is_file():
            return HTMLResponse(_NOT_BUILT, status_code=503, headers=_PAGE_HEADERS)
        return FileResponse(index, media_type="text/html", headers=_PAGE_HEADERS)

    for path in ("/", "/alerts", "/alerts/{rest:path}", "/participants", "/participants/{rest:path}"):
        app.add_api_route(path, page, include_in_schema=False, response_model=None)
