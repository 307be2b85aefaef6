"""One transaction's changes of alerts: the log's entries, the rows folded from them, findings and notices.

Invariant: a row changes only by `record`, which writes the entry that says so; all is written by `flush` in
the transaction that the book was opened with, or not at all. The book holds the log's lock from the start.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, select, update

from emon.domain import finding as findings
from emon.domain.alert import AlertState, ConditionState, Event, Notice, Work, blank, fold
from emon.domain.finding import Finding
from emon.domain.order import Order
from emon.store import documents, log, outbox, schema
from emon.store.upsert import insert_new, put

_alert, _finding = schema.alert, schema.finding
_FIELDS = tuple(item.name for item in fields(AlertState))
_IN_STATEMENT = 500  # parameters a statement; SQLite takes some thousand


def state_of(row: Any) -> AlertState:
    """The alert of a row of the alert table."""
    values = {name: getattr(row, name) for name in _FIELDS}
    values["condition_state"] = ConditionState(row.condition_state)
    values["work_state"] = Work(row.work_state)
    return AlertState(**values)


class AlertBook:
    """Alerts and findings as this transaction sees and changes them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain = log.lock(connection)
        self._states: dict[int, AlertState] = {}
        self._newest: dict[str, int | None] = {}
        self._findings: dict[str, tuple[Finding, int] | None] = {}
        self._of_alert: dict[int, dict[str, Finding]] = {}
        self._orders: dict[tuple[str, int | None], Order | None] = {}
        self._changed: set[int] = set()
        self._documents: dict[str, str] = {}  # of findings that have a new revision
        self._entries: list[dict[str, Any]] = []
        self._revisions: list[dict[str, Any]] = []
        self._notices: list[dict[str, Any]] = []

    # --- what there is ---

    def preload(self, keys: Iterable[str], finding_ids: Iterable[str]) -> None:
        """Reads in bulk what a batch will ask for one by one."""
        wanted = [name for name in dict.fromkeys(finding_ids) if name not in self._findings]
        self._findings.update(dict.fromkeys(wanted))
        for part in _parts(wanted):
            rows = self._connection.execute(select(_finding.c.alert_id, _finding.c.document).where(
                _finding.c.finding_id.in_(part)))
            for alert_id, document in rows:
                found = findings.decode(document.encode())
                self._findings[found.finding_id] = (found, alert_id)
        self.load({known[1] for name in wanted if (known := self._findings[name]) is not None})
        missing = [name for name in dict.fromkeys(keys) if name not in self._newest]
        self._newest.update(dict.fromkeys(missing))
        for part in _parts(missing):
            newest = (select(_alert.c.key, func.max(_alert.c.episode).label("episode"))
                      .where(_alert.c.key.in_(part)).group_by(_alert.c.key).subquery())
            for row in self._connection.execute(select(_alert).join(newest, and_(
                    _alert.c.key == newest.c.key, _alert.c.episode == newest.c.episode))):
                self._states.setdefault(row.alert_id, state_of(row))
                self._newest[row.key] = row.alert_id

    def load(self, alert_ids: Iterable[int]) -> None:
        """Reads in bulk what `get` will be asked for."""
        for part in _parts([one for one in alert_ids if one not in self._states]):
            for row in self._connection.execute(select(_alert).where(_alert.c.alert_id.in_(part))):
                self._states[row.alert_id] = state_of(row)

    def get(self, alert_id: int) -> AlertState | None:
        """The alert as it is now."""
        self.load([alert_id])
        return self._states.get(alert_id)

    def newest(self, key: str) -> AlertState | None:
        """The key's newest alert."""
        self.preload([key], ())
        found = self._newest[key]
        return None if found is None else self._states[found]

    def finding(self, finding_id: str) -> tuple[Finding, int] | None:
        """The finding's newest revision and its alert."""
        self.preload((), [finding_id])
        return self._findings[finding_id]

    def findings_of(self, alert_id: int) -> dict[str, Finding]:
        """The newest revisions of an alert's findings."""
        self.load_findings([alert_id])
        return self._of_alert[alert_id]

    def load_findings(self, alert_ids: Iterable[int]) -> None:
        """Reads in bulk what `findings_of` will be asked for."""
        wanted = [one for one in dict.fromkeys(alert_ids) if one not in self._of_alert]
        self._of_alert.update((alert_id, {}) for alert_id in wanted)
        for part in _parts(wanted):
            for alert_id, document in self._connection.execute(
                    select(_finding.c.alert_id, _finding.c.document).where(_finding.c.alert_id.in_(part))):
                found = findings.decode(document.encode())
                self._of_alert[alert_id][found.finding_id] = found

    def load_orders(self, versions: Iterable[tuple[str, int]]) -> None:
        """Reads in bulk what `order` will be asked for."""
        for part in _parts([one for one in dict.fromkeys(versions) if one not in self._orders]):
            self._orders.update(dict.fromkeys(part))
            for version, order in documents.some_orders(self._connection, set(part)).items():
                self._orders[version] = order

    def order(self, order_id: str, version: int | None) -> Order | None:
        """A version of an order; None as version: the newest."""
        if (order_id, version) not in self._orders:
            self._orders[order_id, version] = documents.order(self._connection, order_id, version)
        return self._orders[order_id, version]

    # --- what changes ---

    def new_alert(self) -> AlertState:
        """An alert with the next number and no event yet."""
        self._chain.last_alert_id += 1
        state = blank(self._chain.last_alert_id)
        self._states[state.alert_id] = state
        self._of_alert[state.alert_id] = {}
        return state

    def record(self, alert_id: int, events: Sequence[Event]) -> AlertState:
        """Appends events to the alert's log and folds them into its row."""
        state = self._states[alert_id]
        for event in events:
            row = log.link(self._chain, alert_id, state.version + 1, event, os.urandom(16))
            self._entries.append(row)
            state = fold(state, event, row["seq"])
        self._states[alert_id] = state
        self._newest[state.key] = max(alert_id, self._newest.get(state.key) or 0)
        self._changed.add(alert_id)
        return state

    def renew(self, alert_id: int, lease_until: int) -> AlertState:
        """Moves the lease's end: no event, no new version."""
        self._connection.execute(update(_alert).where(_alert.c.alert_id == alert_id).values(
            lease_until=lease_until))
        del self._states[alert_id]
        renewed = self.get(alert_id)
        assert renewed is not None
        return renewed

    def put_finding(self, finding: Finding, alert_id: int, recorded_at: int) -> None:
        """Stores a revision, which becomes its finding's newest."""
        self._documents[finding.finding_id] = self.keep_revision(finding, recorded_at)
        self._findings[finding.finding_id] = (finding, alert_id)
        self.findings_of(alert_id)[finding.finding_id] = finding

    def keep_revision(self, finding: Finding, recorded_at: int) -> str:
        """Stores a revision for the record only. Returns the document."""
        document = findings.encode(finding).decode()
        self._revisions.append({"finding_id": finding.finding_id, "revision": finding.revision,
                                "recorded_at": recorded_at, "document": document})
        return document

    def add_notice(self, notice: Notice, state: AlertState, *, partition: int, ready: bool, at: int) -> None:
        """People must be told, or told again; the notice's id makes a second one harmless."""
        if notice.kind == "correction" and not self._must_correct(notice):
            return
        self._notices.append({
            "notice_id": f"{notice.finding_id}.{notice.revision}.{notice.kind}", "kind": notice.kind,
            "alert_id": state.alert_id, "finding_id": notice.finding_id, "revision": notice.revision,
            "reason": notice.reason, "state": "ready" if ready else "held", "drop_reason": None,
            "partition": partition, "priority": state.priority, "created_at": at,
            "data": msgspec.json.encode({"officer": state.officer}).decode()})

    def _must_correct(self, notice: Notice) -> bool:
        """Whether anybody may have been told. What nobody was told is dropped when it is withdrawn, and
        otherwise left: its message will say what is known when it is written."""
        if notice.reason == "withdrawn":
            for row in self._notices:
                if row["finding_id"] == notice.finding_id:
                    row.update(state="dropped", drop_reason="withdrawn")
            outbox.drop(self._connection, notice.finding_id, "withdrawn")
        else:
            outbox.hold_planner(self._connection, notice.finding_id)
        return outbox.was_planned(self._connection, notice.finding_id)

    def flush(self) -> None:
        """Writes everything. The caller's transaction commits it."""
        put(self._connection, _alert, [
            {**{name: getattr(state, name) for name in _FIELDS},
             "condition_state": state.condition_state.value, "work_state": state.work_state.value}
            for alert_id in sorted(self._changed) if (state := self._states[alert_id])])
        insert_new(self._connection, schema.finding_revision, self._revisions)
        put(self._connection, _finding, [
            {"finding_id": one.finding_id, "revision": one.revision, "alert_id": alert_id,
             "participant": one.participant, "kind": one.kind, "status": one.status, "onset": one.onset,
             "ended": one.ended, "decided_at": one.decided_at, "level": one.level,
             "document": self._documents[name]}
            for name in sorted(self._documents) if (known := self._findings[name]) is not None
            for one, alert_id in [known]])
        insert_new(self._connection, schema.notice, self._notices)
        log.write(self._connection, self._chain, self._entries)


def _parts(names: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(names), _IN_STATEMENT):
        yield names[start:start + _IN_STATEMENT]
