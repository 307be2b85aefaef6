"""The evaluator's shell: reads emon.readings, writes emon.findings, one evaluator a partition.

Findings are in the journal before the snapshot that follows from them is saved, and the snapshot before the
commit. So a crash anywhere repeats findings (same id and revision, which sinks drop) and loses none. Who takes
a partition over begins at its snapshot, whatever the last commit was; who has lost it is Fenced at the next
save or commit and forgets it. Steps run on threads, so that the group never misses a heartbeat.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec
import structlog

from emon import metrics
from emon.clock import Clock, monotonic_s, pause
from emon.domain import finding as findings
from emon.domain.errors import Unavailable
from emon.domain.finding import Finding
from emon.domain.instant import SECOND
from emon.domain.versions import ALWAYS
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.port import History, Snapshot, Snapshots
from emon.evaluate.saving import Saving
from emon.journal.port import FINDINGS, READINGS, Consumer, Entry, Fenced, Journal, Record, TopicPartition
from emon.journal.records import decode_input
from emon.limits import (
    EVALUATE_POLL_S,
    EVALUATE_RECORDS,
    GC_THRESHOLD,
    RETRY_FIRST_S,
    RETRY_MOST_S,
)

log = structlog.get_logger()

GROUP = "evaluate"
STATE_MARK = b"emon state 4\n"  # raised whenever snapshots change their layout
_REPORT_EVERY_S = 1.0


class Reached(NamedTuple):
    """How far a partition is judged: everything before `position`, up to the instant `clock` (None: nothing
    yet). `end`: where the log ends."""

    partition: int
    position: int
    end: int
    clock: int | None


Report = Callable[[Sequence[Reached]], None]
"""Tells the others how far the evaluator is; called on a thread. May raise Unavailable."""


@dataclass(slots=True)
class _Held:
    """A partition that is ours: its evaluator stands after the record before `offset`. `clock`: up to when
    everything is judged and written."""

    evaluator: Evaluator
    generation: int
    offset: int
    saved_offset: int
    saving: Saving
    clock: int
    stale: Mapping[str, None] = field(default_factory=dict)  # parts of a snapshot that the next one must not keep


async def run(journal: Journal, history: History, snapshots: Snapshots, clock: Clock,
              stop: asyncio.Event, report: Report | None = None) -> None:
    """Evaluates until `stop`. `report` is called about once a second for the partitions held."""
    wait = RETRY_FIRST_S
    while not stop.is_set():
        try:
            worker = await _Worker.join(journal, history, snapshots, clock)
        except Unavailable as error:
            log.warning("evaluator waits", reason=str(error))
            wait = await _pause(stop, wait)
            continue
        watch = asyncio.create_task(_watch(worker, report), name="emon-evaluate-watch")
        try:
            while not stop.is_set():
                try:
                    await worker.turn()
                    wait = RETRY_FIRST_S
                except Fenced as error:
                    log.info("evaluator lost its partitions", reason=str(error))
                    worker.forget()
                except Unavailable as error:
                    log.warning("evaluator waits", reason=str(error))
                    worker.forget()
                    wait = await _pause(stop, wait)
            await worker.leave()
        finally:
            watch.cancel()
            await asyncio.wait([watch])
            await worker.close()


async def _watch(worker: _Worker, report: Report | None) -> None:
    """Says how far the evaluator is, beside its work: asking for the log's end may take a while."""
    while True:
        with contextlib.suppress(Unavailable):  # the worker itself says so
            done = await worker.reached()
            metrics.STAGE_LAG.labels(GROUP).set(sum(one.end - one.position for one in done))
            if report is not None and done:
                await asyncio.to_thread(report, done)
        await asyncio.sleep(_REPORT_EVERY_S)


async def _pause(stop: asyncio.Event, seconds: float) -> float:
    """Waits, no longer than until `stop`; returns how long to wait next time."""
    await pause(stop, seconds)
    return min(seconds * 2, RETRY_MOST_S)


