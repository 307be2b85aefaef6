"""What may happen to an alert, as tables and pure decisions.

Theory of operation. An alert has two axes:

    CONDITION (only the pipeline)    WORK (only people, timers and policy)
    ACTIVE --clears--> CLEARED       NEW --claim--> CLAIMED --acknowledge--> IN_PROGRESS --close--> CLOSED
       ^---activates-----'            ^-- release, lease lapsed, work timed out, priority raised --'   |
                                      '------------------------------ reopen -------------------------'

Every move is one entry of WORK or CONDITION; a pair that is not in the table cannot happen. A command may
imply the steps before it (whoever closes has acknowledged): each implied step is an event of its own, so the
log always shows a path through the table. Nothing closes itself under a person's hands: policy closes only
what is NEW. Renewing a lease is not an event: it would drown the log, and only its end says anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, assert_never

from emon.domain.alert import (
    Acknowledge,
    AddNote,
    AlertState,
    Claim,
    Close,
    Command,
    ConditionState,
    Event,
    Refusal,
    Release,
    Work,
    fold,
)
from emon.limits import CLAIM_LEASE, WORK_TIMEOUT

WORK: Final[Mapping[tuple[Work, str], Work]] = {
    (Work.NEW, "claim"): Work.CLAIMED,
    (Work.CLAIMED, "take_over"): Work.CLAIMED,
    (Work.IN_PROGRESS, "take_over"): Work.CLAIMED,
    (Work.CLAIMED, "release"): Work.NEW,
    (Work.IN_PROGRESS, "release"): Work.NEW,
    (Work.CLAIMED, "lease_lapsed"): Work.NEW,
    (Work.CLAIMED, "acknowledge"): Work.IN_PROGRESS,
    (Work.IN_PROGRESS, "work_timed_out"): Work.NEW,
    (Work.IN_PROGRESS, "priority_raised"): Work.NEW,
    (Work.IN_PROGRESS, "close"): Work.CLOSED,
    (Work.NEW, "self_clear"): Work.CLOSED,
    (Work.NEW, "close_withdrawn"): Work.CLOSED,
    (Work.CLOSED, "reopen"): Work.NEW,
}
CONDITION: Final[Mapping[tuple[ConditionState, str], ConditionState]] = {
    (ConditionState.ACTIVE, "clears"): ConditionState.CLEARED,
    (ConditionState.CLEARED, "activates"): ConditionState.ACTIVE,
}
TAMPER_FAMILY: Final = "tamper"


class Draft:
    """Collects the events of one decision and the state that they lead to."""

    def __init__(self, state: AlertState, at: int, wall: int, actor: str | None = None,
                 via: str | None = None) -> None:
        self.state, self.events = state, list[Event]()
        self.at, self.wall, self._actor, self._via = at, wall, actor, via

    def add(self, kind: str, facts: Mapping[str, Any] | None = None, /, *, by_timer: bool = False,
            **changes: Any) -> None:
        """One more event, applied at once. Only what differs is written down."""
        event = Event(
            kind=kind, at=self.at, recorded_at=self.wall, actor=None if by_timer else self._actor,
            via=None if by_timer else self._via,
            changes={key: value for key, value in changes.items() if getattr(self.state, key) != value},
            facts={key: value for key, value in (facts or {}).items() if value is not None})
        self.events.append(event)
        self.state = fold(self.state, event, self.state.last_event)

    def move(self, trigger: str, kind: str, facts: Mapping[str, Any] | None = None, /, *,
             by_timer: bool = False, **changes: Any) -> None:
        """An event that moves the work along the table. KeyError where the table has no such move."""
        target = WORK[self.state.work_state, trigger]
        entering = _on_entering(target, self.wall)
        self.add(kind, facts, by_timer=by_timer, work_state=target, **entering | changes)


def _on_entering(work: Work, wall: int) -> dict[str, Any]:
    """What every way into a work state has in common."""
    match work:
        case Work.NEW:
            return {"held_by": None, "lease_until": None, "acknowledged_at": None, "work_due": None,
                    "waiting_since": wall}
        case Work.CLAIMED:
            return {"lease_until": wall + CLAIM_LEASE, "acknowledged_at": None, "work_due": None,
                    "waiting_since": None, "touched": True}
        case Work.IN_PROGRESS:
            return {"lease_until": None, "acknowledged_at": wall, "waiting_since": None, "touched": True}
        case Work.CLOSED:
            return {"lease_until": None, "work_due": None, "waiting_since": None, "self_clear_at": None}
    assert_never(work)


def note_required(state: AlertState) -> bool:
    """Whether closing needs a note."""
    return state.priority <= 2


def must_clear(state: AlertState) -> bool:
    """Whether closing still needs the device's own all-clear: a tamper is never talked away."""
    return state.family == TAMPER_FAMILY and state.condition_state is ConditionState.ACTIVE


