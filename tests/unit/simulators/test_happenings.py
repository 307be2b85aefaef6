"""What is true of devices, tests, appointments and weeks, on happenings made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from emon.domain import instant
from simulators import happenings
from simulators.devices import Emission
from simulators.duty import Span
from simulators.evidence import Track
from simulators.plan import Exposure, Happening, Plan

MONDAY_EVENING = instant.parse("2026-09-07T19:30:00-05:00")
WINDOW = Span(300.0, 1_800.0)  # 19:35 to 20:00


def _plan(*, leaves_s: float = 0.0, comes_s: float = 0.0) -> Plan:
    """Somebody whose clinic is a minute away, and who is there between these instants."""
    plan = Plan(0, "P-1", "O-1", "Somebody", "test", (0.0, 0.0), (500.0, 0.0), -120.0)
    plan.target = (500.0, 0.0)
    plan.places.append({"id": "clinic", "radius_m": 100.0})
    plan.direct = True
    plan.begin(plan.home)
    if leaves_s > comes_s:
        plan.stay(comes_s - 62.5)
        plan.go(plan.target, 8.0)
        plan.stay(leaves_s)
        plan.go(plan.home, 8.0)
    plan.stay(10_000.0)
    plan.seal()
    return plan


def _seen(plan: Plan, t: np.ndarray, *, gnss: bool = True) -> Track:
    x, y = plan.at(t)
    flags, none = np.ones(len(t), dtype=bool), np.zeros(0)
    return Track(t, t, flags, t, t, x, y, x, y, np.full(len(t), 10.0), flags & gnss, none, none,
                 np.zeros(0, dtype=bool), False)


def _appointments(plan: Plan, seen: Track, until_s: float = 3_600.0) -> list[tuple[str, bool]]:
    condition = {"id": "c1", "kind": "attendance", "place": "clinic", "minimum_s": 900.0, "windows": [
        {"days": ["mon"], "from": "19:35", "to": "20:00"}]}
    found = list(happenings.appointments(plan, condition, seen, MONDAY_EVENING, until_s))
    assert all((one.from_s, one.to_s) == WINDOW for one in found)
    return [(one.kind, one.clear) for one in found]


@pytest.mark.parametrize(("comes_min", "leaves_min", "expected"), [
    (0, 0, [("attendance_missed", True)]),
    (20, 40, [("attendance_late", True)]),
    (2, 11, [("attendance_left", True)]),
    (15.5, 19, [("attendance_missed", True)]),
    (4, 19, [("attendance_left", False)]),
    (4, 24, []),
])
def test_an_appointment_is_kept_missed_late_or_left(comes_min: float, leaves_min: float,
                                                    expected: list[tuple[str, bool]]) -> None:
    """By where the person really was; a few minutes short of the minimum is true and not clear."""
    plan = _plan(comes_s=comes_min * 60, leaves_s=leaves_min * 60)
    assert _appointments(plan, _seen(plan, np.arange(0, 3_600.0, 60))) == expected


def test_an_appointment_that_nobody_watched_is_not_clear() -> None:
    """A gap of half the minimum, or network fixes alone: the location may be called lost instead."""
    plan = _plan()
    unwatched = [("location_lost", False), ("attendance_missed", False)]
    assert _appointments(plan, _seen(plan, np.arange(0, 3_600.0, 600))) == unwatched
    assert _appointments(plan, _seen(plan, np.arange(0, 3_600.0, 60), gnss=False)) == unwatched


def test_an_appointment_is_decided_at_its_end() -> None:
    """Before that nothing is true of it."""
    plan = _plan()
    assert _appointments(plan, _seen(plan, np.arange(0, 3_600.0, 60)), until_s=1_700.0) == []


def test_an_allowance_is_used_up_within_a_week() -> None:
    """What lies in two weeks counts in each; what is not clear makes nothing clear."""
    condition = {"id": "c1", "allowance_s_per_week": 600.0}
    sunday = 6 * 86_400 + 4.5 * 3_600  # the next Monday begins then

    def used(*away: tuple[Span, bool]) -> list[tuple[float, bool]]:
        return [(one.known_s, one.clear) for one in happenings.used_up(
            _plan(), condition, away, MONDAY_EVENING, 14 * 86_400.0)]

    assert used((Span(2_000, 2_500), True)) == []
    assert used((Span(2_000, 4_000), True)) == [(2_780.0, True)]
    assert used((Span(2_000, 2_500), True), (Span(9_000, 9_800), True)) == [(9_000 + 280 + 180, True)]
    assert used((Span(2_000, 4_000), False)) == [(sunday, False)]
    assert used((Span(sunday - 500, sunday + 500), True)) == []


def _measured(*values: float) -> list[Emission]:
    """Readings through the skin every half hour from 0 on, sent ten seconds later."""
    return [Emission(i * 1_800.0 + 10, i * 1_800.0, 0, "lakeland", {"kind": "alcohol_transdermal", "tac_g_dl": v})
            for i, v in enumerate(values)]


@pytest.mark.parametrize(("why", "values", "kind"), [
    ("drinking", (0, 0.03, 0.05, 0.0), None),
    ("drinking", (0, 0.03, 0.05, 0.03), "alcohol_possible"),
    ("drinking", (0, 0.03, 0.05, 0.03, 0.0, 0.01, 0.0), "alcohol_possible"),
    ("drinking", (0, 0.03, 0.05, 0.03, 0.0, 0.0), "alcohol_confirmed"),
    ("hand sanitiser", (0, 0.2, 0.1, 0.03, 0.0, 0.0), "alcohol_review"),
])
def test_alcohol_at_the_skin_is_what_three_readings_and_two_zeros_make_of_it(
        why: str, values: tuple[float, ...], kind: str | None) -> None:
    """Known with the third reading; named by what it really was once it is over."""
    plan = _plan()
    plan.exposures.append(Exposure(600.0, 0.05, 3_600.0, 3 * 3_600.0, why))
    found = list(happenings.skin(plan, {"id": "c1"}, _measured(*values), 20_000.0))
    assert [one.kind for one in found] == ([] if kind is None else [kind])
    assert all(one.known_s == 3 * 1_800 + 10 + 3 for one in found)


def test_uploads_that_stay_away_for_two_days_are_missed() -> None:
    """From 48 hours after the last reading until the next one."""
    found = list(happenings.skin(_plan(), {"id": "c1"}, _measured(0.0), 60 * 3_600.0))
    assert [(one.kind, one.from_s, one.to_s) for one in found] == [
        ("alcohol_no_upload", 48 * 3_600.0, 60 * 3_600.0)]


def test_a_happening_is_called_by_what_is_known_of_it() -> None:
    """A test that was not received was missed, once its device spoke again without it."""
    plan = _plan()
    plan.condition("alcohol", mode="abstinence")
    plan.happenings += [Happening("breath_not_received", "alcohol", 0.0, 600.0, 5_400.0, ("breath_missed", 9_000.0)),
                        Happening("panic", "device_integrity", 0.0, 0.0, 60.0)]
    assert [one.kind for one in happenings.told(plan, 8_000.0)] == ["breath_not_received"]
    assert [one.kind for one in happenings.told(plan, 9_000.0)] == ["breath_missed"]
