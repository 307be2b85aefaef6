"""Reads alerts for people: the queue with filters and pages, one alert with all that belongs to it.

Pages continue behind the last row of the one before, by its sort key, so that rows that come or go
meanwhile neither hide nor repeat others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, tuple_

from emon.domain import finding as findings
from emon.domain.alert import AlertState, Work
from emon.domain.finding import Finding
from emon.store import schema
from emon.store.alert_book import state_of

_alert = schema.alert


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which alerts; None: no matter. `state`: open | closed | all. `text`: part of the participant's id."""

    state: str = "all"
    priorities: tuple[int, ...] = ()
    participant: str | None = None
    order_id: str | None = None
    condition_id: str | None = None
    kind: str | None = None
    family: str | None = None
    feed: str | None = None
    officer: str | None = None
    holder: str | None = None
    text: str | None = None

    def clause(self) -> ColumnElement[bool]:
        """As SQL."""
        terms: list[ColumnElement[bool]] = []
        if self.state == "open":
            terms.append(_alert.c.work_state.in_([one.value for one in Work if one is not Work.CLOSED]))
        elif self.state == "closed":
            terms.append(_alert.c.work_state == Work.CLOSED.value)
        if self.priorities:
            terms.append(_alert.c.priority.in_(self.priorities))
        for column, value in ((_alert.c.participant, self.participant), (_alert.c.order_id, self.order_id),
                              (_alert.c.condition_id, self.condition_id), (_alert.c.kind, self.kind),
                              (_alert.c.family, self.family), (_alert.c.feed, self.feed),
                              (_alert.c.officer, self.officer), (_alert.c.held_by, self.holder)):
            if value is not None:
                terms.append(column == value)
        if self.text:
            terms.append(func.lower(_alert.c.participant).contains(self.text.lower(), autoescape=True))
        return and_(True, *terms)


Place = tuple[int, int, int]
"""Sort key of a row: priority, opened_at, alert_id."""


def place(state: AlertState) -> Place:
    """Where the alert stands in the queue."""
    return (state.priority, state.opened_at, state.alert_id)


def page(connection: Connection, wanted: Filter, after: Place | None, limit: int) -> list[AlertState]:
    """At most `limit` alerts, the most urgent first, among equals the oldest."""
    key = tuple_(_alert.c.priority, _alert.c.opened_at, _alert.c.alert_id)
    statement = select(_alert).where(wanted.clause()).order_by(
        _alert.c.priority, _alert.c.opened_at, _alert.c.alert_id).limit(limit)
    if after is not None:
        statement = statement.where(key > after)
    return [state_of(row) for row in connection.execute(statement)]


def newest(connection: Connection, wanted: Filter, before: int | None, limit: int) -> list[AlertState]:
    """At most `limit` alerts, the newest first, older than alert `before`."""
    statement = select(_alert).where(wanted.clause()).order_by(_alert.c.alert_id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(_alert.c.alert_id < before)
    return [state_of(row) for row in connection.execute(statement)]


def counts(connection: Connection, wanted: Filter) -> dict[int, int]:
    """How many there are of each priority."""
    rows = connection.execute(select(_alert.c.priority, func.count()).where(wanted.clause())
                              .group_by(_alert.c.priority))
    return dict.fromkeys((1, 2, 3, 4), 0) | {row[0]: row[1] for row in rows}


def one(connection: Connection, alert_id: int) -> AlertState | None:
    """The alert."""
    row = connection.execute(select(_alert).where(_alert.c.alert_id == alert_id)).one_or_none()
    return None if row is None else state_of(row)


def some(connection: Connection, alert_ids: Sequence[int]) -> dict[int, AlertState]:
    """The alerts of these numbers."""
    rows = connection.execute(select(_alert).where(_alert.c.alert_id.in_(alert_ids)))
    return {row.alert_id: state_of(row) for row in rows}


def revisions_of(connection: Connection, alert_id: int, limit: int) -> dict[str, list[Finding]]:
    """Every revision of the alert's newest findings (at most `limit` findings), oldest finding first."""
    finding, revision = schema.finding, schema.finding_revision
    ids = list(connection.execute(select(finding.c.finding_id).where(finding.c.alert_id == alert_id).order_by(
        finding.c.onset.desc(), finding.c.finding_id).limit(limit)).scalars())
    found: dict[str, list[Finding]] = {name: [] for name in reversed(ids)}
    rows = connection.execute(select(revision.c.document, revision.c.recorded_at).where(
        revision.c.finding_id.in_(ids)).order_by(revision.c.finding_id, revision.c.revision))
    for document, recorded_at in rows:
        decoded = findings.decode(document.encode())
        found[decoded.finding_id].append(_recorded(decoded, recorded_at))
    return found


def _recorded(finding: Finding, recorded_at: int) -> Finding:
    return finding if finding.recorded_at is not None else replace(finding, recorded_at=recorded_at)


def events_of(connection: Connection, alert_id: int, limit: int) -> list[Any]:
    """The newest `limit` entries of the alert's log, oldest first: rows of alert_event."""
    event = schema.alert_event
    rows = connection.execute(select(event).where(event.c.alert_id == alert_id).order_by(
        event.c.seq.desc()).limit(limit)).all()
    return list(reversed(rows))


def events_after(connection: Connection, seq: int, limit: int) -> list[Any]:
    """Entries of the whole log behind `seq`, in order."""
    event = schema.alert_event
    return list(connection.execute(select(event).where(event.c.seq > seq).order_by(event.c.seq).limit(limit)))


def notices_of(connection: Connection, alert_id: int) -> list[Any]:
    """The alert's notices: rows of notice."""
    notice = schema.notice
    return list(connection.execute(select(notice).where(notice.c.alert_id == alert_id).order_by(
        notice.c.created_at, notice.c.notice_id)))


def messages_of(connection: Connection, alert_id: int) -> tuple[list[Any], list[Any]]:
    """The alert's messages, and their delivery attempts: rows of message and delivery."""
    message, delivery = schema.message, schema.delivery
    messages = list(connection.execute(select(message).where(message.c.alert_id == alert_id).order_by(
        message.c.created_at, message.c.message_id)))
    ids = select(message.c.message_id).where(message.c.alert_id == alert_id)
    attempts = list(connection.execute(select(delivery).where(delivery.c.message_id.in_(ids)).order_by(
        delivery.c.message_id, delivery.c.attempt)))
    return messages, attempts


def message_counts(connection: Connection) -> dict[str, int]:
    """How many messages wait, and how many could not be handed over."""
    message, notice = schema.message, schema.notice
    waiting = connection.execute(select(func.count()).where(
        message.c.state.in_(("pending", "sending")))).scalar_one()
    waiting += connection.execute(select(func.count()).where(
        or_(notice.c.state == "held", notice.c.state == "ready"))).scalar_one()
    failed = connection.execute(select(func.count()).where(message.c.state == "failed")).scalar_one()
    return {"waiting": waiting, "failed": failed}
