"""Where somebody's gnss fixes lie, roughly: what tells quickly that no path of theirs leads through a zone.

Every fix that ever came in lies in `box`, whether it counts or not. A new fix that is newer than all others makes a
path with the one before it, which lies in `last`; a late one makes paths with neighbours somewhere in `box`.
"""

from __future__ import annotations

from math import inf
from typing import Final

from emon.domain.versions import ALWAYS
from emon.evaluate.geo import Shape
from emon.evaluate.signals import side
from emon.limits import ACCURACY_FACTOR, CROSSING_BOX_DEG, CROSSING_DEPTH_M

Degrees = tuple[float, float, float, float]  # west, south, east, north

NOWHERE: Final[Degrees] = (inf, inf, -inf, -inf)
ANYWHERE: Final[Degrees] = (-inf, -inf, inf, inf)


class Paths:
    """One participant's. `last` holds for the newest fix, observed at `at`, as long as it is `device`'s alone."""

    __slots__ = ("at", "box", "device", "last")

    def __init__(self) -> None:
        self.at, self.device = ALWAYS, ""
        self.last = self.box = NOWHERE

    def note(self, device: str, at: int, lon: float, lat: float) -> None:
        """Takes a fix in."""
        point = (lon, lat, lon, lat)
        self.box = around(self.box, point)
        if at > self.at:
            self.at, self.device, self.last = at, device, point
        elif at == self.at:  # perhaps neither counts
            self.last = self.box

    def before(self, device: str) -> Degrees:
        """Where the newest fix of a device that counts lies, if it was observed at `at`."""
        return self.last if device == self.device else self.box


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


def depth_m(shape: Shape, path: tuple[tuple[float, float], tuple[float, float]]) -> float | None:
    """How deep the straight path between two fixes (longitude, latitude) goes into a shape; None where it does not go
    deep enough to be a crossing, or begins or ends so deep: such a fix is too rough to say that anybody was inside."""
    length_m, depths = shape.length_m(path), [shape.distance_of_one_m(*fix) for fix in path]
    if max(depths) >= CROSSING_DEPTH_M:
        return None
    if (sum(depths) + length_m) / 2 < CROSSING_DEPTH_M - 1:  # no path goes deeper than its length lets it
        return None
    deepest_m = shape.deepest_m(path, CROSSING_DEPTH_M)
    return deepest_m if deepest_m >= CROSSING_DEPTH_M else None
