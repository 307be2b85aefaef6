"""Orders, zones, bindings and people checked: what is sound is read as meant, what is not names its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from emon.domain import instant
from emon.domain.binding import Binding
from emon.domain.order import Absence, Order, Window
from emon.formats.check import Checked, check
from emon.formats.text import Unreadable

ORDER = """\
order: WI-2026-000777
version: 1
participant: P-7
time_zone: America/Chicago
effective_from: 2026-11-01T00:00:00-05:00
devices:
  - {device: ANKLE-7, from: 2026-11-01T00:00:00-05:00, until: null}
  - {device: BOX-7, place: home, role: home}
places:
  - {id: home, lat: 43.07, lon: -89.4, radius_m: 75}
conditions:
  - {id: stay-out, kind: exclusion_zone, zone: yard, buffer_m: 100, x-note: "kept by the clerk"}
  - id: nights
    kind: curfew
    place: home
    windows: [{days: [sun, mon], from: 20:00, to: "06:00"}]
    hold_s: 300
    leave: [{from: 2026-11-24T18:00:00-06:00, to: 2026-11-24T22:00:00-06:00, reason: hospital}]
  - {id: speak, kind: contact, every_s: 600, hold_s: 300}
"""
SQUARE = "[[[0,0],[0,1],[1,1],[1,0],[0,0]]]"


def _zone(geometry: str = f'{{"type":"Polygon","coordinates":{SQUARE}}}', properties: str = "") -> str:
    return ('{"type":"FeatureCollection","features":[\n{"type":"Feature",\n"properties":{"id":"yard"'
            f'{properties}}},\n"geometry":{geometry}}}\n]}}')


def _check(folder: Path, order: str = ORDER, zone: str = _zone()) -> Checked:
    (folder / "order.yaml").write_text(order)
    (folder / "zone.geojson").write_text(zone)
    return check([folder])


def _messages(folder: Path, order: str = ORDER, zone: str = _zone()) -> list[str]:
    return [f"{Path(fault.file).name}:{fault.line}: {fault.reason}" for fault
            in _check(folder, order, zone).faults]


def _replaced(old: str, new: str) -> str:
    assert old in ORDER
    return ORDER.replace(old, new)


def test_sound_files_become_the_domains_values(tmp_path: Path) -> None:
    """Times, days, leave and shorthand bindings arrive as meant; x- keys are free."""
    checked = _check(tmp_path)
    assert not checked.faults
    assert not checked.warnings
    (order,) = checked.orders
    assert (order.id, order.version, order.time_zone) == ("WI-2026-000777", 1, "America/Chicago")
    assert order.effective_from == instant.parse("2026-11-01T05:00:00Z")
    nights = order.conditions[1]
    assert nights.windows == (Window(days=(0, 6), from_s=72_000, to_s=21_600),)
    assert nights.leave == (Absence(from_=instant.parse("2026-11-25T00:00:00Z"),
                                    to=instant.parse("2026-11-25T04:00:00Z"), reason="hospital"),)
    assert order.conditions[0].confirm_fixes is None
    assert checked.bindings[1] == Binding(id="WI-2026-000777:BOX-7", version=1, device="BOX-7",
                                          participant="P-7",
                                          role="home", place="home", effective_from=order.effective_from)
    assert checked.zones[0].polygons == ((((0, 0), (0, 1), (1, 1), (1, 0), (0, 0)),),)


@pytest.mark.parametrize(("old", "new", "line", "reason"), [
    ("hold_s: 300\n", "hold_s: 300\n    grce_s: 5\n", 18, "unknown key `grce_s`; did you mean `grace_s`?"),
    ("hold_s: 300\n", "hold_s: 300\n    distance_m: 5\n", 18,
     "`distance_m` does not belong to a condition of kind curfew; it is a field of keep_away"),
    ("hold_s: 300\n", "hold_s: -1\n", 17, "`hold_s` is -1; input should be greater than or equal to 0"),
    ("hold_s: 300\n", "hold_s: .nan\n", 17, "`hold_s` is nan; input should be a finite number"),
    ("hold_s: 300\n", "hold_s: true\n", 17, "`hold_s` is True; input should be a valid number"),
    ("hold_s: 300\n", "hold_s: '300'\n", 17, "`hold_s` is '300'; input should be a valid number"),
    ("participant: P-7", "particpant: P-7", 3, "unknown key `particpant`; did you mean `participant`?"),
    ("participant: P-7\n", "", 1, "`participant` is missing in WI-2026-000777"),
    ("participant: P-7", "participant: 7", 3, "`participant` is 7; it must be a text, in quotes: \"7\""),
    ("kind: curfew", "kind: curfw", 13, "kind `curfw` is not known; known are exclusion_zone,"),
    ("    kind: curfew\n", "", 13, "`kind` is missing in nights; known are exclusion_zone,"),
    ("kind: exclusion_zone, zone: yard,", "kind: exclusion_zone,", 12, "`zone` is missing in stay-out"),
    ("zone: yard", "zone: yrad", 12, "zone `yrad` stands in none of the files; did you mean `yard`?"),
    ("place: home\n", "place: hoem\n", 15, "place `hoem` is not known; did you mean `home`?"),
    ("place: home, role", "place: shed, role", 8, "place `shed` is not known; known are home"),
    ("    place: home\n", "", 13, "nights (curfew) needs either `place` or `places`"),
    ("America/Chicago", "America/Chicgo", 4, "time zone `America/Chicgo` is not known"),
    ("America/Chicago", "../../etc/passwd", 4, "time zone `../../etc/passwd` is not known"),
    ("lat: 43.07", "lat: 91", 10, "`lat` is 91; input should be less than or equal to 90"),
    ("radius_m: 75", "radius_m: 0", 10, "`radius_m` is 0; input should be greater than 0"),
    ("[sun, mon]", "[sun, Monday]", 16, "`days[1]`: 'Monday' is no day; known are mon"),
    ("from: 20:00", "from: 2000", 16, "`from`: 2000 is no time of day; write it as \"20:00\""),
    ("2026-11-24T22:00:00-06:00", "2026-11-24T18:00:00-06:00", 18, "leave of nights: `from` must lie before "
                                                                   "`to`"),
    ("2026-11-24T22:00:00-06:00", "2026-11-24T22:00:00", 18,
     "`to`: '2026-11-24T22:00:00' is not an RFC 3339"),
    ("until: null", "until: 9999-12-31T23:59:59Z", 7, "`until`: 9999-12-31T23:59:59Z stands for no real "
                                                      "instant"),
    ("effective_from: 2026-11-01", "effective_from: 2026-12-01", 18, "leave of nights lies outside its "
                                                                     "version's"),
    ("effective_from:", "effective_until: 2026-10-01T00:00:00Z\neffective_from:", 5,
     "`effective_until` lies before `effective_from`"),
    ("until: null", "until: 2026-11-01T00:00:00-05:00", 7, "device ANKLE-7: `from` must lie before `until`"),
    ("device: BOX-7, place: home, role: home", "device: ANKLE-7", 8, "device ANKLE-7 is listed twice"),
    ("hold_s: 300\n", "hold_s: 300\n    exceptions: [{date: 2026-12-24}, {date: 2026-12-24}]\n", 18,
     "exception for `2026-12-24` stands twice"),
    ("hold_s: 300\n", "hold_s: 300\n    exceptions: [{date: 24.12.2026}]\n", 18, "`date`: '24.12.2026' is "
                                                                                 "no date"),
    ("id: speak", "id: nights", 19, "condition `nights` stands twice"),
    ("role: home", "role: hme", 8, "`role` is 'hme'; known are position, home, alcohol, other; did you mean "
                                   "`home`?"),
    ("order: WI", "oder: WI", 1, "not a known document (keys: oder, version, participant"),
    ("version: 1", "version: 0", 2, "`version` is 0; input should be greater than or equal to 1"),
])
def test_each_fault_names_its_line(tmp_path: Path, old: str, new: str, line: int, reason: str) -> None:
    """One fault in an otherwise sound order: one message, at the line of what is wrong."""
    (message,) = _messages(tmp_path, _replaced(old, new))
    assert message.startswith(f"order.yaml:{line}: {reason}")


@pytest.mark.parametrize(("geometry", "properties", "line", "reason"), [
    ('{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}', "", 4, "the polygon crosses or "
                                                                                  "touches"),
    ('{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[1,0]]]}', "", 4, "the ring is not closed"),
    ('{"type":"Polygon","coordinates":[[[0,0],[0,1],[0,0]]]}', "", 4, "a ring of 3 positions"),
    ('{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,91],[1,0],[0,0]]]}', "", 4, "[1.0, 91.0] is not on "
                                                                                   "earth"),
    ('{"type":"Polygon","coordinates":[[[0,0],[0,1],[0,2],[0,0]]]}', "", 4, "the polygon"),
    ("null", "", 4, "the zone has no geometry"),
    ('{"type":"Point","coordinates":[0,0]}', "", 3, "a Point needs `radius_m`"),
    ('{"type":"Point","coordinates":[0,0]}', ',"radius_m":-5', 3, "`radius_m` is -5; input should be "
                                                                  "greater than 0"),
    (f'{{"type":"Polygon","coordinates":{SQUARE}}}', ',"radius_m":5', 3, "`radius_m` goes with a Point"),
    (f'{{"type":"Polygon","coordinates":{SQUARE}}}', ',"kind":"exlusion"', 3, "`kind` is 'exlusion'; known "
                                                                              "are"),
    (f'{{"type":"Polygon","coordinates":{SQUARE}}}', ',"colour":"red"', 3, "unknown key `colour`"),
    ('{"type":"LineString","coordinates":[[0,0],[1,1]]}', "", 4, "type `LineString` is not known; known are "
                                                                 "Point"),
    (f'{{"type":"MultiPolygon","coordinates":[{SQUARE},{SQUARE}]}}', "", 4, "parts of the zone overlap"),
])
def test_each_fault_of_a_zone_names_its_line(tmp_path: Path, geometry: str, properties: str, line: int,
                                             reason: str) -> None:
    """A zone that is faulty is not also an unknown one."""
    (message,) = _messages(tmp_path, zone=_zone(geometry, properties))
    assert message.startswith(f"zone.geojson:{line}: {reason}")


def test_all_faults_are_listed_in_one_run(tmp_path: Path) -> None:
    """Faults of types do not hide those between documents."""
    order = ORDER.replace("hold_s: 300\n", "hold_s: -1\n", 1).replace("zone: yard", "zone: nowhere") \
        .replace("place: home\n", "place: nowhere\n").replace("every_s: 600", "evry_s: 600")
    lines = [message.split(":")[1] for message in _messages(tmp_path, order)]
    assert lines == ["12", "15", "17", "19"]


def test_faulty_elements_do_not_shift_the_lines_of_others(tmp_path: Path) -> None:
    """The first condition is of no known kind; the fault of the next keeps its line."""
    order = _replaced("kind: exclusion_zone", "kind: nothing").replace("place: home\n", "place: nowhere\n")
    assert [message.split(":")[1] for message in _messages(tmp_path, order)] == ["12", "15"]


def test_a_device_on_two_people_names_both(tmp_path: Path) -> None:
    """At the second binding's line, with the instant; one after the other is fine."""
    other = ("\n---\norder: WI-2026-000778\nparticipant: P-8\n"
             "devices: [{device: ANKLE-7, from: 2026-12-01T00:00:00-06:00}]\n")
    (message,) = _messages(tmp_path, ORDER + other)
    assert message.startswith("order.yaml:24: device ANKLE-7 is bound to two people at 2026-12-01T06:00:00Z: "
                              "participant P-7 (binding WI-2026-000777:ANKLE-7 version 1) and "
                              "participant P-8")
    assert not _messages(tmp_path, _replaced("until: null", "until: 2026-12-01T00:00:00-06:00") + other)


