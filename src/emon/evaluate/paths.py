"""Where somebody's gnss fixes lie, roughly: what tells quickly that no path of theirs leads through a zone.

Every fix that ever came in lies in `box`, whether it counts or not. A new fix that is newer than all others makes a
path with the one before it, which lies in `last`. A late one makes paths with its neighbours, and where those lie is
told by `marks`: of every five minutes of the last day whether there was any fix (SOME), and whether one lay outside
`base` (APART), the box around where somebody usually is.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf
from typing import Final

from emon.domain.versions import ALWAYS
from emon.evaluate.depths import deepest_m, may_lead_deep
from emon.evaluate.geo import Path, Shape
from emon.evaluate.signals import side
from emon.limits import ACCURACY_FACTOR, CACHED_PATHS, CROSSING_BACK, CROSSING_BOX_DEG, CROSSING_DEPTH_M, CROSSING_GAP

Degrees = tuple[float, float, float, float]  # west, south, east, north

NOWHERE: Final[Degrees] = (inf, inf, -inf, -inf)
ANYWHERE: Final[Degrees] = (-inf, -inf, inf, inf)
SOME, APART = 1, 2
MARKS: Final = CROSSING_BACK // CROSSING_GAP
UNKNOWN: Final = bytes([SOME | APART]) * MARKS


class Paths:
    """One participant's. `last` holds for the newest fix, observed at `at`, as long as it is `device`'s alone."""

    __slots__ = ("at", "base", "box", "device", "last", "marks")

    def __init__(self) -> None:
        self.at, self.device = ALWAYS, ""
        self.last = self.box = self.base = NOWHERE
        self.marks = bytearray(UNKNOWN)

    def note(self, device: str, at: int, lon: float, lat: float) -> None:
        """Takes a fix in."""
        point = (lon, lat, lon, lat)
        self.box = around(self.box, point)
        if at > self.at:
            self._advance(self.at // CROSSING_GAP, at // CROSSING_GAP)
            self.at, self.device, self.last = at, device, point
        elif at == self.at:  # perhaps neither counts
            self.last = self.box
        if at // CROSSING_GAP > self.at // CROSSING_GAP - MARKS:
            inside = around(self.base, point) == self.base
            self.marks[at // CROSSING_GAP % MARKS] |= SOME if inside else SOME | APART

    def before(self, device: str) -> Degrees:
        """Where the newest fix of a device that counts lies, if it was observed at `at`."""
        return self.last if device == self.device else self.box

    def _advance(self, old: int, new: int) -> None:
        if new - old >= MARKS:
            self.marks = bytearray(MARKS)
        for number in range(old + 1, new + 1) if new - old < MARKS else ():
            self.marks[number % MARKS] = 0


def around(one: Degrees, other: Degrees) -> Degrees:
    """The box around two boxes."""
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def touches(shape: Shape, box: Degrees) -> bool:
    """Whether a path within a box may lead deep through a shape; a quick test."""
    west, south, east, north = box
    if east - west > CROSSING_BOX_DEG or north - south > CROSSING_BOX_DEG:
        return True
    zone = shape.box
    return west <= zone.east and east >= zone.west and south <= zone.north and north >= zone.south


def is_in(shape: Shape, lon: float, lat: float, accuracy: float) -> bool:
    """Whether a fix is surely inside."""
    return side(shape.distance_of_one_m(lon, lat), accuracy, ACCURACY_FACTOR) > 0


@lru_cache(maxsize=CACHED_PATHS)
def depth_m(shape: Shape, path: Path) -> float | None:
    """How deep the straight path between two fixes (longitude, latitude) goes into a shape; None where it does not go
    deep enough to be a crossing, or begins or ends so deep: such a fix is too rough to say that anybody was inside."""
    if not may_lead_deep(shape, path, CROSSING_DEPTH_M):
        return None
    if max(shape.distance_of_one_m(*fix) for fix in path) >= CROSSING_DEPTH_M:
        return None
    found_m = deepest_m(shape, path, CROSSING_DEPTH_M)
    return found_m if found_m >= CROSSING_DEPTH_M else None
