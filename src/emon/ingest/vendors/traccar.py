"""Traccar: positions and events forwarded as JSON, and the JSON that its own phone client sends.

What is easily got wrong, and is decided here:
- A message without a new GNSS fix repeats the old `fixTime` under a newer `deviceTime`. It is no position but
  a heartbeat at `deviceTime`; a device that never had a fix sends 1980.
- `valid: false` is no position either; where it carries an alarm, the alarm alone counts.
- An event is forwarded with the position that Traccar also forwards by itself: an alarm of it gives the same
  status reading again (a duplicate), its position is not read, and Traccar's own geofences, trips and
  online states are not ours.
- Speed is in knots, accuracy 0 is unknown, `batteryLevel` is percent, `approximate` is cell or wifi.
- The phone client's `mock: true` is a faked location: evidence of tampering, never a position.

Feed settings: `assume_method` (phone client only; it names none), `alarms` (a device's own meaning of a
Traccar alarm, e.g. {tampering: strap_open}).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from emon.domain.errors import Fault
from emon.domain.reading import EVENTS
from emon.formats.units import KNOT_MPS
from emon.ingest.adapter import (
    Fields,
    Slice,
    assumed_method,
    number,
    object_of,
    refused,
    split,
    understood,
)

ALARMS: Final = {
    "removing": "strap_open", "tampering": "case_open", "sos": "panic", "jamming": "jamming_start",
    "gpsAntennaCut": "shielding_start", "lowBattery": "battery", "lowPower": "battery",
    "powerOff": "power_off",
    "powerOn": "power_on", "powerCut": "charging_stop", "powerRestored": "charging_start",
    "movement": "motion_start",
}
"""Traccar's alarms in the field's events; any other goes through by its own name and is marked unknown."""
_OFFSET: Final = re.compile(r"([+-]\d\d)(\d\d)$")


class Traccar:
    """`forward.type=json`, `event.forward.type=json`, and the phone client's location messages."""

    name = "traccar"
    content_types: tuple[str, ...] = ("application/json", "application/x-ndjson")
    answer: Literal["counts", "empty_array"] = "counts"

    def understand(self, body: bytes, content_type: str, settings: Mapping[str, Any]) -> Sequence[Slice]:
        """One message a slice."""
        method = assumed_method(settings)
        alarms = {**ALARMS, **_own_alarms(settings)}
        slices = []
        for piece in split(body):
            try:
                message = object_of(piece)
                note = _note(message)
                slices.append(understood(piece, _fields(message, alarms, method), note))
            except Fault as fault:
                slices.append(refused(piece, fault))
        return slices


def _own_alarms(settings: Mapping[str, Any]) -> dict[str, str]:
    own = settings.get("alarms", {})
    if not isinstance(own, dict) or any(event not in EVENTS for event in own.values()):
        raise Fault("bad_settings",
                    f"`alarms` maps Traccar's alarms to events; known are {', '.join(EVENTS)}")
    return own


def _note(message: dict[str, Any]) -> str:
    event = message.get("event")
    return f"event {event.get('type')}" if isinstance(event, dict) else ""


def _fields(message: dict[str, Any], alarms: Mapping[str, str], method: str | None) -> Iterator[Fields]:
    if "location" in message:
        yield from _client(message, method)
    elif "event" in message:
        yield from _event(message, alarms)
    elif "position" in message:
        yield from _position(message, alarms)
    else:
        raise Fault("not_traccar", "a message has `position` and `device`, or `event`, or `location` and "
                    "`device_id`")


def _position(message: dict[str, Any], alarms: Mapping[str, str]) -> Iterator[Fields]:
    position, attributes, base = _parts(message)
    statuses = list(_statuses(attributes, base, alarms, attributes.get("alarm")))
    approximate = attributes.get("approximate") is True
    fixed = _time(position.get("fixTime")) == base["observed_at"]
    if fixed and (position.get("valid") is True or approximate):
        yield {**base, "kind": "position", "lat": position.get("latitude"), "lon": position.get("longitude"),
               "accuracy_m": position.get("accuracy"), "method": _method(position, approximate),
               "speed_mps": _knots(position.get("speed")), "course_deg": position.get("course"),
               "hdop": number(attributes.get("hdop")), "satellites": number(attributes.get("sat"))}
    elif not statuses:
        yield {**base, "kind": "status", "event": "heartbeat"}
    yield from statuses