def test_a_binding_file_can_conflict_with_a_shorthand(tmp_path: Path) -> None:
    """Protected persons' devices count too."""
    (tmp_path / "binding.json").write_text(
        '[{"binding": "b1", "device": "ANKLE-7",\n"protected_person": "V-1"}]')
    (message,) = _messages(tmp_path)
    assert "participant P-7" in message
    assert "protected person V-1" in message


def test_one_version_number_with_two_contents(tmp_path: Path) -> None:
    """The same text twice is one version; another one needs another number."""
    assert len(_check(tmp_path, f"{ORDER}\n---\n{ORDER}").orders) == 1
    (message,) = _messages(tmp_path, f"{ORDER}\n---\n{_replaced('every_s: 600', 'every_s: 900')}")
    assert message.startswith("order.yaml:22: order WI-2026-000777 version 1 stands here with "
                              "other content than at ")


def test_a_dropped_device_is_unbound_from_the_later_version_on(tmp_path: Path) -> None:
    """And may then be another participant's; a void version names nobody and drops all."""
    later = ("\n---\norder: WI-2026-000777\nversion: 2\nvoid: true\n"
             "effective_from: 2026-12-01T00:00:00-06:00\n")
    other = ("---\norder: WI-2026-000778\nparticipant: P-8\n"
             "devices: [{device: ANKLE-7, from: 2026-12-01T00:00:00-06:00}]\n")
    checked = _check(tmp_path, ORDER + later + other)
    assert not checked.faults
    dropped = [binding for binding in checked.bindings if binding.void]
    assert [(b.id, b.version, b.participant, b.effective_from) for b in dropped] == [
        ("WI-2026-000777:ANKLE-7", 2, "P-7", instant.parse("2026-12-01T06:00:00Z")),
        ("WI-2026-000777:BOX-7", 2, "P-7", instant.parse("2026-12-01T06:00:00Z"))]
    assert [order.participant for order in checked.orders] == ["P-7", "P-7", "P-8"]


