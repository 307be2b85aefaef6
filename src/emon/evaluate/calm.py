"""Readings of the fast lane as feeds see them: in columns, device by device.

Nearly all of them come as their device's readings always came, so that of each device only the earliest instant
matters and of each feed only when it was heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emon.domain.versions import NEVER
from emon.evaluate.stretches import Spoken
from emon.journal.records import Bound

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Device(NamedTuple):
    """One device of a chunk. `number`: its place among them; `by`: the feed that its readings came by; `feed`:
    the one for which they count; `first`: when the earliest of its readings was observed."""

    number: int
    name: str
    by: str
    feed: str
    first: int


class Calm(NamedTuple):
    """`names`, `bys`, `feeds`: of each device. `edges`: where its readings begin, and the end of all. `bounds`, `at`
    and `came`: by reading."""

    names: Sequence[str]
    bys: Sequence[str]
    feeds: Sequence[str]
    edges: Ints
    bounds: Sequence[Bound]
    at: Ints
    came: Ints

    def devices(self, ripe: Flags) -> Iterator[Device]:
        """The devices of some of the readings."""
        if not self.names:
            return
        firsts = np.minimum.reduceat(np.where(ripe, self.at, NEVER), self.edges[:-1]).tolist()
        rows = zip(self.names, self.bys, self.feeds, firsts, strict=True)
        for number, (name, by, feed, first) in enumerate(rows):
            if first < NEVER:
                yield Device(number, name, by, feed, first)

    def rows(self, devices: Sequence[int], ripe: Flags) -> Ints:
        """The devices' readings, among some."""
        if len(devices) == len(self.names):
            return np.flatnonzero(ripe)
        wanted = np.zeros(len(self.names), dtype=np.bool_)
        wanted[devices] = True
        return np.flatnonzero(np.repeat(wanted, np.diff(self.edges)) & ripe)

    def spoken(self, rows: Ints) -> list[Spoken]:
        """Readings one by one."""
        lengths = np.diff(self.edges)
        owner = np.repeat(np.arange(len(self.names)), lengths)[rows].tolist()
        return [Spoken(bound.received_at, bound.reading.observed_at, self.names[i], self.bys[i], bound)
                for i, bound in zip(owner, (self.bounds[row] for row in rows.tolist()), strict=True)]
