"""Takes understood bodies in: whose device, seen before, into the journal, and only then an answer.

One loop serves all requests: while an append is on its way the next bodies queue up and then share one
append, so that a thousand bodies of one reading cost a few fsyncs. An answer is given only after `append` has
returned; where it raises, nothing is remembered, and the vendor sends again.

Nothing is dropped: a reading that is not taken goes to `emon.rejected` with its reason and its raw slice.
Duplicates alone are counted and not written again: the log has them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import structlog
from sqlalchemy import Engine

from emon import metrics
from emon.clock import Clock, monotonic_s
from emon.domain.errors import Unavailable
from emon.ingest.bodies import Body, judged, raw_entries, rejected_entries
from emon.ingest.seen import Seen
from emon.ingest.ticks import Ticker, tick_entries
from emon.journal.port import Journal
from emon.limits import DEVICE_CACHE_S, INTAKE_GROUP, INTAKE_READINGS, OWN_OUTAGE_GAP
from emon.store import ingest as store

log = structlog.get_logger()


class _Waiting(NamedTuple):
    """A body and who waits for it."""

    body: Body
    size: int
    done: asyncio.Future[None]


class Intake:
    """The way in for one process. `start` before use, `stop` after."""

    def __init__(self, journal: Journal, engine: Engine, clock: Clock, ticker: Ticker | None = None) -> None:
        self._ticker = ticker or Ticker()
        self._journal, self._engine, self._clock = journal, engine, clock
        self._process = store.random_hex(6)
        self._bodies = 0
        self._waiting: list[_Waiting] = []
        self._waiting_readings = 0
        self._wake = asyncio.Event()
        self._owners: dict[str, str] = {}
        self._owners_since = 0.0
        self._tasks: list[asyncio.Task[None]] = []
        self.seen = Seen(journal, engine, clock, self._process)

    async def start(self) -> None:
        """Begins to take bodies in; they are answered once what arrived before is known again."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._take_in(), name="emon-intake"),
                           asyncio.create_task(self.seen.follow(), name="emon-intake-seen")]

    async def stop(self) -> None:
        """Stops; bodies still waiting get Unavailable."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        _fail(self._waiting, Unavailable("this process stops"))
        self._waiting = []

    def now_us(self) -> int:
        """The clock that stamps `received_at`."""
        return self._clock.now_us()

    async def take(self, body: Body) -> None:
        """Returns when the body's counts and `refused` are final and durable. Raises Unavailable."""
        size = body.size()
        if self._waiting_readings + size > INTAKE_READINGS and self._waiting:
            raise Unavailable("more is waiting for the journal than can be held")
        await self.start()
        await self.seen.wait()
        waiting = _Waiting(body, size, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._waiting_readings += size
        self._wake.set()
        await waiting.done

    async def feed_of(self, device: str) -> str | None:
        """The feed that a device belongs to. Raises Unavailable."""
        return (await asyncio.to_thread(store.device_feeds, self._engine, [device])).get(device)

    # --- the loop ----------------------------------------------------------------------------------------

    async def _take_in(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                await self._serve(self._next_group())

    def _next_group(self) -> list[_Waiting]:
        size, count = 0, 0
        for waiting in self._waiting:
            if count and size >= INTAKE_GROUP:
                break
            size += waiting.size
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_readings -= size
        return group

    async def _serve(self, group: Sequence[_Waiting]) -> None:
        try:
            await self._write([waiting.body for waiting in group])
        except Unavailable as error:
            _fail(group, error)
        except Exception as error:  # a bug: nobody is told 2xx, and the other feeds go on
            log.exception("intake failed")
            _fail(group, Unavailable(f"this process fails: {type(error).__name__}"))
        for waiting in group:
            if not waiting.done.done():  # the vendor may have hung up
                waiting.done.set_result(None)

    async def _write(self, bodies: Sequence[Body]) -> None:
        fresh = await self.seen.without_duplicates(judged(bodies, await self._owners_of(bodies)))
        entries = [*raw_entries(fresh, self._named(bodies), self.seen.partitions), *rejected_entries(bodies)]
        if entries:
            ticks = self._ticker.missing(max(body.received_at for body in bodies) - OWN_OUTAGE_GAP // 2)
            self.seen.wrote(await self._journal.append([*tick_entries(ticks, self.seen.partitions), *entries]))
            if ticks:
                self._ticker.ticked(ticks[-1])
        for new in fresh:
            new.body.accepted += 1
            if not new.body.sandbox:
                self.seen.note(new)
        for body in bodies:
            _count(body)

    def _named(self, bodies: Sequence[Body]) -> dict[Body, str]:
        names = {}
        for body in bodies:
            if not body.sandbox:
                self._bodies += 1
                names[body] = f"{self._process}-{self._bodies}"
        return names

    async def _owners_of(self, bodies: Sequence[Body]) -> Mapping[str, str]:
        """Whose the devices in the bodies are that may be another feed's; unknown ones now belong to the feed that
        they came by."""
        if monotonic_s() - self._owners_since > DEVICE_CACHE_S:
            self._owners, self._owners_since = {}, monotonic_s()
        unsure: dict[str, str | None] = {}  # device -> the feed that may claim it
        for body in bodies:
            for part in body.understood:
                for reading in part.readings:
                    if self._owners.get(reading.device) != body.feed and not unsure.get(reading.device):
                        unsure[reading.device] = None if body.sandbox else body.feed
        if unsure:
            self._owners.update(await asyncio.to_thread(store.device_feeds, self._engine, unsure.keys()))
        claims = {device: feed for device, feed in unsure.items() if feed and device not in self._owners}
        if claims:
            self._owners.update(await asyncio.to_thread(
                store.claim_devices, self._engine, claims, self._clock.now_us()))
        return {device: self._owners[device] for device in unsure if device in self._owners}


def _fail(group: Sequence[_Waiting], error: Unavailable) -> None:
    for waiting in group:
        if not waiting.done.done():
            waiting.done.set_exception(error)


def _count(body: Body) -> None:
    if body.sandbox:
        return
    metrics.READINGS_ACCEPTED.labels(body.feed).inc(body.accepted)
    if body.duplicates:
        metrics.READINGS_DUPLICATE.labels(body.feed).inc(body.duplicates)
    for part in body.understood:
        for reading in part.readings:
            if reading.extra is not None:
                for name in ("method", "event"):
                    if name in reading.extra:  # kept there where it is not known
                        metrics.UNKNOWN_VALUES.labels(body.feed, name).inc()
    for refused in body.refused:
        metrics.READINGS_REJECTED.labels(body.feed, refused.reason).inc()