def test_place_conditions_without_contact_are_a_warning(tmp_path: Path) -> None:
    """Allowed, printed, and no fault."""
    checked = _check(tmp_path, _replaced("  - {id: speak, kind: contact, every_s: 600, hold_s: 300}\n", ""))
    assert not checked.faults
    (warning,) = checked.warnings
    assert warning.line == 12
    assert "no contact condition" in warning.reason


def test_an_order_alone_cannot_know_its_zones(tmp_path: Path) -> None:
    """Without any zone file the zone may be anywhere: a warning; a fault where that is all there is."""
    (tmp_path / "order.yaml").write_text(ORDER)
    checked = check([tmp_path])
    assert not checked.faults
    assert "zone `yard`" in str(checked.warnings[0])
    assert [fault.line for fault in check([tmp_path], complete=True).faults] == [12]


def test_leave_partly_outside_its_version_is_a_warning(tmp_path: Path) -> None:
    """What lies inside still counts."""
    checked = _check(tmp_path, _replaced("effective_from: 2026-11-01T00", "effective_from: 2026-11-24T20"))
    assert not checked.faults
    assert "partly outside" in str(checked.warnings[0])


def test_a_void_zone_needs_no_geometry(tmp_path: Path) -> None:
    """It only ends what was."""
    assert _check(tmp_path, zone=_zone("null", ',"version":2,"void":true')).zones[0].void


