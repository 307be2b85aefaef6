"""Takes understood bodies in: whose device, seen before, into the journal, and only then an answer.

One loop serves all requests: while an append is on its way the next bodies queue up and then share one
append, so that a thousand bodies of one reading cost a few fsyncs. An answer is given only after `append` has
returned; where it raises, nothing is remembered, and the vendor sends again.

Nothing is dropped: a reading that is not taken goes to `emon.rejected` with its reason and its raw slice.
Duplicates alone are counted and not written again: the log has them.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import structlog
from sqlalchemy import Engine

from emon import metrics
from emon.clock import Clock, monotonic_s
from emon.domain.errors import Fault, Unavailable
from emon.domain.reading import Reading
from emon.formats.native import check_ahead
from emon.ingest.duplicates import Tail, digest, marks_of
from emon.ingest.received import Received, in_order
from emon.journal.port import RAW, REJECTED, Entry, Journal, TopicPartition, partition_of
from emon.journal.records import RawReading, RawRejected, decode_raw, encode
from emon.limits import (
    DEVICE_CACHE_S,
    DUPLICATE_WINDOW,
    FOLLOW_EVERY_S,
    INTAKE_GROUP,
    INTAKE_READINGS,
    TRIM_EVERY_S,
)
from emon.store import ingest as store

log = structlog.get_logger()

_READ_AT_ONCE = 5_000
_decode_lines = msgspec.json.Decoder(Reading).decode_lines


@dataclass(frozen=True, slots=True)
class Understood:
    """A slice of a body: its place in it, its bytes, and what it says."""

    index: int
    raw: bytes
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class Refused:
    """A slice, or one reading of it, that was not taken."""

    index: int
    reason: str
    detail: str
    raw: bytes


@dataclass(slots=True, eq=False)
class Body:
    """One request on its way. Sandbox bodies are judged like all others, and leave no trace."""

    feed: str
    received_at: int
    understood: Sequence[Understood]
    refused: list[Refused]
    sandbox: bool = False
    accepted: int = 0
    duplicates: int = 0
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def readings(self) -> int:
        """How many readings were understood."""
        return sum(len(part.readings) for part in self.understood)


class _New(NamedTuple):
    """A reading that may be taken. `mark`: its digest."""

    body: Body
    raw: bytes
    reading: Reading
    mark: int


class Intake:
    """The way in for one process. `start` before use, `stop` after."""

    def __init__(self, journal: Journal, engine: Engine, clock: Clock) -> None:
        self._journal, self._engine, self._clock = journal, engine, clock
        self._process = store.random_hex(6)
        self._mine = f'"batch":"{self._process}-'.encode()
        self._bodies = 0
        self._waiting: list[Body] = []
        self._waiting_readings = 0
        self._wake = asyncio.Event()
        self._tail = Tail()
        self._owners: dict[str, str] = {}
        self._owners_since = 0.0
        self._followed: dict[int, int] = {}
        self._partitions = 1
        self._ready = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begins to take bodies in; they are answered once what arrived before is known again."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._take_in(), name="emon-intake"),
                           asyncio.create_task(self._keep_up(), name="emon-intake-follow")]

    async def stop(self) -> None:
        """Stops; bodies still waiting get Unavailable."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._fail(self._waiting, Unavailable("this process stops"))
        self._waiting = []

    def now_us(self) -> int:
        """The clock that stamps `received_at`."""
        return self._clock.now_us()

    async def take(self, body: Body) -> None:
        """Returns when the body's counts and `refused` are final and durable. Raises Unavailable."""
        size = body.readings() + len(body.refused)
        if self._waiting_readings + size > INTAKE_READINGS and self._waiting:
            raise Unavailable("more is waiting for the journal than can be held")
        await self.start()
        self._waiting.append(body)
        self._waiting_readings += size
        self._wake.set()
        await body.done

    async def received(self, device: str, since: int) -> list[Received]:
        """What arrived of a device, observed at `since` or later, in order. Raises Unavailable."""
        await self._ready.wait()
        held = [r for r in self._tail.received(device) if r.observed_at >= since]
        chunks = await asyncio.to_thread(store.device_chunks, self._engine, [device], since, 1 << 62)
        return in_order([*held, *(Received(r.observed_at, r.received_at, r.kind, r.seq)
                                  for r in _readings(chunks) if r.observed_at >= since)])

    async def feed_of(self, device: str) -> str | None:
        """The feed that a device belongs to. Raises Unavailable."""
        return (await asyncio.to_thread(store.device_feeds, self._engine, [device])).get(device)

    # --- the loop ----------------------------------------------------------------------------------------

    async def _take_in(self) -> None:
        await self._ready.wait()
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                group = self._next_group()
                try:
                    await self._serve(group)
                except Unavailable as error:
                    self._fail(group, error)
                except Exception as error:  # a bug: nobody is told 2xx, and the other feeds go on
                    log.exception("intake failed")
                    self._fail(group, Unavailable(f"this process fails: {type(error).__name__}"))

    def _next_group(self) -> list[Body]:
        size, count = 0, 0
        for body in self._waiting:
            if count and size >= INTAKE_GROUP:
                break
            size += body.readings() + len(body.refused)
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        self._waiting_readings -= size
        return group

    @staticmethod
    def _fail(group: Iterable[Body], error: Unavailable) -> None:
        for body in group:
            if not body.done.done():
                body.done.set_exception(error)

    async def _serve(self, group: Sequence[Body]) -> None:
        fresh = await self._without_duplicates(self._judged(group, await self._owners_of(group)))
        entries = [*self._raw_entries(fresh), *_rejected_entries(group)]
        if entries:
            await self._journal.append(entries)
        for body, _, reading, mark in fresh:
            body.accepted += 1
            if not body.sandbox:
                self._tail.add(reading, mark)
        for body in group:
            _count(body)
            if not body.done.done():  # the vendor may have hung up
                body.done.set_result(None)

    def _judged(self, group: Sequence[Body], owners: Mapping[str, str]) -> list[_New]:
        """Readings that may be taken, stamped; the others join their body's `refused`."""
        taken: list[_New] = []
        for body in group:
            for part in body.understood:
                for reading in part.readings:
                    refusal = self._refusal(body, reading, owners)
                    if refusal is not None:
                        body.refused.append(Refused(part.index, refusal.code, refusal.detail, part.raw))
                        continue
                    stamped = msgspec.structs.replace(reading, received_at=body.received_at, feed=body.feed)
                    taken.append(_New(body, part.raw, stamped, digest(stamped)))
        return taken

    @staticmethod
    def _refusal(body: Body, reading: Reading, owners: Mapping[str, str]) -> Fault | None:
        if owners.get(reading.device, body.feed) != body.feed:
            return Fault("device_of_another_feed", f"device {reading.device!r:.80} belongs to another feed: "
                         "a binding that names this feed moves it")
        try:
            check_ahead(reading.observed_at, body.received_at)
        except Fault as fault:
            return fault
        return None

    async def _owners_of(self, group: Sequence[Body]) -> Mapping[str, str]:
        """Whose every device in the group is; unknown ones now belong to the feed that they came by."""
        if monotonic_s() - self._owners_since > DEVICE_CACHE_S:
            self._owners, self._owners_since = {}, monotonic_s()
        unsure: dict[str, str | None] = {}  # device -> the feed that may claim it
        for body in group:
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
        return self._owners

    async def _without_duplicates(self, taken: Sequence[_New]) -> list[_New]:
        """Those that are new; the others are counted."""
        since = self._clock.now_us() - DUPLICATE_WINDOW
        fresh: list[_New] = []
        doubtful: dict[tuple[str, int], Reading] = {}
        seen: set[tuple[bool, str, int]] = set()  # what a sandbox sends makes nothing a duplicate outside
        for new in taken:
            device = new.reading.device
            key = (new.body.sandbox, device, new.mark)
            doubted = not self._tail.certainly_new(new.reading)
            if key in seen or (doubted and self._tail.holds(device, new.mark, since)):
                new.body.duplicates += 1
                continue
            seen.add(key)
            fresh.append(new)
            if doubted:
                doubtful[(device, new.mark)] = new.reading
        known = await self._chunked(doubtful.values(), since) if doubtful else set()
        for new in fresh:
            new.body.duplicates += (new.reading.device, new.mark) in known
        return [new for new in fresh if (new.reading.device, new.mark) not in known]

    async def _chunked(self, readings: Iterable[Reading], since: int) -> set[tuple[str, int]]:
        """Marks of what the router's chunks hold around these readings."""
        instants = [reading.observed_at for reading in readings]
        devices = {reading.device for reading in readings}

        def look() -> set[tuple[str, int]]:
            chunks = store.device_chunks(self._engine, devices, min(instants), max(instants), since)
            return marks_of(_readings(chunks), since)

        return await asyncio.to_thread(look)

    def _raw_entries(self, fresh: Sequence[_New]) -> list[Entry]:
        """The records of accepted readings; a body's last one in each partition is marked."""
        entries: list[Entry] = []
        batches: dict[Body, str] = {}
        marked: set[tuple[str, int]] = set()
        for body, raw, reading, _ in reversed(fresh):
            if body.sandbox:
                continue
            batch = batches.get(body)
            if batch is None:
                self._bodies += 1
                batch = batches[body] = f"{self._process}-{self._bodies}"
            partition = partition_of(reading.device, self._partitions)
            text, is_base64 = _text(raw)
            last = (batch, partition) not in marked
            marked.add((batch, partition))
            record = RawReading(body.feed, body.received_at, reading, text, batch, is_base64, last)
            entries.append(Entry(RAW, reading.device, encode(record), partition))
        entries.reverse()
        return entries

    # --- what arrived before, and by other processes -----------------------------------------------------

    async def _keep_up(self) -> None:
        trimmed = -TRIM_EVERY_S
        while True:
            try:
                if not self._ready.is_set():
                    await self._begin()
                await self._follow()
                self._ready.set()
                if monotonic_s() - trimmed > TRIM_EVERY_S:
                    trimmed = monotonic_s()
                    await self._trim()
            except Unavailable as error:
                log.warning("intake cannot follow", reason=str(error))
            await asyncio.sleep(FOLLOW_EVERY_S)

    async def _begin(self) -> None:
        self._partitions = await self._journal.partitions(RAW)
        positions = await asyncio.to_thread(store.route_positions, self._engine)
        self._followed = {p: positions.get((RAW, p), 0) for p in range(self._partitions)}
        since = self._clock.now_us() - DUPLICATE_WINDOW
        self._tail.learn(await asyncio.to_thread(store.newest_of_devices, self._engine, since))

    async def _follow(self) -> None:
        since = self._clock.now_us() - DUPLICATE_WINDOW
        for partition in self._followed:
            while records := await self._journal.read(TopicPartition(RAW, partition),
                                                      self._followed[partition], _READ_AT_ONCE):
                for record in records:
                    if self._mine not in record.value:
                        self._learn(record.value, since)
                self._followed[partition] = records[-1].offset + 1
                await asyncio.sleep(0)

    def _learn(self, value: bytes, since: int) -> None:
        record = decode_raw(value)
        if isinstance(record, RawReading) and record.received_at >= since:
            self._tail.add(record.reading, digest(record.reading))

    async def _trim(self) -> None:
        since = self._clock.now_us() - DUPLICATE_WINDOW
        chunked = await asyncio.to_thread(store.newest_of_devices, self._engine, since)
        self._tail.learn(chunked)
        self._tail.trim(chunked, since)


