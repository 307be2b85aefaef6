"""Vendors' wire formats, as their own software writes them: what leaves the simulated vendors.

Written from the formats, not with emon's adapters; a vendor does not ask us how to encode.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from emon.domain import instant
from simulators.devices import Emission

NATIVE_BATCH: Final = 200
_KNOTS_PER_MPS: Final = 1.943844
_NEVER: Final = "1980-01-06T00:00:00.000+00:00"  # fix time of a device that never had one
_ALARMS: Final = {"strap_open": "removing", "case_open": "tampering", "panic": "sos", "power_off": "powerOff",
                  "jamming_start": "jamming"}
CSV_COLUMNS: Final = ("device", "kind", "observed_at", "reported_at", "test_id", "panel", "result",
                      "sensor_family", "tac_g_dl", "skin_temperature_c", "ir_v", "brac_g_210l", "purpose",
                      "face")

Record = dict[str, Any]


class Body(NamedTuple):
    """One request."""

    content: bytes
    content_type: str
    readings: int


class Encoder:
    """Encodes what one feed sends. Keeps each Traccar device's last fix: heartbeats repeat it."""

    def __init__(self, adapter: str) -> None:
        self._last: dict[str, Record] = {}
        self._encode: Callable[[Sequence[Record]], Iterable[Body]] = {
            "native": self._native, "traccar": self._traccar, "owntracks": self._owntracks,
            "csv_export": self._csv}[adapter]

    def bodies(self, emissions: Sequence[Emission]) -> list[Body]:
        """Requests for these readings, in order."""
        return list(self._encode([e.reading for e in emissions]))

    def _native(self, readings: Sequence[Record]) -> Iterable[Body]:
        for i in range(0, len(readings), NATIVE_BATCH):
            part = readings[i:i + NATIVE_BATCH]
            lines = (msgspec.json.encode({**r, "observed_at": instant.iso(r["observed_at"])}) for r in part)
            yield Body(b"\n".join(lines) + b"\n", "application/x-ndjson", len(part))

    def _traccar(self, readings: Sequence[Record]) -> Iterable[Body]:
        for reading in readings:
            message = {"position": self._traccar_position(reading), "device": {
                "id": 1, "attributes": {}, "uniqueId": reading["device"], "name": "Bracelet",
                "status": "online", "disabled": False}}
            yield Body(msgspec.json.encode(message), "application/json", 1)

    def _traccar_position(self, reading: Record) -> Record:
        device_time = _traccar_time(reading["observed_at"])
        attributes: Record = {"motion": False}
        if "battery_fraction" in reading:
            attributes["batteryLevel"] = round(reading["battery_fraction"] * 100, 1)
        if reading.get("event") in _ALARMS:
            attributes["alarm"] = _ALARMS[reading["event"]]
        if reading["kind"] == "position":
            fix: Record = {"fixTime": device_time, "valid": True, "latitude": reading["lat"],
                           "longitude": reading["lon"], "accuracy": reading["accuracy_m"], "course": 0.0,
                           "speed": round(reading.get("speed_mps", 0.0) * _KNOTS_PER_MPS, 3), "altitude": 0.0}
            self._last[reading["device"]] = fix
            if reading["method"] != "gnss":
                attributes["approximate"] = True
        else:
            fix = self._last.get(reading["device"]) or {
                "fixTime": _NEVER, "valid": False, "latitude": 0.0, "longitude": 0.0, "accuracy": 0.0,
                "course": 0.0, "speed": 0.0, "altitude": 0.0}
        return {"id": 0, "attributes": attributes, "deviceId": 1, "protocol": "gt06", "address": None,
                "deviceTime": device_time, "serverTime": device_time, "network": None, "geofenceIds": None,
                **fix}

    def _owntracks(self, readings: Sequence[Record]) -> Iterable[Body]:
        for reading in readings:
            if reading["kind"] != "position":
                continue
            seconds = reading["observed_at"] // instant.SECOND
            message = {"_type": "location", "tid": reading["device"][-2:], "tst": seconds,
                       "created_at": seconds, "topic": f"owntracks/pocket/{reading['device']}",
                       "lat": reading["lat"], "lon": reading["lon"], "acc": round(reading["accuracy_m"]),
                       "t": "t", "batt": 80, "vel": round(reading.get("speed_mps", 0.0) * 3.6)}
            yield Body(msgspec.json.encode(message), "application/json", 1)

    def _csv(self, readings: Sequence[Record]) -> Iterable[Body]:
        if readings:
            text = io.StringIO()
            writer = csv.DictWriter(text, CSV_COLUMNS, extrasaction="ignore", lineterminator="\r\n")
            writer.writeheader()
            writer.writerows({**r, "observed_at": instant.iso(r["observed_at"])} for r in readings)
            yield Body(text.getvalue().encode(), "text/csv", len(readings))


def _traccar_time(observed_at: int) -> str:
    return datetime.fromtimestamp(observed_at / 1e6, UTC).isoformat(timespec="milliseconds")
