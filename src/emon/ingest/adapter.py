"""What a vendor's adapter is: bytes of a body in, slices with the readings understood from them out.

An adapter is pure and stateless: it knows neither the time nor what came before. `received_at` and the feed
are stamped by whoever took the body in. A slice may hold several readings (a position, the battery), a fault
beside good readings (a strap alarm whose position has a latitude of 91), or nothing about anybody (`note`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

import msgspec

from emon.domain.errors import Fault
from emon.domain.reading import METHODS, Reading
from emon.formats import native, slices
from emon.formats.slices import RawSlice
from emon.formats.text import BOM, is_wide
from emon.limits import MAX_KEPT_RAW_BYTES, MAX_LINE_BYTES

Fields = dict[str, Any]
"""A reading as native fields, not yet judged."""


class Slice(msgspec.Struct, frozen=True):
    """One slice of a body. `line`: where in the body it starts, from 1. `note`: what it is, where it is
    accepted and says nothing that could be a reading."""

    raw: bytes
    line: int
    readings: tuple[Reading, ...] = ()
    fault: Fault | None = None
    note: str = ""


class Adapter(Protocol):
    """One vendor's format. `answer`: what a client wants to read where a body was taken."""

    name: str
    content_types: tuple[str, ...]
    answer: Literal["counts", "empty_array"]

    def understand(self, body: bytes, content_type: str, settings: Mapping[str, Any]) -> Sequence[Slice]:
        """Every slice of the body, in order. Raises nothing for bad input; Fault `bad_settings` where the
        feed's own settings are faulty."""


def split(body: bytes) -> list[RawSlice]:
    """The slices of a body of JSON: an array, NDJSON, or one object over several lines."""
    if is_wide(body):
        fault = Fault("not_utf8", "the body is UTF-16 or UTF-32, not UTF-8")
        return [RawSlice(1, body[:MAX_KEPT_RAW_BYTES], fault)]
    text = body.removeprefix(BOM).strip()
    first, separator, rest = text.partition(b"\n")
    if separator and text[:1] == b"{" and len(text) <= MAX_LINE_BYTES and not _is_json(first) and (
            _is_json(text) or not any(_is_object(line) for line in rest.splitlines())):
        return [RawSlice(1 + body.count(b"\n", 0, body.index(b"{")), text)]
    return list(slices.cut([body]))


def plain_lines(body: bytes) -> list[bytes] | None:
    """The lines of a body that plainly is NDJSON, cut as `split` would; None where it has to look closer."""
    if len(body) > MAX_LINE_BYTES or body[:1] != b"{":
        return None
    lines = body.split(b"\n")
    return lines if _is_json(lines[0]) else None


def understood(piece: RawSlice, fields: Iterable[Fields], note: str = "") -> Slice:
    """The slice with each of `fields` read; the first fault is kept, and costs the others nothing."""
    readings: list[Reading] = []
    fault: Fault | None = None
    pending = iter(fields)
    while True:
        try:
            each = next(pending, None)
            if each is None:
                break
            readings.append(native.parse_reading(each, received_at=native.UNSTAMPED))
        except Fault as found:
            fault = fault or found
    return Slice(piece.raw, piece.line, tuple(readings), fault, "" if readings or fault else note)


def refused(piece: RawSlice, fault: Fault) -> Slice:
    """The slice with its fault; raw bytes are kept up to a bound."""
    return Slice(piece.raw[:MAX_KEPT_RAW_BYTES], piece.line, fault=fault)


def object_of(piece: RawSlice) -> dict[str, Any]:
    """The JSON object of a slice. Raises Fault."""
    if piece.fault is not None:
        raise piece.fault
    if len(piece.raw) > MAX_LINE_BYTES:
        raise slices.too_long(MAX_LINE_BYTES)
    value = native.to_object(piece.raw)
    if not isinstance(value, dict):
        raise Fault("not_an_object", "a message is a JSON object with keys")
    return value


def assumed_method(settings: Mapping[str, Any]) -> str | None:
    """The feed's `assume_method`: what positions were measured with where the format cannot say it.
    Raises Fault `bad_settings`."""
    method = settings.get("assume_method")
    if method is not None and method not in METHODS:
        raise Fault("bad_settings", f"`assume_method` is {method!r:.60}; known are {', '.join(METHODS)}")
    return method


def number(value: object) -> float | None:
    """A JSON number; None for anything else, booleans included."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_object(line: bytes) -> bool:
    return line.lstrip().startswith(b"{") and _is_json(line)


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True