def test_people_and_bindings(tmp_path: Path) -> None:
    """Single records and lists; addresses fit their channel."""
    (tmp_path / "people.yaml").write_text(
        "people:\n  - {id: o-17, role: officer, name: R. Vega, contacts: [{channel: push, address: x}]}\n"
        "  - {id: V-1, role: protected_person, language: es, time_zone: America/Chicago}\n"
        "---\nperson: P-7\nrole: participant\ncontacts:\n"
        "  - {channel: sms, address: \"+16085550100\", verified: true}\n"
        "---\nperson: P-8\nrole: participant\ncontacts:\n  - {channel: email, address: nobody}\n"
        "---\nbinding: b-1\ndevice: PHONE-1\n"
        "---\nbinding: b-2\nversion: 2\nvoid: true\n")
    checked = _check(tmp_path)
    assert [person.id for person in checked.people] == ["o-17", "V-1", "P-7", "P-8"]
    assert checked.people[2].contacts[0].verified
    assert [f"{fault.line}: {fault.reason}" for fault in checked.faults] == [
        "13: `nobody` is no address for email",
        "15: binding b-1 needs either `participant` or `protected_person`",
        "18: `device` is missing in b-2, and no other version names it"]


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    """Each of them, in one message."""
    with pytest.raises(Unreadable, match=r"a.yaml: cannot be read.*b.yaml: cannot be read"):
        check([tmp_path / "a.yaml", tmp_path / "b.yaml"])


