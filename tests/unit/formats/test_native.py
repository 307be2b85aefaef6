"""The native reading format: what is read, what is rejected under which code; both paths agree."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emon.domain import instant
from emon.domain.errors import Fault
from emon.domain.reading import Reading, content
from emon.formats import native
from emon.formats.export import reading_document

AT = "2026-11-22T02:42:49Z"
POSITION: dict[str, Any] = {
    "v": 1, "device": "D-1", "seq": 42, "kind": "position", "observed_at": AT, "lat": 43.0731,
    "lon": -89.4012,
    "accuracy_m": 8.5, "method": "gnss", "hdop": 1.1, "satellites": 9, "speed_mps": 1.3, "course_deg": 271}
TRANSDERMAL: dict[str, Any] = {
    "device": "D-2", "kind": "alcohol_transdermal", "observed_at": AT, "sensor_family": "scram",
    "tac_g_dl": 0.021,
    "skin_temperature_c": 33.1, "ir_v": 1.24}
BREATH: dict[str, Any] = {
    "device": "D-3", "kind": "alcohol_breath", "observed_at": AT, "brac_g_210l": 0.0, "test_id": "t-1",
    "purpose": "scheduled", "scheduled_at": AT, "result": "ok", "face": "match"}
STATUS: dict[str, Any] = {"device": "D-1", "kind": "status", "observed_at": AT, "event": "strap_open"}
PRESENCE: dict[str, Any] = {"device": "H-1", "kind": "presence", "observed_at": AT, "present": True,
                            "beacon": "D-1"}
LAB: dict[str, Any] = {"device": "L-7", "kind": "lab_result", "observed_at": AT, "test_id": "s-88",
                       "panel": "5-drug",
                       "result": "negative", "reported_at": "2026-11-24T00:00:00Z"}
EVERY = (POSITION, TRANSDERMAL, BREATH, STATUS, PRESENCE, LAB)


def _read(fields: dict[str, Any], **changes: Any) -> Reading:
    """Through both paths, which must agree."""
    fields = {**fields, **changes}
    from_bytes = native.decode(json.dumps(fields).encode())
    assert from_bytes == native.parse_reading(fields)
    return from_bytes


def _code(fields: Any) -> str:
    with pytest.raises(Fault) as of_values:
        native.parse_reading(fields)
    with pytest.raises(Fault) as of_bytes:
        native.decode(json.dumps(fields).encode())
    assert of_bytes.value.code == of_values.value.code
    return of_values.value.code


@pytest.mark.parametrize("fields", EVERY, ids=lambda fields: fields["kind"])
def test_every_kind_is_read(fields: dict[str, Any]) -> None:
    """All fields arrive, instants as microseconds; `received_at` is by default `observed_at`."""
    reading = _read(fields)
    assert reading.observed_at == reading.received_at == instant.parse(AT)
    assert reading.extra is None
    for name, value in fields.items():
        if name != "v":
            assert getattr(reading, name) == (instant.parse(value) if name.endswith("_at") else value)


@pytest.mark.parametrize("fields", EVERY, ids=lambda fields: fields["kind"])
def test_what_is_exported_is_read_back(fields: dict[str, Any]) -> None:
    """Also what this version does not know."""
    reading = _read(fields, firmware="9.1", nested={"a": [1, None]})
    assert reading.extra == {"firmware": "9.1", "nested": {"a": [1, None]}}
    assert native.parse_reading(reading_document(reading, reading.received_at)) == reading


@pytest.mark.parametrize(("value", "kept"), [
    (2**63, str(2**63)), (-2**63 - 1, str(-2**63 - 1)), (2**63 - 1, 2**63 - 1), (True, True),
    ({"a": [2**70, 1.5, None]}, {"a": [str(2**70), 1.5, None]})])
def test_integers_wider_than_64_bits_are_kept_as_digits(value: object, kept: object) -> None:
    """A snapshot and other programs must be able to hold whatever was acknowledged."""
    reading = _read(STATUS, x=value)
    assert reading.extra == {"x": kept}
    msgspec.msgpack.encode(reading)
    assert _read(STATUS, seq=2**64).extra == {"seq": str(2**64)}


@pytest.mark.parametrize("device", ["A\0B", "A\nB", "\x7f"])
def test_control_characters_are_in_no_device(device: str) -> None:
    """PostgreSQL cannot hold them, and one vendor's must not stop the others."""
    assert _code({**STATUS, "device": device}) == "out_of_range"
    assert _read(STATUS, device="Ä\u200b 1").device == "Ä\u200b 1"


