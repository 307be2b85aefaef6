"""The router: reads the raw log and the orders, writes emon.readings. One at a time, for all partitions.

One sequencer gives every arrival its effective instant, so that what enters several partitions (a tick, a
version, a protected person's fix) has one instant in all of them and no partition's clock passes it before
it is there. Sharing the work would need a vote on every instant; one process binds several times what two
cores can evaluate, so there is nothing to win. Others stand by: who holds the lease joins the group, and the
group's generation keeps a predecessor that still runs from writing.

Outputs and offsets move in one transaction. Everything else is made anew from the logs at every start: where
the order stands from the ends of emon.readings, the bindings from emon.orders, the devices' newest readings
from the raw log. After any failure the router drops what it knows and starts over in the same way.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import socket
from collections.abc import Iterable, Mapping, Sequence

import structlog
from sqlalchemy import Engine

from emon import metrics
from emon.clock import Clock, SystemClock, monotonic_s
from emon.domain.binding_book import Interval
from emon.domain.errors import Unavailable
from emon.domain.instant import DAY, SECOND
from emon.journal.port import ORDERS, RAW, READINGS, Consumer, Entry, Fenced, Journal
from emon.journal.records import BindingVersion
from emon.limits import GC_THRESHOLD, HISTORY_DAYS, OWN_LEASE_S, ROUTE_POLL_S, ROUTE_RECORDS
from emon.route.arrivals import Arrival, Arrivals
from emon.route.bind import Binder, Placed, VersionRecord, devices_of
from emon.route.heads import Reading
from emon.route.history import DeviceHistory, Tail, again, packed
from emon.route.restore import Batch, load_history, load_sequence, load_versions
from emon.route.sequence import Sequencer, arrival
from emon.store import ingest as store
from emon.store import writing
from emon.store.progress import Progress, report

log = structlog.get_logger()

GROUP = "route"
_FLUSH_EVERY_S = 1.0
_OLD_EVERY_S = 60.0
_REPORT_EVERY_S = 2.0


async def run(journal: Journal, engine: Engine, clock: Clock, stop: asyncio.Event) -> None:
    """Routes until `stop`, or stands by while another process does."""
    lease = _Lease(engine)
    told = ""
    while not stop.is_set():
        try:
            if await lease.take():
                await _lead(journal, engine, clock, stop, lease)
                told = ""
            else:
                await asyncio.sleep(ROUTE_POLL_S)
        except (Unavailable, Fenced) as error:
            if told != str(error):
                log.warning("router starts over", reason=str(error))
            told = str(error)
            await asyncio.sleep(ROUTE_POLL_S)
    await lease.drop()


async def _lead(journal: Journal, engine: Engine, clock: Clock, stop: asyncio.Event, lease: _Lease) -> None:
    consumer = await journal.consumer(GROUP, (RAW, ORDERS), transactional=True)
    watch: asyncio.Task[None] | None = None
    router: Router | None = None
    try:
        expected = await journal.partitions(RAW) + await journal.partitions(ORDERS)
        while not stop.is_set() and await lease.take():
            batch = await consumer.poll(max_records=ROUTE_RECORDS, timeout_s=ROUTE_POLL_S)
            if len(consumer.assignment()) < expected:
                if batch:
                    raise Fenced("another router still holds some of the log")
                continue
            if router is None:  # only now can nobody else write any more
                router = await Router.restore(journal, engine, clock, consumer, batch)
                gc.set_threshold(*GC_THRESHOLD)
                gc.freeze()  # what is known lives on; looking at it again and again takes a third of the time
                watch = asyncio.create_task(_watch(journal, engine, router), name="emon-route-watch")
            await router.work(batch)
    finally:
        if watch is not None:
            watch.cancel()
            await asyncio.wait([watch])
        if router is not None:
            await router.kept()
        with contextlib.suppress(Unavailable, Fenced):
            await consumer.close()


async def _watch(journal: Journal, engine: Engine, router: Router) -> None:
    """Says how far the router is, beside its work: asking for the log's end may take a while."""
    wall = SystemClock()
    while True:
        with contextlib.suppress(Unavailable):  # the router itself says so
            done = router.progress(await journal.end_offsets(RAW), wall.now_us())
            metrics.STAGE_LAG.labels(GROUP).set(sum(one.end - one.position for one in done))
            await asyncio.to_thread(_report, engine, done)
        await asyncio.sleep(_REPORT_EVERY_S)


def _report(engine: Engine, done: Sequence[Progress]) -> None:
    with writing(engine) as connection:
        report(connection, done)


def _add_chunks(engine: Engine, cut: Sequence[Tail], positions: Mapping[tuple[str, int], int]) -> None:
    store.add_device_chunks(engine, [packed(tail) for tail in cut], positions)


