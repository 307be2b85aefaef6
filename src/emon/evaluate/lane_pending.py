"""Readings that the fast lane took in and that wait for the history, as the lines that the history will hold.

They are lines from the beginning: half the memory of what they say, nothing is written out twice, and only who
leaves the lane wants theirs back.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from operator import itemgetter
from typing import Final

import msgspec
import numpy as np

from emon.domain.instant import DAY
from emon.evaluate.lane_chunk import Ints
from emon.evaluate.port import Chunk
from emon.journal.records import Bound

_decode: Final = msgspec.json.Decoder(Bound).decode


class Pending:
    """Readings of one chunk in order of participant and then as they arrived: who, when observed, which line."""

    __slots__ = ("instants", "lines", "people", "rows")

    def __init__(self, people: Ints, instants: Ints, rows: Ints, lines: Sequence[bytes]) -> None:
        self.people, self.instants, self.rows, self.lines = people, instants, rows, lines

    def of(self, p: int) -> list[Bound]:
        """The readings of one participant."""
        low, high = np.searchsorted(self.people, (p, p + 1)).tolist()
        return [_decode(self.lines[row]) for row in self.rows[low:high].tolist()]


class Waiting:
    """All that waits, chunk by chunk."""

    def __init__(self) -> None:
        self._chunks: list[Pending] = []
        self.bytes = 0  # of the lines

    def __len__(self) -> int:
        return len(self._chunks)

    def add(self, people: Ints, instants: Ints, rows: Ints, lines: Sequence[bytes]) -> None:
        """Takes in idle readings of one chunk, in order of participant and then as they arrived. `rows`: which
        of the chunk's lines are theirs."""
        self.bytes += sum(map(len, lines))
        self._chunks.append(Pending(people, instants, rows, lines))

    def of(self, p: int, begin: int) -> list[Bound]:
        """What waits of a participant in the chunks from number `begin` on."""
        return [bound for pending in self._chunks[begin:] for bound in pending.of(p)]

    def take(self, names: Sequence[str]) -> list[Chunk]:
        """All that waits as chunks for the history; nothing waits afterwards. `names`: of the participants."""
        chunks, self._chunks, self.bytes = self._chunks, [], 0
        return _chunks(chunks, names) if chunks else []


def _chunks(pending: list[Pending], names: Sequence[str]) -> list[Chunk]:
    """One for each participant and day, in that order; the lines of each as they arrived."""
    people = np.concatenate([each.people for each in pending])
    instants = np.concatenate([each.instants for each in pending])
    begins = np.cumsum([0, *(len(each.lines) for each in pending[:-1])])
    rows = np.concatenate([each.rows + begin for each, begin in zip(pending, begins.tolist(), strict=True)])
    days = instants // DAY
    first_day = int(days.min())
    place = people * (int(days.max()) - first_day + 1) + (days - first_day)
    order = np.argsort(place, kind="stable")
    place, instants = place[order], instants[order]
    starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    every = list(chain.from_iterable(each.lines for each in pending))
    lines = itemgetter(*rows[order].tolist(), 0)(every)  # one more, so that it is never one line alone
    edges = [*starts.tolist(), len(place)]
    return [Chunk(names[p], day, first, last, high - low, b"\n".join(lines[low:high]))
            for p, day, first, last, (low, high) in zip(
                people[order[starts]].tolist(), days[order[starts]].tolist(),
                np.minimum.reduceat(instants, starts).tolist(), np.maximum.reduceat(instants, starts).tolist(),
                pairwise(edges), strict=True)]
