"""Which readings have arrived before: follows the raw log and looks into the router's chunks.

See `duplicates` for why this is how duplicates are known. What this process wrote itself is noted at once
(`note`) and passed over when it comes by in the log.
"""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence, Set

import msgspec
import structlog
from sqlalchemy import Engine

from emon.clock import Clock, monotonic_s
from emon.domain.errors import Unavailable
from emon.domain.reading import Reading
from emon.ingest.bodies import New
from emon.ingest.duplicates import Tail, digest, marks_of, spans
from emon.ingest.received import Received, in_order
from emon.journal.port import RAW, Journal, TopicPartition
from emon.journal.records import RawReading, decode_raw
from emon.limits import DUPLICATE_WINDOW, FOLLOW_EVERY_S, RETRY_AFTER_S, TRIM_EVERY_S
from emon.store import ingest as store

log = structlog.get_logger()

_READ_AT_ONCE = 5_000
_decode_lines = msgspec.json.Decoder(Reading).decode_lines


class Seen:
    """What has arrived. `process`: how the names of this process's bodies begin."""

    def __init__(self, journal: Journal, engine: Engine, clock: Clock, process: str) -> None:
        self._journal, self._engine, self._clock = journal, engine, clock
        self._mine = f'"batch":"{process}-'.encode()
        self._tail = Tail()
        self._followed: dict[int, int] = {}
        self._wrote: defaultdict[int, deque[range]] = defaultdict(deque)  # ours that was not passed over yet
        self._ready = asyncio.Event()
        self.partitions = 0
        """Of the raw log; known once `wait` has returned."""

    async def wait(self) -> None:
        """Returns once everything that arrived before this process began is known. Raises Unavailable where
        that takes too long to let a vendor wait."""
        if not self._ready.is_set():
            try:
                await asyncio.wait_for(self._ready.wait(), RETRY_AFTER_S)
            except TimeoutError:
                raise Unavailable("this process still reads what arrived before it began") from None

    async def follow(self) -> None:
        """Keeps up with the log and the chunks, for ever."""
        trimmed, told = -TRIM_EVERY_S, ""
        while True:
            try:
                if not self._ready.is_set():
                    await self._begin()
                await self._follow()
                self._ready.set()
                if monotonic_s() - trimmed > TRIM_EVERY_S:
                    trimmed = monotonic_s()
                    await self._trim()
                told = ""
            except Unavailable as error:
                if told != str(error):
                    log.warning("intake cannot follow", reason=str(error))
                told = str(error)
            await asyncio.sleep(FOLLOW_EVERY_S)

    async def _begin(self) -> None:
        positions = await asyncio.to_thread(store.route_positions, self._engine)
        self.partitions = await self._journal.partitions(RAW)
        self._followed = {p: positions.get((RAW, p), 0) for p in range(self.partitions)}
        since = self._clock.now_us() - DUPLICATE_WINDOW
        self._tail.learn(await asyncio.to_thread(store.newest_of_devices, self._engine, since))

    async def _follow(self) -> None:
        since = self._clock.now_us() - DUPLICATE_WINDOW
        for partition, end in (await self._journal.end_offsets(RAW)).items():
            position = TopicPartition(RAW, partition)
            while (offset := self._pass_over(partition)) < end:
                wrote = self._wrote[partition]
                most = min(_READ_AT_ONCE, wrote[0].start - offset) if wrote else _READ_AT_ONCE
                records = await self._journal.read(position, offset, most)
                if not records:
                    break
                for record in records:
                    if self._mine not in record.value:
                        self._learn(record.value, since)
                self._followed[partition] = records[-1].offset + 1
                await asyncio.sleep(0)

    def _pass_over(self, partition: int) -> int:
        """Where what others wrote goes on: what we wrote is known, and reading it again would cost as much as
        taking it in."""
        offset, wrote = self._followed[partition], self._wrote[partition]
        while wrote and wrote[0].start <= offset:
            offset = max(offset, wrote.popleft().stop)
        self._followed[partition] = offset
        return offset

    def _learn(self, value: bytes, since: int) -> None:
        record = decode_raw(value)
        if isinstance(record, RawReading) and record.received_at >= since:
            self._tail.add(record.reading, digest(record.reading))

    async def _trim(self) -> None:
        since = self._clock.now_us() - DUPLICATE_WINDOW
        chunked = await asyncio.to_thread(store.newest_of_devices, self._engine, since)
        self._tail.learn(chunked)
        self._tail.trim(chunked, since)

    def wrote(self, offsets: Mapping[TopicPartition, range]) -> None:
        """This process has written there, and has noted, or notes at once, which readings."""
        for position, written in offsets.items():
            if position.topic == RAW and written:
                self._wrote[position.partition].append(written)

    def note(self, new: New) -> None:
        """A reading that this process has written."""
        self._tail.add(new.reading, new.mark)

    async def received(self, device: str, since: int) -> list[Received]:
        """What arrived of a device, observed at `since` or later, in order. Raises Unavailable."""
        await self.wait()
        held = [r for r in self._tail.received(device) if r.observed_at >= since]
        chunks = await asyncio.to_thread(store.device_chunks, self._engine, [device], since, 1 << 62)
        return in_order([*held, *(Received(r.observed_at, r.received_at, r.kind, r.seq)
                                  for r in _readings(chunks) if r.observed_at >= since)])

    async def without_duplicates(self, taken: Sequence[New]) -> list[New]:
        """Those that are new; the others are counted at their bodies. Raises Unavailable."""
        since = self._clock.now_us() - DUPLICATE_WINDOW
        tail = self._tail
        fresh: list[New] = []
        doubtful: dict[tuple[str, int], Reading] = {}
        outside, sandboxed = set[int](), set[int]()  # what a sandbox sends makes nothing a duplicate outside
        for new in taken:
            reading, mark = new.reading, new.mark
            seen = sandboxed if new.body.sandbox else outside
            doubted = not tail.certainly_new(reading)
            if mark in seen or (doubted and tail.holds(reading.device, mark, since)):
                new.body.duplicates += 1
                continue
            seen.add(mark)
            fresh.append(new)
            if doubted:
                doubtful[(reading.device, mark)] = reading
        known = await self._chunked(doubtful.values(), since) if doubtful else set()
        if not known:
            return fresh
        for new in fresh:
            new.body.duplicates += (new.reading.device, new.mark) in known
        return [new for new in fresh if (new.reading.device, new.mark) not in known]

    async def _chunked(self, readings: Iterable[Reading], since: int) -> set[tuple[str, int]]:
        """Marks of what the router's chunks hold at the instants of these readings."""
        wanted: dict[str, set[int]] = {}
        for reading in readings:
            wanted.setdefault(reading.device, set()).add(reading.observed_at)

        def look() -> set[tuple[str, int]]:
            chunks = store.chunks_around(self._engine, spans(wanted), since)
            return marks_of(_readings_at(chunks, wanted), since)

        return await asyncio.to_thread(look)


def _readings(chunks: Iterable[store.DeviceChunk]) -> Iterable[Reading]:
    for chunk in chunks:
        yield from _decode_lines(zlib.decompress(chunk.payload))


def _readings_at(chunks: Iterable[store.DeviceChunk], wanted: Mapping[str, Set[int]]) -> Iterable[Reading]:
    """Of the chunks' readings those observed at a wanted instant. Equal content has an equal `observed_at`, and
    a look for its digits in the bytes spares most late readings the decoding of their neighbours."""
    for chunk in chunks:
        lines, instants = zlib.decompress(chunk.payload), wanted[chunk.device]
        if any(b"%d" % at in lines for at in instants):
            yield from (reading for reading in _decode_lines(lines) if reading.observed_at in instants)