class _Lease:
    """Who routes. The wall clock counts: a demo's scaled time says nothing about processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._clock = engine, SystemClock()
        self._host = socket.gethostname()
        self._me = f"{self._host}/{os.getpid()}/{store.random_hex(4)}"
        self._asked = -OWN_LEASE_S
        self._renewal: asyncio.Task[bool] | None = None

    async def take(self) -> bool:
        """Whether this process may route now. It goes on while the lease is renewed, as long as there is time for
        that: the store may have others to serve first. Raises Unavailable."""
        if self._renewal is not None and self._renewal.done():
            renewal, self._renewal = self._renewal, None
            if not renewal.result():
                return False
        age_s = monotonic_s() - self._asked
        if age_s < OWN_LEASE_S / 3:
            return True
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._ask(), name="emon-route-lease")
        if age_s < OWN_LEASE_S * 2 / 3:
            return True
        renewal, self._renewal = self._renewal, None
        return await renewal

    async def _ask(self) -> bool:
        asked = monotonic_s()
        mine = await asyncio.to_thread(self._take) == self._me
        self._asked = asked if mine else -OWN_LEASE_S
        return mine

    def _take(self) -> str:
        now = self._clock.now_us()
        until = now + int(OWN_LEASE_S * SECOND)
        holder = store.take_lease(self._engine, GROUP, self._me, now, until)
        if holder != self._me and self._is_dead(holder):
            store.drop_lease(self._engine, GROUP, holder)
            holder = store.take_lease(self._engine, GROUP, self._me, now, until)
        return holder

    def _is_dead(self, holder: str) -> bool:
        """Whether the holder ran on this machine and runs no more: then nobody need wait for its lease."""
        host, pid, _ = holder.split("/")
        if host != self._host:
            return False
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        return False

    async def drop(self) -> None:
        """Lets another process route at once."""
        with contextlib.suppress(Unavailable):
            if self._renewal is not None:
                await self._renewal  # or it would be taken again behind us
            await asyncio.to_thread(store.drop_lease, self._engine, GROUP, self._me)


class Router:
    """Everything that the leading process knows."""

    def __init__(self, engine: Engine, clock: Clock, consumer: Consumer, binder: Binder,
                 sequencer: Sequencer, history: DeviceHistory) -> None:
        self._engine, self._clock, self._consumer = engine, clock, consumer
        self.binder, self.sequencer, self.history = binder, sequencer, history
        self._arrivals = Arrivals()
        self._flushed = self._looked = monotonic_s()
        self._forgotten = -1
        self._owners: dict[str, str] = {}  # feeds that bindings name and the store does not know yet
        self._told: dict[tuple[str, int], int] = {}  # how far versions are told, as the store does not know yet
        self._keeping: asyncio.Task[None] | None = None
        self._without_chunks: set[str] = set()

    @classmethod
    async def restore(cls, journal: Journal, engine: Engine, clock: Clock, consumer: Consumer,
                      batch: Batch) -> Router:
        """What is known before `batch`, the first that was polled. Raises Fenced, Unavailable."""
        partitions = await journal.partitions(READINGS)
        positions = await asyncio.to_thread(store.route_positions, engine)
        polled = {position: records[0].offset for position, records in batch.items() if records}
        begin = await consumer.positions() | polled
        binder = Binder(partitions)
        unknown = await load_versions(journal, binder, begin, positions)
        sequencer = await load_sequence(journal, partitions)
        history = await load_history(journal, begin, positions)
        log.info("router leads", bindings=len(binder.book.devices()), last=sequencer.last)
        router = cls(engine, clock, consumer, binder, sequencer, history)
        router.register(unknown)
        return router

    async def work(self, batch: Batch) -> None:
        """Tells what was polled, in one transaction. Raises Fenced, Unavailable."""
        entries: list[Entry] = []
        arrivals = self._arrivals.of(batch)
        await self._ask_for_chunks(arrivals)
        for each in arrivals:
            entries += self.sequencer.ticks_up_to(each.received_at)
            if each.version is not None:
                entries += await self._version(each)
            elif each.readings:
                entries += self._readings(each)
        if batch or entries:
            await self._consumer.append_and_commit(entries, self._arrivals.offsets)
            metrics.STAGE_RECORDS.labels(GROUP).inc(sum(len(records) for records in batch.values()))
        self._told |= {(ORDERS, p.partition): self._arrivals.offsets[p] for p in batch if p.topic == ORDERS}
        self._keep()

    def progress(self, ends: Mapping[int, int], wall: int) -> list[Progress]:
        """How far each partition of the raw log is told. `ends`: where they end; `wall`: now."""
        offsets = {p.partition: offset for p, offset in self._arrivals.offsets.items() if p.topic == RAW}
        return [Progress(stage=GROUP, partition=partition, position=min(offsets.get(partition, end), end),
                         end=end, last_tick=self.sequencer.tick, updated_at=wall,
                         caught_up_at=wall if offsets.get(partition, end) >= end else None)
                for partition, end in sorted(ends.items())]

    def register(self, versions: Sequence[VersionRecord]) -> None:
        """Notes which feeds bindings name: ingest refuses those devices from any other."""
        self._owners |= {version.binding.device: version.binding.feed for version in versions
                         if isinstance(version, BindingVersion) and version.binding.feed
                         and not version.binding.void}

    def _readings(self, each: Arrival) -> list[Entry]:
        for reading in each.readings:
            self.history.add(reading)
        return self._place(each.readings, each.received_at)

    def _place(self, readings: Sequence[Reading], received_at: int) -> list[Entry]:
        """An arrival of readings; those of unbound devices take no part, and no instant."""
        last = self.sequencer.last
        stamp = self.sequencer.stamp(received_at)
        placed: list[Placed] = []
        place, elsewhere = self.binder.place, self.binder.partitions > 1
        for reading in readings:
            targets = place(reading, stamp)
            if targets:
                placed += targets
                if elsewhere:
                    self.sequencer.hear(reading, [target.partition for target in targets], stamp)
        if not placed:
            self.sequencer.last = last
        return arrival(placed)

    async def _version(self, each: Arrival) -> list[Entry]:
        assert each.version is not None
        change = self.binder.take(each.version)
        if not change.versions:
            return []
        self.register(change.versions)
        readings = await self._history_of(change.again)
        last = self.sequencer.last
        stamp = self.sequencer.stamp(each.received_at)
        placed = self.binder.tell(change, stamp)
        for reading in readings:
            targets = self.binder.place(reading, stamp)
            placed += targets
            self.sequencer.hear(reading, (target.partition for target in targets), stamp)
        if not placed:  # a zone that concerns nobody yet
            self.sequencer.last = last
        for conflict in self.binder.book.conflicts:
            if any(conflict.device == device for device, _, _ in change.again):
                log.warning("device is bound to two people: pending, its readings go to nobody",
                            device=conflict.device, bindings=conflict.bindings)
        return arrival(placed)

    async def _ask_for_chunks(self, arrivals: Iterable[Arrival]) -> None:
        """Learns which devices of many bindings have no readings in the store: asking for each would take longer
        than all else with them. Holds until more is written. Raises Unavailable."""
        named = {device for each in arrivals if each.version is not None for device in devices_of(each.version)}
        self._without_chunks = set()
        if len(named) > 1:
            on_their_way = self.history.cut_devices()
            having = await asyncio.to_thread(store.devices_with_chunks, self._engine, named)
            self._without_chunks = named - having - on_their_way

    async def _history_of(self, intervals: Sequence[Interval]) -> list[Reading]:
        """Readings of devices in intervals, each once, devices by name. Raises Unavailable."""
        oldest = self._clock.now_us() - HISTORY_DAYS * DAY
        found: dict[tuple[str, bytes], Reading] = {}
        for device, from_, until in sorted(set(intervals)):
            since = max(from_, oldest)
            lines = list(self.history.lines(device))  # first: what leaves the memory while we ask is in the store
            chunks = [] if device in self._without_chunks else await asyncio.to_thread(
                store.device_chunks, self._engine, [device], since, until)
            for reading in again(chunks, lines, since, until):
                found.setdefault((device, bytes(reading.line)), reading)
        return list(found.values())

    def _keep(self) -> None:
        """Has full and old chunks written, and how far versions are told, while routing goes on: the store may
        have others to serve first."""
        now_s = monotonic_s()
        if self._keeping is not None:
            if not self._keeping.done():
                return
            self._keeping.result()  # raises what no other try would mend
        if not self._told and now_s - self._flushed < _FLUSH_EVERY_S:
            return
        old = now_s - self._looked >= _OLD_EVERY_S
        if old:
            self._looked = now_s
        self._flushed = now_s
        cut = self.history.cut(self._clock.now_us(), old=old)
        positions, self._told = self._told, {}
        if cut:
            positions |= {(RAW, p): offset for p, offset in self.history.positions().items()}
        self._keeping = asyncio.create_task(self._write(cut, positions, old), name="emon-route-keep")

    async def kept(self) -> None:
        """Returns when nothing is being written to the store."""
        if self._keeping is not None:
            await self._keeping

    async def _write(self, cut: Sequence[Tail], positions: Mapping[tuple[str, int], int],
                     old: bool) -> None:
        try:
            if self._owners:
                owners, self._owners = self._owners, {}
                try:
                    await asyncio.to_thread(store.register_devices, self._engine, owners, self._clock.now_us())
                except Unavailable:
                    self._owners = owners | self._owners
                    raise
            if positions:
                await asyncio.to_thread(_add_chunks, self._engine, cut, positions)
            self.history.written()
            if old:
                await self._forget()
        except Unavailable as error:  # the raw log has it all: written with the next chunks
            log.warning("device history waits", reason=str(error))

    async def _forget(self) -> None:
        """Once a day what is older than any rewind goes."""
        today = self._clock.now_us() // DAY
        if today != self._forgotten:
            self._forgotten = today
            await asyncio.to_thread(store.forget_device_chunks, self._engine, (today - HISTORY_DAYS) * DAY)
