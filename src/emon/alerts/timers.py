"""Fires what is due: leases that lapsed, acknowledged alerts without work, conditions that stayed clear.

Timers live in the database only, and a round costs as many rows as are due.
"""

from __future__ import annotations

from collections.abc import Iterable

from emon.alerts import lifecycle
from emon.store.alert_book import AlertBook


def fire(book: AlertBook, alert_ids: Iterable[int], at: int, wall: int) -> None:
    """Moves those of the alerts that are still due at these instants (the pipeline's and the wall's)."""
    for alert_id in alert_ids:
        state = book.get(alert_id)
        assert state is not None
        if events := lifecycle.due(state, at, wall):
            book.record(alert_id, events)