def _readings(chunks: Iterable[store.DeviceChunk]) -> Iterable[Reading]:
    for chunk in chunks:
        yield from _decode_lines(zlib.decompress(chunk.payload))


def _text(raw: bytes) -> tuple[str, bool]:
    with contextlib.suppress(UnicodeDecodeError):
        return raw.decode(), False
    return base64.b64encode(raw).decode(), True


def _rejected_entries(group: Sequence[Body]) -> list[Entry]:
    entries = []
    for body in group:
        if not body.sandbox:
            for refused in body.refused:
                text, is_base64 = _text(refused.raw)
                entries.append(Entry(REJECTED, body.feed, encode(RawRejected(
                    body.feed, body.received_at, refused.reason, refused.detail, text, is_base64,
                    refused.index))))
    return entries


def _count(body: Body) -> None:
    if body.sandbox:
        return
    metrics.READINGS_ACCEPTED.labels(body.feed).inc(body.accepted)
    if body.duplicates:
        metrics.READINGS_DUPLICATE.labels(body.feed).inc(body.duplicates)
    for part in body.understood:
        for reading in part.readings:
            for name in ("method", "event"):
                if reading.extra is not None and name in reading.extra:  # kept there where it is not known
                    metrics.UNKNOWN_VALUES.labels(body.feed, name).inc()
    for refused in body.refused:
        metrics.READINGS_REJECTED.labels(body.feed, refused.reason).inc()
