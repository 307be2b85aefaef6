"""What devices, tests and appointments have to tell: terms of orders and evenings beside those of paths.

Each incident says what is true of it as `Happening`s; an evening without one is a look-alike. Minutes count
from the world's start, as in `scenarios`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from simulators.ground import to_degrees
from simulators.land import Land
from simulators.plan import BEGIN_S, CHUNKS_BACK_S, WALK_MPS, Device, Event, Exposure, Fault, Happening, Plan, Test

Step = Callable[[Plan, Land], None]
Evening = Callable[[Plan, Land, float], None]

EVERY_DAY: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ON_ITS_WAY_S: Final = 60.0  # whatever a device reports has arrived by then
CLINIC_RADIUS_M: Final = 150.0
APPOINTMENT: Final = ("19:35", "20:00", 900.0)  # from, to, and how long one has to be there
ALLOWANCE_S: Final = 480.0
GENEROUS_ALLOWANCE_S: Final = 36_000.0
HOUR_S: Final = 3_600.0
KEEP_AWAY_M: Final = 500.0
NO_UPLOAD_S: Final = 48 * HOUR_S
MOCK_CLEAR_S: Final = 660.0  # ten minutes, and a minute to the next fix
CONFIRMATION_UNTIL_S: Final = 1_800.0
NOT_RECEIVED_S: Final = 5_400.0


# --- terms -------------------------------------------------------------------------------------------------
def integrity(plan: Plan, land: Land) -> None:
    """Strap, case, signal and battery are watched."""
    plan.condition("device_integrity")


def sober(plan: Plan, land: Land) -> None:
    """No alcohol; whatever measures it."""
    plan.condition("alcohol", mode="abstinence")


def tested_at(at: str, window_s: float) -> Step:
    """No alcohol, and a breath test planned for each day."""
    def terms(plan: Plan, land: Land) -> None:
        plan.condition("alcohol", mode="abstinence",
                       tests=[{"at": at, "days": list(EVERY_DAY), "window_s": int(window_s)}])
        plan.routine = False
    return terms


def sampled(plan: Plan, land: Land) -> None:
    """Laboratory tests, as they are called for."""
    plan.condition("substance_testing")


def tests_as_told(plan: Plan, land: Land) -> None:
    """No tests but those of the evening."""
    plan.routine = False


def worn_for(hours: float) -> Step:
    """The order and its bracelet are so old; what was measured comes in at the start, from the dock."""
    def terms(plan: Plan, land: Land) -> None:
        begin = BEGIN_S - CHUNKS_BACK_S * round(hours * HOUR_S / CHUNKS_BACK_S)
        plan.effective_s = begin
        for device in plan.devices:
            device.history_from_s = begin
        plan.faults.append(Fault("stored", begin, 60.0))
    return terms


def clinic(plan: Plan, land: Land) -> None:
    """Treatment every evening, somewhere near home."""
    begin, end, minimum_s = APPOINTMENT
    plan.target = land.near(plan.home, 900, 2_000)
    plan.spikes = False  # a spike out of the house and back would cut an attended hour in two
    plan.network = False  # positions by wifi never say that somebody is elsewhere: too many, and nobody can tell
    lat, lon = to_degrees(*plan.target)
    plan.places.append({"id": "clinic", "lat": lat, "lon": lon, "radius_m": CLINIC_RADIUS_M})
    plan.condition("attendance", place="clinic", minimum_s=minimum_s,
                   windows=[{"days": list(EVERY_DAY), "from": begin, "to": end}])


def allowance(seconds: float) -> Step:
    """So much of a week's curfew may be spent elsewhere."""
    def terms(plan: Plan, land: Land) -> None:
        plan.conditions[-1]["allowance_s_per_week"] = seconds
    return terms


def charged_every(hours: float) -> Step:
    """Strap, case, signal and battery are watched, and an hour of charging in so many is asked for."""
    def terms(plan: Plan, land: Land) -> None:
        plan.condition("device_integrity", charge_every_h=hours)
    return terms


def keep_away(gap_m: float) -> Step:
    """Half a kilometre from somebody; the evening leads so close to her home."""
    def terms(plan: Plan, land: Land) -> None:
        number = plan.index + 1
        home = land.near(plan.home, 1_600, 2_600)
        her = Plan(0, f"V-{number:04d}", "", f"Protected person {number}", "protected", home, home, plan.effective_s,
                   network=False, spikes=False, tracked=True, protected=True)
        her.devices = [Device(f"GUARD-{number:04d}", plan.devices[0].feed, "position", "fixes",
                              from_s=plan.effective_s)]
        her.begin(home)
        plan.protects, plan.target = her, (home[0] + gap_m, home[1])
        plan.network = plan.spikes = False
        plan.condition("keep_away", protected_person=her.id, distance_m=KEEP_AWAY_M, confirm_fixes=3, hold_s=60.0)
    return terms


