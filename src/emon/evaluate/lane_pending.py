"""Readings that the fast lane took in and that wait for the history.

The newest stay as they are, because whoever leaves the lane wants theirs back. When they become many, they are
kept as the lines that the history will hold: half the memory, and nothing is written out twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec
import numpy as np

from emon.domain.instant import DAY
from emon.evaluate.lane_chunk import Ints
from emon.evaluate.port import Chunk
from emon.evaluate.track import decode_lines
from emon.journal.records import Bound
from emon.limits import PENDING_READINGS

_encode_lines: Final = msgspec.json.Encoder().encode_lines
_LINE_FEED: Final = 10


class Packed(NamedTuple):
    """Readings as lines. One row of the arrays for each participant and day, in that order: how many there are,
    first and last instant, and where their lines begin and end."""

    people: Ints
    days: Ints
    counts: Ints
    first: Ints
    last: Ints
    begins: Ints
    ends: Ints
    lines: bytes


class Pending:
    """Readings of one chunk: in order of participant and then as they arrived, until they are packed."""

    __slots__ = ("_bounds", "_instants", "_packed", "_people", "count")

    def __init__(self, people: Ints, instants: Ints, bounds: list[Bound]) -> None:
        self.count = len(bounds)
        self._people, self._instants, self._bounds = people, instants, bounds
        self._packed: Packed | None = None

    def of(self, p: int) -> list[Bound]:
        """The readings of one participant."""
        if self._packed is None:
            low, high = np.searchsorted(self._people, (p, p + 1)).tolist()
            return self._bounds[low:high]
        low, high = np.searchsorted(self._packed.people, (p, p + 1)).tolist()
        if low == high:
            return []
        return decode_lines(self._packed.lines[self._packed.begins[low]:self._packed.ends[high - 1]])

    @property
    def size(self) -> int:
        """Bytes that packed lines take; 0 until they are packed."""
        return 0 if self._packed is None else len(self._packed.lines)

    def pack(self) -> Packed:
        """Keeps the lines instead of the readings."""
        if self._packed is None:
            self._packed = _pack(self._people, self._instants, self._bounds)
            self._people = self._instants = self._people[:0]
            self._bounds = []
        return self._packed


class Waiting:
    """All that waits, chunk by chunk."""

    def __init__(self) -> None:
        self._chunks: list[Pending] = []
        self._unpacked = 0
        self.bytes = 0  # of what is packed

    def __len__(self) -> int:
        return len(self._chunks)

    def add(self, people: Ints, instants: Ints, bounds: list[Bound]) -> None:
        """Takes in idle readings of one chunk, in order of participant and then as they arrived."""
        self._unpacked += len(bounds)
        if self._unpacked > PENDING_READINGS:
            for pending in self._chunks:
                self.bytes -= pending.size
                pending.pack()
                self.bytes += pending.size
            self._unpacked = len(bounds)
        self._chunks.append(Pending(people, instants, bounds))

    def of(self, p: int, begin: int) -> list[Bound]:
        """What waits of a participant in the chunks from number `begin` on."""
        return [bound for pending in self._chunks[begin:] for bound in pending.of(p)]

    def take(self, names: Sequence[str]) -> list[Chunk]:
        """All that waits as chunks for the history; nothing waits afterwards. `names`: of the participants."""
        chunks, self._chunks, self._unpacked, self.bytes = self._chunks, [], 0, 0
        return _merged([pending.pack() for pending in chunks], names) if chunks else []


def _pack(people: Ints, instants: Ints, bounds: list[Bound]) -> Packed:
    days = instants // DAY
    order = np.lexsort((days, people))
    people, days, instants = people[order], days[order], instants[order]
    lines = _encode_lines([bounds[i] for i in order.tolist()])
    starts = np.flatnonzero(np.r_[True, (people[1:] != people[:-1]) | (days[1:] != days[:-1])])
    after = np.flatnonzero(np.frombuffer(lines, dtype=np.uint8) == _LINE_FEED) + 1
    ends = after[np.r_[starts[1:], len(order)] - 1]
    return Packed(people[starts], days[starts], np.diff(np.r_[starts, len(order)]),
                  np.minimum.reduceat(instants, starts), np.maximum.reduceat(instants, starts),
                  np.r_[0, ends[:-1]], ends, lines)


def _merged(packed: list[Packed], names: Sequence[str]) -> list[Chunk]:
    people, days, counts, first, last, begins, ends = (
        np.concatenate(columns) for columns in list(zip(*packed, strict=True))[:-1])
    sources = np.repeat(np.arange(len(packed)), [len(each.people) for each in packed])
    order = np.lexsort((days, people))
    people, days = people[order], days[order]
    starts = np.flatnonzero(np.r_[True, (people[1:] != people[:-1]) | (days[1:] != days[:-1])])
    lines = [each.lines for each in packed]
    slices = [lines[source][begin:end] for source, begin, end in zip(
        sources[order].tolist(), begins[order].tolist(), ends[order].tolist(), strict=True)]
    return [Chunk(names[p], day, begun, ended, count, b"".join(slices[low:high]))
            for p, day, begun, ended, count, (low, high) in zip(
                people[starts].tolist(), days[starts].tolist(),
                np.minimum.reduceat(first[order], starts).tolist(),
                np.maximum.reduceat(last[order], starts).tolist(),
                np.add.reduceat(counts[order], starts).tolist(),
                pairwise([*starts.tolist(), len(order)]), strict=True)]