def _event(message: dict[str, Any], alarms: Mapping[str, str]) -> Iterator[Fields]:
    event = _dict(message["event"], "event")
    if event.get("type") != "alarm":
        return
    if message.get("position") is None:
        message = {**message, "position": {"deviceTime": event.get("eventTime")}}
    _, attributes, base = _parts(message)
    alarm = _dict(event.get("attributes") or {}, "event.attributes").get("alarm", attributes.get("alarm"))
    yield from _statuses(attributes, base, alarms, alarm)


def _parts(message: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], Fields]:
    position = _dict(message["position"], "position")
    device = _dict(message.get("device"), "device")
    attributes = _dict(position.get("attributes") or {}, "position.attributes")
    base = {"device": device.get("uniqueId"), "observed_at": _time(position.get("deviceTime") or
                                                                  position.get("fixTime"))}
    if position.get("serverTime") is not None:
        base["sent_at"] = _time(position["serverTime"])
    return position, attributes, base


def _statuses(attributes: dict[str, Any], base: Fields, alarms: Mapping[str, str],
              alarm: object) -> Iterator[Fields]:
    """Alarms and battery, one reading an event."""
    names = [name.strip() for name in alarm.split(",")] if isinstance(alarm, str) else []
    events = dict.fromkeys(alarms.get(name, name) for name in names if name)
    charging = attributes.get("charge")
    if isinstance(charging, bool):
        events["charging_start" if charging else "charging_stop"] = None
    percent = number(attributes.get("batteryLevel"))
    if percent is not None:
        events["battery"] = None
    for event in events:
        battery = percent / 100 if event == "battery" and percent is not None else None
        yield {**base, "kind": "status", "event": event, "battery_fraction": battery}


def _method(position: dict[str, Any], approximate: bool) -> str:
    if not approximate:
        return "gnss"
    network = position.get("network")
    return "wifi" if isinstance(network, dict) and network.get("wifiAccessPoints") else "cell"


def _client(message: dict[str, Any], method: str | None) -> Iterator[Fields]:
    """The phone client: one location, or several that it had stored."""
    locations = message["location"]
    for location in locations if isinstance(locations, list) else [locations]:
        yield from _client_location(_dict(location, "location"), message.get("device_id"), method)


def _client_location(location: dict[str, Any], device: object, method: str | None) -> Iterator[Fields]:
    if isinstance(device, int) and not isinstance(device, bool):
        device = str(device)
    base: Fields = {"device": device, "observed_at": location.get("timestamp")}
    if location.get("mock") is True:
        yield {**base, "kind": "status", "event": "mock_location"}
    else:
        coords = _dict(location.get("coords"), "location.coords")
        yield {**base, "kind": "position", "lat": coords.get("latitude"), "lon": coords.get("longitude"),
               "accuracy_m": _known(coords.get("accuracy")), "speed_mps": _known(coords.get("speed")),
               "course_deg": _known(coords.get("heading")), "method": method}
    level = _known(_dict(location.get("battery") or {}, "location.battery").get("level"))
    if level is not None:
        yield {**base, "kind": "status", "event": "battery", "battery_fraction": level}


def _known(value: object) -> object:
    """-1 is how the phone client writes "not known"."""
    return None if value == -1 else value


def _knots(value: object) -> object:
    knots = number(value)
    return value if knots is None else round(knots * KNOT_MPS, 3)


def _time(value: object) -> object:
    """The instant with a colon in its offset, which older versions leave out."""
    return _OFFSET.sub(r"\1:\2", value) if isinstance(value, str) else value


def _dict(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Fault("not_traccar", f"`{name}` is {value!r:.60}; it must be an object", name)
    return value