class _Worker:
    """One member of the group."""

    def __init__(self, journal: Journal, history: History, snapshots: Snapshots, clock: Clock,
                 consumer: Consumer, partitions: int) -> None:
        self._journal, self._history, self._snapshots, self._clock = journal, history, snapshots, clock
        self._consumer, self._partitions = consumer, partitions
        self._held: dict[int, _Held] = {}
        self._idle = False  # the last poll brought nothing

    @classmethod
    async def join(cls, journal: Journal, history: History, snapshots: Snapshots, clock: Clock) -> _Worker:
        """Joins the group. Raises Unavailable."""
        partitions = await journal.partitions(READINGS)
        consumer = await journal.consumer(GROUP, (READINGS,))
        return cls(journal, history, snapshots, clock, consumer, partitions)

    async def turn(self) -> None:
        """Reads what there is, judges it, writes what follows. Raises Fenced, Unavailable."""
        batch = await self._consumer.poll(max_records=EVALUATE_RECORDS, timeout_s=EVALUATE_POLL_S)
        self._idle = not batch
        new = await self._follow(self._consumer.assignment())
        work = [(position.partition, records) for position, records in batch.items()
                if position.partition in self._held and position.partition not in new and records]
        for partition, written in await asyncio.gather(*(self._step(*each) for each in work)):
            await self._write(written)
            held, records = self._held[partition], batch[TopicPartition(READINGS, partition)]
            held.offset, held.clock = records[-1].offset + 1, held.evaluator.clock
        for partition, held in self._held.items():
            if held.offset > held.saved_offset and held.saving.is_due(monotonic_s()):
                await self._save(partition, held)

    async def reached(self) -> list[Reached]:
        """How far each partition held is judged. Raises Unavailable."""
        ends = await self._journal.end_offsets(READINGS)
        # What ends a transaction in the log is no record: whose last poll brought nothing has nothing left to do.
        return [Reached(partition, end if self._idle else min(held.offset, end), end,
                        None if held.clock == ALWAYS else held.clock)
                for partition, held in sorted(self._held.items()) for end in (ends.get(partition, 0),)]

    def forget(self) -> None:
        """Throws away what was worked out; the next turn begins at the snapshots."""
        self._held.clear()

    async def leave(self) -> None:
        """Saves what is not saved yet, so that the next holder begins where we stop."""
        with contextlib.suppress(Fenced, Unavailable):
            for partition, held in self._held.items():
                if held.offset > held.saved_offset:
                    await self._save(partition, held)

    async def close(self) -> None:
        """Leaves the group."""
        with contextlib.suppress(Fenced, Unavailable):
            await self._consumer.close()

    async def _follow(self, assignment: Mapping[TopicPartition, int]) -> set[int]:
        """Drops what was taken from us, restores what was given to us; returns the latter: what was polled
        of it may not begin at its snapshot."""
        given = {position.partition: generation for position, generation in assignment.items()}
        for partition in [p for p, held in self._held.items() if given.get(p) != held.generation]:
            del self._held[partition]
        new = set(given) - set(self._held)
        if new:
            gc.set_threshold(*GC_THRESHOLD)
        for partition in sorted(new):
            held = await asyncio.to_thread(self._restore, partition, given[partition])
            await self._consumer.seek(TopicPartition(READINGS, partition), held.offset)
            self._held[partition] = held
            log.info("evaluator holds a partition", partition=partition, offset=held.offset)
        if new:
            gc.freeze()  # the restored state lives on; looking at it again and again would halve the speed
        return new

    def _restore(self, partition: int, generation: int) -> _Held:
        snapshot = self._snapshots.load(partition)
        evaluator = None if snapshot is None else self._restored(snapshot, partition)
        if snapshot is None or evaluator is None:
            evaluator = Evaluator(self._history, partition=partition, partitions=self._partitions)
            stale = {} if snapshot is None else dict.fromkeys(snapshot.participants)
            return _Held(evaluator, generation, 0, 0, Saving(monotonic_s()), evaluator.clock, stale)
        return _Held(evaluator, generation, snapshot.offset, snapshot.offset, Saving(monotonic_s()),
                     evaluator.clock)

    def _restored(self, snapshot: Snapshot, partition: int) -> Evaluator | None:
        """None where another version of emon wrote the snapshot: then everything is folded anew, which tells
        the same revisions with the same ids again."""
        mark, state = snapshot.shared[:len(STATE_MARK)], snapshot.shared[len(STATE_MARK):]
        if mark == STATE_MARK:
            try:
                return Evaluator.restore(snapshot._replace(shared=state), self._history, partition=partition,
                                         partitions=self._partitions)
            except msgspec.MsgspecError as error:
                log.warning("snapshot cannot be read", partition=partition, reason=str(error))
        log.warning("snapshot is of another version: folding anew from the beginning", partition=partition)
        return None

    async def _step(self, partition: int, records: Sequence[Record]) -> tuple[int, list[Finding]]:
        evaluator = self._held[partition].evaluator
        written = await asyncio.to_thread(_judge, evaluator, records)
        metrics.STAGE_RECORDS.labels(GROUP).inc(len(records))
        return partition, written

    async def _write(self, written: Sequence[Finding]) -> None:
        """Findings into the journal, stamped with the wall's time."""
        if not written:
            return
        now = self._clock.now_us()
        entries = []
        for revision in written:
            stamped = msgspec.structs.replace(revision, recorded_at=now)
            entries.append(Entry(FINDINGS, stamped.participant or stamped.feed or "", findings.encode(stamped)))
            metrics.FINDINGS.labels(stamped.kind, stamped.status).inc()
            if stamped.received_at is not None and stamped.revision == 1:
                metrics.FIX_TO_FINDING.observe(max(0.0, (now - stamped.received_at) / SECOND))
        await self._journal.append(entries)

    async def _save(self, partition: int, held: _Held) -> None:
        offset, began_s = held.offset, monotonic_s()
        await asyncio.to_thread(self._snapshot, partition, held, offset)
        await self._consumer.commit({TopicPartition(READINGS, partition): offset})
        held.saved_offset = offset
        held.saving.saved(began_s, monotonic_s())

    def _snapshot(self, partition: int, held: _Held, offset: int) -> None:
        held.evaluator.flush_history()
        shared, changed = held.evaluator.snapshot()
        self._snapshots.save(partition, held.generation, offset, STATE_MARK + shared, {**held.stale, **changed})
        held.stale = {}


def _judge(evaluator: Evaluator, records: Sequence[Record]) -> list[Finding]:
    return evaluator.step([decode_input(record.value) for record in records], [record.value for record in records])