def strap_left_open(plan: Plan, land: Land) -> None:
    """Whoever takes the old bracelet off opens its strap; it is nobody's by then."""
    plan.condition("device_integrity")
    plan.events.append(Event(13 * 60.0, "strap_open", plan.devices[0].id))


# --- evenings ----------------------------------------------------------------------------------------------
def both(first: Evening, second: Evening) -> Evening:
    """One after the other."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        first(plan, land, t0)
        second(plan, land, t0)
    return evening


def tampered(event: str, closing: str | None, from_min: float, for_s: float) -> Evening:
    """The device reports this, and its end."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        at = t0 + from_min * 60 + float(int(land.rng.integers(-40, 40)))
        plan.events.append(Event(at, event))
        if closing is not None:
            plan.events.append(Event(at + for_s, closing))
        plan.happenings.append(Happening("tamper", "device_integrity", at, at + for_s, at + ON_ITS_WAY_S))
    return evening


def pressed(at_min: float) -> Evening:
    """The panic button."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        at = t0 + at_min * 60 + float(int(land.rng.integers(-40, 40)))
        plan.events.append(Event(at, "panic"))
        plan.happenings.append(Happening("panic", "device_integrity", at, at, at + ON_ITS_WAY_S))
    return evening


def runs_empty(plan: Plan, land: Land, t0: float) -> None:
    """Low a few minutes after the start, almost empty half an hour later, then charged."""
    plan.charge += [(t0 - HOUR_S, 0.22), (t0, 0.16), (t0 + 1_800, 0.04), (t0 + 3_300, 0.03), (t0 + 7_200, 0.9)]
    plan.events += [Event(t0 + 3_300, "charging_start"), Event(t0 + 7_500, "charging_stop")]
    low, charged = t0 + 150, t0 + 3_300 + 3_900 * 0.27 / 0.87
    plan.happenings.append(Happening("battery", "device_integrity", low, charged, low + 700))


def charged_in_time(plan: Plan, land: Land, t0: float) -> None:
    """Down to a sixth, and on the charger before it is low."""
    plan.charge += [(t0 - HOUR_S, 0.24), (t0 + 600, 0.16), (t0 + 1_200, 0.16), (t0 + 6_000, 0.95)]
    plan.events += [Event(t0 + 1_200, "charging_start"), Event(t0 + 6_000, "charging_stop")]


def walks_unseen(plan: Plan, land: Land, t0: float) -> None:
    """On foot there and back, within an hour and a quarter without a position."""
    if plan.target is None:
        plan.target = land.near(plan.home, 1_150, 1_350)
    depart, dark, seen = t0 - 40 * 60, t0 - 50 * 60, t0 + 25 * 60
    plan.visit(plan.target, depart, t0 - 15 * 60, speed_mps=WALK_MPS)
    plan.faults.append(Fault("no_gps", dark, seen))
    plan.happenings.append(Happening("motion_without_fix", "device_integrity", depart, seen + 180,
                                     dark + HOUR_S + ON_ITS_WAY_S))


def through_a_tunnel(plan: Plan, land: Land, t0: float) -> None:
    """Seven minutes of a ride without a position."""
    there_ = land.near(plan.home, 1_500, 2_000)
    plan.visit(there_, t0 + 6 * 60, t0 + 25 * 60, speed_mps=4.0)
    plan.faults.append(Fault("no_gps", t0 + 6 * 60, t0 + 13 * 60))


def never_charges(hours: float) -> Evening:
    """The bracelet was never on its charger."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        if t0 == 0:
            due = plan.effective_s + hours * HOUR_S
            plan.happenings.append(Happening("charging_missed", "device_integrity", due, 30 * 86_400.0, due))
    return evening


def her_device_dies(plan: Plan, land: Land, t0: float) -> None:
    """The protected person's device is silent for half an hour."""
    assert plan.protects is not None
    plan.protects.faults.append(Fault("silent", t0 + 6 * 60, t0 + 36 * 60))


def her_battery_runs_low(plan: Plan, land: Land, t0: float) -> None:
    """The protected person's device is low for an hour."""
    assert plan.protects is not None
    her = plan.protects
    her.charge += [(t0 - HOUR_S, 0.30), (t0 + 600, 0.16), (t0 + 3_000, 0.08), (t0 + 7_200, 0.9)]
    low, charged = t0 + 750, t0 + 3_000 + 4_200 * 0.22 / 0.82
    plan.happenings.append(Happening("protected_battery", "keep_away", low, charged, low + 700))


def there(from_min: float, to_min: float) -> Evening:
    """At the scenario's place from and to these minutes, give or take half of one."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        assert plan.target is not None
        wobble = float(land.rng.uniform(-30, 30))
        plan.visit(plan.target, t0 + from_min * 60 + wobble - plan.travel_s(plan.target), t0 + to_min * 60 + wobble)
    return evening


def unseen(from_min: float, to_min: float) -> Evening:
    """No position for some minutes in the middle of it."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        plan.faults.append(Fault("no_gps", t0 + from_min * 60, t0 + to_min * 60))
    return evening


