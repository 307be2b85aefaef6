"""Alerts: the words shared by those who change them, show them, and tell people about them.

An alert has two axes that never mix: what the pipeline says about the *condition*, and what people have done
about it, the *work*. Its state is the fold of an append-only log: every event carries the fields that it
changes, so that nobody can change a state without an entry that says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any


class ConditionState(StrEnum):
    """Written only by the pipeline."""

    ACTIVE = "active"
    CLEARED = "cleared"


class Work(StrEnum):
    """Written only by people, timers and policy."""

    NEW = "new"
    CLAIMED = "claimed"
    IN_PROGRESS = "in_progress"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """One alert. Instants are microseconds UTC: those of people's work by the wall clock (`waiting_since`,
    `lease_until`, `acknowledged_at`, `work_due`), all others by the pipeline's."""

    alert_id: int
    version: int = 0
    key: str
    episode: int
    participant: str | None
    order_id: str | None
    condition_id: str | None
    family: str
    feed: str | None
    kind: str
    event: str | None = None  # of a tamper: which
    level: int
    priority: int
    condition_state: ConditionState
    work_state: Work
    latched: bool
    withdrawn: bool = False
    touched: bool = False
    supervision_level: str | None = None
    officer: str | None = None
    time_zone: str | None = None
    onset: int
    ended: int | None = None
    seen_until: int | None = None
    opened_at: int
    changed_at: int
    cleared_at: int | None = None
    self_clear_at: int | None = None
    waiting_since: int | None = None
    held_by: str | None = None
    lease_until: int | None = None
    acknowledged_at: int | None = None
    work_due: int | None = None
    disposition: str | None = None
    closed_by: str | None = None
    closed_at: int | None = None
    activations: int = 1
    findings: int = 1
    previous: int | None = None
    last_event: int = 0
    last_actor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An entry of the log: `changes` are fields of AlertState, `facts` is for people.

    `actor` None: the pipeline itself. `at`: the pipeline's clock; `recorded_at`: the wall's.
    """

    kind: str
    at: int
    recorded_at: int
    actor: str | None = None
    via: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Somebody must be told: written in the transaction of the change that causes it.

    `kind`: alert | update | correction. A correction concerns whoever was told about `finding_id`.
    """

    kind: str
    reason: str
    finding_id: str
    revision: int


_KEPT_BY_LOG = frozenset({"version", "last_event", "last_actor"})
_CHANGEABLE = frozenset(item.name for item in fields(AlertState)) - _KEPT_BY_LOG - {"alert_id"}


def fold(state: AlertState, event: Event, seq: int) -> AlertState:
    """The state after one more event."""
    assert event.changes.keys() <= _CHANGEABLE, event.changes
    changes = {**event.changes, "changed_at": event.at}
    if "condition_state" in changes:
        changes["condition_state"] = ConditionState(changes["condition_state"])
    if "work_state" in changes:
        changes["work_state"] = Work(changes["work_state"])
    return replace(state, version=state.version + 1, last_event=seq, last_actor=event.actor or "emon",
                   **changes)


def fold_all(alert_id: int, events: Iterable[tuple[int, Event]]) -> AlertState:
    """The state that a whole log gives."""
    state = blank(alert_id)
    for seq, event in events:
        state = fold(state, event, seq)
    return state


_BLANK: Mapping[str, Any] = {
    "key": "", "episode": 1, "participant": None, "order_id": None, "condition_id": None, "family": "",
    "feed": None, "kind": "", "level": 0, "priority": 4, "condition_state": ConditionState.ACTIVE,
    "work_state": Work.NEW, "latched": False, "onset": 0, "opened_at": 0, "changed_at": 0}


def blank(alert_id: int) -> AlertState:
    """An alert before its first event."""
    return AlertState(alert_id=alert_id, **_BLANK)


# --- what operators ask for ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claim:
    """Take it, or keep it. A reason takes it over from its holder."""

    operator: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Give it back to the queue."""

    operator: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """I work on it."""

    operator: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class AddNote:
    """Something to remember."""

    operator: str
    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """It is dealt with, and how."""

    operator: str
    disposition: str
    note: str | None = None


Command = Claim | Release | Acknowledge | AddNote | Close


@dataclass(frozen=True, slots=True)
class Refusal:
    """A command that changes nothing. `code`: unknown_alert, held_by_other, closed, not_clear,
    note_required, stale_version, key_reused; `alert` as it is now."""

    code: str
    detail: str
    alert: AlertState | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A command that was carried out. `no_op`: recorded, changed nothing. `replayed`: answered before."""

    alert: AlertState
    no_op: bool = False
    replayed: bool = False
