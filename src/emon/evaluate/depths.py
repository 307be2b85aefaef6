"""How deep a straight path between two fixes goes into a grown shape.

Measuring to a grown border takes many pieces of arcs, so that most paths are told by the shape's core, and the others
are searched roughly before they are measured.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import shapely

from emon.domain.geodesy import Floats
from emon.evaluate.geo import ARC_SEGMENTS, Path, Shape
from emon.limits import CACHED_CORES

_ORIGIN: Final = shapely.Point(0.0, 0.0)
_ROUGH_SEGMENTS, _ROUGH_TRUE = 16, 500  # a quarter circle of so many pieces is true to such a part of its radius
_TRUE_SEGMENTS: Final = 64  # true to half a centimetre up to 70 m
_MARGIN_M: Final = 1.0  # more than arcs of a core take away, beside their part of the buffer
_ROUGH_M: Final = 1.0  # a path is cut roughly down to such steps
_PARTS: Final = 16  # into so many parts a path is cut, again and again where it may be deeper
_TRUE_M: Final = 0.0001  # close to the limit a depth is found to this
_HALF_CM: Final = 0.005  # less than this below a limit is rounded up to it


def may_lead_deep(shape: Shape, path: Path, enough_m: float) -> bool:
    """Whether a path may go so deep; a quick test."""
    x, y = shape.ends_m(path)
    line = shapely.linestrings(np.column_stack((x, y)))
    if shape.circle_m is not None:
        return float(shapely.distance(_ORIGIN, line)) <= shape.circle_m + shape.buffer_m - enough_m + _MARGIN_M
    return bool(shapely.intersects(_core(shape.packed, shape.buffer_m, enough_m), line))


def deepest_m(shape: Shape, path: Path, enough_m: float) -> float:
    """The largest distance from the path to the grown border from inside, rounded to 1 cm. Anything less than
    `enough_m` where it goes less deep than that."""
    search = _Search(shape, path, enough_m)
    search.cut(_ROUGH_M, shape.buffer_m / _ROUGH_TRUE, _ROUGH_SEGMENTS)
    if search.best < enough_m + _HALF_CM:  # close to the limit, all pieces of arcs count
        search.cut(_TRUE_M, 0.0, ARC_SEGMENTS)
    else:
        search.look_around()
    return round(search.best, 2)


class _Search:
    """Where a path is deepest: `best` at `at`, a share of its length, so far. `ways`: the parts that may be deeper."""

    def __init__(self, shape: Shape, path: Path, enough_m: float) -> None:
        self._shape, self._enough_m = shape, enough_m
        self._x, self._y = shape.ends_m(path)
        self._length_m = float(np.hypot(*np.diff((self._x, self._y)).ravel()))
        self._ways: Floats = np.array([[0.0, 1.0]])
        self.best, self.at = -np.inf, 0.0

    def cut(self, until_m: float, lacking_m: float, segments: int) -> None:
        """Cuts the ways that are left, and leaves out those that cannot be deeper, until they are short enough.
        `lacking_m`: how much arcs of so few segments may take away."""
        self.best = -np.inf
        while self._ways.size and (self._ways[0, 1] - self._ways[0, 0]) * self._length_m > until_m:
            parts = np.linspace(self._ways[:, 0], self._ways[:, 1], _PARTS + 1, axis=1)
            depths = self._depths(parts, segments)
            if depths.max() > self.best:
                self.best, self.at = float(depths.max()), float(parts.flat[depths.argmax()])
            steps_m = np.diff(parts, axis=1) * self._length_m
            at_most = (depths[:, :-1] + depths[:, 1:] + steps_m) / 2 + lacking_m  # as deep as a step may be
            deeper = at_most > max(self.best + _TRUE_M, self._enough_m - _HALF_CM)
            self._ways = np.stack((parts[:, :-1][deeper], parts[:, 1:][deeper]), axis=1)

    def look_around(self) -> None:
        """Measures the depth about where it was found roughly."""
        reach = _ROUGH_M / max(self._length_m, _ROUGH_M)
        while reach * self._length_m > _HALF_CM / 4:
            parts = np.clip(self.at + reach * np.linspace(-1, 1, _PARTS + 1), 0.0, 1.0)
            depths = self._depths(parts, _TRUE_SEGMENTS)
            self.best, self.at, reach = float(depths.max()), float(parts[depths.argmax()]), reach * 2 / _PARTS

    def _depths(self, parts: Floats, segments: int) -> Floats:
        (x, end_x), (y, end_y) = self._x, self._y
        return self._shape.depths_m(x + parts * (end_x - x), y + parts * (end_y - y), segments)


@lru_cache(maxsize=CACHED_CORES)
def _core(packed: bytes, buffer_m: float, deep_m: float) -> Any:
    """All of a grown polygon that lies so deep in it, and a little more than arcs made of straight pieces take away."""
    grown = shapely.buffer(shapely.from_wkb(packed), buffer_m, quad_segs=_ROUGH_SEGMENTS)
    core = shapely.buffer(grown, -max(0.0, deep_m - _MARGIN_M - buffer_m / _ROUGH_TRUE), quad_segs=_ROUGH_SEGMENTS)
    shapely.prepare(core)
    return core
