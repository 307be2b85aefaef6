"""Takes a batch of findings into the store: findings, alerts, log and notices in one transaction.

Idempotent on (finding_id, revision): a batch that comes again after a crash changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emon.alerts import arrival
from emon.alerts.arrival import Change, OrderFacts
from emon.domain.finding import Finding
from emon.store.alert_book import AlertBook


@dataclass(frozen=True, slots=True)
class Arrived:
    """A revision and the partition of emon.findings that it came by."""

    finding: Finding
    partition: int


def take(book: AlertBook, batch: Sequence[Arrived], *, at: int, wall: int, ready: bool) -> None:
    """Applies the revisions in order. `at`: the pipeline's clock; `wall`: the wall's; `ready`: whether
    people may be told at once, because nothing that is known already is still unread."""
    book.preload([arrival.key(one.finding) for one in batch], [one.finding.finding_id for one in batch])
    asked = [_asked(book, one.finding) for one in batch]
    book.load_findings(one for one in asked if isinstance(one, int))
    book.load_orders(one for one in asked if isinstance(one, tuple))
    for one in batch:
        _take_one(book, one, at, wall, ready)


def _asked(book: AlertBook, finding: Finding) -> int | tuple[str, int] | None:
    """What taking the finding in will ask for, as far as that can be told before the batch: an alert's findings,
    or of a new alert the order version."""
    known = book.finding(finding.finding_id)
    if known is not None:
        return known[1]
    newest = book.newest(arrival.key(finding))
    if newest is not None and arrival.joins(newest, finding):
        return newest.alert_id
    if finding.order is None or finding.order_version is None:
        return None
    return finding.order, finding.order_version


def _take_one(book: AlertBook, one: Arrived, at: int, wall: int, ready: bool) -> None:
    finding = one.finding
    known = book.finding(finding.finding_id)
    if known is not None and known[0].revision >= finding.revision:
        book.keep_revision(finding, wall)
        return
    alert_id, change = _change(book, finding, known, at, wall)
    state = book.record(alert_id, change.events)
    book.put_finding(finding, alert_id, wall)
    for notice in change.notices:
        book.add_notice(notice, state, partition=one.partition, ready=ready, at=at)


def _change(book: AlertBook, finding: Finding, known: tuple[Finding, int] | None,
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
    facts = _order_facts(book, finding)
    return blank.alert_id, arrival.opened(blank, finding, newest, facts, at, wall)


def _order_facts(book: AlertBook, finding: Finding) -> OrderFacts:
    """Of the order version that the finding names; of the newest where that one is not known."""
    if finding.order is None:
        return OrderFacts()
    order = book.order(finding.order, finding.order_version) or book.order(finding.order, None)
    return OrderFacts() if order is None else OrderFacts(
        order.supervision_level, order.officer, order.time_zone)
