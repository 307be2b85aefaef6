"""The native reading format, version 1: bytes or values in, `Reading` out, or a `Fault` with a stable code.

Two paths, one meaning. `decode` tries the typed decoder, which takes clean lines several times faster than
reading them into dicts; whatever it does not take goes through `parse_reading`, which judges field by field,
names the fault, and keeps what version 1 does not know in `extra`. Both convert with the types of `wire`.

What a rule may decide on is strict (a latitude of 91 or a negative accuracy rejects the reading); what only
describes it (speed, satellites, battery) is set aside in `extra` when out of range, so that a strap event
is never lost for a battery of 41. Methods and events that are not known become `unknown`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args, get_type_hints

import msgspec

from emon.domain import instant
from emon.domain.errors import Fault
from emon.domain.reading import EVENTS, METHODS, Reading
from emon.formats import units, wire
from emon.formats.text import is_utf8
from emon.limits import LATEST_OBSERVED_AT, MAX_AHEAD, MAX_LINE_BYTES, MAX_NESTING, OLDEST_OBSERVED_AT

UNSTAMPED: Final = 0  # ingest stamps later
UNKNOWN_ACCURACIES: Final = (0.0, 2147483647.0)  # how vendors write "not known"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CONTROL: Final = re.compile(wire.CONTROL).search
_NOTHING_MORE: Final = (None,) * 9
_METHODS, _EVENTS = frozenset(METHODS), frozenset(EVENTS) - {"unknown"}

_FIELDS: Final = {kind: get_type_hints(cls, include_extras=True) for kind, cls in wire.BY_KIND.items()}
_REQUIRED: Final = {kind: tuple(f.encode_name for f in msgspec.structs.fields(cls) if f.required)
                    for kind, cls in wire.BY_KIND.items()}
_DESCRIBING: Final = frozenset({"hdop", "satellites", "speed_mps", "course_deg", "battery_fraction", "seq",
                                "skin_temperature_c", "purpose"})
_CODES: Final = {"lat": "lat_out_of_range", "lon": "lon_out_of_range", "accuracy_m": "negative_accuracy",
                 "result": "unknown_result"}
_EXPECTED: Final = {
    "lat": "a latitude from -90 to 90", "lon": "a longitude from -180 to 180",
    "accuracy_m": "0 or more metres",
    "brac_g_210l": "0 to 1 g/210 L", "tac_g_dl": "0 to 1 g/dL", "device": "a text of 1 to 200 characters",
    "present": "true or false", "v": "1",
}

_decode_typed = msgspec.json.Decoder(wire.Measured).decode
_decode_any = msgspec.json.Decoder().decode
_decode_outage = msgspec.json.Decoder(wire.OwnOutageLine).decode


def decode(line: bytes, *, received_at: int | None = None, not_before: int = 0) -> Reading:
    """The reading that stands in one JSON object.

    `received_at` given (live): the instant of arrival, whatever the line says; UNSTAMPED: whoever stamps it
    also calls `check_ahead`. Else (files): the line's own `received_at`, by default its `observed_at`, and no
    earlier than `not_before`. Microseconds UTC.
    Raises Fault.
    """
    if len(line) > MAX_LINE_BYTES:
        raise Fault("line_too_long", f"{len(line)} bytes in one reading; the limit is {MAX_LINE_BYTES}")
    try:
        measured = _decode_typed(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return parse_reading(to_object(line), received_at=received_at, not_before=not_before)
    return _reading(measured, received_at, not_before, None)


def parse_reading(fields: object, *, received_at: int | None = None, not_before: int = 0) -> Reading:
    """As `decode`, from plain values. Raises Fault."""
    if not isinstance(fields, Mapping):
        raise Fault("not_an_object", f"a reading is a JSON object, not {_named(fields)}")
    kind = _kind(fields)
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    hints = _FIELDS[kind]
    for name, value in fields.items():
        if value is None or name == "kind":
            continue
        if name not in hints:
            extra[name] = value
            continue
        converted = _converted(name, value, hints[name])
        if converted is None:
            extra[name] = value
        else:
            known[name] = converted
    for name in _REQUIRED[kind]:
        if name not in known:
            raise Fault("missing_field", f"`{name}` is missing; every {kind} reading needs it", name)
    if extra and _depth(extra) > MAX_NESTING:
        raise Fault("nested_too_deep", f"values are nested deeper than {MAX_NESTING} levels")
    return _reading(wire.BY_KIND[kind](**known), received_at, not_before, _kept(extra) if extra else None)


def _kept(value: Any) -> Any:
    """What nothing reads, so that everybody can write it: an integer wider than 64 bits, which neither
    snapshots nor other programs hold, is kept as its digits."""
    match value:
        case dict():
            return {name: _kept(inner) for name, inner in value.items()}
        case list():
            return [_kept(inner) for inner in value]
        case int() if not -(1 << 63) <= value < 1 << 63:
            return str(value)
    return value


def to_object(line: bytes) -> object:
    """Plain values of one line of JSON. Raises Fault that says why it is none."""
    if not is_utf8(line):
        raise Fault("not_utf8", "the bytes are not UTF-8")
    try:
        return _decode_any(line)
    except RecursionError:
        raise Fault("nested_too_deep", f"values are nested deeper than {MAX_NESTING} levels") from None
    except msgspec.MsgspecError as error:
        raise Fault("not_json", f"{error}") from None


def decode_own_outage(line: bytes) -> tuple[int, int, int] | None:
    """(`from`, `to`, `received_at`) of a line that is an outage record; None for any other. Raises Fault
    where an outage record has faults. `received_at` defaults to `to`."""
    if b'"own_outage"' not in line:
        return None
    fields = to_object(line)
    if not isinstance(fields, dict) or fields.get("kind") != "own_outage":
        return None
    try:
        outage = _decode_outage(line)
    except msgspec.MsgspecError as error:
        raise Fault("bad_own_outage", f"{error}") from None
    from_, to = _microseconds(outage.from_), _microseconds(outage.to)
    if from_ > to:
        raise Fault("bad_own_outage", "`from` lies after `to`", "from")
    if to >= LATEST_OBSERVED_AT:
        raise Fault("bad_own_outage", f"`to` {outage.to.isoformat()} stands for no real instant", "to")
    received_at = _bounded(outage.received_at, "received_at")
    return from_, to, to if received_at is None else received_at


def check_ahead(observed_at: int, received_at: int) -> None:
    """A device's clock may run ahead by a day. Raises Fault `observed_ahead`."""
    if observed_at - received_at > MAX_AHEAD:
        raise Fault("observed_ahead", f"observed_at {instant.iso(observed_at)} lies more than 24 h after its "
                    f"receipt, {instant.iso(received_at)}: the device's clock is wrong", "observed_at")


