"""Types of the fields in orders, zones, bindings and people: how each is written, and what it is inside.

Instants become microseconds UTC, times of day seconds after midnight, days 0 (Monday) to 6. Durations and
distances stay plain numbers whose unit stands in the field's name. Bounds keep sums within 64 bits.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from emon.domain import instant
from emon.domain.errors import Fault
from emon.domain.order import DAYS
from emon.formats.suggest import did_you_mean
from emon.limits import MAX_ID_CHARS

_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?|24:00(?::00)?")
_FIRST: Final = instant.parse("1900-01-01T00:00:00Z")
_LAST: Final = instant.parse("9999-01-01T00:00:00Z")  # later ones overflow once an hour is added
_TEN_YEARS_S: Final = 315_576_000
_HALF_EARTH_M: Final = 20_040_000


def _instant(value: Any) -> int:
    try:
        moment = instant.parse(value)
    except Fault as fault:
        raise PydanticCustomError("bad_instant", "{detail}", {"detail": fault.detail}) from None
    if not _FIRST <= moment < _LAST:
        raise PydanticCustomError("bad_instant", "{value} stands for no real instant; what has no end is null",
                                  {"value": str(value)[:60]})
    return moment


def _time_of_day(value: Any) -> int:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("bad_time", "{value} is no time of day; write it as \"20:00\"",
                                  {"value": repr(value)[:60]})
    hours, minutes, seconds = match.groups()
    return 0 if hours is None else int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)


def _day(value: Any) -> int:
    if isinstance(value, str) and value in DAYS:
        return DAYS.index(value)
    hint = did_you_mean(value.lower() if isinstance(value, str) else "", DAYS)
    raise PydanticCustomError("unknown_day", "{value} is no day; known are {known}{hint}",
                              {"value": repr(value)[:60], "known": ", ".join(DAYS), "hint": hint})


def _date(value: Any) -> str:
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise PydanticCustomError("bad_date", "{value} is no date; write it as 2026-12-24",
                              {"value": repr(value)[:60]})


Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARS, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Field(max_length=2000)]
Version = Annotated[int, Field(ge=1, le=2**53)]
Instant = Annotated[int, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
TimeOfDay = Annotated[int, BeforeValidator(_time_of_day), WithJsonSchema(
    {"type": "string", "pattern": r"^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00(:00)?)$"})]
"""Seconds after local midnight; 24:00 is the midnight at the day's end, written 0 like 00:00."""
Day = Annotated[int, BeforeValidator(_day), WithJsonSchema({"type": "string", "enum": list(DAYS)})]
Date = Annotated[str, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]
Seconds = Annotated[float, Field(ge=0, le=_TEN_YEARS_S)]
PositiveSeconds = Annotated[float, Field(gt=0, le=_TEN_YEARS_S)]
Metres = Annotated[float, Field(ge=0, le=_HALF_EARTH_M)]
PositiveMetres = Annotated[float, Field(gt=0, le=_HALF_EARTH_M)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Lon = Annotated[float, Field(ge=-180, le=180)]
Count = Annotated[int, Field(ge=1, le=10_000)]
