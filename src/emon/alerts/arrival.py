"""What a revision of a finding does to alerts. Pure.

A new finding joins its key's newest alert while that is open and active; cleared or closed, for
RE_ALARM_WITHIN; later it opens a new alert linked to the one before. Tampers count on an open alert for
TAMPER_REPEATS_WITHIN, and after a person closed it a new one is always a new alert. Durations are between
the instants at which findings were decided: a worker that lags decides the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from emon.alerts.lifecycle import CONDITION, TAMPER_FAMILY, Draft
from emon.alerts.priority import LATCHED, SELF_CLEARING, event_of, nature, priority
from emon.domain.alert import AlertState, ConditionState, Event, Notice, Work
from emon.domain.finding import Finding
from emon.limits import RE_ALARM_WITHIN, SELF_CLEAR_HOLD, TAMPER_REPEATS_WITHIN


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What an order version says about who must care."""

    supervision_level: str | None = None
    officer: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A finding as an alert sees it."""

    finding_id: str
    nature: str
    kind: str
    status: str
    level: int
    onset: int
    ended: int | None
    seen_until: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """The events of one alert and who must be told."""

    events: Sequence[Event]
    notices: Sequence[Notice]


def key(finding: Finding) -> str:
    """What makes two findings one piece of work; ours, never a vendor's text."""
    parts = ([finding.family, finding.feed] if finding.participant is None else
             [finding.participant, finding.order, finding.condition, finding.family])
    return msgspec.json.encode(parts).decode()


def seen(finding: Finding) -> Seen:
    """The finding as an alert sees it."""
    return Seen(finding.finding_id, nature(finding), finding.kind, finding.status, finding.level,
                finding.onset, finding.ended, finding.seen_until)


def joins(newest: AlertState | None, finding: Finding) -> bool:
    """Whether a new finding belongs to its key's newest alert."""
    if newest is None:
        return False
    tamper = newest.family == TAMPER_FAMILY
    if newest.work_state is not Work.CLOSED:
        if newest.condition_state is ConditionState.ACTIVE:
            return True
        within = TAMPER_REPEATS_WITHIN if tamper else RE_ALARM_WITHIN
        return finding.decided_at - (newest.cleared_at or 0) <= within
    if tamper and newest.closed_by is not None:
        return False
    quiet_since = max(newest.cleared_at or 0, newest.closed_at or 0)
    return finding.decided_at - quiet_since <= RE_ALARM_WITHIN


def opened(blank: AlertState, finding: Finding, previous: AlertState | None, order: OrderFacts,
           at: int, wall: int) -> Change:
    """A new alert."""
    draft, item = Draft(blank, at, wall), seen(finding)
    identity: dict[str, Any] = {
        "key": key(finding), "episode": previous.episode + 1 if previous else 1,
        "previous": previous.alert_id if previous else None,
        "participant": finding.participant, "order_id": finding.order, "condition_id": finding.condition,
        "family": finding.family, "feed": finding.feed, "kind": finding.kind, "event": event_of(item.nature),
        "level": finding.level,
        "priority": priority(item.nature, finding.level, order.supervision_level),
        "latched": item.nature in LATCHED, "supervision_level": order.supervision_level,
        "officer": order.officer, "time_zone": order.time_zone, "onset": finding.onset,
        "ended": finding.ended, "opened_at": at, "waiting_since": wall}
    derived = _derived(replace(blank, **identity), [item], finding)
    draft.add("opened", _facts(finding), **identity | derived)
    _policy(draft, blank, finding)
    return Change(draft.events, [_notice("alert", "opened", finding)])


def joined(state: AlertState, finding: Finding, others: Sequence[Seen], at: int, wall: int) -> Change:
    """A new finding on an alert that there is. `others`: the findings that it has."""
    draft = Draft(state, at, wall)
    counts = {"findings": state.findings + 1, "activations": state.activations + 1}
    draft.add("finding_joined", _facts(finding),
              **counts | _derived(state, [*others, seen(finding)], finding))
    reopened = state.work_state is Work.CLOSED and finding.status != "withdrawn"
    if reopened:
        _reopen(draft, state)
    _policy(draft, state, finding)
    if reopened:
        return Change(draft.events, [_notice("alert", "again", finding)])
    if draft.state.priority < state.priority:
        return Change(draft.events, [_notice("update", _rise(state, draft.state), finding)])
    return Change(draft.events, [])


