"""Orders, zones, bindings, verdicts and people over HTTP: the documents of the files, one by one or many at once.

The same strict reading as for files: a document with a fault is refused with every fault in it, and then
nothing of the body is taken. A device that two people would hold is taken all the same, answered as
`pending`, and accuses nobody until a later version resolves it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import Field

from emon.clock import Clock
from emon.domain import instant
from emon.domain.binding import Binding
from emon.domain.binding_book import Conflict
from emon.domain.errors import Fault, Unavailable
from emon.domain.order import Absence, Order
from emon.domain.person import Person
from emon.domain.verdict import Verdict
from emon.domain.versions import ALWAYS, NEVER
from emon.domain.zone import Zone
from emon.formats import conditions, documents, export
from emon.formats.fields import Id
from emon.formats.objects import read_object
from emon.formats.verdicts import Ordered
from emon.ingest import leave
from emon.ingest.orders import Document, OrderLog, Published
from emon.journal.port import Journal
from emon.limits import MAX_DOCUMENT_BYTES, RETRY_AFTER_S

_encode = msgspec.json.Encoder().encode


class Kind(NamedTuple):
    """One kind of document and its route."""

    path: str
    type: type[Document]
    id_parameter: str
    written: Callable[[Any], dict[str, Any]]


_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Everything was known already."},
    404: {"description": "There is nobody, or no order, of that name."},
    409: {"description": "A version of this number stands with another content."},
    422: {"description": "Faults, each with its line; nothing was taken."},
}
KINDS = (
    Kind("orders", Order, "order", export.order_document),
    Kind("zones", Zone, "zone", export.zone_feature),
    Kind("bindings", Binding, "binding", export.binding_document),
    Kind("verdicts", Verdict, "verdict", export.verdict_document),
    Kind("people", Person, "person", export.person_document),
)


def router(journal: Journal, clock: Clock) -> APIRouter:
    """POST and GET of /v1/orders, /v1/zones, /v1/bindings, /v1/verdicts and /v1/people."""
    log = OrderLog(journal)
    api = _documents(log, clock, KINDS)
    absences = _Absences(log, clock)
    api.add_api_route("/v1/participants/{participant}/leave", absences.post, methods=["POST"], status_code=201,
                      tags=["documents"], summary="Authorise an absence, also afterwards", responses=_ANSWERS)
    return api


def verdict_router(journal: Journal, clock: Clock) -> APIRouter:
    """POST and GET of /v1/verdicts alone: for a console that runs without ingest beside it."""
    return _documents(OrderLog(journal), clock, [kind for kind in KINDS if kind.type is Verdict])


def _documents(log: OrderLog, clock: Clock, kinds: Iterable[Kind]) -> APIRouter:
    api = APIRouter()
    for kind in kinds:
        routes = _Routes(kind, log, clock)
        api.add_api_route(f"/v1/{kind.path}", routes.post, methods=["POST"], status_code=201,
                          tags=["documents"], summary=f"New versions of {kind.path}, JSON or YAML",
                          name=f"post_{kind.path}", responses=_ANSWERS)
        api.add_api_route(f"/v1/{kind.path}", routes.get, methods=["GET"], tags=["documents"],
                          summary=f"All versions of {kind.path}; ?{kind.id_parameter}= for one",
                          openapi_extra={"parameters": [
                              {"name": name, "in": "query", "required": False, "schema": {"type": "string"}}
                              for name in (kind.id_parameter, "participant")]},
                          name=f"get_{kind.path}")
    return api


class LeaveBody(conditions.Absence):
    """From when to when somebody may be away. Without `conditions` it concerns curfews, attendance and
    inclusion zones; without `order` all orders of the participant."""

    order: Id | None = None
    conditions: list[Id] = Field(default=[], max_length=1000)


class _Absences:
    """The route of leave."""

    def __init__(self, log: OrderLog, clock: Clock) -> None:
        self._log, self._clock = log, clock

    async def post(self, participant: str, body: LeaveBody) -> Response:
        """Issues each version in force from the leave's start on again; durable when answered."""
        if body.from_ >= body.to:
            return _problem(422, "bad_span", "`from` must lie before `to`")
        try:
            orders = [each for each in await self._log.versions(Order, body.order)
                      if isinstance(each, Order) and each.participant == participant]
            if not orders:
                return _problem(404, "unknown_participant", f"there is no such order of {participant!r:.80}")
            absence = Absence(from_=body.from_, to=body.to, reason=body.reason)
            again = [new for name in sorted({each.id for each in orders}) for new in leave.issued_again(
                [each for each in orders if each.id == name], absence, body.conditions)]
            if not again and not leave.stands(orders, absence, body.conditions):
                return _problem(422, "leave_touches_nothing", "no condition that a leave can be from is in force "
                                "then: look at the order's times, or name `conditions`")
            done = await self._log.publish(again, now=self._clock.now_us())
        except Fault as fault:
            return _problem(409 if fault.code == "version_conflict" else 422, fault.code, fault.detail)
        except Unavailable as error:
            return _away(error)
        return _json(201 if done.new else 200, _answer(done))


