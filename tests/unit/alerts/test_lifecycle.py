"""What may happen to an alert, and what may not."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emon.alerts import arrival, lifecycle
from emon.alerts.arrival import OrderFacts
from emon.domain.alert import (
    Acknowledge,
    AddNote,
    AlertState,
    Claim,
    Close,
    Command,
    Event,
    Refusal,
    Release,
    Work,
    blank,
    fold,
    fold_all,
)
from emon.domain.instant import HOUR, MINUTE, SECOND
from emon.limits import CLAIM_LEASE
from tests.unit.alerts.worlds import T0, finding

WALL = T0 + HOUR


def opened(kind: str = "exclusion_zone", **fields: Any) -> AlertState:
    """An alert as its first finding leaves it."""
    return follow(
        blank(1), arrival.opened(blank(1), finding(kind, **fields), None, OrderFacts(), T0, WALL).events
    )


def follow(state: AlertState, events: Any) -> AlertState:
    for event in events:
        state = fold(state, event, state.last_event + 1)
    return state


def do(state: AlertState, command: Command, wall: int = WALL) -> AlertState:
    """The state after a command that must be accepted."""
    outcome = lifecycle.decide(state, command, T0, wall)
    assert not isinstance(outcome, Refusal), outcome
    return follow(state, outcome)


def refused(state: AlertState, command: Command, wall: int = WALL) -> str:
    outcome = lifecycle.decide(state, command, T0, wall)
    assert isinstance(outcome, Refusal), outcome
    return outcome.code


def test_the_usual_way() -> None:
    """Claim, acknowledge, note, close; the holder stays named throughout."""
    state = do(opened(), Claim("ann"))
    assert (state.work_state, state.held_by, state.lease_until) == (Work.CLAIMED, "ann", WALL + CLAIM_LEASE)
    assert state.waiting_since is None
    state = do(state, Acknowledge("ann"))
    assert (state.work_state, state.acknowledged_at) == (Work.IN_PROGRESS, WALL)
    assert state.work_due == WALL + 15 * MINUTE, "P2"
    state = do(state, AddNote("ann", "called him"), WALL + MINUTE)
    assert state.work_due == WALL + 16 * MINUTE, "a note is work"
    state = do(state, Close("ann", "confirmed", "officer informed"))
    assert (state.work_state, state.closed_by, state.disposition) == (Work.CLOSED, "ann", "confirmed")
    assert (state.lease_until, state.work_due) == (None, None)


def test_the_loser_of_a_claim_learns_who_won() -> None:
    state = do(opened(), Claim("ann"))
    for command in (Claim("bob"), Acknowledge("bob"), Release("bob"), Close("bob", "confirmed", "x")):
        outcome = lifecycle.decide(state, command, T0, WALL)
        assert isinstance(outcome, Refusal)
        assert outcome.code == "held_by_other"
        assert "ann" in outcome.detail


def test_anybody_may_note() -> None:
    assert do(do(opened(), Claim("ann")), AddNote("bob", "I know him")).held_by == "ann"


def test_taking_over_needs_a_reason() -> None:
    state = do(do(opened(), Acknowledge("ann")), Claim("bob", "shift change"))
    assert (state.work_state, state.held_by) == (Work.CLAIMED, "bob")


def test_a_lapsed_lease_no_longer_protects() -> None:
    """At its very end the next one may claim; the log says that it lapsed."""
    state = do(opened(), Claim("ann"))
    assert refused(state, Claim("bob"), WALL + CLAIM_LEASE - 1) == "held_by_other"
    events = lifecycle.decide(state, Claim("bob"), T0, WALL + CLAIM_LEASE)
    assert isinstance(events, list)
    assert [event.kind for event in events] == ["lease_lapsed", "claimed"]
    assert [event.actor for event in events] == [None, "bob"]


def test_renewing_is_no_event() -> None:
    assert lifecycle.decide(do(opened(), Claim("ann")), Claim("ann"), T0, WALL + MINUTE) == []


def test_closing_shows_the_steps_that_it_implies() -> None:
    events = lifecycle.decide(opened(), Close("ann", "confirmed", "note"), T0, WALL)
    assert isinstance(events, list)
    assert [event.kind for event in events] == ["claimed", "acknowledged", "closed"]


def test_first_priorities_need_a_note() -> None:
    assert refused(opened(), Close("ann", "confirmed")) == "note_required"
    assert refused(opened(), Close("ann", "confirmed", "  ")) == "note_required"
    assert do(opened("battery", level=2), Close("ann", "confirmed")).disposition == "confirmed"


def test_a_tamper_is_not_talked_away() -> None:
    """Only after the device's own all-clear."""
    state = opened("tamper", event="strap_open", level=3)
    assert refused(state, Close("ann", "confirmed", "he says it is fine")) == "not_clear"
    over = arrival.amended(
        state,
        finding("tamper", event="strap_open"),
        finding("tamper", event="strap_open", revision=2, ended=T0 + MINUTE),
        [],
        T0,
        WALL,
    )
    assert do(follow(state, over.events), Close("ann", "confirmed", "strap fixed")).work_state is Work.CLOSED


