"""Notices and messages as the notify stage works them off.

Invariants: a notice becomes messages in one transaction and once; a message is in hand of one worker at a
time, for a lease; before a provider is asked the attempt is on record, so a crash never hides one. A message
whose worker died in the middle is sent once more when the lease ends: the provider may see it twice, never
not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, exists, select, update

from emon.domain import finding as findings
from emon.domain.finding import Finding
from emon.limits import SEND_LEASE
from emon.store import schema
from emon.store.upsert import insert_new

_notice, _message, _delivery = schema.notice, schema.message, schema.delivery


def take_ready_notices(connection: Connection, limit: int) -> list[Any]:
    """The most urgent notices that nobody has planned; they count as planned when this transaction ends."""
    rows = list(connection.execute(
        select(_notice).where(_notice.c.state == "ready")
        .order_by(_notice.c.priority, _notice.c.created_at, _notice.c.notice_id).limit(limit)
        .with_for_update(skip_locked=True)))
    ids = [row.notice_id for row in rows]
    connection.execute(update(_notice).where(_notice.c.notice_id.in_(ids)).values(state="planned"))
    return rows


def newest_findings(connection: Connection, finding_ids: Collection[str]) -> dict[str, Finding]:
    """The newest revisions of these findings."""
    table = schema.finding
    rows = connection.execute(select(table.c.document).where(table.c.finding_id.in_(finding_ids)))
    found = (findings.decode(document.encode()) for (document,) in rows)
    return {one.finding_id: one for one in found}


def about_finding(connection: Connection, finding_id: str) -> list[Any]:
    """Messages made so far about a finding, oldest first; they stand still until this transaction ends."""
    return list(connection.execute(select(_message).where(_message.c.finding_id == finding_id).order_by(
        _message.c.created_at, _message.c.message_id).with_for_update()))


def threads_of(connection: Connection, alert_ids: Collection[int]) -> dict[int, str]:
    """Of each alert, the thread of its newest message that was not called off."""
    rows = connection.execute(select(_message.c.alert_id, _message.c.thread).where(
        _message.c.alert_id.in_(alert_ids), _message.c.state != "cancelled").order_by(
        _message.c.created_at, _message.c.message_id.desc()))
    return {row.alert_id: row.thread for row in rows}


def call_off(connection: Connection, message_id: str, reason: str) -> bool:
    """Cancels a message that no provider has been asked to take. False where one has."""
    done = connection.execute(update(_message).where(
        _message.c.message_id == message_id, _message.c.state == "pending", _message.c.attempts == 0).values(
        state="cancelled", state_reason=reason))
    return done.rowcount == 1


def add(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Stores planned messages: fields of notify.plan.Message. Those that are there stay as they are."""
    insert_new(connection, _message, [
        {**row, "methods": msgspec.json.encode(row["methods"]).decode(), "method": 0,
         "channel": row["methods"][0][0], "address": row["methods"][0][1], "state": "pending",
         "state_reason": None, "attempts": 0, "method_attempts": 0, "next_at": row["created_at"],
         "lease_owner": None, "lease_until": None, "sent_at": None, "provider_reference": None}
        for row in rows])


def anything_ready(connection: Connection) -> bool:
    """Whether there are notices to plan; asked before a transaction that writes is begun."""
    return connection.execute(select(_notice.c.notice_id).where(_notice.c.state == "ready")
                              .limit(1)).first() is not None


def anything_unreachable(connection: Connection) -> bool:
    """Whether there are messages whose methods are used up."""
    return connection.execute(select(_message.c.message_id).where(
        _message.c.state == "pending", _message.c.channel == "console").limit(1)).first() is not None


def anything_due(connection: Connection, channel: str, now: int, wall: int) -> bool:
    """Whether the channel may have something to send."""
    return any(connection.execute(select(_message.c.message_id).where(
        clause, _message.c.channel == channel).limit(1)).first() is not None for clause in _due(now, wall))