@pytest.mark.parametrize("value", [0, 0.0, None, 2147483647])
def test_unknown_accuracies(value: object) -> None:
    """Vendors write "unknown" in several ways; they are the same content."""
    reading = _read(POSITION, accuracy_m=value)
    assert reading.accuracy_m is None
    assert content(reading) == content(_read({k: v for k, v in POSITION.items() if k != "accuracy_m"}))


@pytest.mark.parametrize(("changes", "code"), [
    ({"lat": 91}, "lat_out_of_range"), ({"lon": -180.1}, "lon_out_of_range"), ({"lat": "43"}, "bad_type"),
    ({"lat": True}, "bad_type"), ({"lat": None}, "missing_field"), ({"accuracy_m": -1}, "negative_accuracy"),
    ({"seq": "7"}, "bad_type"), ({"seq": True}, "bad_type"), ({"method": 1}, "bad_type"),
    ({"v": 2}, "unknown_version"),
    ({"v": True}, "unknown_version"), ({"kind": "postion"}, "unknown_kind"),
    ({"kind": None}, "missing_field"),
    ({"kind": 7}, "unknown_kind"), ({"device": ""}, "out_of_range"), ({"device": 7}, "bad_type"),
    ({"device": None}, "missing_field"), ({"observed_at": None}, "missing_field"),
    ({"observed_at": "2026-11-22T02:42:49"}, "bad_instant"), ({"observed_at": 1795315369}, "bad_instant"),
    ({"observed_at": "1980-01-06T00:00:00Z"}, "observed_too_old"),
    ({"observed_at": "2999-12-12T00:00:00Z"}, "observed_ahead"),
    ({"received_at": "2026-11-20T00:00:00Z"}, "observed_ahead"), ({"sent_at": "yesterday"}, "bad_instant"),
    ({"speed_mps": "fast"}, "bad_type"), ({"received_at": "2999-12-12T00:00:00Z"}, "bad_instant"),
    ({"sent_at": "9999-12-31T23:59:59-12:00"}, "bad_instant"),
    ({"observed_at": "9999-12-31T23:59:59-12:00"}, "observed_ahead"),
    ({"observed_at": "0001-01-01T00:00:00+12:00"}, "observed_too_old"),
])
def test_rejected_positions(changes: dict[str, Any], code: str) -> None:
    """What a rule may decide on is strict; codes are stable."""
    assert _code({**POSITION, **changes}) == code


@pytest.mark.parametrize(("fields", "code"), [
    ({**BREATH, "result": "passed"}, "unknown_result"), ({**BREATH, "brac_g_210l": None}, "missing_field"),
    ({**BREATH, "brac_g_210l": 21}, "out_of_range"), ({**BREATH, "brac_g_210l": -0.01}, "out_of_range"),
    ({**TRANSDERMAL, "tac_g_dl": None}, "missing_field"), ({**STATUS, "event": None}, "missing_field"),
    ({**PRESENCE, "present": 1}, "bad_type"), ({**PRESENCE, "present": "yes"}, "bad_type"),
    ({**LAB, "result": None}, "missing_field"), ({**LAB, "result": "clean"}, "unknown_result"),
    ([1], "not_an_object"), ("x", "not_an_object"), (7, "not_an_object"), (None, "not_an_object"),
    ({**STATUS, "x": json.loads("[" * 40 + "]" * 40)}, "nested_too_deep"),
])
def test_other_rejects(fields: Any, code: str) -> None:
    """Each kind has what it cannot do without."""
    assert _code(fields) == code


@pytest.mark.parametrize(("line", "code"), [
    (b'{"lat": NaN}', "not_json"), (b'{"lat": 1e999}', "not_json"), (b"{", "not_json"), (b"", "not_json"),
    (b'{"a": "\xff"}', "not_utf8"), (b"[" * 100_000, "nested_too_deep"),
    (b'{"a":1}' + b" " * (1 << 20), "line_too_long"),
])
def test_lines_that_are_no_json(line: bytes, code: str) -> None:
    """No NaN, no infinity, no bombs, and never another exception."""
    with pytest.raises(Fault) as caught:
        native.decode(line)
    assert caught.value.code == code


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers(value: float) -> None:
    """Adapters hand over values, not bytes."""
    with pytest.raises(Fault, match="lat"):
        native.parse_reading({**POSITION, "lat": value})


def test_unknown_methods_and_events_are_kept_and_accuse_nobody() -> None:
    """The original stands in `extra`."""
    assert _read(POSITION, method="lora").method == "unknown"
    assert _read(POSITION, method="lora").extra == {"method": "lora"}
    assert _read(STATUS, event="sneeze").event == "unknown"
    assert _read(STATUS, event="sneeze").extra == {"event": "sneeze"}
    assert _read({k: v for k, v in POSITION.items() if k != "method"}).extra is None


