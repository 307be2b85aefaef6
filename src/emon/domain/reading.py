"""Readings: what a device measured, normalised. One flat record for every kind.

Instants are microseconds UTC; units stand in the names. `received_at` is the effective arrival (the
pipeline's, not the vendor's). Fields that the native format does not know are kept in `extra`.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

KINDS: Final = ("position", "alcohol_transdermal", "alcohol_breath", "status", "presence", "lab_result")
METHODS: Final = ("gnss", "beacon", "rf", "wifi", "cell", "unknown")  # best first: semantics of conflicts
OPENING_EVENTS: Final = ("strap_open", "case_open", "proximity_lost", "shielding_start", "jamming_start",
                         "motion_start", "charging_start", "power_off")
EVENTS: Final = (*OPENING_EVENTS, "strap_closed", "case_closed", "proximity_restored", "shielding_stop",
                 "jamming_stop", "motion_stop", "charging_stop", "battery", "power_on", "heartbeat",
                 "mock_location", "panic", "unknown")
BREATH_RESULTS: Final = ("ok", "missed", "incomplete", "refused")
LAB_RESULTS: Final = ("negative", "positive", "dilute", "refused", "missed", "pending")
PURPOSES: Final = ("scheduled", "random", "on_demand", "participant", "confirmation")


class Reading(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True, gc=False):
    """One measurement of one device, normalised from whatever the vendor sent."""

    device: str
    kind: str
    observed_at: int
    received_at: int = 0
    sent_at: int | None = None
    seq: int | None = None
    feed: str | None = None
    carrier: str | None = None
    # position
    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None  # None: unknown (0, absent and 2147483647 are unknown too)
    method: str = "unknown"
    hdop: float | None = None
    satellites: int | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    # alcohol_transdermal
    sensor_family: str | None = None
    tac_g_dl: float | None = None
    tac_ug_l: float | None = None
    skin_temperature_c: float | None = None
    ir_v: float | None = None
    # alcohol_breath and lab_result
    brac_g_210l: float | None = None  # whatever unit came in
    test_id: str | None = None
    purpose: str | None = None
    scheduled_at: int | None = None
    result: str | None = None
    face: str | None = None
    panel: str | None = None
    reported_at: int | None = None
    # status
    event: str | None = None
    battery_fraction: float | None = None
    # presence
    present: bool | None = None
    beacon: str | None = None
    extra: dict[str, Any] | None = None


_NOT_CONTENT = ("received_at", "sent_at", "seq", "feed")
_encoder = msgspec.json.Encoder(order="deterministic")


def identity(reading: Reading) -> tuple[str, str, int | str, str]:
    """What makes two readings the same measurement: see `content` for whether they also agree."""
    if reading.test_id is not None and reading.kind in ("alcohol_breath", "lab_result"):
        return (reading.device, reading.kind, reading.test_id, "")
    return (reading.device, reading.kind, reading.observed_at, reading.event or "")


def content(reading: Reading) -> bytes:
    """Canonical bytes of all that was measured; equal bytes are a duplicate, others a conflict."""
    fields = msgspec.to_builtins(reading)
    for name in _NOT_CONTENT:
        fields.pop(name, None)
    return _encoder.encode(fields)


def fold_key(reading: Reading) -> tuple[int, str, str, bool, str, bytes]:
    """Sort key of a participant's readings: the order in which they happened, ties made total."""
    event = reading.event or reading.test_id or ""
    return (reading.observed_at, reading.device, reading.kind, event not in OPENING_EVENTS, event,
            content(reading))