def _kind(fields: Mapping[Any, Any]) -> str:
    version = fields.get("v", 1)
    if version is not None and (version != 1 or isinstance(version, bool)):
        raise Fault("unknown_version", f"`v` is {version!r:.20}; this reads version 1", "v")
    kind = fields.get("kind")
    if kind is None:
        raise Fault("missing_field", "`kind` is missing; every reading needs it", "kind")
    if not isinstance(kind, str) or kind not in wire.BY_KIND:
        raise Fault("unknown_kind",
                    f"{kind!r:.60} is no kind of reading; known are {', '.join(wire.BY_KIND)}", "kind")
    return kind


def _converted(name: str, value: object, kind: Any) -> Any:
    """The value in its type; None where it only describes and is out of range. Raises Fault."""
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Fault("not_a_number", f"`{name}` is {value}", name)
        if value.is_integer() and _is_integer(kind):
            value = int(value)
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, OverflowError) as error:
        fault = _fault(name, value, kind, str(error))
    if name in _DESCRIBING and fault.code != "bad_type":
        return None
    raise fault


def _is_integer(kind: Any) -> bool:
    return any(_is_integer(part) for part in get_args(kind) if part is not type(None)) or kind is int


def _fault(name: str, value: object, kind: Any, message: str) -> Fault:
    if name.endswith("_at"):
        return Fault("bad_instant", f"`{name}`: {value!r:.60} is not an RFC 3339 instant with an offset, "
                     "like 2026-11-22T02:42:49Z", name)
    type_is_wrong = message.startswith("Expected") and "got" in message
    code = "bad_type" if type_is_wrong else _CODES.get(name, "out_of_range")
    expected = _EXPECTED.get(name, message[:1].lower() + message[1:])
    return Fault(code, f"`{name}` is {value!r:.60}; expected {expected.removeprefix('expected ')}", name)