def _due(now: int, wall: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Messages of workers that are gone, then those that wait. Apart, each is one range of an index in its
    order; together the database would sort all that wait for every single one."""
    return (and_(_message.c.state == "sending", _message.c.lease_until <= wall),
            and_(_message.c.state == "pending", _message.c.next_at <= now))


def claim(connection: Connection, channel: str, owner: str, now: int, wall: int) -> Any | None:
    """Takes the most urgent message that is due on a channel in hand, and records the attempt.

    `now`: the pipeline's clock; `wall`: the wall's. Corrections wait until what they correct is done with.
    """
    corrected = _message.alias("corrected")
    blocked = exists().where(corrected.c.message_id == _message.c.corrects,
                             corrected.c.state.in_(("pending", "sending")))
    found = (connection.execute(
        select(_message).where(clause, _message.c.channel == channel, ~blocked)
        .order_by(_message.c.priority, _message.c.created_at, _message.c.message_id).limit(1)
        .with_for_update(of=_message, skip_locked=True)).one_or_none() for clause in _due(now, wall))
    row = next((one for one in found if one is not None), None)
    if row is None:
        return None
    if row.state == "sending":  # its worker is gone, and nobody knows how far it came
        connection.execute(update(_delivery).where(
            _delivery.c.message_id == row.message_id, _delivery.c.outcome == "started").values(
            outcome="unknown", finished_at=wall, detail="the worker ended in the middle"))
    attempt = row.attempts + 1
    connection.execute(update(_message).where(_message.c.message_id == row.message_id).values(
        state="sending", lease_owner=owner, lease_until=wall + SEND_LEASE, attempts=attempt,
        method_attempts=row.method_attempts + 1))
    insert_new(connection, _delivery, [{
        "message_id": row.message_id, "attempt": attempt, "channel": channel, "address": row.address,
        "started_at": wall, "finished_at": None, "outcome": "started", "detail": None}])
    return row


def references(connection: Connection, thread: str, message_id: str) -> tuple[str, ...]:
    """Ids of the thread's messages that went out before, oldest first; its first always among them."""
    rows = connection.execute(select(_message.c.message_id).where(
        _message.c.thread == thread, _message.c.state == "sent",
        _message.c.message_id != message_id).order_by(_message.c.sent_at, _message.c.message_id)).scalars()
    return tuple(dict.fromkeys([*([thread] if thread != message_id else []), *rows]))


def finish(connection: Connection, row: Any, owner: str, *, outcome: str, detail: str, wall: int,
           changes: Mapping[str, Any]) -> bool:
    """Records how the attempt ended, and moves the message if it is still in our hands."""
    connection.execute(update(_delivery).where(
        _delivery.c.message_id == row.message_id, _delivery.c.attempt == row.attempts + 1).values(
        outcome=outcome, detail=detail[:1000], finished_at=wall))
    done = connection.execute(update(_message).where(
        _message.c.message_id == row.message_id, _message.c.lease_owner == owner,
        _message.c.state == "sending").values(lease_owner=None, lease_until=None, **changes))
    return done.rowcount == 1


def follow_original(connection: Connection, row: Any) -> None:
    """A message went out: its corrections go the same way."""
    remaining = methods_of(row)[row.method:]
    connection.execute(update(_message).where(
        _message.c.corrects == row.message_id, _message.c.state == "pending",
        _message.c.attempts == 0).values(
        methods=msgspec.json.encode(remaining).decode(), channel=row.channel, address=row.address))


def methods_of(row: Any) -> Sequence[tuple[str, str]]:
    """The message's methods, best first."""
    return msgspec.json.decode(row.methods, type=list[tuple[str, str]])


def unreachable(connection: Connection, limit: int) -> list[Any]:
    """Pending messages whose methods are used up."""
    return list(connection.execute(select(_message).where(
        _message.c.state == "pending", _message.c.channel == "console").order_by(
        _message.c.priority, _message.c.created_at).limit(limit).with_for_update(skip_locked=True)))


def settle(connection: Connection, message_ids: Collection[str], state: str, reason: str) -> None:
    """Ends messages that nobody received, and what would have corrected them."""
    connection.execute(update(_message).where(_message.c.message_id.in_(message_ids)).values(
        state=state, state_reason=reason, lease_owner=None, lease_until=None))
    connection.execute(update(_message).where(
        _message.c.corrects.in_(message_ids), _message.c.state == "pending").values(
        state="cancelled", state_reason="the original was never sent"))
