"""What happens in the simulated evenings: one entry a scenario, in order of importance.

An entry names how many participants of a hundred live it, the terms of their orders and their evening.
Minutes count from the world's start (19:30 local, half an hour before curfews begin); an evening is told again
every day. Its first forty minutes hold an incident of every kind, each found by then, so that a minute of demo
at sixty times real time shows them all. Truth is worked out from the
paths (see `truth`), not from these entries; only what is innocent is said here, in `innocents`, and what devices
and laboratories have to tell (see `incidents`).

To add a kind: write its terms and its evening (here, or in `incidents`), and one line in `SCENARIOS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulators import incidents
from simulators.city import COUNTY_M, Area, county
from simulators.incidents import integrity, sober
from simulators.land import SCHOOL_BUFFER_M, Land
from simulators.plan import BEGIN_S, CAR_MPS, WALK_MPS, Amendment, Fault, Innocent, Plan

Terms = Callable[[Plan, Land], None]
Evening = Callable[[Plan, Land, float], None]

MAIN, FLEET, POCKET, UNITS, LAB = "lakeland", "fleetgate", "pocket", "homebase", "labworks"
CONFIRM_FIXES: Final = 3  # three fixes in a row: a single-fix spike and its stale repeat accuse nobody
EXCLUSION_HOLD_S: Final = 60.0
INCLUSION_HOLD_S: Final = 120.0
CURFEW_HOLD_S: Final = 300.0  # vendors' silent buffer of five minutes
CONTACT_EVERY_S: Final = 600.0
CONTACT_HOLD_S: Final = 300.0
BUS_LINE_M: Final = 1_500.0
FLAT_FROM_BORDER_M: Final = 60.0
BUS_FROM_BORDER_M: Final = 45.0
OUTAGE_MIN: Final = (10.0, 26.0)
"""The fleet gateway loses everything between these minutes of every evening."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`share`: participants of a hundred. `equipment`: gps, unit, transdermal, or gps+ unit, transdermal, breath or
    laboratory."""

    name: str
    share: int
    terms: tuple[Terms, ...]
    evening: Evening
    feed: str = MAIN
    equipment: str = "gps"
    starts_at_work: bool = False


# --- terms -------------------------------------------------------------------------------------------------
def contact(plan: Plan, land: Land) -> None:
    """Heard from every ten minutes, five more of patience."""
    plan.condition("contact", every_s=CONTACT_EVERY_S, hold_s=CONTACT_HOLD_S)


def contact_rarely(plan: Plan, land: Land) -> None:
    """A bracelet that uploads in the dock; its order began before the demo."""
    plan.condition("contact", every_s=4 * 3600.0, hold_s=3600.0)
    plan.effective_s = BEGIN_S


def curfew_from(start: str, end: str) -> Terms:
    """At home in this daily window."""
    def terms(plan: Plan, land: Land) -> None:
        plan.condition("curfew", place="home", confirm_fixes=CONFIRM_FIXES, hold_s=CURFEW_HOLD_S, windows=[
            {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": start, "to": end}])
    return terms


def exclude(plan: Plan, land: Land, area: Area) -> None:
    """Keep out of one zone and its buffer."""
    name = plan.condition("exclusion_zone", zone=area.id, buffer_m=SCHOOL_BUFFER_M,
                          confirm_fixes=CONFIRM_FIXES, hold_s=EXCLUSION_HOLD_S)
    plan.exclusions[name] = land.shape(area, SCHOOL_BUFFER_M)


def target_zone(plan: Plan, land: Land) -> None:
    """A school or park in reach."""
    area = land.target(plan)
    plan.target = area.centre
    exclude(plan, land, area)


def target_address(plan: Plan, land: Land) -> None:
    """Somebody's address, a circle of 250 m."""
    area = land.own_address(plan, 250.0)
    plan.target = area.centre
    exclude(plan, land, area)


