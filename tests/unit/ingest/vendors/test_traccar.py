"""Traccar: recorded frames, and each trap of the format."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emon.domain.errors import Fault
from emon.domain.reading import identity
from tests.unit.ingest.vendors.wire import codes, frame, readings, understand

AT = "2026-08-21T09:18:51Z"


def _message(attributes: dict[str, Any] | None = None, **position: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(frame("traccar_position.json"))
    message["position"].update(position)
    message["position"]["attributes"] = {} if attributes is None else attributes
    return message


def _read(message: object) -> list[Any]:
    return readings(understand("traccar", json.dumps(message).encode()))


def test_recorded_position() -> None:
    """Knots become m/s; the battery is a reading of its own; identity is the unique id."""
    assert readings(understand("traccar", frame("traccar_position.json"))) == [
        {"device": "356153592214412", "kind": "position", "observed_at": AT,
         "sent_at": "2026-08-21T09:18:53Z",
         "lat": 52.520008, "lon": 13.404954, "accuracy_m": 12.5, "method": "gnss", "hdop": 1.4,
         "satellites": 9,
         "speed_mps": 1.389, "course_deg": 271.0},
        {"device": "356153592214412", "kind": "status", "observed_at": AT, "sent_at": "2026-08-21T09:18:53Z",
         "event": "battery", "battery_fraction": 0.79}]


def test_recorded_event_counts_no_position_twice() -> None:
    """Traccar's geofence events are not ours, and their position comes by itself."""
    slices = understand("traccar", frame("traccar_event.json"))
    assert (readings(slices), codes(slices)) == ([], ["event geofenceExit"])


def test_recorded_late_alarm_without_a_fix() -> None:
    """`valid: false` at 0, 0 is nowhere; the alarm counts at the device's time."""
    (reading,) = readings(understand("traccar", frame("traccar_late.json")))
    assert (reading["kind"], reading["event"], reading["observed_at"]) == (
        "status", "case_open", "2026-08-21T07:01:00Z")


def test_recorded_phone_client() -> None:
    """A level of -1 and a speed of -1 are unknown; a faked location is an event and no position."""
    assert readings(understand("traccar", frame("traccar_client_osmand.jsonl"))) == [
        {"device": "48241179", "kind": "position", "observed_at": "2025-06-15T13:45:12.862000Z",
         "lat": 37.4219983,
         "lon": -122.084, "accuracy_m": 5.0, "speed_mps": 0.0},
        {"device": "48241179", "kind": "status", "observed_at": "2025-06-15T13:45:12.862000Z",
         "event": "battery",
         "battery_fraction": 1.0},
        {"device": "658765", "kind": "status", "observed_at": "2025-05-09T04:11:30.579000Z",
         "event": "mock_location"}]


def test_assumed_method_is_for_the_phone_client_alone() -> None:
    """Never for a faked location."""
    assumed = readings(understand("traccar", frame("traccar_client_osmand.jsonl"), assume_method="gnss"))
    assert [reading.get("method") for reading in assumed] == ["gnss", None, None]


def test_a_repeated_fix_is_a_heartbeat() -> None:
    """The device's time is newer than the fix's: it was heard, not located. 1980: never had a fix."""
    for fix_time in ("2026-08-21T09:10:00.000+00:00", "1980-01-06T00:00:00.000+00:00"):
        (reading,) = _read(_message(fixTime=fix_time))
        assert (reading["kind"], reading["event"], reading["observed_at"]) == ("status", "heartbeat", AT)


def test_a_repeated_fix_with_an_alarm_is_the_alarm() -> None:
    """Every alarm of the list, once; unknown ones by their own name."""
    events = [reading["event"] for reading in _read(_message(
        {"alarm": "removing, jamming,overspeed,removing", "batteryLevel": 40},
        fixTime="2026-08-21T09:10:00Z"))]
    assert events == ["strap_open", "jamming_start", "overspeed", "battery"]


def test_alarm_by_position_and_by_event_is_one_reading() -> None:
    """Both forwards on: the same measurement, with the same content."""
    message = _message({"alarm": "sos"}, valid=False)
    event = {**message, "event": {"type": "alarm", "eventTime": "x", "attributes": {"alarm": "sos"}}}
    (first,), (second,) = (understand("traccar", json.dumps(each).encode())[0].readings for each
                           in (message, event))
    assert first == second
    assert identity(first)[3] == "panic"