def _reading(measured: wire.Measured, received_at: int | None, not_before: int,
             extra: dict[str, Any] | None) -> Reading:
    if not measured.device.isprintable() and _CONTROL(measured.device):
        raise Fault("out_of_range", f"`device` is {measured.device!r:.60}; expected no control characters",
                    "device")
    observed_at = (measured.observed_at - _EPOCH) // _MICROSECOND
    if observed_at < OLDEST_OBSERVED_AT:
        raise Fault("observed_too_old", f"observed_at {measured.observed_at.isoformat()} lies before 2000: "
                                        f"the clock "
                    "of the device was not set", "observed_at")
    if observed_at >= LATEST_OBSERVED_AT:
        raise Fault("observed_ahead", f"observed_at {measured.observed_at.isoformat()} stands for no real "
                    "instant", "observed_at")
    if received_at is None:
        stated = _bounded(measured.received_at, "received_at")
        received_at = max(observed_at if stated is None else stated, not_before)
    if received_at != UNSTAMPED:
        check_ahead(observed_at, received_at)
    return _BUILD[type(measured)](measured, observed_at, received_at, extra)


def _position(of: wire.Position, observed_at: int, received_at: int, extra: dict[str, Any] | None) -> Reading:
    method, accuracy_m, sent_at = of.method or "unknown", of.accuracy_m, of.sent_at
    if method not in _METHODS:
        extra = {**(extra or {}), "method": method}
        method = "unknown"
    accuracy_m = None if accuracy_m in UNKNOWN_ACCURACIES else accuracy_m
    more = (sent_at, of.seq, of.feed, of.carrier, of.battery_fraction, of.hdop, of.satellites, of.speed_mps,
            of.course_deg)
    if more == _NOTHING_MORE:  # usual, and every name given costs a search among all that a reading has
        return Reading(device=of.device, kind="position", observed_at=observed_at, received_at=received_at,
                       lat=of.lat, lon=of.lon, accuracy_m=accuracy_m, method=method, extra=extra)
    return Reading(
        device=of.device, kind="position", observed_at=observed_at, received_at=received_at,
        sent_at=None if sent_at is None else _bounded(sent_at, "sent_at"), seq=of.seq, feed=of.feed,
        carrier=of.carrier, battery_fraction=of.battery_fraction, lat=of.lat, lon=of.lon,
        accuracy_m=accuracy_m, method=method, hdop=of.hdop,
        satellites=of.satellites, speed_mps=of.speed_mps, course_deg=of.course_deg, extra=extra)


def _transdermal(of: wire.Transdermal, observed_at: int, received_at: int,
                 extra: dict[str, Any] | None) -> Reading:
    if of.tac_g_dl is None and of.tac_ug_l is None:
        raise Fault("missing_field", "neither `tac_g_dl` nor `tac_ug_l` is there", "tac_g_dl")
    return Reading(kind="alcohol_transdermal", **_every(of, observed_at, received_at),
                   sensor_family=of.sensor_family,
                   tac_g_dl=of.tac_g_dl, tac_ug_l=of.tac_ug_l, skin_temperature_c=of.skin_temperature_c,
                   ir_v=of.ir_v, extra=extra)


