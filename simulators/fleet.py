"""The fleet: simulated vendors that deliver a world's readings over HTTP, on a clock that may run fast.

Shell. What is due is taken from the world's source, queued per feed, and posted in the vendor's own format
with its key. A vendor behaves as a good one must: what was not acknowledged is sent again, 503 and 429 are
waited out as told (any other 5xx too), and a rejected reading is counted, not repeated.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import httpx

from emon.clock import Clock
from simulators.devices import CHUNK_S, Emission
from simulators.plan import Document
from simulators.wire import Body, Encoder
from simulators.world import Feed, World

STEP_REAL_S: Final = 0.05  # how often the queues are looked at
REPORT_EVERY: Final = 10  # steps between two progress reports
MAX_QUEUED: Final = 5_000  # readings waiting at one feed; beyond it the vendors fall behind, as real ones do
MAX_BATCH: Final = 200
CONCURRENT: Final = 3  # requests in flight a feed
TIMEOUT_S: Final = 10.0
RETRY_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)  # after no answer; the last one again and again
MAX_RETRY_AFTER_S: Final = 5.0
DRAIN_S: Final = 2.0

Publish = Callable[[Document], Awaitable[None]]


@dataclass(slots=True)
class Progress:
    """Counts so far. `simulated_us`: the clock; `queued`: due and not yet acknowledged."""

    simulated_us: int = 0
    sent: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    refused: int = 0  # whole requests answered with 4xx
    retried: int = 0
    queued: int = 0
    last_problem: str = ""


class Fleet:
    """Delivers `world` to `base_url`. `keys`: by feed. `publish` is given order versions when they arrive.
    `only`: these feeds alone (default: all)."""

    def __init__(self, world: World, base_url: str, keys: Mapping[str, str], clock: Clock, *,
                 publish: Publish | None = None, only: Collection[str] | None = None) -> None:
        self.progress = Progress()
        self._world, self._clock, self._publish = world, clock, publish
        self._base_url, self._keys = base_url.rstrip("/"), keys
        self._source = world.source()
        self._feeds = [feed for feed in world.feeds if only is None or feed.id in only]
        self._waiting: list[tuple[float, int, Emission]] = []
        self._number = count()
        self._queues: dict[str, deque[Emission]] = {feed.id: deque() for feed in self._feeds}
        self._wake: dict[str, asyncio.Event] = {feed.id: asyncio.Event() for feed in self._feeds}
        self._in_flight = 0
        self._amendments = deque(world.amendments())

    async def run(self, stop: asyncio.Event, report: Callable[[Progress], None] | None = None) -> Progress:
        """Until `stop` is set; then what is due is still delivered, for two seconds at most."""
        limits = httpx.Limits(max_connections=max(1, CONCURRENT * len(self._queues)))
        async with httpx.AsyncClient(limits=limits, timeout=TIMEOUT_S) as client:
            workers = [asyncio.create_task(self._deliver(client, feed, Encoder(feed.adapter)))
                       for feed in self._feeds for _ in range(CONCURRENT)]
            try:
                await self._schedule(stop, workers, report)
                await self._drain()
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)
        return self.progress

    async def _schedule(self, stop: asyncio.Event, workers: list[asyncio.Task[None]],
                        report: Callable[[Progress], None] | None) -> None:
        for step in count():
            if stop.is_set():
                return
            for worker in workers:
                if worker.done():
                    worker.result()  # a bug in a worker ends the run, loudly
            now_us = self._clock.now_us()
            await self._load((now_us - self._world.start_us) / 1e6)
            self._release((now_us - self._world.start_us) / 1e6)
            await self._publish_due(now_us)
            self.progress.simulated_us = now_us
            self.progress.queued = sum(map(len, self._queues.values())) + self._in_flight
            if report is not None and step % REPORT_EVERY == 0:
                report(self.progress)
            await asyncio.sleep(STEP_REAL_S)

    async def _load(self, now_s: float) -> None:
        """Makes readings ahead of their time, off the event loop."""
        while self._source.next_s < now_s + CHUNK_S:
            for emission in await asyncio.to_thread(self._source.chunk):
                if emission.feed in self._queues:
                    heapq.heappush(self._waiting, (emission.send_s, next(self._number), emission))

    def _release(self, now_s: float) -> None:
        while self._waiting and self._waiting[0][0] <= now_s:
            feed = self._waiting[0][2].feed
            if len(self._queues[feed]) >= MAX_QUEUED:
                return
            self._queues[feed].append(heapq.heappop(self._waiting)[2])
            self._wake[feed].set()

    async def _publish_due(self, now_us: int) -> None:
        while self._publish is not None and self._amendments and self._amendments[0][0] <= now_us:
            await self._publish(self._amendments.popleft()[1])

    async def _deliver(self, client: httpx.AsyncClient, feed: Feed, encoder: Encoder) -> None:
        queue, wake = self._queues[feed.id], self._wake[feed.id]
        one_each = feed.adapter in ("traccar", "owntracks")
        while True:
            if not queue:
                wake.clear()
                await wake.wait()
                continue
            batch = [queue.popleft() for _ in range(1 if one_each else min(len(queue), MAX_BATCH))]
            self._in_flight += len(batch)
            for body in encoder.bodies(batch):
                await self._post(client, feed.id, body)
            self._in_flight -= len(batch)

    async def _post(self, client: httpx.AsyncClient, feed: str, body: Body) -> None:
        headers = {"content-type": body.content_type, "authorization": f"Bearer {self._keys.get(feed, '')}"}
        self.progress.sent += body.readings
        for attempt in count():
            try:
                answer = await client.post(f"{self._base_url}/v1/feeds/{feed}", content=body.content,
                                           headers=headers)
            except httpx.HTTPError as error:
                self.progress.last_problem = f"{feed}: {type(error).__name__}: {error}"
                wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
            else:
                if answer.status_code != 429 and answer.status_code < 500:
                    self._answered(feed, body, answer)
                    return
                self.progress.last_problem = f"{feed}: answered {answer.status_code}"
                wait_s = _retry_after(answer)
            self.progress.retried += 1
            await asyncio.sleep(wait_s)

    def _answered(self, feed: str, body: Body, answer: httpx.Response) -> None:
        if answer.status_code >= 400:
            self.progress.refused += 1
            self.progress.last_problem = f"{feed}: answered {answer.status_code}: {answer.text[:200]}"
            return
        counts = _counts(answer)
        rejected = counts.get("rejected", [])
        self.progress.accepted += int(counts.get("accepted", body.readings))
        self.progress.duplicates += int(counts.get("duplicates", 0))
        self.progress.rejected += len(rejected)
        if rejected:
            self.progress.last_problem = f"{feed}: rejected: {rejected[0]}"

    async def _drain(self) -> None:
        for _ in range(int(DRAIN_S / STEP_REAL_S)):
            self.progress.queued = sum(map(len, self._queues.values())) + self._in_flight
            if not self.progress.queued:
                return
            await asyncio.sleep(STEP_REAL_S)


def _retry_after(answer: httpx.Response) -> float:
    told = answer.headers.get("retry-after", "")
    return min(float(told), MAX_RETRY_AFTER_S) if told.isdecimal() else RETRY_S[-1]


def _counts(answer: httpx.Response) -> dict[str, Any]:
    """The answer's counts; a vendor's own answer format (an empty list, say) tells none."""
    try:
        value = answer.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