def amended(state: AlertState, before: Finding, finding: Finding, others: Sequence[Seen],
            at: int, wall: int) -> Change:
    """A later revision of a finding of the alert. `before`: its newest so far."""
    draft = Draft(state, at, wall)
    draft.add(f"finding_{finding.status}", _facts(finding),
              **_derived(state, [*others, seen(finding)], finding))
    raised = draft.state.priority < state.priority
    starts_again = (state.condition_state, draft.state.condition_state) == (ConditionState.CLEARED,
                                                                            ConditionState.ACTIVE)
    reopened = state.work_state is Work.CLOSED and (starts_again or raised)
    if reopened:
        _reopen(draft, state)
    _policy(draft, state, finding)
    if (correction := _correction(before, finding, raised)) is not None:
        return Change(draft.events, [_notice("correction", correction, finding)])
    if raised or reopened or _worse_kind(before, finding):
        reason = _rise(state, draft.state) if raised else "again" if reopened else "kind"
        return Change(draft.events, [_notice("update", reason, finding)])
    return Change(draft.events, [])


def _notice(kind: str, reason: str, finding: Finding) -> Notice:
    return Notice(kind=kind, reason=reason, finding_id=finding.finding_id, revision=finding.revision)


def _rise(before: AlertState, after: AlertState) -> str:
    return f"priority P{before.priority} to P{after.priority}"


def _reopen(draft: Draft, before: AlertState) -> None:
    draft.move("reopen", "reopened", {"disposition": before.disposition, "closed_by": before.closed_by},
               disposition=None, closed_by=None, closed_at=None)


def _policy(draft: Draft, before: AlertState, finding: Finding) -> None:
    """What follows without a person: back to the queue when it got worse, out of it when it was nothing."""
    state = draft.state
    if state.work_state is Work.IN_PROGRESS and state.priority < before.priority:
        draft.move("priority_raised", "returned_to_queue",
                   {"holder": state.held_by, "reason": _rise(before, state)})
    elif state.work_state is Work.NEW and state.withdrawn and not state.touched:
        draft.move("close_withdrawn", "withdrawn", disposition="withdrawn", closed_at=finding.decided_at)


def _correction(before: Finding, finding: Finding, raised: bool) -> str | None:
    """Why those who were told must be told again; None where nothing was lost."""
    if finding.status == "withdrawn":
        return "withdrawn"
    if before.status == "withdrawn" or raised or _worse_kind(before, finding):
        return None
    if finding.kind != before.kind:
        return "kind"
    return "level" if finding.level < before.level else None


def _derived(state: AlertState, findings: Sequence[Seen], finding: Finding) -> dict[str, Any]:
    """The fields that follow from all findings of the alert; `finding` is the one that came."""
    standing = [item for item in findings if item.status != "withdrawn"]
    running = any(item.ended is None for item in standing)
    changes: dict[str, Any] = {"withdrawn": not standing, "self_clear_at": None}
    if running != (state.condition_state is ConditionState.ACTIVE):
        changes["condition_state"] = CONDITION[state.condition_state, "activates" if running else "clears"]
    changes["cleared_at"] = None if running else max(state.cleared_at or 0, finding.decided_at)
    if not standing:
        return changes
    first = min(standing, key=lambda item: (priority(item.nature, item.level, state.supervision_level),
                                            -item.level, -item.onset, item.finding_id))
    if not running and first.kind in SELF_CLEARING:
        changes["self_clear_at"] = changes["cleared_at"] + SELF_CLEAR_HOLD
    return changes | {
        "kind": first.kind, "event": event_of(first.nature), "level": max(item.level for item in standing),
        "priority": priority(first.nature, first.level, state.supervision_level),
        "latched": any(item.nature in LATCHED for item in standing),
        "onset": min(item.onset for item in standing),
        "seen_until": max((item.seen_until for item in standing if item.seen_until is not None),
                          default=None),
        "ended": None if running else max(item.ended for item in standing if item.ended is not None)}


def _worse_kind(before: Finding, finding: Finding) -> bool:
    """Whether it has become something bigger, like late into absent, whatever supervision makes of both."""
    was, is_ = (priority(nature(one), one.level, None) for one in (before, finding))
    return finding.kind != before.kind and finding.status != "withdrawn" and is_ < was


def _facts(finding: Finding) -> Mapping[str, Any]:
    """What the log says about the revision."""
    return {"finding_id": finding.finding_id, "revision": finding.revision, "kind": finding.kind,
            "status": finding.status, "level": finding.level, "onset": finding.onset, "ended": finding.ended,
            "decided_at": finding.decided_at, "reason": finding.reason, "merged_into": finding.merged_into}
