"""OwnTracks: recorded frames, other types on the same stream, and hostile messages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emon.domain.errors import Fault
from emon.ingest.vendors import adapter
from tests.unit.ingest.vendors.wire import codes, frame, readings, understand

LOCATION: dict[str, Any] = {"_type": "location", "tid": "JJ", "tst": 1736161169, "lat": 48.85833,
                            "lon": 2.29513}


def _codes(message: object) -> list[str]:
    return codes(understand("owntracks", json.dumps(message).encode()))


def test_recorded_locations() -> None:
    """km/h become m/s; a missing accuracy is unknown; devices are named by topic, else by tid."""
    found = [reading for reading in readings(understand("owntracks", frame("owntracks_location.jsonl")))
             if reading["kind"] == "position"]
    assert [reading["device"] for reading in found] == [
        "5t", "JJ", "JJ", "ckrey/22A67880-15C3-41A6-9157-25545C7993AC", "qtripp/865284041968706"]
    assert found[1] == {"device": "JJ", "kind": "position", "observed_at": "2017-06-13T02:48:36Z",
                        "lat": 48.85833, "lon": 2.29513} | {"observed_at": found[1]["observed_at"]}
    assert (found[2]["speed_mps"], found[2]["course_deg"], found[2]["accuracy_m"]) == (16.944, 271.0, 5.0)
    assert found[3]["sent_at"] == "2025-01-06T11:03:35Z"
    assert all("method" not in reading for reading in found)


def test_settings() -> None:
    """A method for what names none; the device alone where its name is unique."""
    body = frame("owntracks_location.jsonl").splitlines()[-1]
    (reading,) = readings(understand("owntracks", body, assume_method="gnss", device_from="device"))
    assert (reading["method"], reading["device"]) == ("gnss", "865284041968706")
    for settings in ({"assume_method": "gps"}, {"device_from": "tid"}):
        with pytest.raises(Fault, match=next(iter(settings))):
            understand("owntracks", body, **settings)


def test_a_ping_is_no_fix() -> None:
    """Its time is now, its position old."""
    (reading,) = readings(understand("owntracks", json.dumps({**LOCATION, "t": "p"}).encode()))
    assert reading == {"device": "JJ", "kind": "status", "event": "heartbeat",
                       "observed_at": "2025-01-06T10:59:29Z"}


@pytest.mark.parametrize("kind",
                         ["lwt", "transition", "waypoint", "waypoints", "status", "steps", "card", "cmd",
                                  "configuration", "beacon", "dump", "request", "somethingnew"])
def test_other_types_are_accepted_and_no_readings(kind: str) -> None:
    """They share the stream; rejecting them would make the app send them for ever."""
    assert _codes({**LOCATION, "_type": kind}) == [f"type {kind}"]


@pytest.mark.parametrize(("change", "code"), [
    ({"lat": 91}, "lat_out_of_range"), ({"lat": "48"}, "bad_type"), ({"lon": None}, "missing_field"),
    ({"tst": 315964800}, "observed_too_old"), ({"tst": 32501865600}, "bad_instant"),
    ({"tst": "now"}, "bad_instant"),
    ({"tst": True}, "bad_instant"), ({"tst": -5}, "bad_instant"), ({"acc": -1}, "negative_accuracy"),
    ({"_type": "encrypted", "data": "x"}, "encrypted"), ({"_type": 7}, "not_owntracks"),
    ({"_type": None}, "not_owntracks"),
    ({"tid": None}, "missing_field"), ({"topic": 7}, "ok"), ({"topic": "///"}, "ok"),
    ({"batt": -1, "vel": -1}, "ok"),
])
def test_hostile_messages(change: dict[str, Any], code: str) -> None:
    """Each with the code that a vendor is told."""
    assert _codes({**LOCATION, **change}) == [code]


@pytest.mark.parametrize(("body", "wanted"), [
    (b"", []), (b"[]", []), (b"null", ["not_an_object"]), (b"{}", ["not_owntracks"]),
    (b'{"_type":"location","tst":1e999}', ["not_json"]), (b'{"_type":"location","tst":NaN}', ["not_json"]),
    (b'{"_type":"loca', ["not_json"]), (b"\xfe\xff\x00{", ["not_utf8"]), (b'{"_type":"\xff"}', ["not_utf8"]),
    (b'{"_type":"location","x":"' + b"x" * (10 << 20) + b'"}', ["line_too_long"]),
])
def test_hostile_bodies(body: bytes, wanted: list[str]) -> None:
    """Never an exception."""
    assert codes(understand("owntracks", body)) == wanted


def test_the_app_wants_an_array() -> None:
    """Declared for whoever answers."""
    assert adapter("owntracks").answer == "empty_array"
    assert adapter("native").answer == "counts"
