"""How the columns of a vendor's CSV export become native fields: a small YAML file, the feed's `mapping`.

    delimiter: ";"                    # default: a comma
    kind: position                    # the same for every row; or by a column:
    # kind: {column: Type, values: {GPS: position, ALC: alcohol_transdermal}}
    columns:                          # native field: header of its column
      device: Serial
      observed_at: Fix Time
      lat: Latitude
      lon: Longitude
      accuracy_m: Precision
      method: Source
    values:                           # native field: what the vendor writes: what it means
      method: {"1": gnss, "4": rf, "5": cell, "6": wifi}
    constants: {sensor_family: scram} # native field: its value in every row
    units: {speed_mps: mph}           # of columns in another unit; see UNITS
    time_format: "%m/%d/%Y %H:%M:%S"  # default: ISO 8601, which with an offset is always read
    time_zone: America/Chicago        # of times without an offset; they are faults where it is not stated
    missing: ["", "NULL"]             # how the vendor writes "nothing"; default: the empty cell

Without a mapping the headers are native field names and `kind` is a column. Columns that are not named are
kept in the raw slice alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec
from pydantic import Field, ValidationError

from emon.domain.errors import Fault
from emon.formats import units, wire
from emon.formats.conditions import Strict
from emon.formats.faults import faults_of

UNITS: Final[dict[str, Callable[[float], float]]] = {
    "percent": lambda value: value / 100,
    "knots": lambda value: round(value * units.KNOT_MPS, 3),
    "kmh": lambda value: round(value * units.KMH_MPS, 3),
    "mph": lambda value: round(value * units.MPH_MPS, 3),
    "ft": lambda value: round(value * units.FOOT_M, 3),
    "fahrenheit": units.from_fahrenheit,
}
_FIELDS: Final = frozenset(field.encode_name for cls in wire.BY_KIND.values()
                           for field in msgspec.structs.fields(cls)) - {"v", "received_at"}
_Texts = dict[str, str]


class KindColumn(Strict):
    """A column that says what a row is."""

    column: str
    values: _Texts = Field(default_factory=dict)


class CsvMapping(Strict):
    """The file above."""

    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    kind: str | KindColumn
    columns: _Texts
    values: dict[str, _Texts] = Field(default_factory=dict)
    constants: dict[str, str | int | float | bool] = Field(default_factory=dict)
    units: _Texts = Field(default_factory=dict)
    time_format: str | None = None
    time_zone: str | None = None
    missing: list[str] = Field(default_factory=lambda: [""])


def read(value: object) -> CsvMapping:
    """The mapping of a feed's settings. Raises Fault `bad_settings` that lists what is wrong."""
    if not isinstance(value, Mapping):
        raise Fault("bad_settings", "`mapping` must be an object with keys; see the mapping's documentation")
    try:
        mapping = CsvMapping.model_validate(value)
    except ValidationError as error:
        raise Fault("bad_settings", "; ".join(map(str, faults_of(error, value, CsvMapping))),
                    "mapping") from None
    problems = list(_problems(mapping))
    if problems:
        raise Fault("bad_settings", "; ".join(problems), "mapping")
    return mapping


def identity(headers: list[str]) -> CsvMapping:
    """The mapping of a file whose headers are native field names."""
    return CsvMapping(kind=KindColumn(column="kind"),
                      columns={name: name for name in headers if name in _FIELDS})


def _problems(mapping: CsvMapping) -> Any:
    kinds = mapping.kind.values.values() if isinstance(mapping.kind, KindColumn) else [mapping.kind]
    for kind in kinds:
        if kind not in wire.BY_KIND:
            yield f"`{kind}` is no kind of reading; known are {', '.join(wire.BY_KIND)}"
    for name in {*mapping.columns, *mapping.values, *mapping.constants, *mapping.units} - _FIELDS:
        yield f"`{name}` is no native field"
    for name in {"device", "observed_at"} - mapping.columns.keys() - mapping.constants.keys():
        yield f"no column is named for `{name}`"
    for unit in set(mapping.units.values()) - UNITS.keys():
        yield f"unit `{unit}` is not known; known are {', '.join(UNITS)}"
    if mapping.time_zone is not None:
        try:
            ZoneInfo(mapping.time_zone)
        except (LookupError, ValueError, OSError):
            yield f"time zone `{mapping.time_zone}` is not known; write one like America/Chicago"