def stay_in_county(plan: Plan, land: Land) -> None:
    """The county's borders, for somebody who lives in its east."""
    plan.home = 22_000.0, float(land.rng.uniform(-4_000, 4_000))
    plan.work = plan.home[0] - 2_000, plan.home[1]
    plan.direct = True
    plan.target = COUNTY_M + 4_500, plan.home[1]
    name = plan.condition("inclusion_zone", zone=county().id, buffer_m=0, confirm_fixes=CONFIRM_FIXES,
                          hold_s=INCLUSION_HOLD_S)
    plan.inclusions[name] = county().shape


def flat_by_school(plan: Plan, land: Land) -> None:
    """Home lies next to the zone, outside of its buffer; work the other way."""
    area = land.lonely_school(2_500)
    west = area.shape.bounds[0] - SCHOOL_BUFFER_M
    plan.home = west - FLAT_FROM_BORDER_M, area.centre[1]
    plan.work = plan.home[0] - 1_800, area.centre[1]
    plan.direct, plan.spikes = True, False  # a spike across the school would be a crossing to anybody
    exclude(plan, land, area)
    plan.innocents.append(Innocent("lives next to the zone", "exclusion_zone", BEGIN_S, 86_400.0 * 30))


def bus_line(offset_m: float, why: str | None) -> Terms:
    """A straight street past (offset from the buffer's edge) or through (None) a school."""
    def terms(plan: Plan, land: Land) -> None:
        area = land.lonely_school(2 * BUS_LINE_M)
        y = area.centre[1] if why is None else area.shape.bounds[1] - SCHOOL_BUFFER_M - offset_m
        plan.home, plan.work = (area.centre[0] - BUS_LINE_M, y), (area.centre[0] - BUS_LINE_M - 1_500, y)
        plan.target = area.centre[0] + BUS_LINE_M, y
        plan.direct, plan.spikes = True, False
        exclude(plan, land, area)
        if why:
            plan.innocents.append(Innocent(why, "exclusion_zone", BEGIN_S, 86_400.0 * 30))
    return terms


def leave_granted(plan: Plan, land: Land) -> None:
    """Leave that stands in the order from the beginning."""
    plan.conditions[-1]["leave"] = [{"from": 20 * 60.0, "to": 240 * 60.0, "reason": "evening shift"}]
    plan.innocents.append(Innocent("on leave", "curfew", 20 * 60.0, 240 * 60.0))


def leave_told_late(plan: Plan, land: Land) -> None:
    """The hospital's letter reaches the agency after the curfew began."""
    leave = [{"from": 15 * 60.0, "to": 300 * 60.0, "reason": "hospital"}]
    received = 41 * 60.0
    plan.amendments.append(Amendment(received, {plan.conditions[-1]["id"]: {"leave": leave}}))
    plan.innocents.append(Innocent("hospital leave, told late", "curfew", 15 * 60.0, 300 * 60.0, received))


def by_downtown(plan: Plan, land: Land) -> None:
    """Lives within reach of downtown."""
    plan.home = land.near((0.0, 0.0), 1_800, 3_500)
    plan.work = land.work(plan.home)


def drifting(plan: Plan, land: Land) -> None:
    """A receiver that wanders indoors and claims to know."""
    plan.drifting = True
    plan.innocents.append(Innocent("indoor drift", "curfew", BEGIN_S, 86_400.0 * 30))


def swapped(plan: Plan, land: Land) -> None:
    """The bracelet is replaced twelve minutes into the first evening."""
    first = plan.devices[0]
    first.until_s = 12 * 60.0
    plan.devices.append(type(first)(**{name: getattr(first, name) for name in first.__slots__}))
    plan.devices[-1].id, plan.devices[-1].from_s, plan.devices[-1].until_s = f"{first.id}-B", 12 * 60.0, None


