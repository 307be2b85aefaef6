"""The rules' text in small worlds worked out by hand. Each case is one reading of one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from emon.domain.finding import Finding
from emon.domain.order import Condition
from tests.oracle.oracle import oracle
from tests.oracle.scene import (
    COUNTY,
    HOME,
    SCHOOL,
    SCHOOL_SMALLER,
    SISTER,
    Scene,
    contact,
    day_exception,
    exclusion,
    inclusion,
    window,
)


def curfew(
    *, place: str | None = "home", at: tuple[str, str] = ("01:00", "03:00"), **knobs: Any
) -> Condition:
    return Condition(id="home", kind="curfew", place=place, windows=(window(*at),), **knobs)


def scene(*conditions: Condition, **more: Any) -> Scene:
    return Scene().order(*conditions, **more).bind().zone(SCHOOL).zone(COUNTY)


def told(world: Scene, until: float | None = None) -> list[tuple[Any, ...]]:
    """(status, kind, onset, ended, decided_at, level, reason) a revision, in minutes."""

    def minutes(at: int | None) -> float | None:
        return None if at is None else (at - world.at(0)) / 60e6

    lines = oracle(world.records(), None if until is None else world.at(until))
    return [
        (f.status, f.kind, minutes(f.onset), minutes(f.ended), minutes(f.decided_at), f.level, f.reason)
        for f in lines
    ]


def last(world: Scene, until: float | None = None) -> list[Finding]:
    """Findings in force at the end."""
    lines = {
        line.finding_id: line for line in oracle(world.records(), None if until is None else world.at(until))
    }
    return [line for line in lines.values() if line.status != "withdrawn"]


def test_two_fixes_open_and_two_contrary_ones_close() -> None:
    """Onset is the first fix of the confirming chain, the end the first of the contrary one."""
    world = scene(exclusion()).fixes([0, 1], "school").fixes([5, 6], "home")
    assert told(world) == [
        ("opened", "exclusion_zone", 0, None, 1, 3, ""),
        ("closed", "exclusion_zone", 0, 5, 6, 3, ""),
    ]


def test_one_fix_confirms_nothing() -> None:
    assert told(scene(exclusion()).fix(0, "school").fix(1, "home").fix(2, "school")) == []


def test_one_contrary_fix_ends_nothing() -> None:
    world = scene(exclusion()).fixes([0, 1], "school").fix(2, "home").fixes([3], "school")
    assert [line[0] for line in told(world)] == ["opened"]


def test_unsure_neither_counts_nor_breaks() -> None:
    """20 m inside with an accuracy of 30 m says nothing."""
    world = scene(exclusion()).fix(0, "school").fix(1, "fence", accuracy_m=30).fix(2, "school")
    assert told(world) == [("opened", "exclusion_zone", 0, None, 2, 3, "")]


def test_unknown_accuracy_counts_as_fifty_metres() -> None:
    for unknown in (None, 0.0, 2147483647.0):
        assert told(scene(exclusion()).fixes([0, 1], "fence", accuracy_m=unknown)) == []


def test_weak_fixes_are_level_two_and_a_strong_pair_raises_it() -> None:
    world = scene(exclusion()).fixes([0, 1], "fence", accuracy_m=12).fixes([2, 3], "fence", accuracy_m=5)
    assert told(world) == [
        ("opened", "exclusion_zone", 0, None, 1, 2, ""),
        ("amended", "exclusion_zone", 0, None, 3, 3, ""),
    ]


def test_confirm_fixes_of_one_is_level_one_until_two_strong() -> None:
    world = scene(exclusion(confirm_fixes=1)).fixes([0, 1], "school")
    assert [(line[0], line[4], line[5]) for line in told(world)] == [("opened", 0, 1), ("amended", 1, 3)]


@pytest.mark.parametrize("method", ["wifi", "cell", "rf", "beacon", "unknown"])
def test_only_gnss_opens(method: str) -> None:
    assert told(scene(exclusion()).fixes([0, 1, 2], "school", method=method)) == []


@pytest.mark.parametrize(("method", "ends"), [("wifi", True), ("cell", True), ("unknown", False)])
def test_other_known_methods_count_as_contrary(method: str, ends: bool) -> None:
    world = scene(exclusion()).fixes([0, 1], "school").fixes([2, 3], "home", method=method)
    assert [line[0] for line in told(world)] == (["opened", "closed"] if ends else ["opened"])


def test_a_gap_starts_a_new_chain_until_confirmed_and_ends_nothing_after() -> None:
    world = scene(exclusion()).fixes([0, 31, 32, 100], "school").fixes([101, 102], "home")
    assert told(world) == [
        ("opened", "exclusion_zone", 31, None, 32, 3, ""),
        ("closed", "exclusion_zone", 31, 101, 102, 3, ""),
    ]


def test_thirty_minutes_are_no_gap() -> None:
    assert told(scene(exclusion()).fixes([0, 30], "school"))[0][2:5] == (0, None, 30)


def test_hold_and_grace_add_up_and_end_by_timer() -> None:
    world = scene(exclusion(hold_s=300, grace_s=300)).fixes([0, 1], "school")
    assert told(world, 9.9) == []
    assert told(world, 10) == [("opened", "exclusion_zone", 0, None, 10, 3, "")]


def test_a_contrary_fix_at_due_breaks_and_one_after_does_not() -> None:
    held = exclusion(hold_s=600)
    assert told(scene(held).fixes([0, 1], "school").fix(10, "home"), 20) == []
    assert [line[4] for line in told(scene(held).fixes([0, 1], "school").fix(10.1, "home"), 20)] == [10]


def test_a_late_contrary_fix_withdraws() -> None:
    world = scene(exclusion(hold_s=600)).fixes([0, 1], "school").fix(5, "home", arrive=15)
    assert told(world) == [
        ("opened", "exclusion_zone", 0, None, 10, 3, ""),
        ("withdrawn", "exclusion_zone", 0, None, 15, 3, "gone"),
    ]


def test_the_same_onset_established_again_names_the_previous_finding() -> None:
    """The contrary fix turns out to be one of two that disagree, so it says nothing."""
    world = (
        scene(exclusion(hold_s=600))
        .fixes([0, 1], "school")
        .fix(5, "home", arrive=15)
        .fix(5, "school", arrive=16)
    )
    first, gone, again = oracle(world.records())
    assert (gone.status, again.status, again.revision) == ("withdrawn", "opened", 1)
    assert again.previous == first.finding_id != again.finding_id


def test_late_fixes_split_a_finding_and_later_ones_merge_it() -> None:
    world = scene(exclusion()).fixes([0, 1, 20, 21], "school").fixes([10, 11], "home", arrive=30)
    world.fixes([10, 11], "school", arrive=40, method="gnss")
    lines = oracle(world.records())
    assert [(f.status, f.revision) for f in lines] == [
        ("opened", 1),
        ("closed", 2),
        ("opened", 1),
        ("amended", 3),
        ("withdrawn", 2),
    ]
    assert lines[-1].merged_into == lines[0].finding_id and lines[-1].reason == "merged"


def test_a_timer_before_an_arrival_knows_nothing_of_it_and_one_at_it_does() -> None:
    """The hold ends at 10; a contrary fix of minute 5 comes at 10 or just after."""
    held = exclusion(hold_s=600)
    assert told(scene(held).fixes([0, 1], "school").fix(5, "home", arrive=10), 20) == []
    world = scene(held).fixes([0, 1], "school").fix(5, "home", arrive=10.1)
    assert [(line[0], line[4]) for line in told(world, 20)] == [("opened", 10), ("withdrawn", 10.1)]


def test_a_buffer_grows_the_zone() -> None:
    world = Scene().order(exclusion(buffer_m=40)).bind().zone(SCHOOL_SMALLER).fixes([0, 1], "fence")
    assert told(world) == [("opened", "exclusion_zone", 0, None, 1, 2, "")]
    assert told(Scene().order(exclusion()).bind().zone(SCHOOL_SMALLER).fixes([0, 1], "fence")) == []


def test_each_fix_is_judged_by_the_zone_version_of_its_instant() -> None:
    """The school shrinks at minute 5, which is learnt at 20; the run goes on, its end is found then."""
    world = scene(exclusion()).fixes([0, 1, 6, 7], "fence").zone(SCHOOL_SMALLER, since=5, arrive=20)
    assert told(world) == [
        ("opened", "exclusion_zone", 0, None, 1, 3, ""),
        ("closed", "exclusion_zone", 0, 6, 20, 3, ""),
    ]
    assert last(world)[0].zone_version == 1


def test_inclusion_is_left_by_fixes_outside() -> None:
    assert told(scene(inclusion()).fixes([0, 1], "far"))[0][:4] == ("opened", "inclusion_zone", 0, None)


def test_order_end_closes_what_is_open() -> None:
    world = scene(exclusion(), until=30).fixes([0, 1], "school")
    assert told(world, 60)[-1] == ("closed", "exclusion_zone", 0, 30, 30, 3, "order_ended")


def test_void_closes_what_is_open_there() -> None:
    world = scene(exclusion()).fixes([0, 1], "school").order(version=2, since=20, arrive=10, void=True)
    assert told(world, 60)[-1] == ("closed", "exclusion_zone", 0, 20, 20, 3, "order_ended")


def test_the_lower_version_does_not_come_back_after_the_higher_one_ends() -> None:
    world = scene(exclusion()).order(exclusion(), version=2, since=0, until=10).fixes([11, 12], "school")
    assert told(world) == []


def test_equal_terms_run_on_and_others_begin_anew() -> None:
    same = scene(exclusion()).order(exclusion(), version=2, since=5).fixes([0, 1, 6, 7], "school")
    assert told(same) == [("opened", "exclusion_zone", 0, None, 1, 3, "")]
    assert last(same)[0].order_version == 1
    other = scene(exclusion()).order(exclusion(buffer_m=1), version=2, since=5).fixes([0, 1, 6, 7], "school")
    assert told(other) == [
        ("opened", "exclusion_zone", 0, None, 1, 3, ""),
        ("closed", "exclusion_zone", 0, 5, 5, 3, "terms_changed"),
        ("opened", "exclusion_zone", 6, None, 7, 3, ""),
    ]
    assert [f.order_version for f in last(other)] == [1, 2]


def test_a_backdated_version_judges_the_time_it_covers() -> None:
    """Until 20 the order says nothing of the school; then a version from minute -10 on does."""
    world = (
        scene(inclusion())
        .fixes([0, 1], "school")
        .order(inclusion(), exclusion(), version=2, since=-10, arrive=20)
    )
    assert told(world) == [("opened", "exclusion_zone", 0, None, 20, 3, "")]


def test_suspension_takes_time_out() -> None:
    world = Scene()
    world.order(exclusion(suspensions=(world.leave(5, 20),))).bind().zone(SCHOOL)
    world.fixes([0, 1, 6, 7, 21, 22], "school")
    assert told(world) == [
        ("opened", "exclusion_zone", 0, None, 1, 3, ""),
        ("closed", "exclusion_zone", 0, 5, 5, 3, "absence"),
        ("opened", "exclusion_zone", 21, None, 22, 3, ""),
    ]


def test_leave_given_afterwards_withdraws_what_it_covers() -> None:
    world = scene(curfew()).fixes([61, 62], "far")
    world.order(curfew(leave=(world.leave(50, 200),)), version=2, since=-60, arrive=90)
    assert told(world)[-1] == ("withdrawn", "curfew_late", 61, None, 90, 3, "leave")


# --- curfew: duty from minute 60 to 180 -------------------------------------------------------------


def test_left_after_being_in() -> None:
    world = scene(curfew()).fix(61, "home").fixes([70, 71], "far").fixes([80, 81], "home")
    assert told(world) == [
        ("opened", "curfew_left", 70, None, 71, 3, ""),
        ("closed", "curfew_left", 70, 80, 81, 3, ""),
    ]


def test_left_when_in_shortly_before_the_start() -> None:
    assert told(scene(curfew()).fix(31, "home").fixes([61, 62], "far"))[0][1:3] == ("curfew_left", 61)
    assert told(scene(curfew()).fix(29, "home").fixes([61, 62], "far"))[0][1:3] == ("curfew_late", 61)


def test_late_from_the_start_when_out_before_it() -> None:
    """Fixes before the start never confirm, but they move the onset to the start."""
    world = scene(curfew()).fixes([40, 58, 61], "far")
    assert told(world) == []
    assert told(world.fix(62, "far"))[0] == ("opened", "curfew_late", 60, None, 62, 3, "")


def test_absent_when_never_in_and_seen_throughout() -> None:
    world = scene(curfew()).fixes([61, 62, 120, 170], "far")
    assert told(world, 200) == [
        ("opened", "curfew_late", 61, None, 62, 3, ""),
        ("closed", "curfew_absent", 61, 180, 180, 3, ""),
    ]


@pytest.mark.parametrize("minutes", [[61, 62, 130, 170], [121, 122, 170], [61, 62, 110]])
def test_a_gap_leaves_it_unknown(minutes: list[float]) -> None:
    assert told(scene(curfew()).fixes(minutes, "far"), 200)[-1][1] == "curfew_late"
    assert told(scene(curfew()).fixes(minutes, "far"), 200)[-1][6] == "unknown_after"


def test_left_and_unknown_after() -> None:
    world = scene(curfew()).fix(60, "home").fixes([61, 62], "far")
    assert told(world, 200)[-1] == ("closed", "curfew_left", 61, 180, 180, 3, "unknown_after")


def test_hold_that_ends_at_the_stretchs_end_finds_nothing() -> None:
    assert told(scene(curfew(hold_s=600)).fixes([170, 171], "far"), 200) == []
    assert told(scene(curfew(hold_s=599)).fixes([170, 171], "far"), 200) != []


def test_touching_windows_are_one_stretch_and_leave_cuts() -> None:
    joined = Condition(
        id="home", kind="curfew", place="home", windows=(window("01:00", "02:00"), window("02:00", "03:00"))
    )
    assert [line[3] for line in told(scene(joined).fixes([100, 101, 130], "far"), 200)] == [None, 180]
    world = Scene()
    world.order(curfew(leave=(world.leave(110, 120),))).bind().fixes([100, 101, 115, 121, 122], "far")
    assert [(line[0], line[2], line[3]) for line in told(world, 130)] == [
        ("opened", 100, None),
        ("closed", 100, 110),
        ("opened", 120, None),
    ]


def test_exceptions_replace_a_days_windows() -> None:
    world = scene(curfew(exceptions=(day_exception("2026-11-24", window("02:00", "03:00")),)))
    assert told(world.fixes([70, 71, 72], "far"), 100) == []
    assert told(world.fixes([121, 122], "far"), 130)[0][1:3] == ("curfew_late", 121)


def test_any_of_several_places_is_home() -> None:
    world = (
        Scene()
        .order(
            Condition(
                id="home", kind="curfew", places=("home", "sister"), windows=(window("01:00", "03:00"),)
            ),
            places=(HOME, SISTER),
        )
        .bind()
    )
    assert told(world.fixes([61, 62], "far")) != []
    at_sister = (
        Scene()
        .order(
            Condition(
                id="home", kind="curfew", places=("home", "sister"), windows=(window("01:00", "03:00"),)
            ),
            places=(HOME, SISTER),
        )
        .bind()
    )
    for minute in (61, 62):
        at_sister.reading(
            minute,
            None,
            device="D",
            kind="position",
            lat=SISTER.lat,
            lon=SISTER.lon,
            accuracy_m=5.0,
            method="gnss",
        )
    assert told(at_sister) == []


def test_presence_speaks_for_its_place() -> None:
    world = scene(curfew()).bind("H", role="home", place="home").presence(61, True).fixes([70, 71], "far")
    assert told(world)[0][1] == "curfew_left"


def test_absence_from_the_home_unit_accuses_only_who_has_no_position_device() -> None:
    alone = (
        Scene().order(curfew()).bind("H", role="home", place="home").presence(61, False).presence(63, False)
    )
    assert told(alone) == [("opened", "curfew_late", 61, None, 63, 2, "")]
    with_gps = alone.bind("D", role="position")
    assert told(with_gps) == []


def test_somebody_elses_beacon_does_not_count() -> None:
    world = (
        scene(curfew())
        .bind("H", role="home")
        .bind("X", "Q")
        .presence(61, True, beacon="X")
        .fixes([70, 71], "far")
    )
    assert told(world)[0][1] == "curfew_late"


def test_the_device_bound_last_decides() -> None:
    world = scene(exclusion()).bind("E", since=0).fixes([1, 2, 3], "school").fix(0.5, "home", device="E")
    assert told(world) == []
    assert told(
        scene(exclusion()).bind("E", since=2.5).fixes([1, 2, 3], "school").fix(2.6, "home", device="E")
    ) == [("opened", "exclusion_zone", 1, None, 2, 3, "")]


def test_clock_change_doubles_an_hour_and_a_doubled_time_is_its_first() -> None:
    """01:30 to 03:00 in Chicago on the day summer time ends: from the first 01:30, 2.5 hours."""
    world = (
        Scene(start="2026-11-01T06:00:00Z")
        .order(curfew(at=("01:30", "03:00")), time_zone="America/Chicago")
        .bind()
    )
    world.fixes([31, 32, 90, 150, 170], "far")
    assert [line[2:4] for line in told(world, 300)] == [(31, None), (31, 180)]


def test_a_missing_time_is_the_instant_after_the_gap() -> None:
    """02:30 does not exist on 8 March: duty starts at 03:00 daylight time, 08:00 UTC."""
    world = (
        Scene(start="2026-03-08T07:00:00Z")
        .order(curfew(at=("02:30", "05:00")), time_zone="America/Chicago")
        .bind()
    )
    world.fixes([50, 55, 61, 62], "far")
    assert told(world, 90)[0][2] == 60


# --- conflicts and duplicates -------------------------------------------------------------------------------


def test_a_better_method_wins_whatever_came_first() -> None:
    for arrive in (0, 2):
        world = (
            scene(exclusion())
            .fix(0, "school")
            .fix(1, "school", arrive=1)
            .fix(1, "home", method="cell", arrive=arrive + 1)
        )
        assert [line[0] for line in told(world)] == ["opened"]


def test_a_tie_is_skipped() -> None:
    """Two equally good fixes of one instant that disagree neither extend nor break the chain."""
    world = scene(exclusion()).fix(0, "school").fix(1, "school").fix(1, "home")
    assert told(world) == []
    assert told(world.fix(2, "school"))[0][2:5] == (0, None, 2)


def test_a_tie_counts_as_located() -> None:
    """Located until 9 by two fixes that disagree: lost from 19 on, found once 24 is there."""
    world = scene(contact(), since=0).fix(0, "home").fix(9, "home").fix(9, "school").status(15).status(20)
    assert told(world, 23) == []
    assert told(world, 24) == [("opened", "location_lost", 19, None, 24, 1, "")]


def test_a_duplicate_counts_once_with_its_earliest_arrival() -> None:
    world = scene(exclusion()).fix(0, "school").fix(1, "school", arrive=20).fix(1, "school", arrive=2)
    assert told(world)[0][4] == 2 and len(told(world)) == 1
    assert told(scene(exclusion()).fix(0, "school").fix(0, "school", arrive=3)) == []


def test_a_reading_from_the_future_waits_for_the_clock() -> None:
    world = scene(exclusion()).fix(0, "school").fix(10, "school", arrive=1)
    assert told(world, 9) == []
    assert told(world, 10)[0][4] == 10


# --- silences -----------------------------------------------------------------------------------------------


def test_contact_lost_from_due_to_the_next_reading() -> None:
    world = scene(contact(), since=0).status(0).status(40)
    assert told(world) == [
        ("opened", "contact_lost", 10, None, 15, 1, ""),
        ("closed", "contact_lost", 10, 40, 40, 1, ""),
    ]


def test_contact_counts_from_the_conditions_start() -> None:
    world = Scene().order(contact(), since=0).bind(since=5)
    assert told(world, 30) == [("opened", "contact_lost", 15, None, 20, 1, "")]


def test_a_reading_at_due_saves_and_late_data_withdraws() -> None:
    assert told(scene(contact(), since=0).status(0).status(15), 15) == []
    world = scene(contact(), since=0).status(0).status(8, arrive=18)
    assert [line[0] for line in told(world)] == ["opened", "withdrawn"]


def test_location_lost_needs_an_unlocated_reading() -> None:
    world = scene(contact(), since=0).fix(0, "home").status(8).status(12).status(20).fix(30, "home")
    assert told(world) == [
        ("opened", "location_lost", 10, None, 15, 1, ""),
        ("closed", "location_lost", 10, 30, 30, 1, ""),
    ]


def test_a_location_is_not_lost_by_silence_alone() -> None:
    assert {line[1] for line in told(scene(contact(), since=0).fix(0, "home"), 60)} == {"contact_lost"}


def outage_scene() -> Scene:
    """Five devices of one feed, last heard at 5.0 to 5.4, so that the feed is out at 15.4."""
    world = Scene()
    for index in range(5):
        world.order(contact(), participant=f"P{index}", since=0, arrive=0)
        world.bind(f"D{index}", f"P{index}", since=0, arrive=0, feed="acme")
        world.status(5 + index / 10, device=f"D{index}", feed="acme")
    return world


def test_a_silent_feed_is_one_outage_and_holds_its_members() -> None:
    assert told(outage_scene(), 100) == [("opened", "feed_outage", 15.4, None, 15.4, 1, "")]


def test_an_outage_is_judged_at_whole_seconds() -> None:
    world = outage_scene().status(5.405, device="D0", feed="acme")
    opened = oracle(world.records(), world.at(20))[0]
    assert (opened.onset, opened.decided_at) == (world.at(15.405), world.at(15.405) + 700_000)


def test_after_an_outage_silence_counts_from_its_end() -> None:
    """Who has not spoken is lost from 70 on; the next outage, found at 70, holds the speaker alone."""
    lines = told(outage_scene().status(60, device="D0", feed="acme"), 75)
    assert lines[:3] == [
        ("opened", "feed_outage", 15.4, None, 15.4, 1, ""),
        ("closed", "feed_outage", 15.4, 60, 60, 1, ""),
        ("opened", "feed_outage", 70, None, 70, 1, ""),
    ]
    assert lines[3:] == [("opened", "contact_lost", 70, None, 75, 1, "")] * 4


def test_an_older_silence_stays() -> None:
    world = outage_scene().order(contact(), participant="Q").bind("E", "Q", feed="acme")
    world.status(-60, device="E", feed="acme").status(0, device="D0", feed="acme")
    assert [line[:3] for line in told(world, 60) if line[1] == "contact_lost"] == [
        ("opened", "contact_lost", -50)
    ]


def test_an_outage_withdraws_the_silence_found_before_it() -> None:
    """Q fell silent at -1 and is lost at 14; the feed was last heard within 10 minutes of that."""
    world = outage_scene().order(contact(), participant="Q").bind("E", "Q", feed="acme")
    world.status(-1, device="E", feed="acme").status(-50, device="E", feed="acme")
    assert [(line[0], line[2], line[4], line[6]) for line in told(world, 60) if line[2] == 9] == [
        ("opened", 9, 14, ""),
        ("withdrawn", 9, 15.4, "feed_outage"),
    ]


def test_own_outage_holds_silence_that_was_not_yet_found() -> None:
    world = scene(contact(), since=0).status(0).deaf(10, 60)
    assert told(world, 74) == []
    assert told(world, 75) == [("opened", "contact_lost", 70, None, 75, 1, "")]
    found = scene(contact(), since=0).status(0).deaf(16, 60)
    assert told(found, 75) == [("opened", "contact_lost", 10, None, 15, 1, "")]


# --- bindings -----------------------------------------------------------------------------------------------


def test_unbound_then_bound() -> None:
    world = Scene().order(exclusion()).zone(SCHOOL).fixes([0, 1], "school").bind(since=-10, arrive=30)
    assert told(world) == [("opened", "exclusion_zone", 0, None, 30, 3, "")]
    assert last(world)[0].late


def test_a_backdated_binding_gives_the_readings_to_the_other() -> None:
    world = scene(exclusion()).order(exclusion(), participant="Q").fixes([0, 1], "school")
    world.bind("D", "P", version=2, takes_effect=-30, void=True, arrive=20).bind(
        "D", "Q", since=-30, arrive=20
    )
    assert [(f.participant, f.status, f.decided_at - world.at(0)) for f in oracle(world.records())] == [
        ("P", "opened", 60_000_000),
        ("P", "withdrawn", 1_200_000_000),
        ("Q", "opened", 1_200_000_000),
    ]


def test_nothing_shows_hindsight() -> None:
    """What a run up to T says is what the whole run says up to T."""
    world = (
        scene(exclusion(hold_s=600), contact())
        .fixes([0, 1, 20, 21], "school")
        .fixes([10, 11], "home", arrive=30)
    )
    whole = oracle(world.records(), world.at(90))
    for minute in range(0, 90, 7):
        until = world.at(minute)
        arrived = [record for record in world.records() if record.received_at <= until]
        assert oracle(arrived, until) == [line for line in whole if line.decided_at <= until]
