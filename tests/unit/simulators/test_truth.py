"""Truth is what the path says, and clear is only what the fixes could show."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from emon.domain import instant
from simulators.duty import Span, stretches
from simulators.evidence import Signals, Track, earliest, pairs
from simulators.truth import KINDS, Truth, establish, read
from simulators.world import World, build

TERMS = {"confirm_fixes": 3, "hold_s": 60.0}


@pytest.fixture(scope="module")
def world() -> World:
    return build(21)


@pytest.fixture(scope="module")
def truth(world: World) -> Truth:
    return establish(world, world.start_us + 60 * instant.MINUTE)


def _signals(*fixes: tuple[float, str]) -> Signals:
    """Fixes (second, g: good | c: contrary | u: neither), each sent when observed."""
    t = np.array([second for second, _ in fixes])
    return Signals(t, t, np.array([kind == "g" for _, kind in fixes]),
                   np.array([kind == "c" for _, kind in fixes]))


def test_three_good_fixes_and_the_hold_make_a_breach_clear() -> None:
    """Known at the later of the third fix and the end of the hold, plus the way there."""
    signals = _signals((0, "g"), (15, "u"), (30, "g"), (45, "g"))
    assert earliest(signals, Span(0, 300), TERMS) == 60.0
    assert earliest(signals, Span(0, 300), {**TERMS, "hold_s": 0.0}) == 48.0


def _track(t: np.ndarray, x: np.ndarray, accuracy_m: float = 10.0, *, gnss: bool = True) -> Track:
    """Fixes along a line, each right and sent ten seconds later."""
    flags, none, y = np.ones(len(t), dtype=bool), np.zeros(0), np.zeros(len(t))
    return Track(t, t + 10, flags, t, t + 10, x, y, x, y, np.full(len(t), accuracy_m), flags & gnss, none, none,
                 np.zeros(0, dtype=bool), False)


def test_a_pair_of_fixes_tells_only_where_it_is_out_of_doubt() -> None:
    """Near by gnss of both within 90 s; further away by more than both accuracies is contrary; else neither."""
    t = np.arange(0.0, 600.0, 60.0)
    his = _track(t, np.full(len(t), 100.0))
    near = pairs(his, _track(t + 20, np.zeros(len(t))), 500.0)
    assert near.good.all() and not near.contrary.any()
    assert (near.sent == t + 30).all(), "known when hers was sent too"
    assert pairs(_track(t, np.full(len(t), 600.0)), _track(t, np.zeros(len(t))), 500.0).contrary.all()
    for hers in (_track(t + 1_000, np.zeros(len(t))), _track(t, np.zeros(len(t)), gnss=False),
                 _track(t, np.zeros(len(t)), accuracy_m=300.0)):
        doubtful = pairs(his, hers, 500.0)
        assert not doubtful.good.any() and not doubtful.contrary.any()


@pytest.mark.parametrize("fixes", [
    [(0, "g"), (30, "g")],
    [(0, "g"), (30, "g"), (31, "g")],
    [(0, "g"), (30, "c"), (45, "g"), (60, "g")],
    [(0, "g"), (15, "g"), (30, "g"), (50, "c")],
    [(0, "g"), (1_000, "g"), (1_900, "g")],
])
def test_less_than_that_is_not_clear(fixes: list[tuple[float, str]]) -> None:
    """Two fixes, fixes too close, a contrary one among them or within the hold, or too long apart."""
    assert earliest(_signals(*fixes), Span(0, 3_000), TERMS) is None


def test_a_hold_that_outlasts_the_stretch_leaves_nothing_to_find() -> None:
    """Hold counted from the start of duty, and due before its end."""
    signals = _signals((0, "g"), (60, "g"), (120, "g"))
    assert earliest(signals, Span(0, 300), TERMS, duty=Span(100, 300)) == 160.0
    assert earliest(signals, Span(0, 300), TERMS, duty=Span(100, 150)) is None


def test_duty_is_windows_less_leave(world: World) -> None:
    """20:00 to 06:00 the next day, with an hour of leave cut out."""
    condition = {"windows": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                              "from": "20:00", "to": "06:00"}], "leave": [{"from": 7_200.0, "to": 10_800.0}]}
    found = stretches(condition, world.start_us, -120.0, 12 * 3_600.0)
    assert found == [Span(1_800.0, 7_200.0), Span(10_800.0, 37_800.0)]


def test_all_that_is_scripted_really_happens(world: World, truth: Truth) -> None:
    """Every scenario's breach is in the truth, clear, under the kind that its name says."""
    scenario = {plan.id: plan.scenario for plan in world.plans}
    clear = defaultdict(set)
    for breach in truth.breaches:
        if breach.clear:
            clear[scenario.get(breach.participant or "", "feed")].add(breach.kind)
    expected = {
        "exclusion_breach": "exclusion_zone", "exclusion_breach_later": "exclusion_zone",
        "address_breach": "exclusion_zone", "stored_breach": "exclusion_zone",
        "dock_breach": "exclusion_zone", "device_swap": "exclusion_zone", "pocket_breach": "exclusion_zone",
        "county_left": "inclusion_zone",
        "curfew_late": "curfew_late", "curfew_left": "curfew_left", "curfew_absent": "curfew_absent",
        "unit_left": "curfew_left", "device_dead": "contact_lost", "device_dead_for_long": "contact_lost",
        "no_gps": "location_lost", "feed": "feed_outage", "allowance_used": "curfew_accumulated",
        "appointment_missed": "attendance_missed", "appointment_late": "attendance_late",
        "appointment_left": "attendance_left", "strap_scare": "tamper", "case_opened": "tamper",
        "shielded": "tamper", "jammed": "tamper", "mocked": "tamper", "taken_off": "tamper", "panic": "panic",
        "battery_low": "battery", "drinks_now": "alcohol_possible", "drank_yesterday": "alcohol_confirmed",
        "sanitiser": "alcohol_review", "uploads_no_more": "alcohol_no_upload", "breath_failed": "breath_failed",
        "breath_missed": "breath_missed", "breath_incomplete": "breath_incomplete",
        "breath_refused": "breath_refused", "breath_not_received": "breath_not_received",
        "test_failed": "test_failed", "test_missed": "test_missed", "moves_unseen": "motion_without_fix",
        "never_charged": "charging_missed", "too_close": "keep_away",
        "her_device_silent": "protected_contact_lost"}
    assert {name: kind in clear[name] for name, kind in expected.items()} == dict.fromkeys(expected, True)
    assert {breach.kind for breach in truth.breaches} == KINDS - {"zone_crossing"}