class _Routes:
    """The two routes of a kind."""

    def __init__(self, kind: Kind, log: OrderLog, clock: Clock) -> None:
        self._kind, self._log, self._clock = kind, log, clock

    async def post(self, request: Request) -> Response:
        """Takes documents in; durable when answered."""
        parts: list[bytes] = []
        left = MAX_DOCUMENT_BYTES
        async for part in request.stream():
            left -= len(part)
            if left < 0:
                return _problem(413, "body_too_large", f"at most {MAX_DOCUMENT_BYTES} bytes at once")
            parts.append(part)
        read = await asyncio.to_thread(_read, b"".join(parts), self._kind)  # a court's YAML takes seconds
        if isinstance(read, Response):
            return read
        try:
            if wrong := await self._unknown([each for each in read if isinstance(each, Verdict)]):
                return _faulty(wrong)
            done = await self._log.publish(read, now=self._clock.now_us())
        except Fault as fault:
            return _problem(409 if fault.code == "version_conflict" else 422, fault.code, fault.detail)
        except Unavailable as error:
            return _away(error)
        return _json(201 if done.new else 200, _answer(done))

    async def _unknown(self, verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
        """What verdicts name and no order here has: whoever mistypes it must hear of it, not wait for ever."""
        ordered = Ordered("is not known here")
        for name in {verdict.order for verdict in verdicts if verdict.order}:
            for order in await self._log.versions(Order, name):
                ordered.add(export.order_document(order) if isinstance(order, Order) else {})
        return [{"line": 1, "reason": f"{key}: {reason} (verdict {verdict.id})"}
                for verdict in verdicts for key, reason in ordered.faults(verdict)]

    async def get(self, request: Request) -> Response:
        """Versions by id and number."""
        name = request.query_params.get(self._kind.id_parameter)
        participant = request.query_params.get("participant")
        try:
            found = await self._log.versions(self._kind.type, name)
            pending = await self._log.pending() if self._kind.type is Binding else []
        except Unavailable as error:
            return _away(error)
        written = [self._kind.written(each) for each in found
                   if participant in (None, getattr(each, "participant", participant))]
        if self._kind.type is Zone:
            return _json(200, {"type": "FeatureCollection", "features": written})
        return _json(200, {self._kind.path: written} | ({"pending": _pending(pending)} if pending else {}))


def _read(body: bytes, kind: Kind) -> Sequence[Document] | Response:
    """The documents in a body, or the refusal that lists what is wrong."""
    try:
        source = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _problem(422, "not_utf8", "the body is not UTF-8")
    parsed, faults = documents.parse(source, "body", is_json=False)
    found: list[Document] = []
    reasons = [{"line": fault.line, "reason": fault.reason} for fault in faults]
    for document in parsed:
        result = read_object(document.value)
        reasons += [{"line": document.line(fault.path), "reason": str(fault)} for fault in result.faults]
        for each in result.found:
            if isinstance(each.value, kind.type):
                found.append(each.value)
            else:
                what = type(each.value).__name__.lower()
                reasons.append({"line": document.line(),
                                "reason": f"/v1/{kind.path} takes {kind.path} and no {what}"})
    return _faulty(reasons) if reasons else found


def _faulty(reasons: Sequence[dict[str, Any]]) -> Response:
    return _json(422, {"error": "faulty_document", "detail": str(reasons[0]["reason"]), "faults": reasons})


def _answer(done: Published) -> dict[str, Any]:
    answer: dict[str, Any] = {"new": [{"id": each.id, "version": each.version} for each in done.new],
                              "known": done.known}
    return answer | ({"pending": _pending(done.pending)} if done.pending else {})


def _pending(conflicts: Iterable[Conflict]) -> list[dict[str, Any]]:
    return [{"device": c.device, "reason": "bound_to_two_people", "bindings": c.bindings,
             "from": None if c.from_ == ALWAYS else instant.iso(c.from_),
             "until": None if c.until == NEVER else instant.iso(c.until)} for c in conflicts]


def _problem(status: int, code: str, detail: str) -> Response:
    return _json(status, {"error": code, "detail": detail})


def _away(error: Unavailable) -> Response:
    return Response(_encode({"error": "unavailable", "detail": f"send it again: {error}"}), 503,
                    {"Retry-After": str(RETRY_AFTER_S)}, "application/json")


def _json(status: int, value: Any) -> Response:
    return Response(_encode(value), status, media_type="application/json")
