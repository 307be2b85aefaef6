"""Which readings have arrived before: the index behind `duplicates` and behind "what arrived".

It is a view of two things that are durable anyway, so it survives every restart and costs no write of its
own: the router's chunks by device (`store.ingest.device_chunks`), and the end of the raw log that those
chunks do not hold yet. This module is the part in memory: that end, and each device's newest `observed_at`.
A reading newer than its device's newest cannot have been here before, so the usual one costs a look into a
dictionary; only a late or repeated one is looked up, first in the tail, then in the chunks.

Several ingest processes each follow the raw log, so they recognise what another took in, half a second
later at most. A re-send within that half second is accepted twice, and counted once where it matters: by
evaluators.
A digest is Python's own keyed hash of the content, which no sender can foresee, at a sixth of what a
cryptographic one costs; it is never kept beyond its process. It has 64 bits and is compared within one device
and 24 h only: mistaking one reading for another takes some 10^16 readings.

Rejected: a table with a row a reading (each insert touches a page of its own, and a second fsync delays every
answer), and all digests of 24 h in memory (a quarter to half of all that emon may use a participant).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from emon.domain.reading import KINDS, Reading
from emon.ingest.received import Received
from emon.limits import CHUNK_AGE

_encode = msgspec.json.Encoder(order="deterministic").encode
_replace = msgspec.structs.replace
_KIND = {kind: index for index, kind in enumerate(KINDS)}
_NONE = -1  # no seq: vendors count from 0 up
_FAR = 1 << 62
_FIELDS = 5  # of a row: digest, observed_at, received_at, seq, kind
_NO_ROWS = array("q")


def digest(reading: Reading) -> int:
    """64 bits of what was measured, in this process: equal where `domain.reading.content` is."""
    if reading.received_at or reading.seq is not None or reading.sent_at is not None or reading.feed is not None:
        reading = _replace(reading, received_at=0, sent_at=None, seq=None, feed=None)
    return hash(_encode(reading))


class _Device(msgspec.Struct, gc=False):
    """One device's newest reading, in the tail or in chunks, and its rows in the tail."""

    newest: int
    rows: array[int] | None = None


class Tail:
    """What the chunks do not hold yet, by device, and each device's newest reading."""

    def __init__(self) -> None:
        self._devices: dict[str, _Device] = {}

    def learn(self, newest: Mapping[str, tuple[int, int]]) -> None:
        """Takes over what chunks hold: per device its newest (observed_at, received_at)."""
        for device, (observed_at, _) in newest.items():
            known = self._devices.get(device)
            if known is None:
                self._devices[device] = _Device(observed_at)
            elif observed_at > known.newest:
                known.newest = observed_at

    def add(self, reading: Reading, mark: int) -> None:
        """A reading that the journal has. `mark`: its digest. Adding it twice changes nothing."""
        observed_at, seq = reading.observed_at, reading.seq
        known = self._devices.get(reading.device)
        if known is None:
            known = self._devices[reading.device] = _Device(observed_at)
        elif observed_at > known.newest:
            known.newest = observed_at
        elif known.rows is not None and mark in known.rows[::_FIELDS]:
            return
        if known.rows is None:
            known.rows = array("q")
        if seq is None or not 0 <= seq < _FAR:
            seq = _NONE
        known.rows.extend((mark, observed_at, reading.received_at, seq, _KIND[reading.kind]))

    def certainly_new(self, reading: Reading) -> bool:
        """Whether nothing with this identity can have been here. A test may be sent again with another
        `observed_at`, but then its content differs: that is a conflict, not a duplicate."""
        known = self._devices.get(reading.device)
        return known is None or reading.observed_at > known.newest

    def holds(self, device: str, mark: int, since: int) -> bool:
        """Whether the tail has it, received at `since` or later."""
        rows = self._rows(device)
        marks = rows[::_FIELDS]
        return mark in marks and rows[marks.index(mark) * _FIELDS + 2] >= since

    def received(self, device: str) -> Iterator[Received]:
        """What the tail has of a device."""
        rows = self._rows(device)
        for at in range(0, len(rows), _FIELDS):
            seq = rows[at + 3]
            yield Received(rows[at + 1], rows[at + 2], KINDS[rows[at + 4]], None if seq == _NONE else seq)

    def trim(self, chunked: Mapping[str, tuple[int, int]], before: int) -> None:
        """Forgets what chunks hold by now (per device: newest observed_at and received_at in them) and what
        was received before `before`, the end of the time in which duplicates are told."""
        for device, known in self._devices.items():
            rows = known.rows
            limit = max(before, chunked[device][1] if device in chunked else before)
            if rows is None or rows[2] >= limit:  # by arrival; what is not quite in order stays a little longer
                continue
            kept = next((at for at, received_at in enumerate(rows[2::_FIELDS]) if received_at >= limit), None)
            known.rows = None if kept is None else rows[kept * _FIELDS:]

    def _rows(self, device: str) -> array[int]:
        known = self._devices.get(device)
        return _NO_ROWS if known is None or known.rows is None else known.rows

    def __len__(self) -> int:
        return sum(len(known.rows) for known in self._devices.values() if known.rows is not None) // _FIELDS


def marks_of(readings: Iterable[Reading], since: int) -> set[tuple[str, int]]:
    """(device, digest) of readings out of chunks that were received at `since` or later."""
    return {(reading.device, digest(reading)) for reading in readings if reading.received_at >= since}


def spans(instants: Mapping[str, Iterable[int]]) -> list[tuple[str, int, int]]:
    """Stretches (device, first, last) that cover each device's instants; a chunk's length apart they are two."""
    found: list[tuple[str, int, int]] = []
    for device, observed in instants.items():
        first = last = None
        for at in sorted(observed):
            if first is None or last is None:
                first = at
            elif at - last > CHUNK_AGE:
                found.append((device, first, last))
                first = at
            last = at
        if first is not None and last is not None:
            found.append((device, first, last))
    return found
