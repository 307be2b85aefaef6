"""What findings do to alerts."""

from __future__ import annotations

from typing import Any

import pytest

from emon.alerts import arrival, lifecycle
from emon.alerts.arrival import Change, OrderFacts, Seen
from emon.alerts.priority import nature, priority
from emon.domain.alert import (
    Acknowledge,
    AddNote,
    AlertState,
    Claim,
    Close,
    ConditionState,
    Refusal,
    Work,
    blank,
    fold,
)
from emon.domain.finding import Finding
from emon.domain.instant import DAY, HOUR, MINUTE
from tests.unit.alerts.worlds import T0, finding

WALL = T0 + DAY


class World:
    """One key's alerts, kept as the worker keeps them."""

    def __init__(self, supervision: str | None = None) -> None:
        self.alerts: list[AlertState] = []
        self.found: dict[str, tuple[Finding, int]] = {}
        self.notices: list[tuple[str, str, str]] = []
        self.order = OrderFacts(supervision, "o-1")

    def see(self, one: Finding) -> AlertState:
        at, known = one.decided_at, self.found.get(one.finding_id)
        newest = self.alerts[-1] if self.alerts else None
        if known:
            index, change = (
                known[1],
                arrival.amended(self.alerts[known[1]], known[0], one, self.others(known[1], one), at, WALL),
            )
        elif newest is not None and arrival.joins(newest, one):
            index = len(self.alerts) - 1
            change = arrival.joined(newest, one, self.others(index, one), at, WALL)
        else:
            index = len(self.alerts)
            self.alerts.append(blank(index + 1))
            change = arrival.opened(self.alerts[index], one, newest, self.order, at, WALL)
        self.found[one.finding_id] = (one, index)
        return self.keep(index, change)

    def others(self, index: int, one: Finding) -> list[Seen]:
        return [
            arrival.seen(other)
            for other, alert in self.found.values()
            if alert == index and other.finding_id != one.finding_id
        ]

    def keep(self, index: int, change: Change) -> AlertState:
        for event in change.events:
            self.alerts[index] = fold(self.alerts[index], event, self.alerts[index].last_event + 1)
        self.notices += [(one.kind, one.reason, one.finding_id) for one in change.notices]
        return self.alerts[index]

    def do(self, command: Any, at: int = T0) -> AlertState:
        events = lifecycle.decide(self.alerts[-1], command, at, WALL)
        assert not isinstance(events, Refusal), events
        return self.keep(len(self.alerts) - 1, Change(events, ()))


def test_a_finding_opens_an_alert() -> None:
    world = World("high")
    state = world.see(finding("curfew_left"))
    assert (state.priority, state.kind, state.officer) == (2, "curfew_left", "o-1"), (
        "P3 raised by supervision"
    )
    assert (state.condition_state, state.work_state) == (ConditionState.ACTIVE, Work.NEW)
    assert world.notices == [("alert", "opened", "f1")]


@pytest.mark.parametrize(
    ("kind", "event", "level", "supervision", "expected"),
    [
        ("keep_away", None, 2, None, 1),
        ("panic", None, 3, None, 1),
        ("tamper", "strap_open", 3, None, 1),
        ("tamper", "case_open", 3, None, 1),
        ("tamper", None, 3, None, 1),
        ("battery", None, 4, None, 1),
        ("exclusion_zone", None, 1, None, 2),
        ("tamper", "shielding_start", 3, None, 2),
        ("tamper", "jamming_start", 3, None, 2),
        ("curfew_absent", None, 2, None, 2),
        ("contact_lost", None, 1, "high", 2),
        ("contact_lost", None, 1, "low", 3),
        ("location_lost", None, 1, None, 3),
        ("curfew_late", None, 2, None, 3),
        ("alcohol_confirmed", None, 3, None, 3),
        ("alcohol_possible", None, 2, None, 4),
        ("breath_failed", None, 3, None, 3),
        ("test_failed", None, 3, None, 3),
        ("battery", None, 2, None, 4),
        ("battery", None, 2, "high", 3),
        ("tamper", "mock_location", 3, None, 4),
        ("exclusion_zone", None, 1, "high", 2),
        ("feed_outage", None, 2, None, 4),
        ("keep_away", None, 1, "low", 1),
        ("protected_contact_lost", None, 1, None, 3),
        ("protected_contact_lost", None, 1, "high", 2),
        ("protected_battery", None, 2, None, 4),
        ("protected_battery", None, 2, "high", 3),
    ],
)
def test_priorities(kind: str, event: str | None, level: int, supervision: str | None, expected: int) -> None:
    """The table of priorities, and what high supervision raises."""
    assert priority(nature(finding(kind, event=event)), level, supervision) == expected