# --- evenings ----------------------------------------------------------------------------------------------
def visit(depart_min: float, leave_min: float, *, speed_mps: float = 8.0, indoors: bool = False) -> Evening:
    """To the scenario's target and back."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        assert plan.target is not None
        wobble = float(land.rng.uniform(-40, 40))
        plan.visit(plan.target, t0 + depart_min * 60 + wobble, t0 + leave_min * 60 + wobble,
                   speed_mps=speed_mps, indoors=indoors)
    return evening


def friend(depart_min: float, home_min: float) -> Evening:
    """To a friend's place two kilometres away; back home about `home_min`."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        if plan.target is None:
            plan.target = land.near(plan.home, 1_500, 2_500)
        depart, home = t0 + depart_min * 60, t0 + home_min * 60
        plan.stay(depart + float(land.rng.uniform(-40, 40)))
        arrived = plan.go(plan.target, 8.0)
        plan.stay(max(arrived + 300, home - (arrived - depart)))
        plan.go(plan.home, 8.0)
    return evening


def at_home(plan: Plan, land: Land, t0: float) -> None:
    """Comes home and stays."""


def errand(plan: Plan, land: Land, t0: float) -> None:
    """Half go to a shop and are back before eight."""
    if land.rng.random() < 0.5 and plan.now_s < t0 + 3 * 60:
        there = land.near(plan.home, 500, 1_800)
        depart, leave = float(land.rng.uniform(3, 9)), float(land.rng.uniform(15, 19))
        plan.visit(there, t0 + depart * 60, t0 + leave * 60)


def downtown_walk(plan: Plan, land: Land, t0: float) -> None:
    """On foot between tall buildings, where receivers lie."""
    a, b = land.downtown(), land.downtown()
    plan.stay(t0 - 25 * 60)
    back = plan.home
    plan.go(a, 10.0)
    for there in (b, a, b, a):
        if plan.now_s < t0 - 5 * 60:
            plan.go(there, WALK_MPS)
    plan.go(back, 10.0)


def only_first(first: Evening, after: Evening) -> Evening:
    """One evening on the first day, another on all later ones."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        (first if t0 == 0 else after)(plan, land, t0)
    return evening


def broken(kind: str, from_min: float, to_min: float, inner: Evening) -> Evening:
    """An evening during which the device is at fault."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        wobble = float(land.rng.uniform(-60, 60))
        fault = Fault(kind, t0 + from_min * 60 + wobble, t0 + to_min * 60 + wobble)
        plan.faults.append(fault)
        if kind == "stored":
            for told in ("contact_lost", "location_lost"):
                plan.innocents.append(Innocent("stored on the device, sent late", told, fault.from_s,
                                               fault.to_s, settles_s=fault.to_s))
        inner(plan, land, t0)
    return evening