def exposed(from_min: float, exposure: Exposure) -> Evening:
    """Alcohol at the skin on the first evening, or before it; `from_s` counts from `from_min`."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        if t0 == 0:
            plan.exposures.append(exposure._replace(from_s=from_min * 60))
    return evening


DRINKS_NOW = exposed(-100, Exposure(0, 0.055, 1.8 * HOUR_S, 3.4 * HOUR_S))
DRANK_YESTERDAY = exposed(-24 * 60, Exposure(0, 0.06, 2.0 * HOUR_S, 3.8 * HOUR_S))
SANITISER = exposed(-20 * 60, Exposure(0, 0.28, 1.0, 2.6 * HOUR_S, "hand sanitiser"))
SWAB = exposed(-6 * 60, Exposure(0, 0.09, 1.0, 1_850.0, "alcohol swab"))


def uploads_no_more(plan: Plan, land: Land, t0: float) -> None:
    """Taken off the dock for the last time almost two days before the start."""
    if t0 == 0:
        plan.faults.append(Fault("silent", -NO_UPLOAD_S + 0.5 * HOUR_S, 6 * HOUR_S))


def breath_test(at_min: float, **told: Any) -> Evening:
    """One test; a value and purpose unless told otherwise."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        plan.tests.append(Test(t0 + at_min * 60, "breath", {"purpose": "random", "result": "ok", **told}))
    return evening


def drank_before_tests(plan: Plan, land: Land, t0: float) -> None:
    """At the cut-off, and again in the confirmation."""
    at, again = t0 + 8 * 60, t0 + 25 * 60
    _blow(plan, at, 0.062)
    _blow(plan, again, 0.055, "confirmation")
    plan.happenings.append(Happening("breath_failed", "alcohol", at, at, again + ON_ITS_WAY_S))


def rinsed_his_mouth(plan: Plan, land: Land, t0: float) -> None:
    """Mouthwash: a high value, and nothing a quarter of an hour later."""
    _blow(plan, t0 + 8 * 60, 0.11)
    _blow(plan, t0 + 24 * 60, 0.0, "confirmation")


def walks_away(plan: Plan, land: Land, t0: float) -> None:
    """At the cut-off, and no confirmation follows."""
    at = t0 + 9 * 60
    _blow(plan, at, 0.048)
    plan.happenings.append(Happening("breath_incomplete", "alcohol", at, at, at + CONFIRMATION_UNTIL_S))


def refuses(plan: Plan, land: Land, t0: float) -> None:
    """Does not blow."""
    at = t0 + 14 * 60
    plan.tests.append(Test(at, "breath", {"purpose": "on_demand", "result": "refused"}))
    plan.happenings.append(Happening("breath_refused", "alcohol", at, at, at + ON_ITS_WAY_S))


def takes_no_test(plan: Plan, land: Land, t0: float) -> None:
    """19:40 to 20:00 pass without one; the device goes on reporting."""
    at, until = t0 + 10 * 60, t0 + 30 * 60
    plan.happenings.append(Happening("breath_missed", "alcohol", at, until, until + ON_ITS_WAY_S))


def device_keeps_silent(plan: Plan, land: Land, t0: float) -> None:
    """The test of 18:35 to 19:05 never came, and nothing else until three hours later."""
    at, until, back = t0 - 55 * 60, t0 - 25 * 60, t0 + 180 * 60
    plan.faults.append(Fault("silent", at - 60, back, "alcohol"))
    plan.happenings.append(Happening("breath_not_received", "alcohol", at, until, at + NOT_RECEIVED_S,
                                     ("breath_missed", back + 600)))


def test_waits_in_the_device(plan: Plan, land: Land, t0: float) -> None:
    """Taken in time, and sent with all the device has ten minutes after the window."""
    _blow(plan, t0 + 15 * 60, 0.0, "scheduled")
    plan.faults.append(Fault("stored", t0 + 9 * 60, t0 + 40 * 60, "alcohol"))


def sample(at_min: float, result: str, kind: str | None = None) -> Evening:
    """A laboratory's result, and what it makes true."""
    def evening(plan: Plan, land: Land, t0: float) -> None:
        at = t0 + at_min * 60
        plan.tests.append(Test(at, "laboratory", {"panel": "5-drug", "result": result}))
        if kind is not None:
            plan.happenings.append(Happening(kind, "substance_testing", at, at, at + ON_ITS_WAY_S))
    return evening


def _blow(plan: Plan, at_s: float, value: float, purpose: str = "random") -> None:
    plan.tests.append(Test(at_s, "breath", {"brac_g_210l": value, "purpose": purpose, "result": "ok", "face": "match"}))
