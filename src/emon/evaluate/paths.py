"""Where somebody's gnss fixes lie, roughly: what tells quickly that no path of theirs leads through a zone.

A path whose ends lie on one side of a zone - both west of its box, or both south, east or north of it - does not lead
through it. So it is remembered of every 75 seconds of the last day on which sides of the person's first zones all
fixes lay that were observed in them, whether they count or not. Every fix that ever came in lies in `box`; the newest
in `last`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emon.domain.instant import SECOND
from emon.domain.versions import ALWAYS
from emon.evaluate.depths import deepest_m, may_lead_deep
from emon.evaluate.geo import NOWHERE, Degrees, Path, Shape
from emon.evaluate.signals import side
from emon.limits import ACCURACY_FACTOR, CACHED_PATHS, CROSSING_BACK, CROSSING_BOX_DEG, CROSSING_DEPTH_M, CROSSING_GAP

Marks = NDArray[np.uint16]

ANYWHERE: Final[Degrees] = (*NOWHERE[2:], *NOWHERE[:2])
CELL: Final = 75 * SECOND  # a part of CROSSING_GAP and of CROSSING_BACK
CELLS: Final = CROSSING_BACK // CELL
REACH: Final = CROSSING_GAP // CELL  # a fix's neighbours lie within so many cells of its own
WALLS: Final = 3  # zones whose sides are remembered, four bits each
SIDES: Final = (1 << 4 * WALLS) - 1
SEEN: Final = 1 << 4 * WALLS  # some fix was observed in the cell
DOUBTFUL: Final = SEEN << 1  # not all of its fixes may count, so that it may not be the nearest one that does
UNKNOWN: Final = SEEN | DOUBTFUL
_MORE: Final = 256  # rows at a time


class Cells:
    """Those of all participants: one row each, a ring of `CELLS`."""

    def __init__(self) -> None:
        self.array: Marks = np.empty((_MORE, CELLS), dtype=np.uint16)
        self._used = 0

    def add(self, content: int) -> int:
        """A new row; its number."""
        if self._used == len(self.array):
            self.array.resize((self._used + _MORE, CELLS), refcheck=False)  # in place: it is the largest of all
        self.array[self._used] = content
        self._used += 1
        return self._used - 1


class Paths:
    """One participant's. `last` holds for the newest fix, observed at `at`, as long as it is `device`'s alone. `walls`:
    the boxes of the zones whose sides are remembered."""

    __slots__ = ("_cells", "at", "box", "device", "last", "row", "walls")

    def __init__(self, cells: Cells, *, new: bool) -> None:
        self.at, self.device = ALWAYS, ""
        self.last = self.box = NOWHERE
        self.walls: tuple[Degrees, ...] = ()
        self._cells, self.row = cells, cells.add(SIDES if new else UNKNOWN)

    @property
    def marks(self) -> Marks:
        """The participant's ring."""
        marks: Marks = self._cells.array[self.row]
        return marks

    def note(self, device: str, at: int, lon: float, lat: float) -> None:
        """Takes a fix in."""
        point, known, other = (lon, lat, lon, lat), self.at, device != self.device
        self.box = around(self.box, point)
        if other:
            self.doubt()
        if at > known:
            self._advance(known // CELL, at // CELL)
            self.at, self.device, self.last = at, device, point
        elif at == known:  # perhaps neither counts
            self.last = self.box
        if at // CELL > self.at // CELL - CELLS:
            marks, number = self.marks, at // CELL % CELLS
            was = int(marks[number])
            doubt = DOUBTFUL if at <= known and (other or was & SEEN) else 0
            marks[number] = was & (sides(self.walls, point) | ~SIDES) | SEEN | doubt

    def doubt(self) -> None:
        """What counts may be otherwise than it was."""
        marks = self.marks
        marks[(marks & SEEN) != 0] |= DOUBTFUL

    def look_at(self, walls: tuple[Degrees, ...]) -> None:
        """From now on the sides of these zones are remembered."""
        if walls != self.walls:
            self.walls = walls
            marks = self.marks
            marks[(marks & SEEN) != 0] = UNKNOWN

    def before(self, device: str) -> Degrees:
        """Where the newest fix of a device that counts lies, if it was observed at `at`."""
        return self.last if device == self.device else self.box

    def _advance(self, old: int, new: int) -> None:
        marks = self.marks
        if new - old >= CELLS:
            marks[:] = SIDES
        else:
            marks[np.arange(old + 1, new + 1) % CELLS] = SIDES


def sides(walls: Sequence[Degrees], box: Degrees) -> int:
    """On which sides of each zone all of a box lies; of zones that are not there, on all."""
    found = SIDES
    for k, (west, south, east, north) in enumerate(walls):
        here = (box[2] < west) | (box[3] < south) << 1 | (box[0] > east) << 2 | (box[1] > north) << 3
        found &= ~(15 << 4 * k) | here << 4 * k
    return found


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