def test_what_only_describes_is_set_aside() -> None:
    """A strap event is not lost for a battery of 41, a position not for a speed of -1."""
    assert _read(STATUS, battery_fraction=41).extra == {"battery_fraction": 41}
    assert _read(POSITION, speed_mps=-1, satellites=9.0).extra == {"speed_mps": -1}
    assert _read(POSITION, satellites=9.0).satellites == 9


def test_fields_of_another_kind_are_kept_and_not_judged() -> None:
    """A position with an `event` is a position."""
    reading = _read(POSITION, event="strap_open")
    assert (reading.event, reading.extra) == (None, {"event": "strap_open"})


@pytest.mark.parametrize(("unit", "value", "inside"), [
    ("brac_mg_l", 0.381, 0.08001), ("brac_mg_l", 0.095238, 0.02), ("brac_ug_100ml", 35, 0.0735),
    ("brac_permille", 0.2, 0.02), ("brac_permille", 0.8, 0.08), ("brac_g_210l", 0.08, 0.08),
])
def test_units_of_breath_alcohol(unit: str, value: float, inside: float) -> None:
    """One unit inside, and a limit met in one unit is met in another."""
    fields = {k: v for k, v in BREATH.items() if k != "brac_g_210l"}
    assert _read(fields, **{unit: value}).brac_g_210l == inside


def test_air_sensors_are_never_converted() -> None:
    """No fixed factor leads from micrograms per litre of air to grams per decilitre."""
    fields = {k: v for k, v in TRANSDERMAL.items() if k != "tac_g_dl"}
    reading = _read(fields, tac_ug_l=12.5)
    assert (reading.tac_g_dl, reading.tac_ug_l) == (None, 12.5)


def test_results_of_breath_tests() -> None:
    """A value without a result is a test that was taken; a missed one has no value."""
    assert _read({k: v for k, v in BREATH.items() if k != "result"}).result == "ok"
    assert _read(BREATH, result="missed", brac_g_210l=None).brac_g_210l is None


def test_received_at() -> None:
    """Files state it, or it is `observed_at`, and the clock never goes back; live it is what ingest says."""
    line = json.dumps({**STATUS, "received_at": "2026-11-22T02:43:00Z"}).encode()
    stated, now = instant.parse("2026-11-22T02:43:00Z"), instant.parse("2026-11-22T03:00:00Z")
    assert native.decode(line).received_at == stated
    assert native.decode(line, not_before=now).received_at == now
    assert native.decode(line, received_at=now - 1).received_at == now - 1
    assert native.decode(line, received_at=native.UNSTAMPED).received_at == 0
    day_early = instant.parse(AT) - 24 * 3600 * 10**6
    assert native.decode(line, received_at=day_early).received_at == day_early
    with pytest.raises(Fault, match="more than 24 h"):
        native.decode(line, received_at=day_early - 1)


def test_own_outage_records() -> None:
    """No reading, and told apart from one."""
    line = b'{"v":1,"kind":"own_outage","from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:05:00Z"}'
    start = instant.parse("2026-01-01T00:00:00Z")
    assert native.decode_own_outage(line) == (start, start + 300 * 10**6, start + 300 * 10**6)
    assert native.decode_own_outage(json.dumps({**STATUS, "device": "own_outage"}).encode()) is None
    with pytest.raises(Fault, match="lies after"):
        native.decode_own_outage(line.replace(b"00:05", b"00:00").replace(b'from":"2026', b'from":"2027'))


_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2**70, 2**70), st.floats(), st.text(max_size=5))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(EVERY), st.dictionaries(
    st.sampled_from(sorted({name for fields in EVERY for name in fields} | {"other", "tac_ug_l"})), _SCALARS,
    max_size=4))
def test_both_paths_agree_on_anything(fields: dict[str, Any], changes: dict[str, Any]) -> None:
    """Whatever values come, both ways give the same reading or both a fault, never another exception."""
    fields = {**fields, **changes}
    try:
        line = json.dumps(fields, allow_nan=False).encode()
        line.decode().encode("utf-8")
    except ValueError:
        return
    outcomes: list[object] = []
    for way in (lambda: native.decode(line), lambda: native.parse_reading(json.loads(line))):
        try:
            outcomes.append(way())
        except Fault as fault:
            outcomes.append(Fault)
            assert fault.code.replace("_", "").isalnum()
    assert outcomes[0] == outcomes[1]


def test_clean_lines_are_quick() -> None:
    """50,000 a second on one core, the best of three: a slow machine's, and a ninth of the usual speed."""
    line = json.dumps(POSITION).encode()
    took = []
    for _ in range(3):
        start = time.process_time()
        for _ in range(20_000):
            native.decode(line)
        took.append(time.process_time() - start)
    assert 20_000 / min(took) > 50_000
