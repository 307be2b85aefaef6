"""The notify stage: makes messages of notices, hands them to providers, keeps what became of them.

Invariants: whatever a notice asks for is stored before anything is sent, so a crash loses nothing; one
message at a time is in hand of a channel, so a crash doubles at most one; a worker that starts waits for the
alerts stage to have read all there is, so what was withdrawn meanwhile is not sent. Whoever cannot be told
stands in the alert's log.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, Engine

from emon import config, metrics
from emon.clock import Clock, SystemClock, monotonic_s, pause
from emon.domain.alert import Event
from emon.domain.errors import Unavailable
from emon.domain.instant import SECOND
from emon.domain.person import Person
from emon.limits import (
    NOTIFY_CATCH_UP_S,
    PLAN_BATCH,
    RETRY_FIRST_S,
    RETRY_MOST_S,
    SEND_TRIES_A_METHOD,
)
from emon.notify import plan, retry
from emon.notify.channels.port import Channel, Outgoing, Passing, Permanent
from emon.notify.plan import About, Message, Setting, Told
from emon.store import documents, messages, progress, queue, reading, writing
from emon.store.alert_book import AlertBook

_IDLE_S = 0.2
_log = structlog.get_logger(__name__)


async def run(store: Engine, channels: Sequence[Channel], clock: Clock, stop: asyncio.Event, *,
              wall: Clock | None = None, public_url: str | None = None) -> None:
    """Works until `stop` is set. Waits and tries again while the store is away."""
    wall = wall or SystemClock()
    setting = Setting(channels=frozenset(one.name for one in channels),
                      public_url=public_url or config.load().public_url)
    await _alerts_have_caught_up(store, wall, stop)
    async with asyncio.TaskGroup() as group:
        group.create_task(_again_and_again(
            lambda: asyncio.to_thread(plan_once, store, setting, clock, wall), wall, stop))
        for channel in channels:
            lane = Lane(store, channel, clock, wall)
            group.create_task(_again_and_again(lane.once, wall, stop))


async def _again_and_again(once: Callable[[], Coroutine[Any, Any, bool]], wall: Clock,
                           stop: asyncio.Event) -> None:
    """`once` says whether there may be more to do at once."""
    wait_s = RETRY_FIRST_S
    while not stop.is_set():
        try:
            if not await once():
                await asyncio.sleep(_IDLE_S)
            wait_s = RETRY_FIRST_S
        except Unavailable as error:
            _log.warning("notify waits", reason=str(error), wait_s=wait_s)
            await pause(stop, wait_s)
            wait_s = min(2 * wait_s, RETRY_MOST_S)


async def _alerts_have_caught_up(store: Engine, wall: Clock, stop: asyncio.Event) -> None:
    """Returns when the alerts stage has read all there is since now, or after NOTIFY_CATCH_UP_S without it:
    what can be known is better sent than never."""
    began, deadline, told = wall.now_us(), monotonic_s() + NOTIFY_CATCH_UP_S, ""
    while not stop.is_set() and monotonic_s() < deadline:
        try:
            if await asyncio.to_thread(_caught_up_since, store, began):
                return
        except Unavailable as error:
            if told != str(error):
                _log.warning("notify waits", reason=str(error))
            told = str(error)
        await asyncio.sleep(_IDLE_S)


def _caught_up_since(store: Engine, began: int) -> bool:
    with reading(store) as connection:
        known = [one for one in progress.all_stages(connection) if one.stage == "alerts"]
    return bool(known) and all((one.caught_up_at or 0) >= began for one in known)


# --- notices into messages ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Known:
    """Read in bulk for a batch of notices: officers by id, and the thread of each alert that has one."""

    officers: dict[str, Person]
    threads: dict[int, str]

    def look_again(self, connection: Connection, alert_id: int) -> None:
        """The alert's thread as it is now."""
        self.threads.pop(alert_id, None)
        self.threads.update(messages.threads_of(connection, [alert_id]))


def plan_once(store: Engine, setting: Setting, clock: Clock, wall: Clock) -> bool:
    """Plans a batch of notices, and puts on record whom nobody could tell. Whether there was anything.

    Two transactions: one that holds notices never waits for the alerts' log, whose holder may want them.
    """
    with reading(store) as connection:
        ready = messages.anything_ready(connection)
        unreachable = messages.anything_unreachable(connection)
    if ready:
        _plan(store, setting)
    if unreachable:
        _give_up(store, clock, wall)
    return ready or unreachable


def _plan(store: Engine, setting: Setting) -> None:
    with writing(store) as connection:
        rows = messages.take_ready_notices(connection, PLAN_BATCH)
        found = messages.newest_findings(connection, [row.finding_id for row in rows])
        alert_ids = list({row.alert_id for row in rows})
        alerts = queue.some(connection, alert_ids)
        known = Known(documents.people(connection, [one.officer for one in alerts.values() if one.officer]),
                      messages.threads_of(connection, alert_ids))
        planned: list[Message] = []
        planned_for: set[int] = set()
        for row in rows:
            about = About(notice_id=row.notice_id, kind=row.kind, reason=row.reason, alert=alerts[row.alert_id],
                          finding=found[row.finding_id], created_at=row.created_at)
            if row.alert_id in planned_for or row.kind == "correction":  # it depends on what was planned before it
                _add(connection, planned)
                planned.clear()
                known.look_again(connection, row.alert_id)
            planned += _corrections(connection, about, known, setting) if row.kind == "correction" \
                else _tell(connection, about, known, setting)
            planned_for.add(row.alert_id)
        _add(connection, planned)


def _add(connection: Connection, planned: Sequence[Message]) -> None:
    messages.add(connection, [asdict(one) for one in planned])


