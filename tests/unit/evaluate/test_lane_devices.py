"""Who must keep his device whole stays in the fast lane, but for the time in which a fix may end something."""

from __future__ import annotations

from emon.domain.order import Condition
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory
from tests.oracle.scene import Scene


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