def test_keys_hold_findings_of_a_condition_and_family_together() -> None:
    """The kinds of a family share a key; participants, orders, conditions and feeds do not."""
    one = arrival.key(finding("curfew_late"))
    assert one == arrival.key(finding("curfew_absent", id_="f2"))
    others = [
        finding("curfew_late", participant="P-2"),
        finding("curfew_late", order="O-2"),
        finding("curfew_late", condition="c2"),
        finding("exclusion_zone"),
        finding("feed_outage", participant=None, order=None, condition=None, feed="a"),
        finding("feed_outage", participant=None, order=None, condition=None, feed="b"),
    ]
    assert len({one, *map(arrival.key, others)}) == 7


def test_a_condition_that_clears_waits_for_a_person() -> None:
    """Latched or not: only some classes ever close themselves."""
    world = World()
    world.see(finding())
    state = world.see(finding(revision=2, ended=T0 + HOUR))
    assert (state.condition_state, state.work_state, state.latched) == (
        ConditionState.CLEARED,
        Work.NEW,
        True,
    )
    assert (state.ended, state.cleared_at) == (T0 + HOUR, T0 + HOUR + MINUTE)
    assert lifecycle.due(state, T0 + DAY, WALL + DAY) == []


@pytest.mark.parametrize(
    "kind", ["contact_lost", "location_lost", "battery", "motion_without_fix", "feed_outage"]
)
def test_some_classes_clear_themselves_after_a_hold_off(kind: str) -> None:
    world = World()
    world.see(finding(kind))
    state = world.see(finding(kind, revision=2, ended=T0 + HOUR, decided_at=T0 + HOUR))
    assert lifecycle.due(state, T0 + HOUR + 5 * MINUTE - 1, WALL) == []
    state = world.keep(0, Change(lifecycle.due(state, T0 + HOUR + 5 * MINUTE, WALL), ()))
    assert (state.work_state, state.disposition, state.closed_by) == (Work.CLOSED, "self_cleared", None)


def test_nothing_clears_itself_under_a_persons_hands() -> None:
    world = World()
    world.see(finding("contact_lost"))
    world.do(Acknowledge("ann"))
    state = world.see(finding("contact_lost", revision=2, ended=T0 + HOUR))
    assert lifecycle.due(state, T0 + DAY, WALL) == []


def test_contact_lost_again_cancels_the_hold_off() -> None:
    world = World()
    world.see(finding("contact_lost"))
    world.see(finding("contact_lost", revision=2, ended=T0 + HOUR, decided_at=T0 + HOUR))
    state = world.see(finding("contact_lost", id_="f2", onset=T0 + HOUR + MINUTE))
    assert state.self_clear_at is None
    assert state.condition_state is ConditionState.ACTIVE


def test_soon_again_is_the_same_alert_and_later_a_new_one() -> None:
    """Within 15 minutes after clearing it joins; after that it opens another, linked."""
    world = World()
    world.see(finding("curfew_left", ended=T0 + HOUR, decided_at=T0 + HOUR))
    state = world.see(finding("curfew_left", id_="f2", decided_at=T0 + HOUR + 15 * MINUTE))
    assert (state.alert_id, state.activations, state.findings) == (1, 2, 2)
    world.see(finding("curfew_left", id_="f2", revision=2, ended=T0 + 2 * HOUR, decided_at=T0 + 2 * HOUR))
    state = world.see(finding("curfew_left", id_="f3", decided_at=T0 + 2 * HOUR + 15 * MINUTE + 1))
    assert (state.alert_id, state.previous, state.episode) == (2, 1, 2)
    assert [kind for kind, _, _ in world.notices] == ["alert", "alert"]


def test_closed_by_a_person_and_soon_again_reopens() -> None:
    """People are told again, and the log says how it had been closed."""
    world = World()
    world.see(finding("curfew_left", ended=T0 + HOUR, decided_at=T0 + HOUR))
    world.do(Close("ann", "confirmed"), at=T0 + HOUR)
    state = world.see(finding("curfew_left", id_="f2", decided_at=T0 + HOUR + 10 * MINUTE))
    assert (state.alert_id, state.work_state, state.disposition) == (1, Work.NEW, None)
    assert world.notices[-1] == ("alert", "again", "f2")