def test_what_keeping_away_takes(tmp_path: Path) -> None:
    """A person or a device, hours, and the rule's own parameters; a misspelt one is a fault."""
    sound = """\
  - {id: k1, kind: keep_away, protected_device: V-0009, distance_m: 500, grace_s: 60, confirm_fixes: 3,
     windows: [{from: "20:00", to: "06:00"}], exceptions: [{date: 2026-12-24, windows: []}],
     limits: {pair_s: 60, every_s: 1200, battery_low: 0.2}}
"""
    checked = _check(tmp_path, ORDER + sound)
    assert not checked.faults
    assert not [w for w in checked.warnings if "judges" in w.reason]
    (condition,) = [c for c in checked.orders[0].conditions if c.id == "k1"]
    assert condition.windows and condition.exceptions
    assert condition.limits == {"pair_s": 60, "every_s": 1200, "battery_low": 0.2}
    misspelt = _check(tmp_path, ORDER + sound.replace("pair_s", "pairs_s"))
    assert ["k1: keep_away has no limit `pairs_s`" in fault.reason for fault in misspelt.faults] == [True]
    both = _check(tmp_path, ORDER + sound.replace("distance_m", "protected_person: V-1, distance_m"))
    assert ["either `protected_device` or `protected_person`" in fault.reason for fault in both.faults] == [True]


def test_a_version_of_every_kind_of_condition(tmp_path: Path) -> None:
    """Each kind takes its own fields."""
    kinds = """\
  - {id: k1, kind: inclusion_zone, zone: yard, confirm_fixes: 3, grace_s: 60}
  - {id: k2, kind: attendance, places: [home], windows: [{days: [tue], from: "10:00", to: "11:00"}],
     minimum_s: 1800, exceptions: [{date: 2026-12-24, windows: []}]}
  - {id: k3, kind: keep_away, protected_person: V-1, distance_m: 500, hold_s: 60}
  - {id: k4, kind: alcohol, mode: abstinence, limits: {breath_g_210l: 0.03},
     tests: [{at: "07:00", window_s: 3600}]}
  - {id: k5, kind: device_integrity, charge_every_h: 24}
  - {id: k6, kind: substance_testing, per_month: 4}
  - {id: k7, kind: curfew, place: home, windows: [{from: "00:00", to: "24:00"}], allowance_s_per_week: 3600,
     suspensions: [{from: 2026-11-20T00:00:00Z, to: 2026-11-21T00:00:00Z, reason: travel}]}
"""
    checked = _check(tmp_path, ORDER + kinds)
    assert not checked.faults
    by_id = {condition.id: condition for condition in checked.orders[0].conditions}
    assert by_id["k2"].exceptions[0].date == "2026-12-24"
    assert by_id["k4"].tests[0].at_s == 7 * 3600
    assert by_id["k4"].tests[0].days == (0, 1, 2, 3, 4, 5, 6)
    assert by_id["k7"].windows == (Window(from_s=0, to_s=0),)
    assert isinstance(checked.orders[0], Order)


def test_charging_is_judged_and_not_warned_of(tmp_path: Path) -> None:
    checked = _check(tmp_path, ORDER + "  - {id: k5, kind: device_integrity, charge_every_h: 24}\n")
    assert not checked.faults
    assert not any("judges" in w.reason for w in checked.warnings)


def test_a_mode_without_meaning_is_told(tmp_path: Path) -> None:
    """Who writes another mode than abstinence learns that it changes no limit."""
    checked = _check(tmp_path, ORDER + "  - {id: k4, kind: alcohol, mode: moderation}\n")
    assert not checked.faults
    assert ["mode `moderation` changes no limit" in w.reason for w in checked.warnings].count(True) == 1
