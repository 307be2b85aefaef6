"""Takes a batch of findings into the store: findings, alerts, log and notices in one transaction.

Idempotent on (finding_id, revision): a batch that comes again after a crash changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from emon.alerts import arrival
from emon.alerts.arrival import Change, OrderFacts
from emon.domain.finding import Finding
from emon.store import documents
from emon.store.alert_book import AlertBook


@dataclass(frozen=True, slots=True)
class Arrived:
    """A revision and the partition of emon.findings that it came by."""

    finding: Finding
    partition: int


class Orders:
    """What orders say about who must care, read once a batch."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[tuple[str, int | None], OrderFacts] = {}

    def facts(self, order_id: str | None, version: int | None) -> OrderFacts:
        """Of the version that the finding names; of the newest where that one is not known."""
        if order_id is None:
            return OrderFacts()
        if (order_id, version) not in self._known:
            order = documents.order(self._connection, order_id, version) \
                or documents.order(self._connection, order_id, None)
            self._known[order_id, version] = OrderFacts() if order is None else OrderFacts(
                order.supervision_level, order.officer)
        return self._known[order_id, version]


def take(connection: Connection, batch: Sequence[Arrived], *, at: int, wall: int, ready: bool) -> None:
    """Applies the revisions in order. `at`: the pipeline's clock; `wall`: the wall's; `ready`: whether
    people may be told at once, because nothing that is known already is still unread."""
    book, orders = AlertBook(connection), Orders(connection)
    book.preload([arrival.key(one.finding) for one in batch], [one.finding.finding_id for one in batch])
    for one in batch:
        _take_one(book, orders, one, at, wall, ready)
    book.flush()


def _take_one(book: AlertBook, orders: Orders, one: Arrived, at: int, wall: int, ready: bool) -> None:
    finding = one.finding
    known = book.finding(finding.finding_id)
    if known is not None and known[0].revision >= finding.revision:
        book.keep_revision(finding, wall)
        return
    alert_id, change = _change(book, orders, finding, known, at, wall)
    state = book.record(alert_id, change.events)
    book.put_finding(finding, alert_id, wall)
    for notice in change.notices:
        book.add_notice(notice, state, partition=one.partition, ready=ready, at=at)


def _change(book: AlertBook, orders: Orders, finding: Finding, known: tuple[Finding, int] | None,
            at: int, wall: int) -> tuple[int, Change]:
    if known is not None:
        before, alert_id = known
        state = book.get(alert_id)
        assert state is not None
        others = [arrival.seen(other) for name, other in book.findings_of(alert_id).items()
                  if name != finding.finding_id]
        return alert_id, arrival.amended(state, before, finding, others, at, wall)
    newest = book.newest(arrival.key(finding))
    if newest is not None and arrival.joins(newest, finding):
        others = [arrival.seen(other) for other in book.findings_of(newest.alert_id).values()]
        return newest.alert_id, arrival.joined(newest, finding, others, at, wall)
    blank = book.new_alert()
    facts = orders.facts(finding.order, finding.order_version)
    return blank.alert_id, arrival.opened(blank, finding, newest, facts, at, wall)