def test_times_without_a_colon_and_position_without_gnss() -> None:
    """Older versions write +0000; `approximate` is a cell or wifi position."""
    (reading,) = _read(_message({"approximate": True}, fixTime="2026-08-21T09:18:51.000+0000", valid=False))
    assert (reading["kind"], reading["method"], reading["observed_at"]) == ("position", "cell", AT)
    (reading,) = _read(_message({"approximate": True}, network={"wifiAccessPoints": [{"macAddress": "x"}]}))
    assert reading["method"] == "wifi"


def test_accuracy_zero_is_unknown_and_archive_changes_nothing() -> None:
    """Sent late is not measured differently: a re-sent fix stays the same reading."""
    (live,), (late,) = _read(_message(accuracy=0)), _read(_message({"archive": True}, accuracy=0))
    assert live == late
    assert "accuracy_m" not in live


def test_own_meaning_of_alarms() -> None:
    """Makers use Traccar's words differently."""
    body = json.dumps(_message({"alarm": "tampering"}, valid=False)).encode()
    assert readings(understand("traccar", body,
                               alarms={"tampering": "strap_open"}))[0]["event"] == "strap_open"
    with pytest.raises(Fault, match="alarms"):
        understand("traccar", body, alarms={"tampering": "strapopen"})


def test_a_faulty_position_costs_no_alarm() -> None:
    """The slice has both: the reading and the fault."""
    (piece,) = understand("traccar", json.dumps(_message({"alarm": "removing"}, latitude=91)).encode())
    assert [reading.event for reading in piece.readings] == ["strap_open"]
    assert piece.fault is not None
    assert piece.fault.code == "lat_out_of_range"


@pytest.mark.parametrize(("change", "code"), [
    ({"latitude": 91}, "lat_out_of_range"), ({"latitude": "52"}, "bad_type"),
    ({"latitude": None}, "missing_field"),
    ({"deviceTime": "1980-01-06T00:00:00Z", "fixTime": "1980-01-06T00:00:00Z"}, "observed_too_old"),
    ({"deviceTime": "2999-12-12T00:00:00Z", "fixTime": "2999-12-12T00:00:00Z"}, "observed_ahead"),
    ({"deviceTime": None, "fixTime": None}, "missing_field"),
    ({"deviceTime": 7, "fixTime": 7}, "bad_instant"),
    ({"accuracy": -3}, "negative_accuracy"), ({"attributes": []}, "ok"), ({"attributes": "x"}, "not_traccar"),
])
def test_hostile_positions(change: dict[str, Any], code: str) -> None:
    """Each with the code that a vendor is told."""
    message = _message()
    message["position"].update(change)
    assert codes(understand("traccar", json.dumps(message).encode())) == [code]


@pytest.mark.parametrize(("body", "wanted"), [
    (b"", []), (b"[]", []), (b"7", ["not_an_object"]), (b'"x"', ["not_an_object"]), (b"{}", ["not_traccar"]),
    (b'{"position": 7}', ["not_traccar"]), (b'{"position": {}}', ["not_traccar"]),
    (b'{"location": [1], "device_id": "d"}', ["not_traccar"]), (b'{"event": null}', ["not_traccar"]),
    (b'{"position": {"latitude": NaN}}', ["not_json"]), (b"\xff\xfe{\x00}\x00", ["not_utf8"]),
    (b'{"position": "' + b"x" * (10 << 20) + b'"}', ["line_too_long"]), (b"[" * 100_000, ["truncated_array"]),
])
def test_hostile_bodies(body: bytes, wanted: list[str]) -> None:
    """Never an exception; raw bytes are kept within a bound."""
    slices = understand("traccar", body)
    assert codes(slices) == wanted
    assert all(len(piece.raw) <= 1 << 16 for piece in slices)


@pytest.mark.parametrize("cut", [1, 40, 200, 600, 800])
def test_truncated_bodies(cut: int) -> None:
    """A pretty-printed message that breaks off is one rejected slice, not one a line."""
    (piece,) = understand("traccar", frame("traccar_position.json")[:-cut])
    assert piece.fault is not None


def test_several_messages_in_one_body() -> None:
    """NDJSON and arrays; one bad message costs no other."""
    good = json.dumps(_message()).encode()
    for body in (good + b"\n{oops}\n" + good, b"[" + good + b",\n{oops},\n" + good + b"]"):
        assert codes(understand("traccar", body)) == ["ok", "not_json", "ok"]
