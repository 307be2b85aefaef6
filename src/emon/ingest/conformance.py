"""What emon understands of a vendor's file: the report that a vendor gets before its feed goes live.

Delay is only told where messages say when they were sent; gaps in `seq` are those between the smallest and
the largest number of each device in this file.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

from emon.domain.errors import Fault
from emon.domain.instant import SECOND, iso
from emon.domain.reading import Reading
from emon.formats import documents, text
from emon.formats.faults import FileFault
from emon.ingest.adapter import Slice
from emon.ingest.vendors import adapter as adapter_named
from emon.ingest.vendors import csv_mapping
from emon.limits import MAX_DOCUMENT_BYTES

_SHOWN: Final = 20  # devices and gaps listed; the counts are complete


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers of a device that did not come."""

    device: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was understood of one file."""

    adapter: str
    file: str
    slices: int
    kinds: Mapping[str, int]
    notes: Mapping[str, int]
    unknown: Mapping[str, int]
    without_method: int
    devices: int
    duplicates: int
    first_observed_at: int | None
    last_observed_at: int | None
    gaps: tuple[Gap, ...]
    cadence_s: float | None
    delay_s: tuple[float, float] | None  # median, largest
    faults: tuple[FileFault, ...]

    def text(self) -> str:
        """For people, one fact a line; faults last."""
        return "\n".join(_lines(self))


def report(adapter: str, body: bytes, settings: Mapping[str, Any] | None = None, file: str = "-") -> Report:
    """Reads a body as the adapter of that name would. Raises Fault `unknown_adapter`, `bad_settings`, and
    Unreadable where no line of it is UTF-8."""
    if body and not any(text.is_utf8(line) for line in body.splitlines()):
        raise text.Unreadable(file, "no line of it is UTF-8; save it as UTF-8")
    slices = adapter_named(adapter).understand(body, "", settings or {})
    readings = [reading for piece in slices for reading in piece.readings]
    distinct = {(r.device, r.kind, r.observed_at, r.event, r.test_id) for r in readings}
    observed = [reading.observed_at for reading in readings]
    return Report(
        adapter=adapter, file=file, slices=len(slices), kinds=Counter(reading.kind for reading in readings),
        notes=Counter(piece.note for piece in slices if piece.note), unknown=_unknown(readings),
        without_method=sum(r.kind == "position" and r.method == "unknown" and "method" not in (r.extra or {})
                           for r in readings),
        devices=len({reading.device for reading in readings}), duplicates=len(readings) - len(distinct),
        first_observed_at=min(observed, default=None), last_observed_at=max(observed, default=None),
        gaps=tuple(_gaps(readings)), cadence_s=_cadence_s(readings), delay_s=_delay_s(readings),
        faults=tuple(_faults(file, slices)))


def report_file(adapter: str, file: Path, settings: Mapping[str, Any] | None = None) -> Report:
    """As `report`, of a file; `-` is the standard input. Raises Unreadable too."""
    if str(file) == "-":
        body = sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1)
        if len(body) > MAX_DOCUMENT_BYTES:
            raise text.Unreadable("-", f"is larger than {MAX_DOCUMENT_BYTES >> 20} MiB; send a part of it")
        return report(adapter, body, settings)
    return report(adapter, text.read_bytes(file, MAX_DOCUMENT_BYTES), settings, str(file))


def read_mapping(file: Path) -> dict[str, Any]:
    """The column mapping that stands in a YAML file. Raises Unreadable, and Fault for a faulty one."""
    found, faults = documents.load(file)
    if faults or len(found) != 1:
        detail = "; ".join(map(str, faults)) or f"{file}:1: {len(found)} documents; a mapping is one"
        raise Fault("bad_settings", detail)
    csv_mapping.read(found[0].value)
    return found[0].value


def _faults(file: str, slices: Iterable[Slice]) -> Iterable[FileFault]:
    for piece in slices:
        if piece.fault is not None:
            yield FileFault(file, piece.line, f"{piece.fault.code}: {piece.fault.detail}")


def _unknown(readings: Iterable[Reading]) -> Mapping[str, int]:
    return Counter(f"{name} {reading.extra[name]!r:.60}" for reading in readings if reading.extra
                   for name, of in (("method", reading.method), ("event", reading.event))
                   if of == "unknown" and name in reading.extra)


def _gaps(readings: Iterable[Reading]) -> Iterable[Gap]:
    numbers: dict[str, set[int]] = defaultdict(set)
    for reading in readings:
        if reading.seq is not None:
            numbers[reading.device].add(reading.seq)
    for device, seen in sorted(numbers.items()):
        ordered = sorted(seen)
        for before, after in pairwise(ordered):
            if after > before + 1:
                yield Gap(device, before + 1, after - 1)


def _cadence_s(readings: Iterable[Reading]) -> float | None:
    """Median time between two readings of a device."""
    instants: dict[str, set[int]] = defaultdict(set)
    for reading in readings:
        instants[reading.device].add(reading.observed_at)
    steps = [after - before for seen in instants.values()
             for before, after in pairwise(sorted(seen))]
    return median(steps) / SECOND if steps else None


def _delay_s(readings: Iterable[Reading]) -> tuple[float, float] | None:
    delays = [(reading.sent_at - reading.observed_at) / SECOND for reading in readings if reading.sent_at is
              not None]
    return (median(delays), max(delays)) if delays else None


def _lines(of: Report) -> Iterable[str]:
    yield f"{of.file} read by adapter {of.adapter}: {of.slices} messages, {len(of.faults)} with faults"
    yield from (f"  {count} {kind}" for kind, count in sorted(of.kinds.items()))
    yield from (f"  {count} without a reading: {note}" for note, count in sorted(of.notes.items()))
    if of.first_observed_at is not None and of.last_observed_at is not None:
        span = f"{iso(of.first_observed_at)} to {iso(of.last_observed_at)}"
        yield f"devices: {of.devices}; observed from {span}"
    if of.duplicates:
        yield f"sent more than once: {of.duplicates} readings"
    if of.cadence_s is not None:
        yield f"cadence: {of.cadence_s:g} s between readings of a device (median)"
    if of.delay_s is not None:
        yield f"delay from observed to sent: median {of.delay_s[0]:g} s, largest {of.delay_s[1]:g} s"
    yield from (f"unknown {what}: {count} readings; accepted, decide nothing"
                for what, count in sorted(of.unknown.items()))
    if of.without_method:
        yield (f"positions without a method: {of.without_method}; they decide nothing unless the feed's "
               "assume_method says how they were measured")
    yield from (f"gap: {gap.device} lacks seq {gap.first} to {gap.last}" for gap in of.gaps[:_SHOWN])
    if len(of.gaps) > _SHOWN:
        yield f"gaps: {len(of.gaps)} in all"
    yield from map(str, of.faults)