def test_a_loose_strap_is_one_row_until_a_person_closes_it() -> None:
    """Repeats within 24 hours count on the open alert without another message; afterwards each is new."""
    world = World()

    def strap(number: int, at: int) -> AlertState:
        return world.see(
            finding(
                "tamper",
                id_=f"f{number}",
                event="strap_open",
                onset=at,
                ended=at + MINUTE,
                decided_at=at + MINUTE,
                level=3,
            )
        )

    for number in range(20):
        state = strap(number, T0 + number * HOUR)
    assert (state.alert_id, state.activations) == (1, 20)
    assert len(world.notices) == 1
    world.do(Close("ann", "confirmed", "strap replaced"), at=T0 + 20 * HOUR)
    state = strap(20, T0 + 20 * HOUR + MINUTE)
    assert (state.alert_id, state.previous) == (2, 1)
    assert len(world.notices) == 2


def test_an_alert_names_its_gravest_tamper_that_stands() -> None:
    """Shielding, then an open strap: the strap. Withdrawn again: the shielding. No other kind has an event."""
    world = World()
    state = world.see(finding("tamper", id_="f1", event="shielding_start", level=3))
    assert state.event == "shielding_start"
    state = world.see(finding("tamper", id_="f2", event="strap_open", level=3))
    assert (state.alert_id, state.event, state.priority) == (1, "strap_open", 1)
    withdrawn = {"revision": 2, "status": "withdrawn", "reason": "late_data"}
    state = world.see(finding("tamper", id_="f2", event="strap_open", **withdrawn))
    assert state.event == "shielding_start"
    assert World().see(finding("panic", event="panic", level=3)).event is None


def test_withdrawn_untouched_goes_and_touched_waits() -> None:
    world = World()
    world.see(finding())
    state = world.see(finding(revision=2, status="withdrawn", reason="late_data"))
    assert (state.work_state, state.withdrawn, state.disposition) == (Work.CLOSED, True, "withdrawn")
    for command in (Claim("ann"), Acknowledge("ann"), AddNote("ann", "hm")):
        world = World()
        world.see(finding())
        world.do(command)
        state = world.see(finding(revision=2, status="withdrawn", reason="late_data"))
        assert state.withdrawn
        assert state.work_state is not Work.CLOSED
        assert lifecycle.due(state, T0 + DAY, WALL) == []


def test_one_of_two_withdrawn_leaves_the_other() -> None:
    world = World()
    world.see(finding())
    world.see(finding(id_="f2", onset=T0 + MINUTE))
    state = world.see(finding(revision=2, status="withdrawn", merged_into="f2"))
    assert not state.withdrawn
    assert (state.condition_state, state.onset) == (ConditionState.ACTIVE, T0 + MINUTE)
    assert world.notices[-1] == ("correction", "withdrawn", "f1")


def test_getting_worse_returns_to_the_queue_and_tells() -> None:
    """An acknowledgement of something smaller does not silence something bigger; a claim stays."""
    world = World()
    world.see(finding("curfew_late"))
    world.do(Acknowledge("ann"))
    state = world.see(finding("curfew_absent", revision=2))
    assert (state.priority, state.work_state) == (2, Work.NEW)
    assert world.notices[-1] == ("update", "priority P3 to P2", "f1")
    world = World()
    world.see(finding("curfew_late"))
    world.do(Claim("ann"))
    assert world.see(finding("curfew_absent", revision=2)).held_by == "ann"


def test_a_bigger_kind_of_the_same_priority_is_an_update() -> None:
    """High supervision makes P2 of both; late into absent is still news, and nothing to take back."""
    world = World("high")
    world.see(finding("curfew_late"))
    state = world.see(finding("curfew_absent", revision=2))
    assert state.priority == 2
    assert world.notices[-1] == ("update", "kind", "f1")


def test_losing_level_or_kind_is_corrected() -> None:
    world = World()
    world.see(finding("curfew_absent", level=3))
    world.see(finding("curfew_absent", level=2, revision=2))
    world.see(finding("curfew_late", level=2, revision=3))
    world.see(finding("curfew_late", level=2, revision=4, ended=T0 + HOUR))
    assert [reason for kind, reason, _ in world.notices if kind == "correction"] == ["level", "kind"]


def test_a_closed_alert_opens_when_its_own_finding_goes_on() -> None:
    """Late data shows that it was not over."""
    world = World()
    world.see(finding("curfew_left", ended=T0 + HOUR))
    world.do(Close("ann", "confirmed"))
    state = world.see(finding("curfew_left", revision=2, decided_at=T0 + DAY))
    assert (state.work_state, state.condition_state) == (Work.NEW, ConditionState.ACTIVE)
    assert world.notices[-1] == ("update", "again", "f1")


def test_ending_after_closing_changes_no_work() -> None:
    world = World()
    world.see(finding("curfew_left"))
    world.do(Close("ann", "confirmed"))
    state = world.see(finding("curfew_left", revision=2, ended=T0 + HOUR))
    assert (state.work_state, state.condition_state) == (Work.CLOSED, ConditionState.CLEARED)
