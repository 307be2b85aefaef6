"""Conditions of an order as they are written: one type a kind, so that a field of another kind is a fault.

Adding a kind is one class and one entry in `Condition`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emon.formats.fields import (
    Count,
    Date,
    Day,
    Id,
    Instant,
    Metres,
    PositiveMetres,
    PositiveSeconds,
    Seconds,
    Text,
    TimeOfDay,
)


class Strict(BaseModel):
    """Unknown keys are faults; `x-...` is free and not looked at."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False,
                              hide_input_in_errors=True, json_schema_extra={"patternProperties": {"^x-": {}}})

    @model_validator(mode="before")
    @classmethod
    def _without_free_keys(cls, value: object) -> object:
        if isinstance(value, dict) and any(str(key).startswith("x-") for key in value):
            return {key: inner for key, inner in value.items() if not str(key).startswith("x-")}
        return value


class Absence(Strict):
    """Leave or suspension, from one instant to another."""

    from_: Instant = Field(alias="from")
    to: Instant
    reason: Text = ""


class Window(Strict):
    """Weekly hours on the wall clock; `to` at or before `from` lies on the next day."""

    days: Annotated[list[Day], Field(min_length=1, max_length=7)] = [0, 1, 2, 3, 4, 5, 6]
    from_: TimeOfDay = Field(alias="from")
    to: TimeOfDay


class DayException(Strict):
    """Hours that replace those of one date; none: no duty on that day."""

    date: Date
    windows: list[Window] = []


class Test(Strict):
    """A planned breath test."""

    __test__ = False  # not a pytest class

    at: TimeOfDay
    days: Annotated[list[Day], Field(min_length=1, max_length=7)] = [0, 1, 2, 3, 4, 5, 6]
    window_s: PositiveSeconds = 3600.0


Limits = dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Annotated[float, Field(ge=0, le=1e9)]]
"""A rule's named parameters under other values; which names there are is the rule's."""


class _Every(Strict):
    id: Id
    leave: list[Absence] = []
    suspensions: list[Absence] = []


class _Place(_Every):
    windows: list[Window] = []
    exceptions: list[DayException] = []
    buffer_m: Metres | None = None


class _Confirmed(_Place):
    confirm_fixes: Count | None = None
    hold_s: Seconds | None = None
    grace_s: Seconds | None = None


class ExclusionZone(_Confirmed):
    """Stay out of a zone; with `windows` only in these hours."""

    kind: Literal["exclusion_zone"]
    zone: Id


class InclusionZone(_Confirmed):
    """Stay in a zone; with `windows` only in these hours."""

    kind: Literal["inclusion_zone"]
    zone: Id


class Curfew(_Confirmed):
    """Be at a place in these hours."""

    kind: Literal["curfew"]
    place: Id | None = None
    places: Annotated[list[Id], Field(min_length=1)] | None = None
    allowance_s_per_week: Seconds | None = None


class Attendance(_Place):
    """Be at a place for some time within these hours."""

    kind: Literal["attendance"]
    place: Id | None = None
    places: Annotated[list[Id], Field(min_length=1)] | None = None
    minimum_s: PositiveSeconds


class KeepAway(_Every):
    """Keep a distance from a protected person; with `windows` only in these hours. Her silence and her battery are
    watched in all."""

    kind: Literal["keep_away"]
    windows: list[Window] = []
    exceptions: list[DayException] = []
    protected_device: Id | None = None
    protected_person: Id | None = None
    distance_m: PositiveMetres
    confirm_fixes: Count | None = None
    hold_s: Seconds | None = None
    grace_s: Seconds | None = None
    limits: Limits | None = None


class Alcohol(_Every):
    """Drink no alcohol."""

    kind: Literal["alcohol"]
    mode: Id | None = None
    limits: Limits | None = None
    tests: list[Test] = []


class DeviceIntegrity(_Every):
    """Leave the device as it is, and charge it."""

    kind: Literal["device_integrity"]
    charge_every_h: Annotated[float, Field(gt=0, le=8784)] | None = None
    limits: Limits | None = None


class Contact(_Every):
    """The device is heard, and located, this often."""

    kind: Literal["contact"]
    every_s: PositiveSeconds | None = None
    hold_s: Seconds | None = None


class SubstanceTesting(_Every):
    """Laboratory tests."""

    kind: Literal["substance_testing"]
    per_month: Annotated[int, Field(ge=1, le=100)] | None = None
    limits: Limits | None = None


Condition = Annotated[
    ExclusionZone | InclusionZone | Curfew | Attendance | KeepAway | Alcohol | DeviceIntegrity | Contact
    | SubstanceTesting, Field(discriminator="kind")]
KINDS: dict[str, type[Strict]] = {
    "exclusion_zone": ExclusionZone, "inclusion_zone": InclusionZone, "curfew": Curfew,
    "attendance": Attendance,
    "keep_away": KeepAway, "alcohol": Alcohol, "device_integrity": DeviceIntegrity, "contact": Contact,
    "substance_testing": SubstanceTesting,
}
PLACE_KINDS = ("exclusion_zone", "inclusion_zone", "curfew", "attendance", "keep_away")
