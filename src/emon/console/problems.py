"""How a request is refused: one JSON shape with a word for programs and a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from emon.console import views
from emon.console.models import Problem
from emon.domain.alert import Refusal
from emon.domain.errors import Fault, Unavailable
from emon.domain.instant import iso_or_none

STATUS_OF: Mapping[str, int] = {
    "unknown_alert": 404, "held_by_other": 409, "closed": 409, "not_clear": 409, "note_required": 422,
    "stale_version": 412, "key_reused": 422,
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text} for status, text in (
        (400, "A header or parameter cannot be read."), (403, "Another site's page asked."),
        (404, "There is no such thing."), (409, "Somebody else was faster, or it is not possible now."),
        (412, "It has changed since the version in If-Match."), (422, "The body says something impossible."),
        (428, "The command needs If-Match."), (503, "The store is away; try again after Retry-After."))}


class Refused(Exception):
    """A request that changes nothing and says why."""

    def __init__(self, status: int, error: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.problem = status, Problem(error=error, detail=detail, **more)


def refused(refusal: Refusal) -> Refused:
    """The answer to a command that was refused: who won, and which version there is now."""
    state = refusal.alert
    if state is None:
        return Refused(STATUS_OF[refusal.code], refusal.code, refusal.detail)
    return Refused(STATUS_OF[refusal.code], refusal.code, refusal.detail, holder=views.holder(state),
                   lease_until=iso_or_none(state.lease_until), version=state.version,
                   changed_by=state.last_actor)


def install(app: FastAPI) -> None:
    """Answers every kind of wrong in this shape."""

    @app.exception_handler(Refused)
    async def on_refused(_request: Request, error: Refused) -> JSONResponse:
        return _answer(error.status, error.problem)

    @app.exception_handler(Fault)
    async def on_fault(_request: Request, error: Fault) -> JSONResponse:
        return _answer(400, Problem(error=error.code, detail=str(error)))

    @app.exception_handler(Unavailable)
    async def on_unavailable(_request: Request, error: Unavailable) -> JSONResponse:
        return _answer(503, Problem(error="unavailable", detail=str(error)), {"Retry-After": "1"})

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:10]]
        return _answer(422, Problem(error="invalid", detail="; ".join(faults)))

    @app.exception_handler(HTTPException)
    async def on_http(_request: Request, error: HTTPException) -> JSONResponse:
        return _answer(error.status_code, Problem(error="refused", detail=str(error.detail)), error.headers)


def _answer(status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(), status_code=status, headers=dict(headers or {}))
