"""Published schemas: current, valid, and agreeing with the parsers on what people write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from emon.domain import finding, instant
from emon.formats import documents, native, schema
from emon.formats.objects import read_object

ORDER = """\
order: CO-9
version: 2
participant: P-9
time_zone: Europe/Paris
effective_from: 2026-01-01T00:00:00+01:00
effective_until: null
supervision_level: high
agency: north
officer: o-2
devices: [{device: A-9, from: 2026-01-01T00:00:00+01:00, until: null}, {device: H-9, place: flat, role: home}]
places: [{id: flat, lat: 48.85, lon: 2.35, radius_m: 60}]
conditions:
  - {id: a, kind: exclusion_zone, zone: quay, buffer_m: 50, confirm_fixes: 2, hold_s: 0, x-file: 7}
  - {id: b, kind: curfew, place: flat, windows: [{days: [fri], from: "21:00", to: "05:30"}], hold_s: 300,
     leave: [{from: 2026-03-01T18:00:00+01:00, to: 2026-03-01T22:00:00+01:00, reason: "birth"}]}
  - {id: c, kind: attendance, place: flat, windows: [{from: "10:00", to: "11:00"}], minimum_s: 1200}
  - {id: d, kind: alcohol, mode: abstinence}
  - {id: e, kind: keep_away, protected_device: V-3, distance_m: 300}
  - {id: f, kind: device_integrity, charge_every_h: 24}
  - {id: g, kind: contact, every_s: 900, hold_s: 120}
  - {id: h, kind: inclusion_zone, zone: paris, buffer_m: 0}
  - {id: i, kind: substance_testing, per_month: 2}
"""
READINGS = [
    {"v": 1, "device": "A-9", "seq": 1, "kind": "position", "observed_at": "2026-01-02T03:04:05Z",
     "lat": 48.8,
     "lon": 2.3, "accuracy_m": 0, "method": "gnss", "hdop": 0.9, "satellites": 12, "speed_mps": 0,
     "course_deg": 359,
     "vendor_field": {"any": ["thing"]}},
    {"device": "A-9", "kind": "position", "observed_at": "2026-01-02T03:04:05+01:00", "lat": 1, "lon": 2,
     "method": "lora"},
    {"device": "T-1", "kind": "alcohol_transdermal", "observed_at": "2026-01-02T03:04:05Z", "tac_ug_l": 6.5,
     "sensor_family": "skyn"},
    {"device": "B-1", "kind": "alcohol_breath", "observed_at": "2026-01-02T03:04:05Z", "brac_permille": 0.3,
     "test_id": "t", "purpose": "random", "result": "ok", "face": "match"},
    {"device": "A-9", "kind": "status", "observed_at": "2026-01-02T03:04:05Z", "event": "case_open",
     "battery_fraction": 0.4},
    {"device": "H-9", "kind": "presence", "observed_at": "2026-01-02T03:04:05Z", "present": False},
    {"device": "L-1", "kind": "lab_result", "observed_at": "2026-01-02T03:04:05Z", "result": "dilute",
     "reported_at": "2026-01-05T00:00:00Z"},
]


def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(schema.load(name), format_checker=FormatChecker())


def _order() -> dict[str, Any]:
    (document,), _ = documents.parse(ORDER, "f", is_json=False)
    return document.value


@pytest.mark.parametrize("name", sorted(schema.schemas()))
def test_shipped_schemas_are_current_and_valid(name: str) -> None:
    """What is shipped is what the types say, and a schema."""
    shipped = (schema.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert shipped == schema.text_of(schema.schemas()[name]), "run: python -m emon.formats.schema"
    Draft202012Validator.check_schema(json.loads(shipped))


def test_writing_them_anew_gives_the_same_files(tmp_path: Path) -> None:
    """One file a schema, none left over in the package."""
    written = schema.write(tmp_path / "schemas")
    assert sorted(file.name for file in written) == sorted(file.name for file in schema.FOLDER.iterdir())


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading["kind"])
def test_readings(reading: dict[str, Any]) -> None:
    """What the parser takes, a stock validator takes."""
    native.parse_reading(reading)
    _validator("reading").validate(reading)


@pytest.mark.parametrize("change", [
    {"lat": 91}, {"accuracy_m": -1}, {"kind": "x"}, {"v": 2}, {"observed_at": None}, {"lon": "2.3"},
    {"device": ""}])
def test_faulty_readings(change: dict[str, Any]) -> None:
    """What the parser rejects, the schema rejects."""
    assert not _validator("reading").is_valid({**READINGS[0], **change})


def test_an_order_and_its_parts() -> None:
    """Every kind of condition, and free x- keys."""
    assert not read_object(_order()).faults
    _validator("order").validate(_order())


@pytest.mark.parametrize(("path", "value"), [
    (("conditions", 1, "grce_s"), 3), (("conditions", 1, "hold_s"), -1), (("conditions", 1, "distance_m"), 3),
    (("conditions", 0, "kind"), "exclusion"), (("conditions", 2, "minimum_s"), "1200"), (("versoin",), 3),
    (("conditions", 1, "windows", 0, "from"), "9:00"), (("conditions", 1, "windows", 0, "days"), ["friday"])])
def test_faulty_orders(path: tuple[Any, ...], value: object) -> None:
    """The schema is as strict as the check."""
    order = _order()
    holder: Any = order
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    assert read_object(order).faults
    assert not _validator("order").is_valid(order)


@pytest.mark.parametrize(("name", "value"), [
    ("binding", {"binding": "b", "device": "D", "protected_person": "V", "role": "position", "from": None}),
    ("verdict", {"verdict": "V-1", "participant": "P", "order": "O", "condition": "c", "at": "2026-03-02T09:00:00Z",
                 "result": "interferent", "reason": "mouthwash", "analyst": "a.kern"}),
    ("person", {"person": "o-2", "role": "officer", "contacts": [{"channel": "sms", "address": "+1"}]}),
    ("people", {"people": [{"id": "o-2", "role": "officer"}]}),
    ("zones", {"type": "FeatureCollection", "features": [{
        "type": "Feature", "properties": {"id": "z", "radius_m": 9}, "geometry": {
            "type": "Point", "coordinates": [2.3, 48.8]}}]}),
])
def test_other_documents(name: str, value: dict[str, Any]) -> None:
    """Small ones of each kind; an unknown key is a fault in all."""
    assert not read_object(value).faults
    _validator(name).validate(value)
    assert not _validator(name).is_valid({**value, "unknown": 1})


def test_the_demos_zones() -> None:
    """The zones that come with emon."""
    for file in sorted((Path(__file__).parents[3] / "zones").glob("*.geojson")):
        _validator("zones").validate(json.loads(file.read_text()))


def test_findings() -> None:
    """A finding as it is written."""
    at = instant.parse("2026-01-02T03:04:05Z")
    wire = finding.to_wire(finding.Finding(
        finding_id="f", revision=1, participant=None, order=None, condition=None, family="feed_outage",
        kind="feed_outage", feed="default", status="opened", onset=at, ended=None, decided_at=at,
        received_at=None,
        late=False, level=1, reason="silent", rule_version=1, evidence={}))
    _validator("finding").validate(wire)
    assert not _validator("finding").is_valid({**wire, "status": "open"})
    assert not _validator("finding").is_valid({**wire, "onset": None})
