"""Fires what is due: leases that lapsed, acknowledged alerts without work, conditions that stayed clear.

Timers live in the database only. A round costs as many rows as are due.
"""

from __future__ import annotations

from sqlalchemy import Connection, or_, select

from emon.alerts import commands, lifecycle
from emon.domain.alert import Work
from emon.limits import TIMER_BATCH
from emon.store import schema
from emon.store.alert_book import AlertBook

_alert = schema.alert


def due_ids(connection: Connection, at: int, wall: int) -> list[int]:
    """Alerts whose timers are due at these instants (the pipeline's and the wall's), at most TIMER_BATCH."""
    new, claimed, busy = (_alert.c.work_state == state.value
                          for state in (Work.NEW, Work.CLAIMED, Work.IN_PROGRESS))
    rows = connection.execute(select(_alert.c.alert_id).where(or_(
        claimed & (_alert.c.lease_until <= wall), busy & (_alert.c.work_due <= wall),
        new & (_alert.c.self_clear_at <= at))).limit(TIMER_BATCH))
    return list(rows.scalars())


def fire(connection: Connection, alert_ids: list[int], at: int, wall: int) -> None:
    """Moves those that are still due, and forgets commands' old answers."""
    book = AlertBook(connection)
    for alert_id in alert_ids:
        state = book.get(alert_id)
        assert state is not None
        if events := lifecycle.due(state, at, wall):
            book.record(alert_id, events)
    book.flush()
    commands.forget_old(connection, wall)
