"""The alerts stage: reads findings, keeps alerts, says who must be told; projects orders for people to see.

Invariants: findings are taken in before their offset is committed, and taking one in twice changes nothing;
before findings are judged the projection holds every order version that was issued before them; nobody is
told anything while findings that exist are still unread, so what is withdrawn already is shown, not sent.
Every entry of the alerts' log also goes to emon.alerts, at least once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Engine

from emon import metrics
from emon.alerts import batch, publish, timers
from emon.alerts.batch import Arrived
from emon.clock import Clock, SystemClock, monotonic_s, pause
from emon.domain import finding as findings
from emon.domain.errors import Fenced, Unavailable
from emon.journal.port import ALERTS, FINDINGS, ORDERS, Consumer, Entry, Journal, Record, TopicPartition
from emon.journal.records import decode_orders
from emon.limits import ALERTS_BATCH, IDEMPOTENCY_WINDOW, RETRY_FIRST_S, RETRY_MOST_S, TIMER_EVERY_S
from emon.store import answers, documents, outbox, progress, queue, reading, writing
from emon.store.alert_book import AlertBook
from emon.store.due import due_alerts
from emon.store.progress import Progress

STAGE = "alerts"
_POLL_S = 0.2
_IDLE_POLLS = 3  # so many empty polls in a row: what is not here by now was not there
_REPORT_EVERY_S = 1.0
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Position:
    """Where this worker stands in its partitions of emon.findings, and in emon.orders."""

    assigned: dict[TopicPartition, int] = field(default_factory=dict)
    next_offsets: dict[int, int] = field(default_factory=dict)
    orders: dict[int, int] | None = None
    published: int | None = None
    held: bool = True  # notices may be waiting for us, from this run or one before
    idle_polls: int = 0
    report_at: float = 0.0

    def advance(self, assigned: Mapping[TopicPartition, int], offsets: Mapping[TopicPartition, int]) -> None:
        """What a poll brought. After a rebalance nothing is known: others may have read on or fallen back."""
        if assigned != self.assigned:
            self.assigned, self.next_offsets, self.held = dict(assigned), {}, True
            self.idle_polls = 0
        self.idle_polls = 0 if offsets else self.idle_polls + 1
        self.next_offsets.update({where.partition: offset for where, offset in offsets.items()})

    def caught_up(self, ends: Mapping[int, int]) -> bool:
        """Whether all that stood in our partitions when `ends` was read has been taken in."""
        return self.idle_polls >= _IDLE_POLLS or all(
            self.next_offsets.get(where.partition, 0) >= ends.get(where.partition, 0)
            for where in self.assigned)


async def run(journal: Journal, store: Engine, clock: Clock, stop: asyncio.Event, *,
              wall: Clock | None = None) -> None:
    """Works until `stop` is set. Waits and tries again while the journal or the store is away."""
    wall = wall or SystemClock()
    wait_s = RETRY_FIRST_S
    while not stop.is_set():
        try:
            consumer = await journal.consumer(STAGE, [FINDINGS])
            try:
                await _work(journal, consumer, store, clock, wall, stop)
            finally:
                await consumer.close()
            wait_s = RETRY_FIRST_S
        except (Unavailable, Fenced) as error:
            _log.warning("alerts wait", reason=str(error), wait_s=wait_s)
            await pause(stop, wait_s)
            wait_s = min(2 * wait_s, RETRY_MOST_S)


async def _work(journal: Journal, consumer: Consumer, store: Engine, clock: Clock, wall: Clock,
                stop: asyncio.Event) -> None:
    position, timers_at = _Position(), 0.0
    while not stop.is_set():
        polled = await consumer.poll(max_records=ALERTS_BATCH, timeout_s=_POLL_S)
        await _project_orders(journal, store, position)
        offsets = {where: records[-1].offset + 1 for where, records in polled.items() if records}
        position.advance(consumer.assignment(), offsets)
        ends = await journal.end_offsets(FINDINGS)
        await asyncio.to_thread(_take, store, polled, position, ends, clock.now_us(), wall.now_us())
        if offsets:
            await consumer.commit(offsets)
        if any(where.partition == 0 for where in position.assigned):  # one of all workers, not each
            await _publish(journal, store, position)
        if monotonic_s() >= timers_at:
            timers_at = monotonic_s() + TIMER_EVERY_S
            await asyncio.to_thread(_fire, store, clock.now_us(), wall.now_us())


def _take(store: Engine, polled: Mapping[TopicPartition, Sequence[Record]], position: _Position,
          ends: Mapping[int, int], at: int, wall: int) -> None:
    """Takes what was polled into the store; lets notices go once nothing is left unread."""
    arrived = [Arrived(findings.decode(record.value), where.partition)
               for where, records in polled.items() for record in records]
    caught_up = position.caught_up(ends)
    if not arrived and not (caught_up and position.held) and monotonic_s() < position.report_at:
        return
    with writing(store) as connection:
        if arrived:
            book = AlertBook(connection)
            batch.take(book, arrived, at=at, wall=wall, ready=caught_up)
            book.flush()
        if caught_up and position.held:
            outbox.release(connection, [where.partition for where in position.assigned])
        progress.report(connection, _progress(position, ends, caught_up, wall))
    position.held = not caught_up
    position.report_at = monotonic_s() + _REPORT_EVERY_S
    metrics.STAGE_RECORDS.labels(STAGE).inc(len(arrived))


def _progress(position: _Position, ends: Mapping[int, int], caught_up: bool, wall: int) -> list[Progress]:
    items = []
    for partition in sorted(where.partition for where in position.assigned):
        end = ends.get(partition, 0)
        items.append(Progress(
            stage=STAGE, partition=partition, end=end, updated_at=wall,
            position=end if caught_up else position.next_offsets.get(partition, 0),
            caught_up_at=wall if caught_up else None))
    metrics.STAGE_LAG.labels(STAGE).set(sum(one.end - one.position for one in items))
    return items


async def _project_orders(journal: Journal, store: Engine, position: _Position) -> None:
    """Every version that stands on emon.orders now is in the projection afterwards."""
    if position.orders is None:
        position.orders = await asyncio.to_thread(_positions, store, ORDERS)
    for partition, end in (await journal.end_offsets(ORDERS)).items():
        while position.orders.get(partition, 0) < end:
            offset = position.orders.get(partition, 0)
            records = await journal.read(TopicPartition(ORDERS, partition), offset, ALERTS_BATCH)
            offset = records[-1].offset + 1 if records else end
            await asyncio.to_thread(_project, store, partition, offset, records)
            position.orders[partition] = offset


async def _publish(journal: Journal, store: Engine, position: _Position) -> None:
    """The log's new entries go to emon.alerts; the position moves after they are durable there."""
    if position.published is None:
        position.published = (await asyncio.to_thread(_positions, store, ALERTS)).get(0, 0)
    while entries := await asyncio.to_thread(_entries, store, position.published):
        await journal.append([entry for _, entry in entries])
        position.published = entries[-1][0]
        await asyncio.to_thread(_published, store, position.published)


def _entries(store: Engine, after: int) -> list[tuple[int, Entry]]:
    with reading(store) as connection:
        rows = queue.events_after(connection, after, ALERTS_BATCH)
        states = queue.some(connection, list({row.alert_id for row in rows}))
    return [(row.seq, publish.entry(row, states[row.alert_id])) for row in rows]


def _published(store: Engine, seq: int) -> None:
    with writing(store) as connection:
        documents.move(connection, ALERTS, 0, seq)


def _positions(store: Engine, topic: str) -> dict[int, int]:
    with reading(store) as connection:
        return documents.positions(connection, topic)


def _project(store: Engine, partition: int, next_offset: int, records: Sequence[Record]) -> None:
    with writing(store) as connection:
        documents.project(connection, [decode_orders(record.value) for record in records])
        documents.move(connection, ORDERS, partition, next_offset)


def _fire(store: Engine, at: int, wall: int) -> None:
    with reading(store) as connection:
        due = due_alerts(connection, at, wall)
    if due:
        with writing(store) as connection:
            book = AlertBook(connection)
            timers.fire(book, due, at, wall)
            book.flush()
            answers.forget(connection, wall - IDEMPOTENCY_WINDOW)
