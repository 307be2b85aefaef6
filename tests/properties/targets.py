"""Small worlds made to show one rule each: what random search meets too rarely to count on."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from emon.domain.order import Condition
from emon.domain.order import Test as PlannedTest
from tests.oracle.oracle import oracle
from tests.oracle.scene import HOME, SCHOOL, SCHOOL_SMALLER, SISTER, Scene, contact, exclusion, window
from tests.properties.corpus import Case

Target = tuple[str, Scene, float]


def _curfew(*hours: tuple[str, str], **knobs: object) -> Condition:
    windows = tuple(window(*pair) for pair in hours or (("01:00", "03:00"),))
    return Condition(id="home", kind="curfew", place="home", windows=windows, **knobs)  # type: ignore[arg-type]


def _scene(*conditions: Condition, start: str = "2026-11-24T00:00:00Z", time_zone: str = "UTC") -> Scene:
    return (
        Scene(start=start).order(*conditions, time_zone=time_zone, places=(HOME, SISTER)).bind().zone(SCHOOL)
    )


def _feed(devices: int) -> Scene:
    """Devices of one feed, last heard around minute 5."""
    scene = Scene()
    for index in range(devices):
        scene.order(contact(), participant=f"P{index}", since=0, arrive=0)
        scene.bind(f"D{index}", f"P{index}", since=0, arrive=0, feed="acme")
        scene.status(5 + index / 10, device=f"D{index}", feed="acme")
    return scene


def _of_zones() -> list[Target]:
    held = exclusion(hold_s=600)
    moved = _scene(exclusion()).fixes([0, 1, 6, 7], "fence").zone(SCHOOL_SMALLER, since=5, arrive=20)
    merged = _scene(exclusion()).fixes([0, 1], "school").fixes([8, 12], "home").fixes([20, 21], "school")
    ended = _scene(exclusion()).fixes([90, 150, 180], "fence").order(version=2, void=True, since=150, arrive=240)
    again = _scene(held).fixes([0, 1], "school").fix(5, "home", arrive=15).fix(5, "school", arrive=16)
    return [
        ("gap in a long hold", _scene(exclusion(hold_s=3600)).fixes([0, 1, 40], "school"), 70),
        ("stale chain", _scene(exclusion()).fixes([0, 31, 32, 100], "school"), 110),
        ("contrary at due", _scene(held).fixes([0, 1], "school").fix(10, "home"), 20),
        ("late contrary", _scene(held).fixes([0, 1], "school").fix(5, "home", arrive=10), 20),
        ("late contrary after due", _scene(held).fixes([0, 1], "school").fix(5, "home", arrive=10.1), 20),
        ("again", again, 20),
        ("weak fixes", _scene(exclusion()).fixes([0, 1], "fence", accuracy_m=12), 10),
        (
            "unsure between",
            _scene(exclusion()).fix(0, "school").fix(1, "fence", accuracy_m=30).fix(2, "school"),
            10,
        ),
        ("merged", merged.fix(10, "school", arrive=40), 50),
        ("zone version told late", moved, 30),
        ("late fix before an end told late", ended.fix(120, "fence", arrive=1620), 1650),
        ("docked for a day", _scene(exclusion()).fixes([0, 1], "school", arrive=1500), 1510),
        (
            "back-dated",
            _scene().fixes([0, 1], "school").order(exclusion(), version=2, since=-10, arrive=20),
            30,
        ),
        (
            "late older version",
            Scene()
            .bind()
            .zone(SCHOOL)
            .order(version=2)
            .order(exclusion(), version=1, since=-50, arrive=20)
            .fixes([0, 1], "school"),
            30,
        ),
        ("from the future", _scene(exclusion()).fix(0, "school").fix(10, "school", arrive=1), 12),
        (
            "two devices",
            _scene(exclusion()).bind("E", since=0).fixes([1, 2, 3], "school").fix(0.5, "home", device="E"),
            10,
        ),
    ]


def _of_curfews() -> list[Target]:
    leave = Scene().leave(50, 200)
    doubled = {"start": "2026-11-01T06:00:00Z", "time_zone": "America/Chicago"}
    missing = {"start": "2026-03-08T07:00:00Z", "time_zone": "America/Chicago"}
    alone = _scene(_curfew()).bind("H", role="home", place="home")
    with_leave = _scene(_curfew()).fixes([61, 62], "far").order(_curfew(leave=(leave,)), version=2, arrive=90)
    return [
        (
            "hold to the end",
            _scene(_curfew(hold_s=600)).fixes([170, 171], "far").fix(175, "far", arrive=190),
            200,
        ),
        ("absent", _scene(_curfew()).fixes([61, 62, 120, 170], "far"), 200),
        ("unknown after", _scene(_curfew()).fixes([61, 62, 130, 170], "far"), 200),
        ("old state", _scene(_curfew()).fix(0, "far").fixes([61, 62], "far"), 70),
        (
            "touching",
            _scene(_curfew(("01:00", "02:00"), ("02:00", "03:00"))).fixes([100, 101, 130], "far"),
            200,
        ),
        ("doubled hour", _scene(_curfew(("01:30", "03:00")), **doubled).fixes([31, 32, 90, 150], "far"), 300),
        ("missing hour", _scene(_curfew(("02:30", "05:00")), **missing).fixes([50, 55, 61, 62], "far"), 90),
        ("leave told late", with_leave, 120),
        ("suspended", _scene(_curfew(suspensions=(leave,))).fixes([61, 62], "far"), 120),
        ("absent by presence", alone.presence(61, False).presence(63, False), 80),
        (
            "presence and a bracelet",
            _scene(_curfew())
            .bind("D", role="position", binding="B-D-P", version=2)
            .bind("H", role="home")
            .presence(61, False)
            .presence(63, False),
            80,
        ),
        (
            "another's beacon",
            _scene(_curfew())
            .bind("H", role="home")
            .bind("X", "Q")
            .presence(61, True, beacon="X")
            .fixes([70, 71], "far"),
            80,
        ),
    ]


def _of_allowances() -> list[Target]:
    def allowed(allowance_s: float, start: str = "2026-11-24T00:00:00Z", *hours: tuple[str, str]) -> Scene:
        return _scene(_curfew(*hours, allowance_s_per_week=allowance_s), start=start)

    sunday = allowed(3600, "2026-11-29T22:00:00Z", ("22:30", "02:30"))
    return [
        ("crossed while away", allowed(600).fix(60, "home").fixes([70, 71], "far"), 200),
        ("just the allowance", allowed(600).fix(60, "home").fixes([70, 71], "far").fixes([80, 81], "home"), 200),
        ("two weeks of one night", sunday.fix(31, "home").fixes([70, 71, 90], "far"), 260),
        ("absent counts no more", allowed(600).fixes([61, 62, 100, 150], "far"), 200),
    ]


def _of_appointments() -> list[Target]:
    def held(minimum_s: float = 3600, **knobs: object) -> Scene:
        return _scene(
            Condition(
                id="work",
                kind="attendance",
                place="home",
                windows=(window("01:00", "03:00"),),
                minimum_s=minimum_s,
                **knobs,  # type: ignore[arg-type]
            )
        )

    leave = Scene().leave(100, 120)
    broken = held().fixes([70, 130], "home").fixes([65, 100, 170], "far")
    in_parts = held(suspensions=(leave,)).fixes([65, 130, 150], "far").fixes([85, 125], "home")
    told_late = held().fixes([65, 100, 130], "far").fixes([171], "home", arrive=200)
    return [
        ("kept for just as long", held().fixes([70, 130], "home").fix(65, "far"), 200),
        ("twice for a moment", broken, 200),
        ("watched too little", held().fixes([65, 125, 150], "far"), 200),
        ("late by five to ten minutes", held().fixes([65, 100, 130], "far").fix(172, "home"), 200),
        ("left", held().fixes([61, 70], "home").fixes([90, 120, 150], "far"), 200),
        ("leave within the window", in_parts, 200),
        ("shown late", told_late, 220),
        ("nothing heard", held().fix(30, "far"), 200),
    ]


def _of_silences() -> list[Target]:
    older = _feed(5).order(contact(), participant="Q").bind("E", "Q", feed="acme")
    older.status(-60, device="E", feed="acme").status(0, device="D0", feed="acme")
    backlog = _feed(5).status(13.4, device="D1", feed="acme", arrive=18)
    return [
        ("reading at due", Scene().order(contact(), since=0).bind().status(0).status(15), 20),
        ("deaf", Scene().order(contact(), since=0).bind().status(0).deaf(10, 60), 80),
        ("four devices", _feed(4), 60),
        ("five devices", _feed(5).status(60, device="D0", feed="acme"), 80),
        ("older silence", older, 60),
        ("backlog in an outage", backlog, 40),
    ]


def _sober(**more: object) -> Scene:
    return Scene().order(Condition(id="alcohol", kind="alcohol", **more)).bind("B")  # type: ignore[arg-type]


def _of_breath() -> list[Target]:
    upgraded = _sober().breath(0, result="incomplete", test_id="t").breath(0, 0.0, test_id="t", arrive=5)
    planned = _sober(tests=(PlannedTest(at_s=1800, window_s=1200),))
    return [
        ("upgraded", upgraded, 20),
        ("at the limit", _sober().breath(0, 0.02), 40),
        ("confirmed", _sober().breath(0, 0.05).breath(15, 0.05, purpose="confirmation"), 40),
        ("confirmed too soon", _sober().breath(0, 0.05).breath(14.9, 0.05, purpose="confirmation"), 40),
        ("not received", planned.status(20, device="B").status(150, device="B"), 160),
    ]


def _of_skin() -> list[Target]:
    def curve(*values: float) -> Scene:
        scene = Scene().order(Condition(id="alcohol", kind="alcohol")).bind("T")
        for index, value in enumerate(values):
            scene.reading(index * 30, None, device="T", kind="alcohol_transdermal", tac_g_dl=value)
        return scene

    def drunk() -> Scene:
        return curve(0, 0.02, 0.05, 0.05, 0.03, 0, 0)

    return [
        ("one zero", curve(0, 0.02, 0.02, 0.02, 0, 0.02, 0.01, 0, 0), 300),
        ("lower between", curve(0, 0.02, 0.02, 0.01, 0.02), 200),
        ("two peaks", curve(0, 0.02, 0.03, 0.02, 0.02, 0.03, 0, 0), 300),
        ("silent for days", curve(0, 0), 3000),
        ("confirmed by an analyst", drunk().verdict(30, "confirmed", 400), 500),
        ("called otherwise while it lasts", drunk().verdict(30, "interferent", 100), 500),
        ("said of its last instant", drunk().verdict(150, "confirmed", 400), 500),
        ("said and taken back", drunk().verdict(30, "confirmed", 400).verdict(
            30, "confirmed", 450, version=2, void=True), 500),
        ("said of the wrong one first", curve(0, 0.02, 0.05, 0.05, 0.03, 0, 0, 0.02, 0.05, 0.05, 0.03, 0, 0).verdict(
            30, "confirmed", 600).verdict(210, "confirmed", 650, version=2), 700),
        ("said by two", drunk().verdict(30, "interferent", 400, name="A").verdict(30, "confirmed", 450, name="B"), 500),
        ("said by two the other way round", drunk().verdict(30, "confirmed", 400, name="B").verdict(
            30, "interferent", 450, name="A"), 500),
    ]


def _of_samples() -> list[Target]:
    day = 1440.0

    def lab(result: str, minute: float) -> Scene:
        ordered = Condition(id="lab", kind="substance_testing", per_month=1)
        scene = Scene(start="2026-11-01T00:00:00Z").order(ordered, since=-31 * day).bind("L", since=-31 * day)
        return scene.reading(minute, max(minute, -60), device="L", kind="lab_result", result=result, test_id="s")

    return [
        ("clean", lab("negative", -day), 20),
        ("pending", lab("pending", -day), 20),
        ("dilute", lab("dilute", -day), 20),
        ("next month", lab("negative", 0), 20),
    ]


def _worn(charge_every_h: float | None = None, **binding: float) -> Scene:
    ordered = Condition(id="device", kind="device_integrity", charge_every_h=charge_every_h)
    return Scene().order(ordered).bind(**binding)  # type: ignore[arg-type]


def _of_paths() -> list[Target]:
    def passing(*minutes: float, north_m: float = 0.0) -> Scene:
        scene = _scene(exclusion())
        for index, minute in enumerate(minutes):
            scene.fix(minute, ("street", "beyond")[index % 2], north_m=north_m)
        return scene

    return [
        ("through the middle and back", passing(0, 5, 10, 15.25), 20),
        ("grazed", passing(0, 1, north_m=127), 5),
        ("just deep enough", passing(0, 1, north_m=124), 5),
        ("a fix inside comes late", passing(0, 4).fix(2, "school", arrive=6), 10),
        ("a fix outside comes late", passing(0, 4).fix(1, "home", arrive=6), 10),
        ("from inside", _scene(exclusion()).fix(0, "school").fix(1, "beyond"), 5),
    ]


def _of_devices() -> list[Target]:
    held = _worn(until=20, arrive=-60).status(0, event="strap_open").status(0, event="panic")
    mocked = _worn().status(0, event="mock_location").status(5, event="mock_location").fix(10, "home")
    both = _worn().status(0, event="strap_open").status(1, event="case_open").status(2, event="strap_closed")
    ended = Scene().order(Condition(id="device", kind="device_integrity"), until=20).bind()
    late = _worn().status(0, event="strap_open").status(30, event="strap_closed")
    drained = _worn()
    for minute, charge in ((0, 0.15), (1, 0.149), (2, 0.05), (3, 0.049), (4, 0.299), (5, 0.3), (6, 0.1)):
        drained.status(minute, event="battery", battery_fraction=charge)
    charged = _worn(charge_every_h=1.5).status(-50, event="charging_start").status(10, event="charging_stop")
    rests = charged.status(20, event="charging_start")
    home = _worn(charge_every_h=1.5).bind("H", role="home").status(0, device="H")
    unit = _worn(charge_every_h=1.5).bind("H").status(0, device="H").presence(1, True)
    return [
        ("never charged", _worn(charge_every_h=1.5).status(0), 60),
        ("charging goes on", rests, 200),
        ("a home unit on the mains", home, 60),
        ("what may be a home unit", unit, 60),
        ("unbound while open", held, 30),
        ("faked location", mocked.fix(14.99, "home").fix(15, "home", method="wifi").fix(16, "home"), 20),
        ("late fix in a faked location", _worn().status(0, event="mock_location").fix(20, "home").fix(
            12, "home", arrive=25), 30),
        ("two tampers at once", both.status(3, event="case_closed"), 10),
        ("short tamper", _worn().status(0, event="strap_open").status(0, event="strap_closed"), 10),
        ("order ends while open", ended.status(0, event="shielding_start").status(20, event="shielding_stop"), 30),
        ("closed earlier by late word", late.status(10, event="strap_closed", arrive=40), 50),
        ("opened earlier by late word", late.status(-5, event="strap_open", arrive=45), 50),
        ("opened again where it ends", _worn().status(0, event="strap_open").status(10, event="strap_closed").status(
            10, event="strap_open", arrive=12), 15),
        ("drained", drained, 10),
        ("moving since long ago", _worn().status(1, event="motion_start").fixes([2, 50, 100, 165], "home"), 170),
        ("motion in two hours", _worn().fix(0, "home").status(1, event="motion_start", arrive=90).status(
            7, event="motion_stop", arrive=90).status(75, event="motion_start", arrive=90).status(
            81, event="motion_stop", arrive=90), 200),
        ("motion found in an hour that began before", _worn().fix(0, "home").status(1, event="motion_start").status(
            9, event="motion_stop").status(70, event="motion_start").status(72, event="motion_stop").status(
            50, event="motion_start", arrive=80).status(52, event="motion_stop", arrive=80), 200),
        ("motion, and a late position", _worn().fix(0, "home").status(1, event="motion_start").status(
            20, event="motion_stop").fix(70, "home").fix(30, "home", arrive=80), 200),
        ("motion, and a position a second late", _worn().fix(0, "home").status(1, event="motion_start").fix(
            60.02, "home"), 70),
        ("contradicting charges", _worn().status(0, battery_fraction=0.1).status(0, battery_fraction=0.2, arrive=5), 9),
    ]


def _of_two_people() -> list[Target]:
    def near(**more: Any) -> Scene:
        said = {"protected_person": "V", "distance_m": 300, **more}
        return Scene().order(Condition(id="away", kind="keep_away", **said)).bind()

    def known(**more: Any) -> Scene:
        return near(**more).bind("V1", protected="V")

    def together(scene: Scene, device: str = "V1", minutes: Sequence[float] = (0, 1), apart: float = 0,
                 where: str = "home", **more: Any) -> Scene:
        for minute in minutes:
            scene.fix(minute, where, device=device, speed_mps=0, **more).fix(minute + apart, "home", speed_mps=0)
        return scene

    def rough(of: str) -> Scene:
        scene = known()
        for minute in (0, 1):
            scene.fix(minute, "fence", device="V1", accuracy_m=30 if of == "hers" else 5, speed_mps=0)
            scene.fix(minute, "home", accuracy_m=30 if of == "his" else 5, speed_mps=0)
        return scene

    def swapped(arrive: float = -60, **named: Any) -> Scene:
        scene = near(**named).bind("V1", protected="V", until=30)
        return scene.bind("V2", protected="V", since=30, arrive=arrive)

    away = Condition(id="away", kind="keep_away", protected_person="W", distance_m=300)
    ordered_later = together(Scene().order(away, participant="Q").bind().bind("V1", protected="V").order(
        msgspec.structs.replace(away, protected_person="V"), arrive=30), minutes=(0, 31, 32))
    earlier = known().fix(-1, "far", device="V1", speed_mps=0).fixes([0, 0.25], "home", speed_mps=0)
    broken = together(known(), minutes=(0,)).fix(5, "home").fix(5, "far", device="V1")
    broken.fix(5, "school", device="V1", arrive=8)
    between = together(known(), minutes=(0, 10)).fix(5, "home")
    late = together(known()).fix(0, "far", device="V1", arrive=20, speed_mps=0, accuracy_m=4)
    tied = known().fixes([0, 10], "home", speed_mps=0)
    for minute in (0, 10):
        tied.fix(minute - 0.5, "home", device="V1", speed_mps=0).fix(minute + 0.5, "far", device="V1", speed_mps=0)
    fast = known().fixes([0, 10], "home", speed_mps=0)
    for minute in (0, 10):
        fast.fix(minute + 1, "street", device="V1", speed_mps=3.0)
    drained = known()
    for minute, charge in ((0, 0.15), (1, 0.149), (2, 0.049), (3, 0.299), (4, 0.3)):
        drained.status(minute, device="V1", battery_fraction=charge)
    silent_feed = _feed(5).order(Condition(id="away", kind="keep_away", protected_person="V", distance_m=300))
    silent_feed.bind().bind("V1", protected="V", feed="acme").status(5, device="V1", feed="acme")
    return [
        ("together", together(known()), 20),
        ("her accuracy", rough("hers"), 20),
        ("his accuracy", rough("his"), 20),
        ("ninety seconds apart", together(known(), minutes=(0, 10), apart=1.5), 12),
        ("more than ninety seconds apart", together(known(), minutes=(0, 10), apart=1.51), 12),
        ("as near before as after", tied, 12),
        ("a fast one", fast, 12),
        ("her wifi fix between", between.fix(5, "far", device="V1", method="wifi"), 12),
        ("a late fix of hers", late, 22),
        ("a late fix of hers between", earlier.fix(0.5, "home", device="V1", arrive=20), 22),
        ("a broken chain revived", together(broken, minutes=(10,)), 12),
        ("at the limit", together(known(), where="fence"), 5),
        ("by her wifi", together(known(), method="wifi"), 5),
        ("an unknown one between", together(known(), minutes=(0, 10)).fix(5, "home").fix(
            5, "far", device="V1", method="unknown"), 12),
        ("her new phone", together(swapped(), "V2", (40, 41)), 45),
        ("her new phone told late", together(swapped(60), "V2", (40, 41)), 65),
        ("her new phone, the old one named", together(swapped(
            protected_person=None, protected_device="V1"), "V2", (40, 41)), 45),
        ("her old phone", together(swapped(), "V1", (40, 41)), 45),
        ("ordered later", ordered_later, 35),
        ("a device that nobody holds", together(near(protected_person=None, protected_device="V1")), 20),
        ("a device that nobody holds, named later", together(Scene().bind(), minutes=(0, 10)).order(
            msgspec.structs.replace(away, protected_person=None, protected_device="V1"), arrive=30), 40),
        ("silent", known().status(0, device="V1").status(20, device="V1").fixes([1, 10, 16], "far"), 40),
        ("drained, protected", drained, 6),
        ("her feed is silent", silent_feed, 60),
    ]


@lru_cache(maxsize=1)
def targets() -> tuple[Case, ...]:
    """All of them, with the oracle's answers."""
    return tuple(
        Case(name, tuple(scene.records()), scene.at(until), tuple(oracle(scene.records(), scene.at(until))))
        for name, scene, until in (
            *_of_zones(),
            *_of_curfews(),
            *_of_allowances(),
            *_of_appointments(),
            *_of_silences(),
            *_of_breath(),
            *_of_samples(),
            *_of_skin(),
            *_of_devices(),
            *_of_paths(),
            *_of_two_people(),
        )
    )