def _give_up(store: Engine, clock: Clock, wall: Clock) -> None:
    with writing(store) as connection:
        rows = messages.unreachable(connection, PLAN_BATCH)
        messages.settle(connection, [row.message_id for row in rows], "failed", "nobody could be told")
        _record(connection, "nobody_told", rows, clock, wall)


def _tell(connection: Connection, about: About, known: Known, setting: Setting) -> list[Message]:
    return plan.tell(about, _recipients(connection, about, known), known.threads.get(about.alert.alert_id), setting)


def _recipients(connection: Connection, about: About, known: Known) -> list[Person]:
    """The order's officer; of what concerns no participant, the supervisors."""
    if about.alert.participant is None:
        return documents.people_of_role(connection, "supervisor")
    officer = known.officers.get(about.alert.officer or "")
    return [officer] if officer else []


def _corrections(connection: Connection, about: About, known: Known, setting: Setting) -> list[Message]:
    """What was not sent yet is called off, and said anew where it still stands; the rest is corrected."""
    told, called_off = [], False
    for row in messages.about_finding(connection, about.finding.finding_id):
        if row.state == "pending" and messages.call_off(connection, row.message_id, about.reason):
            called_off = True
        elif row.state in ("sent", "sending", "pending"):
            told.append(Told(
                message_id=row.message_id, thread=row.thread, recipient=row.recipient,
                recipient_name=row.recipient_name, subject=row.subject, created_at=row.created_at,
                said_kind=row.said_kind, said_level=row.said_level,
                methods=tuple(messages.methods_of(row)[row.method:])))
    planned = plan.correct(about, told, setting)
    if called_off and not told and about.reason != "withdrawn":
        known.look_again(connection, about.alert.alert_id)  # what was called off has no thread
        planned += _tell(connection, about, known, setting)
    return planned


def _record(connection: Connection, kind: str, rows: Sequence[Any], clock: Clock, wall: Clock) -> None:
    """Puts on the alerts' logs that people were not told, or not yet."""
    if not rows:
        return
    book = AlertBook(connection)
    book.load(row.alert_id for row in rows)
    for row in rows:
        alert = book.get(row.alert_id)
        assert alert is not None
        book.record(row.alert_id, [Event(
            kind=kind, at=clock.now_us(), recorded_at=wall.now_us(),
            facts={"message_id": row.message_id, "recipient": row.recipient, "subject": row.subject})])
    book.flush()


# --- messages to providers ----------------------------------------------------------------------------------


class Lane:
    """Sends one channel's messages, one at a time, the most urgent first."""

    def __init__(self, store: Engine, channel: Channel, clock: Clock, wall: Clock) -> None:
        self._store, self._channel, self._clock, self._wall = store, channel, clock, wall
        self._owner = secrets.token_hex(8)

    async def once(self) -> bool:
        """Sends a message that is due; whether there was one."""
        claimed = await asyncio.to_thread(self._claim)
        if claimed is None:
            return False
        row, outgoing = claimed
        try:
            receipt = await self._channel.send(outgoing)
        except Passing as error:
            await asyncio.to_thread(self._failed, row, str(error), permanent=False)
        except Permanent as error:
            await asyncio.to_thread(self._failed, row, str(error), permanent=True)
        else:
            await asyncio.to_thread(self._sent, row, receipt.reference, receipt.detail)
        return True

    def _claim(self) -> tuple[Any, Outgoing] | None:
        now, wall = self._clock.now_us(), self._wall.now_us()
        with reading(self._store) as connection:
            if not messages.anything_due(connection, self._channel.name, now, wall):
                return None
        with writing(self._store) as connection:
            row = messages.claim(connection, self._channel.name, self._owner, now, wall)
            if row is None:
                return None
            earlier = messages.references(connection, row.thread, row.message_id)
        return row, Outgoing(
            message_id=row.message_id, kind=row.kind, priority=row.priority, alert_id=row.alert_id,
            recipient=row.recipient, recipient_name=row.recipient_name, address=row.address,
            subject=row.subject, text=row.text, thread=row.thread, corrects=row.corrects, references=earlier,
            created_at=row.created_at)

    def _sent(self, row: Any, reference: str | None, detail: str) -> None:
        now = self._clock.now_us()
        with writing(self._store) as connection:
            if messages.finish(connection, row, self._owner, outcome="accepted", detail=detail,
                               wall=self._wall.now_us(), changes={
                                   "state": "sent", "sent_at": now, "provider_reference": reference}):
                messages.follow_original(connection, row)
        metrics.DELIVERIES.labels(self._channel.name, "accepted").inc()
        metrics.FINDING_TO_HANDOFF.labels(self._channel.name).observe((now - row.created_at) / SECOND)

    def _failed(self, row: Any, why: str, *, permanent: bool) -> None:
        outcome = "permanent" if permanent else "temporary"
        methods, now, tries = messages.methods_of(row), self._clock.now_us(), row.method_attempts + 1
        then = retry.after_failure(methods, row.method, tries, row.created_at, now, permanent=permanent)
        channel, address = methods[then.method]
        with writing(self._store) as connection:
            ours = messages.finish(connection, row, self._owner, outcome=outcome, detail=why,
                                   wall=self._wall.now_us(), changes={
                                       "state": "pending", "state_reason": why[:1000], "method": then.method,
                                       "channel": channel, "address": address, "next_at": then.next_at,
                                       "method_attempts": then.method_attempts})
            if ours and tries == SEND_TRIES_A_METHOD and then.method == row.method:
                _record(connection, "notification_delayed", [row], self._clock, self._wall)
        metrics.DELIVERIES.labels(self._channel.name, outcome).inc()
        _log.warning("not handed over", channel=self._channel.name, message=row.message_id, reason=why)