def test_late_commands_never_open_a_closed_alert() -> None:
    state = do(opened(), Close("ann", "confirmed", "x"))
    for command in (Acknowledge("bob"), Close("bob", "other", "y")):
        after = do(state, command)
        assert (after.work_state, after.disposition, after.closed_by) == (Work.CLOSED, "confirmed", "ann")
        assert after.version == state.version + 1, "it is remembered"
    assert refused(state, Claim("bob")) == "closed"
    assert do(state, AddNote("bob", "later")).work_state is Work.CLOSED


def test_releasing_what_nobody_holds_is_a_no_op() -> None:
    assert do(opened(), Release("ann")).work_state is Work.NEW


@pytest.mark.parametrize(
    ("priority_kind", "minutes"),
    [("keep_away", 5), ("exclusion_zone", 15), ("contact_lost", 60), ("battery", 240)],
)
def test_acknowledged_without_work_returns(priority_kind: str, minutes: int) -> None:
    """After the priority's time the alert is in the queue again."""
    state = do(opened(priority_kind), Acknowledge("ann"))
    assert lifecycle.due(state, T0, WALL + minutes * MINUTE - 1) == []
    state = follow(state, lifecycle.due(state, T0, WALL + minutes * MINUTE))
    assert (state.work_state, state.held_by, state.waiting_since) == (Work.NEW, None, WALL + minutes * MINUTE)


def test_the_lease_timer() -> None:
    state = do(opened(), Claim("ann"))
    assert lifecycle.due(state, T0, WALL + CLAIM_LEASE - 1) == []
    assert follow(state, lifecycle.due(state, T0, WALL + CLAIM_LEASE)).work_state is Work.NEW


COMMANDS = st.one_of(
    st.builds(Claim, st.sampled_from("ab"), st.none() | st.just("why")),
    st.builds(Release, st.sampled_from("ab")),
    st.builds(Acknowledge, st.sampled_from("ab")),
    st.builds(AddNote, st.sampled_from("ab"), st.just("n")),
    st.builds(Close, st.sampled_from("ab"), st.just("confirmed"), st.none() | st.just("note")),
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(COMMANDS, st.integers(0, 400)), max_size=12),
    st.sampled_from(["exclusion_zone", "battery", "tamper"]),
)
def test_any_commands_keep_the_rules(steps: list[tuple[Command, int]], kind: str) -> None:
    """Every move is in the table, the log folds to the state, one holder, closed means disposed of."""
    state, wall, log = blank(1), WALL, list[Event]()
    log += arrival.opened(state, finding(kind, event="strap_open"), None, OrderFacts(), T0, WALL).events
    state = follow(state, log)
    for command, seconds in steps:
        wall += seconds * SECOND
        before = state
        log += (fired := lifecycle.due(state, wall, wall))
        state = follow(state, fired)
        if not isinstance(outcome := lifecycle.decide(state, command, wall, wall), Refusal):
            log += outcome
            state = follow(state, outcome)
        assert (state.held_by is None) == (state.work_state is Work.NEW) or state.work_state is Work.CLOSED
        assert (state.work_state is Work.CLOSED) == (state.disposition is not None)
        assert before.work_state is not Work.CLOSED or state.work_state is Work.CLOSED
    assert fold_all(1, ((n, event) for n, event in enumerate(log, 1))) == state
    path = [Work(event.changes["work_state"]) for event in log if "work_state" in event.changes]
    legal = {(before, after) for (before, _), after in lifecycle.WORK.items()}
    assert all(step in legal for step in itertools.pairwise([Work.NEW, *path]))
