"""Keeping away from a protected person: pairs of fixes, her devices over time, her silence and battery."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from emon.domain.binding import Binding
from emon.domain.finding import Finding
from emon.domain.instant import SECOND
from emon.domain.order import Absence, Condition, Order, Window
from emon.domain.reading import Reading
from emon.evaluate import batch
from emon.journal.records import OwnOutage
from tests.unit.evaluate.world import CONTACT, LON, at, findings, order, records, told

METRES_NORTH = 1 / 111_090  # degrees of latitude a metre, near enough at 43 degrees
AWAY = Condition(id="c5", kind="keep_away", protected_person="V", distance_m=500)


def hers(device: str = "H", since: float | None = None, until: float | None = None, **more: Any) -> Binding:
    """The protected person's device."""
    return Binding(**{"id": f"B-{device}", "device": device, "protected_person": "V",
                      "from_": None if since is None else at(since), "until": None if until is None else at(until),
                      **more})


HIS = Binding(id="B-D", device="D", participant="P")


def seen(device: str, minute: float, north_m: float = 0.0, arrives: float | None = None, **more: Any) -> Reading:
    """A position so many metres north of where the protected person lives."""
    return Reading(**{"device": device, "kind": "position", "observed_at": at(minute),
                      "lat": 43.0 + north_m * METRES_NORTH, "lon": LON, "accuracy_m": 10.0,
                      "received_at": at(minute if arrives is None else arrives),
                      "method": "gnss", "speed_mps": 0.0, **more})


def status(device: str, minute: float, arrives: float | None = None, **more: Any) -> Reading:
    return Reading(**{"device": device, "kind": "status", "event": "heartbeat", "observed_at": at(minute),
                      "received_at": at(minute if arrives is None else arrives), **more})


def judged(readings: list[Reading], *orders: Order, bindings: tuple[Binding, ...] = (HIS, hers()),
           until: float | None = None) -> list[Finding]:
    return findings(readings, *(orders or (order(AWAY),)), bindings=bindings, until=until)


def near(revisions: list[Finding]) -> list[Finding]:
    return [f for f in revisions if f.family == "keep_away"]


def test_two_fixes_near_her_are_a_finding_of_the_highest_level() -> None:
    revisions = judged([seen("H", 0), seen("D", 0, 100), seen("H", 1), seen("D", 1, 100),
                        seen("H", 2), seen("D", 2, 900), seen("H", 3), seen("D", 3, 900)], until=5)
    assert told(revisions) == ["1 keep_away opened 0- too_close", "3 keep_away closed 0-2 moved_away"]
    assert [f.level for f in revisions] == [4, 4]
    first = revisions[0].evidence
    assert {r["device"] for r in first["readings"]} == {"D", "H"}
    assert first["pairs"][0]["distance_m"] == pytest.approx(100, abs=0.3)
    assert first["pairs"][0]["slack_m"] == 20.0


def test_evidence_never_says_where_she_was() -> None:
    rows = [seen("H", 0), seen("D", 0, 100), seen("H", 1), seen("D", 1, 100), status("H", 2, battery_fraction=0.1),
            Reading(device="U", kind="presence", present=True, observed_at=at(1.5), received_at=at(1.5))]
    revisions = judged(rows, bindings=(HIS, hers(), hers("U")), until=30)
    assert {f.kind for f in revisions} == {"keep_away", "protected_battery", "protected_contact_lost"}
    for finding in revisions:
        text = msgspec.json.encode(finding).decode()
        assert '"lat"' not in text
        assert '"lon"' not in text
        assert "43.0" not in text
        assert "presen" not in text


def test_both_accuracies_count() -> None:
    def one(mine: float, her: float) -> list[str]:
        pairs = [r for m in (0, 1) for r in (seen("H", m, accuracy_m=her), seen("D", m, 450, accuracy_m=mine))]
        return told(near(judged(pairs, until=2)))

    assert one(10, 30)
    assert not one(10, 45)
    assert not one(45, 10)
    assert not one(10, 0)  # unknown: 50 m


def test_time_between_the_fixes_counts_at_the_faster_speed() -> None:
    def one(apart_s: float, mine: float | None, her: float | None) -> bool:
        pairs = [r for m in (0, 10) for r in (seen("H", m + apart_s / 60, speed_mps=her),
                                              seen("D", m, 400, speed_mps=mine))]
        return bool(near(judged(pairs, until=12)))

    assert one(30, 1, 0)  # 400 + 20 + 30
    assert not one(90, 1, 0)  # 400 + 20 + 90
    assert not one(30, 0, 3)
    assert one(50, None, None)  # 400 + 20 + 75
    assert not one(54, None, None)  # 400 + 20 + 81
    assert one(60, 0.5, None)  # one speed is known


