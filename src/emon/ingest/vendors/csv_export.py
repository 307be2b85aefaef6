"""CSV exports of any vendor, one reading a row, read by a mapping of columns (`csv_mapping`).

A slice is the header and the row's own text, so that it can be understood again by itself. Numbers are read
strictly (no NaN, no thousands separators); a time without an offset needs the mapping's time zone, where a
doubled hour takes the first and a missing one moves on by the gap.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, get_args, get_type_hints
from zoneinfo import ZoneInfo

from emon.domain.errors import Fault
from emon.formats import wire
from emon.formats.slices import RawSlice, too_long
from emon.formats.text import BOM, is_wide
from emon.ingest.adapter import Fields, Slice, assumed_method, refused, understood
from emon.ingest.vendors import csv_mapping
from emon.ingest.vendors.csv_mapping import UNITS, CsvMapping, KindColumn
from emon.limits import MAX_CSV_HEADER_BYTES, MAX_KEPT_RAW_BYTES, MAX_LINE_BYTES

_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_WORDS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _types(hint: Any) -> frozenset[Any]:
    parts = get_args(hint)
    return frozenset().union(*map(_types, parts)) if parts else frozenset({hint})


_TYPES: Final = {kind: {name: _types(hint) for name, hint in get_type_hints(cls, include_extras=True).items()}
                 for kind, cls in wire.BY_KIND.items()}


class _Row(NamedTuple):
    """Cells, and the text they were read from, beginning on `line`; or what is wrong with it."""

    line: int
    text: str
    cells: list[str]
    fault: Fault | None = None

    def piece(self, header: str) -> RawSlice:
        raw = (header + self.text).encode("utf-8", errors="surrogateescape")
        return RawSlice(self.line, raw, self.fault)


class CsvExport:
    """Feed settings: `mapping`, `assume_method`."""

    name = "csv_export"
    content_types: tuple[str, ...] = ("text/csv",)
    answer: Literal["counts", "empty_array"] = "counts"

    def understand(self, body: bytes, content_type: str, settings: Mapping[str, Any]) -> Sequence[Slice]:
        """One row a slice; the header alone where it names too little."""
        mapping = csv_mapping.read(settings["mapping"]) if settings.get("mapping") else None
        method = assumed_method(settings)
        if is_wide(body):
            return [_refused_whole(body, Fault("not_utf8", "the file is UTF-16 or UTF-32, not UTF-8"))]
        text = body.removeprefix(BOM).decode("utf-8", errors="surrogateescape")
        rows = _rows(text, mapping.delimiter if mapping else ",")
        header = next(rows, None)
        if header is None:
            return []
        if len(header.text) > MAX_CSV_HEADER_BYTES:
            return [_refused_whole(body, Fault("header_too_long", f"the header has {len(header.text)} signs; "
                                               f"at most {MAX_CSV_HEADER_BYTES} are read"))]
        names = [name.strip() for name in header.cells]
        columns = mapping or csv_mapping.identity(names)
        missing = _missing(columns, names)
        if header.fault or missing:
            return [_refused_whole(body, header.fault or Fault(
                "missing_columns", f"the header has no column {', '.join(map(repr, missing))}"))]
        return [_slice(row, header.text, names, columns, method) for row in rows]


def _refused_whole(body: bytes, fault: Fault) -> Slice:
    return refused(RawSlice(1, body[:MAX_KEPT_RAW_BYTES]), fault)


def _rows(text: str, delimiter: str) -> Iterator[_Row]:
    """Rows with any cell. A row that is no CSV costs only itself."""
    consumed: list[str] = []

    def lines() -> Iterator[str]:
        for line in text.splitlines(keepends=True):
            consumed.append(line)
            yield line if len(line) <= MAX_LINE_BYTES else "\n"

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    number = 1
    while True:
        cells: list[str] = []
        fault: Fault | None = None
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = Fault("bad_csv", f"not CSV: {error}")
        source = "".join(consumed)
        first, number = number, number + len(consumed)
        consumed.clear()
        if any(len(line) > MAX_LINE_BYTES for line in source.splitlines()):
            fault = too_long(MAX_LINE_BYTES)
        elif not source.isprintable() and re.search("[\udc80-\udcff]", source):
            fault = Fault("not_utf8", "the bytes are not UTF-8")
        if fault or any(cell.strip() for cell in cells):
            yield _Row(first, source, cells, fault)


def _missing(mapping: CsvMapping, names: list[str]) -> list[str]:
    wanted = [mapping.columns.get("device", ""), mapping.columns.get("observed_at", ""),
              *mapping.columns.values()]
    if isinstance(mapping.kind, KindColumn):
        wanted.append(mapping.kind.column)
    for required in ("device", "observed_at"):
        if required not in mapping.columns and required not in mapping.constants:
            wanted.append(required)
    return [name for name in dict.fromkeys(wanted) if name and name not in names]


def _slice(row: _Row, header: str, names: list[str], mapping: CsvMapping, method: str | None) -> Slice:
    piece = row.piece(header)
    if row.fault is not None:
        return refused(piece, row.fault)
    if len(row.cells) != len(names):
        return refused(piece, Fault("wrong_columns", f"{len(row.cells)} cells under {len(names)} headers"))
    cells = {name: cell.strip() for name, cell in zip(names, row.cells, strict=True)}
    try:
        return understood(piece, [_fields(cells, mapping, method)])
    except Fault as fault:
        return refused(piece, fault)


def _fields(cells: Mapping[str, str], mapping: CsvMapping, method: str | None) -> Fields:
    kind = _kind(cells, mapping)
    fields: Fields = {**mapping.constants, "kind": kind}
    if method is not None and kind == "position":
        fields.setdefault("method", method)
    types = _TYPES.get(kind, {})
    for name, column in mapping.columns.items():
        text = cells[column]
        if text in mapping.missing:
            continue
        text = mapping.values.get(name, {}).get(text, text)
        if name.endswith("_at"):
            fields[name] = _instant(name, text, mapping)
        else:
            fields[name] = _value(name, text, types.get(name, frozenset()), mapping.units.get(name))
    return fields


def _kind(cells: Mapping[str, str], mapping: CsvMapping) -> str:
    if not isinstance(mapping.kind, KindColumn):
        return mapping.kind
    text = cells[mapping.kind.column]
    return mapping.kind.values.get(text, text)


def _value(name: str, text: str, types: frozenset[Any], unit: str | None) -> object:
    if bool in types:
        if text.lower() not in _WORDS:
            raise Fault("bad_type", f"`{name}` is {text!r:.60}; expected true or false", name)
        return _WORDS[text.lower()]
    if not types & {int, float}:
        return text
    if not _NUMBER.fullmatch(text):
        raise Fault("bad_type", f"`{name}` is {text!r:.60}; expected a number", name)
    value = float(text)
    return UNITS[unit](value) if unit else value


def _instant(name: str, text: str, mapping: CsvMapping) -> str:
    moment = _parsed(text, mapping.time_format)
    if moment is None:
        how = f"the mapping's format {mapping.time_format}" if mapping.time_format else "ISO 8601"
        raise Fault("bad_instant", f"`{name}` is {text!r:.60}, not a time in {how}", name)
    if moment.tzinfo is None:
        if mapping.time_zone is None:
            raise Fault("bad_instant", f"`{name}` is {text!r:.60} without an offset; state `time_zone` in "
                        "the mapping", name)
        moment = moment.replace(tzinfo=ZoneInfo(mapping.time_zone))
    return moment.isoformat()


def _parsed(text: str, time_format: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if time_format is None or (moment is not None and moment.tzinfo is not None):
        return moment
    try:
        return datetime.strptime(text, time_format)
    except ValueError:
        return None
