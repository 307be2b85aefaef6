"""Readings of the fast lane as feeds see them: in columns, device by device.

Nearly all of them come as their device's readings always came, so that of each device only the earliest instant
matters and of each feed only when it was heard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from emon.domain.versions import NEVER
from emon.evaluate.stretches import Spoken
from emon.journal.records import Bound

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Way(NamedTuple):
    """How a device is heard: `by` the feed that its readings come by, for the `feed` for which they count."""

    device: str
    by: str
    feed: str


class Ways:
    """All ways by number. `since`: from when on a reading that comes so is no news of who belongs to which feed;
    NEVER where that has to be looked up."""

    def __init__(self) -> None:
        self.ways: list[Way] = []
        self.since: Ints = np.full(256, NEVER, dtype=np.int64)
        self._numbers: dict[Way, int] = {}
        self._of: dict[str, list[int]] = {}
        self._feeds: dict[str, int] = {}
        self._feed: Ints = np.zeros(256, dtype=np.int64)

    def number(self, way: Way) -> int:
        """The way's number."""
        number = self._numbers.get(way)
        if number is None:
            number = self._numbers[way] = len(self.ways)
            self.ways.append(way)
            self._of.setdefault(way.device, []).append(number)
            if number >= len(self.since):
                self.since = np.concatenate((self.since, np.full(number, NEVER, dtype=np.int64)))
                self._feed = np.concatenate((self._feed, np.zeros(number, dtype=np.int64)))
            self._feed[number] = self._feeds.setdefault(way.feed, len(self._feeds))
        return number

    def forget(self, device: str) -> None:
        """What is known of a device may be otherwise now."""
        for number in self._of.get(device, ()):
            self.since[number] = NEVER

    def by_feed(self, numbers: Ints) -> Iterator[tuple[str, Flags]]:
        """The feeds of some ways, and which of those are theirs."""
        feeds = self._feed[numbers]
        present = set(feeds.tolist())
        for name, feed in self._feeds.items():
            if feed in present:
                yield name, feeds == feed


class Bounds(Protocol):
    """Readings by number."""

    def __getitem__(self, index: int, /) -> Bound: ...


class Picked:
    """Some of a chunk's readings, looked up when asked for: hardly any is."""

    __slots__ = ("_bounds", "_rows")

    def __init__(self, bounds: Bounds, rows: Ints) -> None:
        self._bounds, self._rows = bounds, rows

    def __getitem__(self, index: int, /) -> Bound:
        return self._bounds[int(self._rows[index])]


class Calm(NamedTuple):
    """`ways`: of each device. `edges`: where its readings begin, and the end of all. `bounds`, `at` and `came`: by
    reading."""

    ways: Ints
    edges: Ints
    bounds: Bounds
    at: Ints
    came: Ints

    def part(self, rows: Flags) -> Calm:
        """Some of the readings."""
        if rows.all():
            return self
        counts = np.add.reduceat(rows.astype(np.int64), self.edges[:-1]) if len(self.ways) else self.ways
        kept = counts > 0
        index = np.flatnonzero(rows)
        return Calm(self.ways[kept], np.r_[0, np.cumsum(counts[kept])], Picked(self.bounds, index), self.at[index],
                    self.came[index])

    def alone(self) -> Calm:
        """The same, holding no other readings of the chunk in memory."""
        return self._replace(bounds=[self.bounds[i] for i in range(len(self.at))])

    def firsts(self) -> Ints:
        """Of each device when its earliest reading was observed."""
        return np.minimum.reduceat(self.at, self.edges[:-1]) if len(self.ways) else self.at[:0]

    def rows(self, devices: Flags) -> Ints:
        """Readings of some of the devices."""
        return np.flatnonzero(np.repeat(devices, np.diff(self.edges)))

    def spoken(self, ways: Sequence[Way], devices: Flags | None = None) -> list[Spoken]:
        """Readings one by one, of some of the devices or all."""
        lengths = np.diff(self.edges)
        wanted = np.ones(len(self.ways), dtype=np.bool_) if devices is None else devices
        mine = np.repeat(self.ways, lengths).tolist()
        return [Spoken(self.bounds[row].received_at, int(self.at[row]), ways[mine[row]].device, ways[mine[row]].by,
                       self.bounds[row]) for row in self.rows(wanted).tolist()]

    def lies_after(self, calm_from: Mapping[str, int], ways: Ways) -> bool:
        """Whether all were observed from their feed's instant on."""
        firsts = self.firsts()
        return all(calm_from.get(name, NEVER) <= int(firsts[mine].min()) for name, mine in ways.by_feed(self.ways))