def test_her_fix_must_lie_within_ninety_seconds() -> None:
    for apart_s, found in ((90, True), (90.000001, False)):
        pairs = [r for m in (0, 10) for r in (seen("H", m + apart_s / 60), seen("D", m, 100))]
        assert bool(near(judged(pairs, until=13))) is found


def test_of_two_equally_near_fixes_the_earlier_one_counts() -> None:
    rows = [r for m in (0, 10) for r in (seen("H", m - 0.5), seen("D", m, 100), seen("H", m + 0.5, 5000))]
    assert near(judged(rows, until=13))
    rows = [r for m in (0, 10) for r in (seen("H", m - 0.5, 5000), seen("D", m, 100), seen("H", m + 0.5))]
    assert not near(judged(rows, until=13))


@pytest.mark.parametrize("device", ["D", "H"])
@pytest.mark.parametrize("method", ["wifi", "cell", "rf", "beacon", "unknown"])
def test_other_methods_than_gnss_never_accuse(device: str, method: str) -> None:
    rows = [seen("H", 0), seen("D", 0, 100), seen("H", 1), seen("D", 1, 100)]
    rows = [msgspec.structs.replace(r, method=method) if r.device == device else r for r in rows]
    assert not near(judged(rows, until=2))
    between = [seen("H", 0), seen("D", 0, 100), seen("H", 5), seen("D", 5, 3000), seen("H", 10), seen("D", 10, 100)]
    between = [msgspec.structs.replace(r, method=method) if r.device == device and r.observed_at == at(5) else r
               for r in between]
    assert bool(near(judged(between, until=11))) is (method == "unknown")  # the others break the chain


def test_a_late_fix_of_hers_changes_what_was_found() -> None:
    rows = [seen("H", 0.5), seen("D", 1, 100), seen("D", 2, 100), seen("H", 2.4)]
    late = [seen("H", 1, 3000, arrives=20), seen("H", 2, 3000, arrives=20)]
    assert told(near(judged([*rows, *late], until=21))) == [
        "2 keep_away opened 1- too_close", "20 keep_away withdrawn 1- late_data"]
    accusing = [seen("H", 0.5, 3000), seen("D", 1, 100), seen("D", 2, 100), seen("H", 2.4, 3000),
                seen("H", 1, arrives=20), seen("H", 2, arrives=20)]
    assert told(near(judged(accusing, until=21))) == ["20 keep_away opened 1- too_close"]


def test_her_new_phone_is_hers_from_the_binding_on() -> None:
    rows = [r for m in (100, 101) for r in (seen("N", m), seen("D", m, 100))]
    assert not near(judged(rows, until=103))
    swapped = (HIS, hers("H", until=60), hers("N", since=60))
    assert near(judged(rows, bindings=swapped, until=103))
    early = [r for m in (50, 51) for r in (seen("N", m), seen("D", m, 100))]
    assert not near(judged(early, bindings=swapped, until=103))


def test_of_two_phones_the_one_bound_last_decides() -> None:
    both = (HIS, hers("H"), hers("N", since=60))
    rows = [r for m in (100, 101) for r in (seen("H", m), seen("N", m, 5000), seen("D", m, 100))]
    assert not near(judged([seen("H", 99), seen("N", 99), *rows], bindings=both, until=103))
    rows = [r for m in (50, 51) for r in (seen("H", m), seen("D", m, 100))]
    assert near(judged(rows, bindings=both, until=103))


def test_a_binding_that_becomes_known_late_judges_again() -> None:
    rows = [r for m in (100, 101) for r in (seen("N", m), seen("D", m, 100))]
    known_late = (HIS, hers("H", until=60), hers("N", since=60, received_at=at(200)))
    assert told(near(judged(rows, bindings=known_late, until=201))) == ["200 keep_away opened 100- too_close"]
    taken_back = (*known_late[:2], hers("N", since=60), hers("N", version=2, void=True, received_at=at(200)))
    assert told(near(judged(rows, bindings=taken_back, until=201))) == [
        "101 keep_away opened 100- too_close", "200 keep_away withdrawn 100- binding_changed"]


