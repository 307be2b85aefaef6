"""The live stream of alerts: server-sent events that resume without a gap.

The log is the queue. One task looks at its end for all clients; a client is a position in it and nothing
more, so that a slow one holds no memory and loses nothing: it is given the next page when it has taken the
one before. Event ids are the log's `seq`, which count without gaps in the order of commits. A heartbeat
every few seconds carries the clocks, as a comment for people who look and as an event for pages.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncIterator
from typing import Annotated

import structlog
from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from emon.clock import Clock, monotonic_s
from emon.console import models, views
from emon.console.lateness import Lateness
from emon.console.problems import Refused
from emon.domain.errors import Unavailable
from emon.domain.instant import iso, iso_or_none
from emon.limits import (
    STREAM_HEARTBEAT_S,
    STREAM_PAGE,
    STREAM_POLL_S,
    STREAM_TAIL,
    STREAMS_MOST,
)
from emon.store import documents, log, queue, reading

_log = structlog.get_logger(__name__)
Block = tuple[int, bytes]
"""An event's seq and its text on the wire."""


class Tail:
    """Follows the log's end while the application runs; keeps its newest entries for everybody."""

    def __init__(self, store: Engine, clock: Clock, wall: Clock, late: Lateness) -> None:
        self._store, self._clock, self._wall, self._late = store, clock, wall, late
        self._recent: deque[Block] = deque(maxlen=STREAM_TAIL)
        self._grown = asyncio.Condition()
        self._clock_data = b""
        self._clock_at = float("-inf")
        self.end = 0
        self.clients = 0

    async def begin(self) -> None:
        """Learns where the log ends, if the store answers."""
        with contextlib.suppress(Unavailable):
            self.end = await asyncio.to_thread(self._log_end)

    async def run(self) -> None:
        """Until cancelled. While the store is away nothing is sent, and screens see their heartbeat stop."""
        told = ""
        while True:
            try:
                await self._look()
                told = ""
            except Unavailable as error:
                if str(error) != told:
                    _log.warning("stream waits", reason=str(error))
                told = str(error)
            await asyncio.sleep(STREAM_POLL_S)

    async def _look(self) -> None:
        while blocks := await asyncio.to_thread(self._blocks, self.end):
            self._recent.extend(blocks)
            self.end = blocks[-1][0]
            async with self._grown:
                self._grown.notify_all()

    def _log_end(self) -> int:
        with reading(self._store) as connection:
            return log.end(connection)

    def _blocks(self, after: int) -> list[Block]:
        """The next page behind a position, ready for the wire."""
        with reading(self._store) as connection:
            rows = queue.events_after(connection, after, STREAM_PAGE)
            if not rows:
                return []
            states = queue.some(connection, list({row.alert_id for row in rows}))
            people = documents.people(connection, [one.participant for one in states.values()
                                                   if one.participant])
        return [(row.seq, _event("alert", models.StreamAlert(
            seq=row.seq, kind=row.kind, actor=row.actor,
            alert=views.summary(states[row.alert_id], people)).model_dump_json(), row.seq)) for row in rows]

    async def page(self, after: int) -> list[Block]:
        """What a client at a position is to be sent next; empty when it is up to date."""
        if after >= self.end:
            return []
        if self._recent and self._recent[0][0] <= after + 1:
            start = after + 1 - self._recent[0][0]
            return list(itertools.islice(self._recent, start, start + STREAM_PAGE))
        return await asyncio.to_thread(self._blocks, after)

    async def wait(self, after: int, timeout_s: float) -> None:
        """Returns when there may be more than the position, or in time."""
        async with self._grown:
            if self.end <= after:
                try:
                    async with asyncio.timeout(timeout_s):
                        await self._grown.wait()
                except TimeoutError:
                    return

    async def heartbeat(self) -> bytes:
        """The clocks, as comment and event; read once a second for all clients."""
        if monotonic_s() - self._clock_at >= 1:
            self._clock_at = monotonic_s()
            tick = await self._late.last_tick(await self._late.stages())
            now = iso(self._wall.now_us())
            data = models.StreamClock(now=now, pipeline_now=iso(self._clock.now_us()),
                                      last_tick=iso_or_none(tick), late_s=self._late.late_s(tick),
                                      last_event=self.end).model_dump_json()
            self._clock_data = f": {now}\n".encode() + _event("clock", data)
        return self._clock_data


def _event(name: str, data: str, seq: int | None = None) -> bytes:
    id_ = "" if seq is None else f"id: {seq}\n"
    return f"{id_}event: {name}\ndata: {data}\n\n".encode()


async def events(tail: Tail, position: int) -> AsyncIterator[bytes]:
    """What one client is sent, from its position on. A position that the log does not have is a resync: the
    client reads the queue anew and goes on from here."""
    tail.clients += 1
    try:
        yield b"retry: 1000\n\n"
        if position > tail.end:
            yield _event("resync", "{}", tail.end)
            position = tail.end
        heartbeat_at = 0.0
        while True:
            for seq, block in await tail.page(position):
                yield block
                position = seq
            if monotonic_s() >= heartbeat_at:
                yield await tail.heartbeat()
                heartbeat_at = monotonic_s() + STREAM_HEARTBEAT_S
            await tail.wait(position, max(0.0, heartbeat_at - monotonic_s()))
    except Unavailable:
        return  # the client connects again and resumes
    finally:
        tail.clients -= 1


def router(tail: Tail) -> APIRouter:
    """The stream's route."""
    api = APIRouter(tags=["alerts"])

    @api.get("/v1/alerts/stream", response_class=StreamingResponse,
             summary="Live changes (server-sent events)", responses={200: {
                 "content": {"text/event-stream": {}}, "description": "Events `alert` (id: seq), `clock` "
                 "(proof of life) and `resync` (read the queue anew)."}})
    async def stream(
        last_event_id: Annotated[str | None, Header(alias="Last-Event-ID", max_length=30)] = None,
        after: Annotated[int | None, Query(ge=0, lt=1 << 63, description="As Last-Event-ID, for the first "
                                           "connection: `last_event` of the queue.")] = None,
    ) -> StreamingResponse:
        if tail.clients >= STREAMS_MOST:
            raise Refused(503, "too_many_streams", "Too many screens are open; close some.")
        position = tail.end if after is None else after  # now: who reads the queue once this is answered misses nothing
        if last_event_id is not None:
            known = last_event_id.isascii() and last_event_id.isdigit()
            position = int(last_event_id) if known else 1 << 62  # not ours: resync
        return StreamingResponse(events(tail, position), media_type="text/event-stream",
                                 headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    return api