def test_the_innocent_have_no_clear_breach(world: World, truth: Truth) -> None:
    """Look-alikes and ordinary people: nothing that must be found, on any evening."""
    innocent = {"bus_past_zone", "flat_by_school", "doorstep", "indoor_drift",
                "dead_carrier", "late_upload", "canyon_walk", "hospital", "leave", "ordinary", "fleet_life",
                "pocket_life",
                "unit_home", "bracelet_and_unit", "transdermal", "breath", "laboratory", "appointment_kept",
                "swab", "mouthwash", "test_in_time", "test_sent_late", "charged_in_time", "tunnel", "keeps_away"}
    assert innocent <= {plan.scenario for plan in world.plans}
    scenario = {plan.id: plan.scenario for plan in world.plans}
    guilty = [b for b in truth.breaches if b.clear and scenario.get(b.participant or "") in innocent]
    assert guilty == []
    assert {look.why for look in truth.innocents} >= {
        "lives next to the zone", "passes on the bus", "on leave", "indoor drift",
        "hospital leave, told late", "stored on the device, sent late"}


def test_everything_clear_can_be_known_within_forty_minutes(truth: Truth) -> None:
    """A minute of demo shows all of it: the first within minutes, nearly all before 20:12."""
    known = [(b.findable_at - truth.start) / instant.MINUTE for b in truth.breaches if b.findable_at]
    assert min(known) < 8
    assert np.percentile(known, 90) < 42


def test_truth_survives_its_file(truth: Truth, tmp_path: Path) -> None:
    """What is written is what is read."""
    truth.write(tmp_path / "truth.json")
    assert read(tmp_path / "truth.json") == truth
    assert '"from": "2026-09-' in (tmp_path / "truth.json").read_text()


def test_a_member_of_a_silent_feed_has_not_lost_contact(world: World, truth: Truth) -> None:
    """The gateway's outage explains its bracelets' silence."""
    fleet = {plan.id for plan in world.plans if plan.devices[0].feed == "fleetgate"}
    assert len(fleet) >= 5
    assert not [b for b in truth.breaches if b.participant in fleet and b.kind == "contact_lost"]