def test_a_named_device_that_nobody_holds_stands_for_its_bearer() -> None:
    named = order(Condition(id="c5", kind="keep_away", protected_device="H", distance_m=500))
    rows = [r for m in (0, 1) for r in (seen("H", m), seen("D", m, 100))]
    assert told(judged(rows, named, bindings=(HIS,), until=17)) == [
        "1 keep_away opened 0- too_close", "16 protected_contact_lost opened 11- silence"]


def test_a_named_device_means_whoever_holds_it_and_her_new_phone() -> None:
    named = order(Condition(id="c5", kind="keep_away", protected_device="H", distance_m=500))
    swapped = (HIS, hers("H", until=60), hers("N", since=60))
    rows = [r for m in (50, 51) for r in (seen("H", m), seen("D", m, 100))]
    rows += [r for m in (52, 53) for r in (seen("H", m), seen("D", m, 5000))]
    rows += [r for m in (100, 101) for r in (seen("N", m), seen("H", m, 5000), seen("D", m, 100))]
    assert [(f.status, f.onset) for f in near(judged(rows, named, bindings=swapped, until=103))] == [
        ("opened", at(50)), ("closed", at(50)), ("opened", at(100))]


def test_hold_grace_leave_and_suspension_are_as_in_other_conditions() -> None:
    def one(**knobs: Any) -> list[str]:
        rows = [r for m in range(10) for r in (seen("H", m), seen("D", m, 100))]
        return told(near(judged(rows, order(msgspec.structs.replace(AWAY, **knobs)), until=10)))

    assert one(hold_s=120, grace_s=120) == ["4 keep_away opened 0- too_close"]
    assert one(confirm_fixes=1) == ["0 keep_away opened 0- too_close", "1 keep_away amended 0- too_close"]
    assert one(confirm_fixes=4) == ["3 keep_away opened 0- too_close"]
    assert one(leave=(Absence(from_=at(0), to=at(5)),)) == ["6 keep_away opened 5- too_close"]
    assert one(suspensions=(Absence(from_=at(3), to=at(60)),)) == [
        "1 keep_away opened 0- too_close", "3 keep_away closed 0-3 suspension_began"]


def test_her_silence_is_a_finding_under_his_condition() -> None:
    rows = [seen("D", m, 5000) for m in range(40)] + [seen("H", 0), status("H", 5), status("H", 30)]
    assert told(judged(rows, until=40)) == [
        "20 protected_contact_lost opened 15- silence", "30 protected_contact_lost closed 15-30 heard"]
    assert told(judged([*rows, status("H", 12, arrives=35), status("H", 21, arrives=35)], until=36))[-1] == (
        "35 protected_contact_lost withdrawn 15-30 late_data")


def test_her_battery_is_a_finding_under_his_condition() -> None:
    rows = [status("H", m, battery_fraction=f) for m, f in ((0, 0.2), (5, 0.14), (10, 0.04), (15, 0.2), (20, 0.3))]
    revisions = judged(rows, until=21)
    assert told(revisions) == ["5 protected_battery opened 5- low", "10 protected_battery amended 5- critical",
                               "20 protected_battery closed 5-20 charged"]
    assert {(f.participant, f.order, f.condition, f.level) for f in revisions} == {("P", "O", "c5", 2)}


def test_her_silence_is_hers_though_her_whole_feed_is_silent() -> None:
    """Five others of the feed are silent with her: nothing is said of them, and what is said of her stays."""
    others = [f"M{n}" for n in range(5)]
    orders = [order(AWAY), *(order(CONTACT, id=f"O-{who}", participant=who) for who in others)]
    bindings = (HIS, hers(feed="acme"), *(Binding(id=who, device=f"D-{who}", participant=who, feed="acme")
                                          for who in others))
    rows = [status(f"D-{who}", 0, feed="acme") for who in others] + [status("H", 0, feed="acme"), seen("D", 0, 9000)]
    said = told(judged(rows, *orders, bindings=bindings, until=40))
    assert said == ["10 feed_outage opened 10- silence", "15 protected_contact_lost opened 10- silence"]


def test_what_we_did_not_hear_ourselves_is_no_silence_of_hers() -> None:
    rows = [status("H", 0), status("H", 30)]
    arrived = [*records(rows, order(AWAY), bindings=(HIS, hers())), OwnOutage(at(30), at(5), at(29))]
    assert not list(batch.evaluate(sorted(arrived, key=lambda r: r.received_at), at(31)))


