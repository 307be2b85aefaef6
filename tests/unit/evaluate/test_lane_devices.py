"""Who must keep his device whole stays in the fast lane, but for the time in which a fix may end something."""

from __future__ import annotations

from emon.domain.binding import Binding
from emon.domain.order import Condition, Window
from emon.domain.reading import Reading
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory
from tests.oracle.scene import Scene
from tests.unit.evaluate.world import (
    CONTACT,
    CURFEW,
    INCLUSION,
    at,
    bound,
    fix,
    fixes,
    order,
    records,
    told,
    with_marks,
)


def _inside(*events: tuple[float, str]) -> bool:
    """Whether somebody is in the lane after an hour of fixes and these events."""
    scene = Scene().order(Condition(id="device", kind="device_integrity")).bind()
    for minute in range(60):
        scene.fix(minute, "home")
    for minute, event in events:
        scene.status(minute + 0.5, event=event)
    judge = Evaluator(MemoryHistory())
    for record in scene.records():
        judge.step([record])
    lane = judge._lane
    return "P" in lane.index and bool(lane.inside[lane.index["P"]])


def test_fixes_pass_where_no_location_is_faked() -> None:
    assert _inside()
    assert _inside((10, "strap_open"))


def test_fixes_are_looked_at_while_a_location_is_faked_and_pass_afterwards() -> None:
    assert not _inside((55, "mock_location"))
    assert _inside((5, "mock_location"))


def test_fixes_pass_while_somebody_moves() -> None:
    assert _inside((5, "motion_start"))
    assert _inside((5, "motion_start"), (20, "motion_stop"))


def test_fixes_pass_of_whoever_must_charge() -> None:
    charge = Condition(id="c6", kind="device_integrity", charge_every_h=1)
    readings = fixes([m + s for m in range(100) for s in (0, 0.5)], "home")
    judge, lines = _stepped(readings, charge, bindings=(bound(since=0),))
    assert _in_lane(judge)
    assert lines == ["60 charging_missed opened 60- not_charged"]


def _in_lane(judge: Evaluator) -> bool:
    lane = judge._lane
    return "P" in lane.index and bool(lane.inside[lane.index["P"]])


def _stepped(readings: list[Reading], *conditions: Condition, bindings: tuple[Binding, ...]) -> tuple[
        Evaluator, list[str]]:
    """The evaluator after an arrival at a time, and what it told."""
    judge, revisions = Evaluator(MemoryHistory()), []
    for record in with_marks(records(readings, order(*conditions), bindings=bindings)):
        revisions += judge.step([record])
    return judge, told(revisions)


def _presence(minute: float, *, present: bool) -> Reading:
    return Reading(device="H", kind="presence", observed_at=at(minute), received_at=at(minute), present=present)


WITH_HOME_UNIT = (bound(since=0), bound("H", since=0, role="home", place="home"))
VISIT = Condition(id="c4", kind="attendance", place="home", minimum_s=1200, windows=(Window(from_s=3600, to_s=5400),))


def test_a_home_unit_beside_a_bracelet_keeps_nobody_out() -> None:
    """Its own readings are judged in full, the fixes between them pass."""
    readings = fixes(range(60), "home")
    readings.insert(30, _presence(29.5, present=True))
    judge, lines = _stepped(readings, CURFEW, CONTACT, bindings=WITH_HOME_UNIT)
    assert _in_lane(judge)
    assert lines == []


def test_what_a_home_unit_said_counts_less_once_fixes_of_before_come_in() -> None:
    """Whoever has no device that sends positions is away where the home unit does not see him; a late first fix says
    that he had one."""
    readings = [_presence(10, present=False), _presence(20, present=False), *fixes(range(30, 60), "home"),
                fix(5, "home", arrives=60)]
    _, lines = _stepped(readings, INCLUSION, bindings=WITH_HOME_UNIT)
    assert [line.split()[:3] for line in lines] == [
        ["20", "inclusion_zone", "opened"], ["31", "inclusion_zone", "closed"], ["60", "inclusion_zone", "withdrawn"]]


def test_late_fixes_from_an_appointment_that_is_over_are_looked_at() -> None:
    """Fixes before it and while it lasts pass: it is decided at its end, and again by what comes later."""
    away = fixes(range(100), "elsewhere")
    judge, lines = _stepped(away, VISIT, bindings=(bound(since=0),))
    assert _in_lane(judge)
    assert lines == ["90 attendance_missed closed 60-90 window_ended"]
    there = fixes([62.5, 89.5], "home", arrives=101)
    sparse = [reading for reading in away if not at(62) < reading.observed_at < at(90)]
    _, lines = _stepped([*sparse, *there], VISIT, bindings=(bound(since=0),))
    assert lines[-1].startswith("101 location_lost withdrawn")


def test_what_falls_due_is_found_though_a_silence_would_have_fallen_due_before() -> None:
    """Whoever is in the lane is watched for silence there; an appointment's end keeps its own timer."""
    readings = fixes([m + s for m in range(100) for s in (0, 0.5)], "elsewhere")
    lines: list[str] = []
    judge = Evaluator(MemoryHistory())
    given = with_marks(records(readings, order(VISIT, CONTACT), bindings=(bound(since=0),)))
    for begin in range(0, len(given), 10):
        lines += told(judge.step(given[begin:begin + 10]))
    assert lines == ["90 attendance_missed closed 60-90 window_ended"]