def decide(state: AlertState, command: Command, at: int, wall: int) -> list[Event] | Refusal:
    """The events that a command causes, or why it may not. `at`: the pipeline's clock, `wall`: the wall's."""
    draft = Draft(state, at, wall, command.operator, "console")
    if state.work_state is Work.CLAIMED and (state.lease_until or 0) <= wall:
        lapse(draft)
    if state.work_state is Work.CLOSED:
        return _on_closed(draft, command)
    holder = draft.state.held_by
    may = isinstance(command, AddNote) or (isinstance(command, Claim) and command.reason is not None)
    if holder is not None and holder != command.operator and not may:
        return Refusal("held_by_other", f"{holder} is working on it; taking it over needs a reason.", state)
    match command:
        case Claim():
            _claim(draft, command)
        case Release():
            _release(draft, command)
        case Acknowledge():
            _acknowledge(draft, command)
        case AddNote():
            _note(draft, command)
        case Close():
            return _close(draft, command)
        case _:
            assert_never(command)
    return draft.events


def _on_closed(draft: Draft, command: Command) -> list[Event] | Refusal:
    """A late acknowledgement never opens a closed alert again; it is remembered."""
    match command:
        case AddNote():
            draft.add("noted", {"note": command.text})
        case Acknowledge() | Close():
            draft.add("no_op", {"command": type(command).__name__.lower(), "note": command.note})
        case Claim() | Release():
            return Refusal("closed", f"{draft.state.closed_by or 'emon'} has closed it.", draft.state)
        case _:
            assert_never(command)
    return draft.events


def _claim(draft: Draft, command: Claim) -> None:
    state = draft.state
    if state.held_by is None:
        draft.move("claim", "claimed", {"reason": command.reason}, held_by=command.operator)
    elif state.held_by != command.operator:
        draft.move("take_over", "taken_over", {"reason": command.reason, "from": state.held_by},
                   held_by=command.operator)


def _release(draft: Draft, command: Release) -> None:
    if draft.state.held_by is None:
        draft.add("no_op", {"command": "release"})
    else:
        draft.move("release", "released", {"reason": command.reason}, touched=True)


def _acknowledge(draft: Draft, command: Acknowledge) -> None:
    if draft.state.work_state is Work.NEW:
        draft.move("claim", "claimed", held_by=command.operator)
    work_due = draft.wall + WORK_TIMEOUT[draft.state.priority]
    if draft.state.work_state is Work.IN_PROGRESS:
        draft.add("no_op", {"command": "acknowledge", "note": command.note}, work_due=work_due)
    else:
        draft.move("acknowledge", "acknowledged", {"note": command.note}, work_due=work_due)


def _note(draft: Draft, command: AddNote) -> None:
    changes: dict[str, Any] = {"touched": True}
    if draft.state.held_by == command.operator and draft.state.work_state is Work.IN_PROGRESS:
        changes["work_due"] = draft.wall + WORK_TIMEOUT[draft.state.priority]
    draft.add("noted", {"note": command.text}, **changes)


def _close(draft: Draft, command: Close) -> list[Event] | Refusal:
    state = draft.state
    if must_clear(state):
        return Refusal("not_clear", "The device still reports the tamper: it can be closed once the device "
                       "itself has given the all-clear.", state)
    if note_required(state) and not (command.note or "").strip():
        return Refusal("note_required", f"Closing a P{state.priority} alert needs a note.", state)
    if state.work_state is not Work.IN_PROGRESS:
        _acknowledge(draft, Acknowledge(command.operator))
    draft.move("close", "closed", {"disposition": command.disposition, "note": command.note},
               disposition=command.disposition, closed_by=command.operator, closed_at=draft.at)
    return draft.events


def lapse(draft: Draft) -> None:
    """The holder's console has been closed for the length of a lease."""
    draft.move("lease_lapsed", "lease_lapsed", {"holder": draft.state.held_by}, by_timer=True)


def due(state: AlertState, at: int, wall: int) -> list[Event]:
    """What timers do at these instants: at most one move, so that each is seen."""
    draft = Draft(state, at, wall)
    if state.work_state is Work.CLAIMED and (state.lease_until or 0) <= wall:
        lapse(draft)
    elif state.work_state is Work.IN_PROGRESS and state.work_due is not None and state.work_due <= wall:
        draft.move("work_timed_out", "work_timed_out", {"holder": state.held_by})
    elif state.work_state is Work.NEW and state.self_clear_at is not None and state.self_clear_at <= at:
        draft.move("self_clear", "self_cleared", disposition="self_cleared", closed_at=at)
    return draft.events