def test_hours_are_for_him_and_her_phone_is_watched_in_all() -> None:
    nights = msgspec.structs.replace(AWAY, windows=(Window(from_s=3600, to_s=7200),))
    rows = [r for m in (30, 31, 70, 71) for r in (seen("H", m), seen("D", m, 100))]
    revisions = judged(rows, order(nights, since=20), until=125)
    assert told(near(revisions)) == ["71 keep_away opened 70- too_close", "120 keep_away closed 70-120 window_ended"]
    assert "46 protected_contact_lost opened 41- silence" in told(revisions)


def test_what_an_order_may_say_otherwise() -> None:
    said = {"pair_s": 10.0, "unknown_speed_mps": 0.0, "every_s": 60.0, "hold_s": 0.0, "battery_low": 0.5,
            "battery_charged": 0.6}
    other = order(msgspec.structs.replace(AWAY, limits=said))
    rows = [r for m in (0, 0.5) for r in (seen("H", m + 10 / 60, speed_mps=None), seen("D", m, 475, speed_mps=None))]
    rows += [status("H", 1, battery_fraction=0.4), status("H", 1.5, battery_fraction=0.6)]
    assert told(judged(rows, other, until=2.6)) == [
        "0.666667 keep_away opened 0- too_close", "1 protected_battery opened 1- low",
        "1.5 protected_battery closed 1-1.5 charged", "2.5 protected_contact_lost opened 2.5- silence"]
    apart = [r for m in (0, 0.5) for r in (seen("H", m + 11 / 60), seen("D", m, 100))]
    assert not near(judged(apart, other, until=1))


def test_nobody_keeps_away_from_himself() -> None:
    rows = [r for m in (0, 1) for r in (seen("D", m, 0),)]
    assert not judged(rows, order(Condition(id="c5", kind="keep_away", protected_person="P", distance_m=500)), until=60)


def test_two_who_must_keep_away_from_one_person_and_one_from_two() -> None:
    second = msgspec.structs.replace(AWAY, id="c6", protected_person="W")
    orders = (order(AWAY, second), order(AWAY, id="O-Q", participant="Q"))
    bindings = (HIS, Binding(id="b-Q", device="E", participant="Q"), hers(),
                Binding(id="b-W", device="HW", protected_person="W"))
    rows = [r for m in (0, 1) for r in (seen("H", m), seen("HW", m, 150), seen("D", m, 100), seen("E", m, 200))]
    assert {(f.participant, f.condition) for f in near(judged(rows, *orders, bindings=bindings, until=2))} == {
        ("P", "c5"), ("P", "c6"), ("Q", "c5")}


def test_a_protected_participant_is_judged_by_orders_of_his_own_too() -> None:
    mutual = (order(msgspec.structs.replace(AWAY, protected_person="Q")),
              order(msgspec.structs.replace(AWAY, protected_person="P"), CONTACT, id="O-Q", participant="Q"))
    bindings = (HIS, Binding(id="b-Q", device="E", participant="Q"))
    rows = [r for m in (0, 1) for r in (seen("D", m), seen("E", m, 200))]
    revisions = judged(rows, *mutual, bindings=bindings, until=16)
    assert {(f.participant, f.kind) for f in revisions} == {
        ("P", "keep_away"), ("Q", "keep_away"), ("Q", "contact_lost"),
        ("P", "protected_contact_lost"), ("Q", "protected_contact_lost")}


def test_a_speed_told_otherwise_at_one_instant_is_a_tie() -> None:
    rows = [seen("H", 0), seen("D", 0, 100), seen("H", 1), seen("D", 1, 100), seen("D", 1, 100, speed_mps=3.0)]
    assert not near(judged(rows, until=2))
    assert near(judged([*rows[:-1], seen("D", 1, 100, hdop=2.0)], until=2)), "what no rule reads makes no tie"


def test_order_of_arrival_does_not_matter() -> None:
    rows = [r for m in range(30) for r in (seen("H", m + 0.3, 40 * m), seen("D", m, 700 - 20 * m))]
    rows.append(status("H", 10, battery_fraction=0.1))
    last = max(r.observed_at for r in rows) + 60 * SECOND
    plain = judged(rows, until=31)
    for order_of in (rows, rows[::-1], rows[::2] + rows[1::2], rows[1::2] + rows[::2]):
        at_once = [msgspec.structs.replace(r, received_at=last + i) for i, r in enumerate(order_of)]
        assert _in_force(judged(at_once, until=31.4)) == _in_force(plain)


def _in_force(revisions: list[Finding]) -> set[tuple[object, ...]]:
    latest = {f.finding_id: f for f in revisions}
    return {(f.kind, f.onset, f.ended, f.level) for f in latest.values() if f.status != "withdrawn"}
