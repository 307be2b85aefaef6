"""OwnTracks: what its phone apps publish, one object or an array of them.

Only `location` says where somebody was. The other types share the stream (last will, transitions of regions
drawn on the phone, waypoints, status, steps, ...): they are accepted and are no readings. An encrypted
message is rejected, because nobody here can read it. A ping (`t: p`) carries the old fix under the present
time: it is a heartbeat. `vel` is km/h, `batt` percent, a missing `acc` is unknown; no message names a method.

The device is `USER/DEVICE` of the topic `owntracks/USER/DEVICE`, because users name their phones alike; with
the feed setting `device_from: device` it is the last part alone. Without a topic it is the `tid`.
Feed settings: `assume_method`, `device_from`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from emon.domain import instant
from emon.domain.errors import Fault
from emon.formats.units import KMH_MPS
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
from emon.limits import LATEST_OBSERVED_AT

_DEVICE_FROM: Final = ("topic", "device")


class OwnTracks:
    """The apps' HTTP mode; they want a JSON array as the answer."""

    name = "owntracks"
    content_types: tuple[str, ...] = ("application/json",)
    answer: Literal["counts", "empty_array"] = "empty_array"

    def understand(self, body: bytes, content_type: str, settings: Mapping[str, Any]) -> Sequence[Slice]:
        """One message a slice."""
        method = assumed_method(settings)
        device_from = settings.get("device_from", "topic")
        if device_from not in _DEVICE_FROM:
            raise Fault("bad_settings", f"`device_from` is {device_from!r:.60}; known are "
                                        f"{', '.join(_DEVICE_FROM)}")
        slices = []
        for piece in split(body):
            try:
                message = object_of(piece)
                fields = _fields(message, method, device_from)
                slices.append(understood(piece, fields, f"type {message['_type']:.40}"))
            except Fault as fault:
                slices.append(refused(piece, fault))
        return slices


def _fields(message: dict[str, Any], method: str | None, device_from: str) -> list[Fields]:
    kind = message.get("_type")
    if not isinstance(kind, str):
        raise Fault("not_owntracks", "`_type` is missing; every OwnTracks message has one", "_type")
    if kind == "encrypted":
        raise Fault("encrypted",
                    "the message is encrypted; switch the app's encryption key off and use HTTPS")
    return list(_location(message, method, device_from)) if kind == "location" else []


def _location(message: dict[str, Any], method: str | None, device_from: str) -> Iterator[Fields]:
    base: Fields = {"device": _device(message, device_from), "observed_at": _time(message.get("tst"), "tst")}
    if message.get("created_at") is not None:
        base["sent_at"] = _time(message["created_at"], "created_at")
    if message.get("t") == "p":
        yield {**base, "kind": "status", "event": "heartbeat"}
    else:
        speed = number(message.get("vel"))
        yield {**base, "kind": "position", "lat": message.get("lat"), "lon": message.get("lon"),
               "accuracy_m": message.get("acc"), "course_deg": message.get("cog"), "method": method,
               "speed_mps": None if speed is None or speed < 0 else round(speed * KMH_MPS, 3)}
    percent = number(message.get("batt"))
    if percent is not None and percent >= 0:
        yield {**base, "kind": "status", "event": "battery", "battery_fraction": percent / 100}


def _device(message: dict[str, Any], device_from: str) -> object:
    topic = message.get("topic")
    if not isinstance(topic, str) or not topic.strip("/"):
        return message.get("tid")
    parts = topic.strip("/").split("/")
    return parts[-1] if device_from == "device" else "/".join(parts[1:3] or parts)


def _time(value: object, name: str) -> str:
    seconds = number(value)
    if seconds is None or not 0 <= seconds < LATEST_OBSERVED_AT / instant.SECOND:
        raise Fault("bad_instant", f"`{name}` is {value!r:.60}; it must be seconds since 1970", name)
    return instant.iso(round(seconds * instant.SECOND))