def in_the_dock(inner: Evening) -> Evening:
    """Everything is sent half-hourly, the hour before the start a minute after it."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        if t0 == 0:
            plan.faults.append(Fault("stored", BEGIN_S, 60.0))
        for k in range(48):
            begin = t0 + 60.0 + k * 1800
            plan.faults.append(Fault("stored", begin, begin + 1800))
        inner(plan, land, t0)
    return evening


NIGHT = curfew_from("20:00", "06:00")
ROLL_CALL = curfew_from("19:35", "20:00")

SKIN = (incidents.worn_for(52), sober)

SCENARIOS: Final[tuple[Scenario, ...]] = (
    Scenario("exclusion_breach", 3, (contact, target_zone), visit(-2, 16)),
    Scenario("curfew_late", 2, (contact, NIGHT, incidents.allowance(incidents.GENEROUS_ALLOWANCE_S)), friend(8, 56)),
    Scenario("curfew_left", 2, (contact, NIGHT), friend(31.5, 75)),
    Scenario("device_dead", 1, (contact, NIGHT), broken("silent", 5, 30, at_home)),
    Scenario("no_gps", 2, (contact, NIGHT), broken("no_gps", 6, 34, at_home)),
    Scenario("fleet_life", 7, (contact,), errand, feed=FLEET, starts_at_work=True),
    Scenario("strap_scare", 1, (contact, NIGHT, integrity),
             incidents.tampered("strap_open", "strap_closed", 18, 30.0)),
    Scenario("county_left", 2, (contact, stay_in_county), visit(2, 35, speed_mps=CAR_MPS)),
    Scenario("curfew_absent", 2, (contact, ROLL_CALL), friend(-8, 60)),
    Scenario("exclusion_breach_later", 2, (contact, target_zone), visit(14, 32)),
    Scenario("address_breach", 2, (contact, target_address), visit(6, 24)),
    Scenario("device_dead_for_long", 1, (contact,), broken("silent", 7, 400, at_home)),
    Scenario("device_swap", 2, (contact, target_zone, swapped, incidents.strap_left_open), visit(16, 34)),
    Scenario("stored_breach", 1, (contact, target_zone), broken("stored", 3, 30, visit(5, 22))),
    Scenario("dock_breach", 2, (contact_rarely, target_zone),
             in_the_dock(only_first(visit(-50, -30), at_home))),
    Scenario("hospital", 2, (contact, NIGHT, leave_told_late), only_first(friend(8, 150), at_home)),
    Scenario("pocket_breach", 1, (contact, target_zone), visit(8, 28), feed=POCKET),
    Scenario("unit_left", 1, (contact, NIGHT), friend(31.5, 75), feed=UNITS, equipment="unit"),
    Scenario("allowance_used", 1, (contact, NIGHT, incidents.allowance(incidents.ALLOWANCE_S)), friend(30.5, 75)),
    Scenario("appointment_missed", 1, (contact, incidents.clinic), at_home),
    Scenario("appointment_late", 1, (contact, incidents.clinic), incidents.there(21, 36)),
    Scenario("appointment_left", 1, (contact, incidents.clinic), incidents.there(-6, 12)),
    Scenario("panic", 1, (contact, integrity), incidents.pressed(11)),
    Scenario("case_opened", 1, (contact, integrity), incidents.tampered("case_open", "case_closed", 9, 240.0)),
    Scenario("shielded", 1, (contact, integrity), incidents.tampered("shielding_start", "shielding_stop", 13, 400.0)),
    Scenario("jammed", 1, (contact, integrity), incidents.tampered("jamming_start", "jamming_stop", 16, 200.0)),
    Scenario("mocked", 1, (contact, integrity),
             incidents.tampered("mock_location", None, 12, incidents.MOCK_CLEAR_S)),
    Scenario("taken_off", 1, (contact, integrity),
             incidents.tampered("proximity_lost", "proximity_restored", 20, 300.0)),
    Scenario("battery_low", 1, (contact, integrity), incidents.runs_empty),
    Scenario("moves_unseen", 1, (contact_rarely, integrity), incidents.walks_unseen),
    Scenario("never_charged", 1, (incidents.worn_for(47), incidents.charged_every(48.25)),
             incidents.never_charges(48.25), equipment="transdermal"),
    Scenario("too_close", 1, (contact, incidents.keep_away(60)),
             incidents.both(visit(9, 30), incidents.her_battery_runs_low)),
    Scenario("her_device_silent", 1, (contact, incidents.keep_away(1_000)), incidents.her_device_dies),
    Scenario("drinks_now", 1, SKIN, incidents.DRINKS_NOW, equipment="transdermal"),
    Scenario("drank_yesterday", 1, SKIN, incidents.DRANK_YESTERDAY, equipment="transdermal"),
    Scenario("sanitiser", 1, SKIN, incidents.SANITISER, equipment="transdermal"),
    Scenario("uploads_no_more", 1, SKIN, incidents.uploads_no_more, equipment="transdermal"),
    Scenario("breath_failed", 1, (contact, sober, incidents.tests_as_told), incidents.drank_before_tests,
             equipment="gps+breath"),
    Scenario("breath_missed", 1, (contact, incidents.tested_at("19:40", 1_200)), incidents.takes_no_test,
             equipment="gps+breath"),
    Scenario("breath_incomplete", 1, (contact, sober, incidents.tests_as_told), incidents.walks_away,
             equipment="gps+breath"),
    Scenario("breath_refused", 1, (contact, sober), incidents.refuses, equipment="gps+breath"),
    Scenario("breath_not_received", 1, (contact_rarely, incidents.tested_at("18:35", 1_800)),
             incidents.device_keeps_silent, equipment="gps+breath"),
    Scenario("test_failed", 1, (contact, incidents.sampled, incidents.tests_as_told),
             incidents.sample(10, "positive", "test_failed"), equipment="gps+laboratory"),
    Scenario("test_missed", 1, (contact, incidents.sampled, incidents.tests_as_told),
             incidents.sample(14, "missed", "test_missed"), equipment="gps+laboratory"),
    Scenario("leave", 2, (contact, NIGHT, leave_granted), only_first(friend(15, 120), at_home)),
    Scenario("bus_past_zone", 2, (contact, bus_line(BUS_FROM_BORDER_M, "passes on the bus")), visit(5, 30)),
    Scenario("bus_through_zone", 1, (contact, bus_line(0, None)), visit(5, 30)),
    Scenario("flat_by_school", 2, (contact, flat_by_school, NIGHT), at_home),
    Scenario("doorstep", 2, (contact, NIGHT), friend(5, 31.5)),
    Scenario("indoor_drift", 2, (contact, NIGHT, drifting), at_home),
    Scenario("dead_carrier", 2, (contact, NIGHT), broken("stored", 12, 32, at_home)),
    Scenario("late_upload", 2, (contact, NIGHT), broken("stored", 10, 22, at_home)),
    Scenario("canyon_walk", 2, (by_downtown, contact, NIGHT), downtown_walk),
    Scenario("appointment_kept", 1, (contact, incidents.clinic),
             incidents.both(incidents.there(2, 28), incidents.unseen(11, 19))),
    Scenario("swab", 1, SKIN, incidents.SWAB, equipment="transdermal"),
    Scenario("mouthwash", 1, (contact, sober, incidents.tests_as_told), incidents.rinsed_his_mouth,
             equipment="gps+breath"),
    Scenario("test_in_time", 1, (contact, incidents.tested_at("19:40", 1_200)), incidents.breath_test(
        28, brac_g_210l=0.0, purpose="scheduled", face="match"), equipment="gps+breath"),
    Scenario("test_sent_late", 1, (contact, incidents.tested_at("19:40", 1_200)),
             incidents.test_waits_in_the_device, equipment="gps+breath"),
    Scenario("charged_in_time", 1, (contact, incidents.charged_every(24)), incidents.charged_in_time),
    Scenario("tunnel", 1, (contact, integrity), incidents.through_a_tunnel),
    Scenario("keeps_away", 1, (contact, incidents.keep_away(800)), visit(9, 26)),
    Scenario("pocket_life", 4, (contact,), errand, feed=POCKET, starts_at_work=True),
    Scenario("unit_home", 2, (contact, NIGHT), at_home, feed=UNITS, equipment="unit"),
    Scenario("bracelet_and_unit", 2, (contact, NIGHT), errand, equipment="gps+unit"),
    Scenario("transdermal", 1, (contact, sober), errand, equipment="gps+transdermal"),
    Scenario("breath", 1, (contact, NIGHT, sober), errand, equipment="gps+breath"),
    Scenario("laboratory", 1, (contact, incidents.sampled), errand, equipment="gps+laboratory"),
)
ORDINARY: Final = Scenario("ordinary", 0, (contact, NIGHT), errand, starts_at_work=True)
