"""The vendors' door: bodies in, an answer when they are durable; what arrived; which feeds there are.

Order of checks: who asks (401, 403), may the feed send now (429), is the body within its bounds and of a
known kind (413, 415, 400), and only then what it says. One bad slice never costs the good ones; `index` in
the answer is the slice's place in the body, counted from 0. 2xx is said when the journal has the readings,
503 with Retry-After when it does not.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response
from sqlalchemy import Engine
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from emon.clock import Clock, monotonic_s
from emon.domain import instant
from emon.domain.errors import Fault, Unavailable
from emon.ingest import documents, keys, signature, vendors
from emon.ingest.adapter import Slice
from emon.ingest.bodies import Body, Refused, Understood
from emon.ingest.body import check_slices, check_type, too_large, unpacked
from emon.ingest.front import Front
from emon.ingest.intake import Intake
from emon.ingest.openapi import ANSWERS, BODY, RECEIVED_ANSWERS, RECEIVED_PARAMETERS
from emon.ingest.rate import Bucket
from emon.ingest.received import gaps
from emon.ingest.ticks import Ticker
from emon.journal.port import Journal
from emon.limits import (
    FEED_BURST_S,
    FEED_READINGS_PER_S,
    INLINE_BODY_BYTES,
    KEY_CACHE_S,
    MAX_BODY_BYTES,
    RECEIVED_LISTED,
    RETRY_AFTER_S,
)
from emon.store import ingest as store

_STATUS = {"unauthorized": 401, "key_of_another_feed": 403, "unknown_feed": 404, "body_too_large": 413,
           "unsupported_media_type": 415, "unsupported_encoding": 415, "too_many_readings": 429,
           "bad_parameter": 422, "device_of_another_feed": 403}
_encode = msgspec.json.Encoder().encode


class Feeds(APIRouter):
    """Routes whose bodies may also come by the shorter way, `in_front` of the application."""

    door: Door

    def in_front(self, app: ASGIApp) -> ASGIApp:
        """The application with the shorter way before it; it has to include these routes all the same."""
        return Front(app, self.door.post)


def router(journal: Journal, engine: Engine, clock: Clock, *,
           readings_per_s: float = FEED_READINGS_PER_S, ticker: Ticker | None = None) -> Feeds:
    """Routes of /v1/feeds, /v1/orders, /v1/zones and /v1/bindings. Its lifespan starts and stops intake."""
    intake = Intake(journal, engine, clock, ticker)
    door = Door(intake, engine, readings_per_s)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await intake.start()
        yield
        await intake.stop()

    api = Feeds(lifespan=lifespan)
    api.door = door
    api.add_api_route("/v1/feeds/{feed}", door.post, methods=["POST"], status_code=202, responses=ANSWERS,
                      openapi_extra={"requestBody": BODY},
                      summary="Readings in the vendor's own format", tags=["feeds"])
    api.add_api_route("/v1/feeds/{feed}/received", door.received, methods=["GET"], tags=["feeds"],
                      openapi_extra={"parameters": RECEIVED_PARAMETERS}, responses=RECEIVED_ANSWERS,
                      summary="What arrived of a device, and where seq has gaps")
    api.add_api_route("/v1/feeds", door.feeds, methods=["GET"], tags=["feeds"],
                      summary="Feeds and their adapters")
    api.include_router(documents.router(journal, clock))
    return api


class Door:
    """What the routes share."""

    def __init__(self, intake: Intake, engine: Engine, readings_per_s: float) -> None:
        self._intake, self._engine, self._per_s = intake, engine, readings_per_s
        self._keys: dict[str, tuple[float, store.FeedKey | None]] = {}
        self._feeds: dict[str, tuple[float, store.Feed]] = {}
        self._buckets: dict[str, Bucket] = {}

    async def post(self, feed: str, request: Request) -> Response:
        """Takes a body in."""
        try:
            return await self._post(feed, request)
        except Fault as fault:
            return _refusal(fault)
        except Unavailable as error:
            return _away(error)
        except ClientDisconnect:
            return Response(status_code=400)

    async def received(self, feed: str, request: Request) -> Response:
        """`device`: whose readings; `from`: observed at that instant or later, RFC 3339 (default: all)."""
        try:
            await self._authorise(feed, request, b"")
            return await self._received(feed, request)
        except Fault as fault:
            return _refusal(fault)
        except Unavailable as error:
            return _away(error)

    async def feeds(self) -> Response:
        """All feeds."""
        try:
            known = await asyncio.to_thread(store.feeds, self._engine)
        except Unavailable as error:
            return _away(error)
        return _json(200, {"feeds": [{"feed": each.feed, "adapter": each.adapter,
                                      "created_at": instant.iso(each.created_at)} for each in known]})

    # --- a body ------------------------------------------------------------------------------------------

    async def _post(self, name: str, request: Request) -> Response:
        signed = signature.SIGNATURE in request.headers
        if signed:  # what can be known before a stranger's body is read
            key, stamp = await self._signing_key(request)
            _check_feed(key, name)
        else:
            key, stamp = await self._authorise(name, request, b""), 0
        bucket = self._bucket(name)
        if wait_s := bucket.wait_s(self._intake.now_us()):
            fault = Fault("too_many_readings", f"feed {name} sends more than {self._per_s:g} readings a "
                          "second: go on after Retry-After")
            return _refusal(fault, {"Retry-After": str(math.ceil(wait_s))})
        feed = await self._feed(name)
        adapter = vendors.adapter(feed.adapter)
        content_type = request.headers.get("content-type", "")
        check_type(content_type, adapter.content_types)
        wire = await _read(request)
        if signed:
            _check_signature(request, key, stamp, wire)
        encoding = request.headers.get("content-encoding", "")

        def slices() -> Sequence[Slice]:
            content = unpacked(wire, encoding)
            check_slices(content)
            return adapter.understand(content, content_type, feed.settings)

        inline = len(wire) <= INLINE_BODY_BYTES and not encoding
        body = _understood(feed, slices() if inline else await asyncio.to_thread(slices), key.sandbox,
                           self._intake.now_us())
        bucket.charge(body.size())
        await self._intake.take(body)
        return _json(202, [] if adapter.answer == "empty_array" else _counts(body))

    async def _feed(self, name: str) -> store.Feed:
        known = self._feeds.get(name)
        if known is None or monotonic_s() - known[0] > KEY_CACHE_S:
            feed = await asyncio.to_thread(store.find_feed, self._engine, name)
            if feed is None:
                raise Fault("unknown_feed", f"there is no feed {name!r:.80}")
            known = self._feeds[name] = (monotonic_s(), feed)
        return known[1]

    def _bucket(self, name: str) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(self._per_s, self._per_s * FEED_BURST_S,
                                                  self._intake.now_us())
        return bucket

    # --- who asks ----------------------------------------------------------------------------------------

    async def _authorise(self, feed: str, request: Request, wire: bytes) -> store.FeedKey:
        """The key that the request proves to have. Raises Fault."""
        if signature.SIGNATURE in request.headers:
            key, stamp = await self._signing_key(request)
            _check_signature(request, key, stamp, wire)
        else:
            key = await self._bearer_key(request)
        _check_feed(key, feed)
        return key

    async def _bearer_key(self, request: Request) -> store.FeedKey:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Fault("unauthorized", "send `Authorization: Bearer KEY`, or sign the request")
        key_id = keys.id_of(token)
        key = None if key_id is None else await self._find_key(key_id)
        if key is None or not keys.opens(key, token):
            raise Fault("unauthorized", "this key is not known, or was revoked")
        return key

    async def _signing_key(self, request: Request) -> tuple[store.FeedKey, int]:
        try:
            stamp = signature.timestamp_of(request.headers.get(signature.TIMESTAMP, ""),
                                           self._intake.now_us())
        except Fault as fault:
            raise Fault("unauthorized", fault.detail) from None
        key = await self._find_key(request.headers.get(signature.KEY, ""))
        if key is None or key.revoked_at is not None:
            raise Fault("unauthorized", "X-Emon-Key names no key that is in force")
        return key, stamp

    async def _find_key(self, key_id: str) -> store.FeedKey | None:
        known = self._keys.get(key_id)
        if known is None or monotonic_s() - known[0] > KEY_CACHE_S:
            key = await asyncio.to_thread(store.find_key, self._engine, key_id)
            if key is None:  # guesses are not remembered: they would fill the memory
                self._keys.pop(key_id, None)
                return None
            known = self._keys[key_id] = (monotonic_s(), key)
        return known[1]

    # --- what arrived ------------------------------------------------------------------------------------

    async def _received(self, feed: str, request: Request) -> Response:
        device, since = _parameters(request.query_params)
        owner = await self._intake.feed_of(device)
        if owner not in (None, feed):
            raise Fault("device_of_another_feed", f"device {device!r:.80} belongs to another feed")
        everything = await self._intake.seen.received(device, since)
        listed = everything[-RECEIVED_LISTED:]
        return _json(200, {
            "feed": feed, "device": device, "from": None if since < 0 else instant.iso(since),
            "count": len(everything),
            "first_observed_at": instant.iso(everything[0].observed_at) if everything else None,
            "last_observed_at": instant.iso(everything[-1].observed_at) if everything else None,
            "last_received_at": instant.iso(max(r.received_at for r in everything)) if everything else None,
            "gaps": [{"first_seq": g.first, "last_seq": g.last, "missing": g.last - g.first + 1,
                      "after": instant.iso(g.after), "before": instant.iso(g.before)}
                     for g in gaps(everything)],
            "truncated": len(listed) < len(everything),
            "readings": [{"kind": r.kind, "observed_at": instant.iso(r.observed_at),
                          "received_at": instant.iso(r.received_at), "seq": r.seq} for r in listed]})


def _check_feed(key: store.FeedKey, feed: str) -> None:
    if key.feed != feed:
        raise Fault("key_of_another_feed", f"this key is for feed {key.feed}, not for {feed:.80}")


def _check_signature(request: Request, key: store.FeedKey, stamp: int, wire: bytes) -> None:
    if not signature.fits(request.headers[signature.SIGNATURE], key.signing_secret, stamp, wire):
        raise Fault("unauthorized", "the signature does not fit: sign TIMESTAMP.BODY as sent")


def _parameters(query: Mapping[str, str]) -> tuple[str, int]:
    """Device and first instant asked for. Raises Fault `bad_parameter`."""
    unknown = sorted(set(query) - {"device", "from"})
    if unknown:
        raise Fault("bad_parameter", f"{unknown[0]!r:.60} is not a parameter here: use device and from",
                    unknown[0])
    device = query.get("device", "")
    if not device:
        raise Fault("bad_parameter", "say which device: ?device=ACME-0001", "device")
    if "from" not in query:
        return device, -1
    try:
        return device, max(0, instant.parse(query["from"].replace(" ", "+")))  # a bare + arrives as a space
    except Fault as fault:
        raise Fault("bad_parameter", fault.detail, "from") from None


async def _read(request: Request) -> bytes:
    """The body as it came, within its bound. Raises Fault `body_too_large`."""
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > MAX_BODY_BYTES:
        raise too_large()
    parts: list[bytes] = []
    left = MAX_BODY_BYTES
    async for part in request.stream():
        left -= len(part)
        if left < 0:
            raise too_large()
        parts.append(part)
    return b"".join(parts)


def _understood(feed: store.Feed, slices: Sequence[Slice], sandbox: bool, received_at: int) -> Body:
    """The body for intake; a slice may be taken and refused in part."""
    understood = [Understood(index, piece.raw, piece.readings) for index, piece in enumerate(slices)
                  if piece.readings]
    refused = [Refused(index, piece.fault.code, str(piece.fault), piece.raw)
               for index, piece in enumerate(slices) if piece.fault is not None]
    return Body(feed.feed, received_at, understood, refused, sandbox)


def _counts(body: Body) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "accepted": body.accepted, "duplicates": body.duplicates,
        "rejected": [{"index": r.index, "reason": r.reason, "detail": r.detail}
                     for r in sorted(body.refused, key=lambda r: r.index)]}
    if body.sandbox:
        answer["sandbox"] = True
    return answer


def _refusal(fault: Fault, headers: Mapping[str, str] | None = None) -> Response:
    status = _STATUS.get(fault.code, 400)
    more = {"WWW-Authenticate": 'Bearer realm="emon feeds"'} if status == 401 else {}
    problem = {"error": fault.code, "detail": fault.detail}
    if fault.path:
        problem["parameter"] = fault.path
    return _json(status, problem, {**more, **(headers or {})})


def _away(error: Unavailable) -> Response:
    return _json(503, {"error": "unavailable", "detail": f"nothing was taken, send it again: {error}"},
                 {"Retry-After": str(RETRY_AFTER_S)})


def _json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(_encode(value), status, headers, "application/json")
