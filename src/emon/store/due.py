"""Which alerts have a timer that is due."""

from __future__ import annotations

from sqlalchemy import Connection, select, union_all

from emon.domain.alert import Work
from emon.limits import TIMER_BATCH
from emon.store import schema

_alert = schema.alert


def due_alerts(connection: Connection, at: int, wall: int) -> list[int]:
    """Alerts whose timers are due at these instants (the pipeline's and the wall's), at most TIMER_BATCH.

    One index range a timer: an OR over three columns would read the table.
    """
    ranges = (select(_alert.c.alert_id).where(_alert.c.work_state == Work.CLAIMED.value,
                                              _alert.c.lease_until <= wall),
              select(_alert.c.alert_id).where(_alert.c.work_state == Work.IN_PROGRESS.value,
                                              _alert.c.work_due <= wall),
              select(_alert.c.alert_id).where(_alert.c.work_state == Work.NEW.value,
                                              _alert.c.self_clear_at <= at))
    return list(connection.execute(union_all(*ranges).limit(TIMER_BATCH)).scalars())
