"""The native reading, version 1, as it stands on the wire: one type a kind, the source of its JSON Schema.

Types and bounds stand here once: the fast path decodes straight into them, the careful path (`native`)
converts field by field with the same types, and the published schema is generated from them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from emon.limits import MAX_ID_CHARS

Text = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]
CONTROL = r"[\x00-\x1f\x7f]"  # no order can name such a device, and a database may refuse to hold it
# `native` looks for them: a pattern in the type would cost every reading a search
Device = Annotated[Text, Meta(extra_json_schema={"not": {"pattern": CONTROL}})]
Instant = Annotated[datetime, Meta(tz=True)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]
NotNegative = Annotated[float, Meta(ge=0)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Method = Annotated[str, Meta(max_length=MAX_ID_CHARS, description=
                             "gnss, beacon, rf, wifi or cell; any other is taken as unknown")]
Event = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS, description=
                            "strap_open/closed, case_open/closed, proximity_lost/restored, "
                            "shielding_start/stop, "
                            "jamming_start/stop, motion_start/stop, charging_start/stop, battery, "
                            "power_off/on, heartbeat, mock_location, panic; any other is taken as unknown")]
Alcohol = Annotated[float, Meta(ge=0, le=1)]  # g/dL and g/210 L: 0.5 is deadly, above 1 is another unit


class _Every(msgspec.Struct, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="kind"):
    v: Literal[1] = 1
    device: Device
    observed_at: Instant
    received_at: Instant | None = None
    sent_at: Instant | None = None
    seq: Seq | None = None
    feed: Text | None = None
    carrier: Text | None = None
    battery_fraction: Fraction | None = None


class Position(_Every, tag="position", kw_only=True, omit_defaults=True):
    """Where a device was. `accuracy_m` 0, absent or 2147483647 is unknown."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lon: Annotated[float, Meta(ge=-180, le=180)]
    accuracy_m: NotNegative | None = None
    method: Method | None = None
    hdop: NotNegative | None = None
    satellites: Annotated[int, Meta(ge=0, le=1000)] | None = None
    speed_mps: NotNegative | None = None
    course_deg: Annotated[float, Meta(ge=0, le=360)] | None = None


class Transdermal(_Every, tag="alcohol_transdermal", kw_only=True, omit_defaults=True):
    """Alcohol through the skin: `tac_g_dl`, or `tac_ug_l` of sensors for which no conversion exists."""

    sensor_family: Text | None = None
    tac_g_dl: Alcohol | None = None
    tac_ug_l: NotNegative | None = None
    skin_temperature_c: Annotated[float, Meta(ge=-60, le=90)] | None = None
    ir_v: float | None = None


class Breath(_Every, tag="alcohol_breath", kw_only=True, omit_defaults=True):
    """A breath test, taken or not, in one of four units. `result` absent with a value given: ok."""

    brac_g_210l: Alcohol | None = None
    brac_mg_l: Annotated[float, Meta(ge=0, le=5)] | None = None
    brac_ug_100ml: Annotated[float, Meta(ge=0, le=500)] | None = None
    brac_permille: Annotated[float, Meta(ge=0, le=10)] | None = None
    test_id: Text | None = None
    purpose: Literal["scheduled", "random", "on_demand", "participant", "confirmation"] | None = None
    scheduled_at: Instant | None = None
    result: Literal["ok", "missed", "incomplete", "refused"] | None = None
    face: Text | None = None


class Status(_Every, tag="status", kw_only=True, omit_defaults=True):
    """Something happened to the device."""

    event: Event


class Presence(_Every, tag="presence", kw_only=True, omit_defaults=True):
    """A home unit hears, or does not hear, the bracelet `beacon`."""

    present: bool
    beacon: Text | None = None


class LabResult(_Every, tag="lab_result", kw_only=True, omit_defaults=True):
    """A laboratory's result; `observed_at` is when the sample was collected."""

    test_id: Text | None = None
    panel: Text | None = None
    result: Literal["negative", "positive", "dilute", "refused", "missed", "pending"]
    purpose: Literal["scheduled", "random", "on_demand", "participant", "confirmation"] | None = None
    scheduled_at: Instant | None = None
    reported_at: Instant | None = None


class OwnOutageLine(msgspec.Struct, kw_only=True, omit_defaults=True, tag_field="kind", tag="own_outage",
                    rename={"from_": "from"}):
    """Not a reading: emon itself took nothing in during [`from`, `to`). Only in files that emon exported."""

    v: Literal[1] = 1
    from_: Instant
    to: Instant
    received_at: Instant | None = None


Measured = Position | Transdermal | Breath | Status | Presence | LabResult
BY_KIND: dict[str, type[Measured]] = {
    "position": Position, "alcohol_transdermal": Transdermal, "alcohol_breath": Breath, "status": Status,
    "presence": Presence, "lab_result": LabResult,
}
