"""Findings of terms that are over: later news about other times leaves them alone, late news about theirs does not."""

from __future__ import annotations

from emon.domain.order import Condition, Test
from emon.domain.reading import Reading
from tests.unit.evaluate.world import at, bound, findings, order, told

INTEGRITY = Condition(id="c6", kind="device_integrity")
CHANGED = Condition(id="c6", kind="device_integrity", charge_every_h=8000)
TWO = (bound(), bound("E"))


def _battery(minute: float, fraction: float, arrives: float | None = None, device: str = "D") -> Reading:
    return Reading(device=device, kind="status", observed_at=at(minute), event="battery", battery_fraction=fraction,
                   received_at=at(minute if arrives is None else arrives))


def test_what_an_earlier_term_found_stands_beside_what_is_open_since_the_next_one_began() -> None:
    given = [_battery(1, 0.1), _battery(5, 0.1), _battery(9, 0.1, device="E")]
    revisions = findings(given, order(INTEGRITY), order(CHANGED, version=2, since=5), until=20, bindings=TWO)
    assert told(revisions) == ["1 battery opened 1- low", "5 battery closed 1-5 terms_changed",
                               "5 battery opened 5- low", "9 battery opened 9- low"]


def test_a_charge_at_the_end_of_a_term_that_comes_in_late_is_still_the_end() -> None:
    given = [_battery(1, 0.1), _battery(5, 0.8, 9)]
    revisions = findings(given, order(INTEGRITY), order(CHANGED, version=2, since=5), until=20)
    assert told(revisions) == ["1 battery opened 1- low", "5 battery closed 1-5 terms_changed",
                               "9 battery closed 1-5 charged"]


def test_a_device_heard_again_decides_a_planned_test_of_an_earlier_term() -> None:
    tests = (Test(at_s=600, window_s=600),)
    first = Condition(id="c4", kind="alcohol", tests=tests)
    changed = Condition(id="c4", kind="alcohol", tests=tests, limits={"breath_g_210l": 0.03})
    heard = Reading(device="D", kind="status", observed_at=at(130), event="heartbeat", received_at=at(170))
    revisions = findings([heard], order(first), order(changed, version=2, since=140), until=180)
    assert told(revisions) == ["100 breath_not_received closed 10-20 device_silent",
                               "170 breath_missed closed 10-20 never_taken"]