def _breath(of: wire.Breath, observed_at: int, received_at: int, extra: dict[str, Any] | None) -> Reading:
    value = _breath_alcohol(of)
    result = of.result or (None if value is None else "ok")
    if result is None:
        raise Fault("missing_field", "neither a value nor a `result` is there", "result")
    if result == "ok" and value is None:
        raise Fault("missing_field", "`result` is ok, but no value (like `brac_g_210l`) is there",
                    "brac_g_210l")
    return Reading(kind="alcohol_breath", **_every(of, observed_at, received_at), brac_g_210l=value,
                   test_id=of.test_id, purpose=of.purpose, result=result, face=of.face,
                   scheduled_at=_bounded(of.scheduled_at, "scheduled_at"),
                   extra=extra)


def _breath_alcohol(of: wire.Breath) -> float | None:
    """g/210 L; where several units came, the first of this list counts."""
    if of.brac_g_210l is not None:
        return of.brac_g_210l
    if of.brac_mg_l is not None:
        return units.from_mg_l(of.brac_mg_l)
    if of.brac_ug_100ml is not None:
        return units.from_ug_100ml(of.brac_ug_100ml)
    return None if of.brac_permille is None else units.from_permille(of.brac_permille)


def _status(of: wire.Status, observed_at: int, received_at: int, extra: dict[str, Any] | None) -> Reading:
    event = of.event
    if event not in _EVENTS:
        extra = {**(extra or {}), "event": event}
        event = "unknown"
    return Reading(kind="status", **_every(of, observed_at, received_at), event=event, extra=extra)


def _presence(of: wire.Presence, observed_at: int, received_at: int, extra: dict[str, Any] | None) -> Reading:
    return Reading(kind="presence", **_every(of, observed_at, received_at), present=of.present,
                   beacon=of.beacon,
                   extra=extra)


def _lab_result(of: wire.LabResult, observed_at: int, received_at: int,
                extra: dict[str, Any] | None) -> Reading:
    return Reading(kind="lab_result", **_every(of, observed_at, received_at), test_id=of.test_id,
                   panel=of.panel,
                   result=of.result, purpose=of.purpose,
                   scheduled_at=_bounded(of.scheduled_at, "scheduled_at"),
                   reported_at=_bounded(of.reported_at, "reported_at"), extra=extra)


def _every(of: wire.Measured, observed_at: int, received_at: int) -> dict[str, Any]:
    return {"device": of.device, "observed_at": observed_at, "received_at": received_at, "seq": of.seq,
            "sent_at": _bounded(of.sent_at, "sent_at"), "feed": of.feed,
            "carrier": of.carrier, "battery_fraction": of.battery_fraction}


_BUILD: Final[dict[type, Callable[[Any, int, int, dict[str, Any] | None], Reading]]] = {
    wire.Position: _position, wire.Transdermal: _transdermal, wire.Breath: _breath, wire.Status: _status,
    wire.Presence: _presence, wire.LabResult: _lab_result,
}


def _bounded(moment: datetime | None, name: str) -> int | None:
    """An optional instant; one that nobody can mean would set clocks and overflow sums. Raises Fault."""
    if moment is None:
        return None
    value = _microseconds(moment)
    if value >= LATEST_OBSERVED_AT:
        raise Fault("bad_instant", f"`{name}` {moment.isoformat()} stands for no real instant", name)
    return value


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _depth(value: object) -> int:
    """Levels of objects and arrays in one another; counts no deeper than matters."""
    level, here = 0, [value]
    while here and level <= MAX_NESTING:
        level += 1
        here = [inner for outer in here for inner in
                (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
                if isinstance(inner, dict | list)]
    return level


def _named(value: object) -> str:
    names: dict[type, str] = {list: "an array", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
