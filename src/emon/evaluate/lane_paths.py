"""Which fixes of a chunk make no path through a zone where their participant may not be, told with numpy.

The path to a fix that is newer than all others comes from the newest one before it, and lies in the box around both.
The paths of a late fix, and of whoever was told two things of one instant, lie somewhere in the box around all fixes
that ever came in. Where such a box touches a zone's, and the path, if there is one, is deep enough, all is judged in
full.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from emon.domain.versions import ALWAYS
from emon.evaluate import lane_chunk
from emon.evaluate.lane_chunk import GNSS, Flags, Floats, Ints
from emon.evaluate.lane_columns import Columns
from emon.evaluate.paths import depth_m
from emon.evaluate.signals import IN
from emon.limits import CROSSING_BOX_DEG, CROSSING_GAP

_LOW: Final = np.array([True, True, False, False])  # west and south are the smaller ones


class _Taken(NamedTuple):
    """By participant: who, when the newest fix was observed, and where it is."""

    who: Ints
    at: Ints
    last: Floats


class PathSorting:
    """One chunk after the other over the same columns."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._taken: _Taken | None = None

    def sort(self, simple: Flags, chunk: lane_chunk.Columns, newest: Flags, order: Ints) -> None:
        """Clears `simple` for fixes that may cross a zone. `newest`: later than all that was known of the person.
        `order`: by participant, and then as they came."""
        c, self._taken = self._columns, None
        rows = order[(simple & (chunk.method == GNSS))[order]]
        if not rows.size:
            return
        q, at = chunk.person[rows], chunk.at[rows]
        begin = np.flatnonzero(np.r_[True, q[1:] != q[:-1]])
        who, group = q[begin], np.repeat(np.arange(len(begin)), np.diff(np.r_[begin, len(q)]))
        points = np.stack((chunk.lon[rows], chunk.lat[rows]) * 2, axis=1)
        c.path_box[who] = _around(c.path_box[who], np.concatenate((
            np.minimum.reduceat(points[:, :2], begin), np.maximum.reduceat(points[:, 2:], begin)), axis=1))
        new = newest[rows] & (at > c.path_at[q])
        late = np.zeros(len(who), dtype=np.bool_)
        late[group[~new & (at >= c.path_at[q])]] = True  # perhaps two things are told of one instant
        plain = np.flatnonzero(new & ~late[group])
        boxes = c.path_box[q]
        gap = np.zeros(len(rows), dtype=np.int64)
        first = np.r_[True, group[plain][1:] != group[plain][:-1]] if plain.size else np.zeros(0, dtype=np.bool_)
        before = np.where(first[:, None], c.path_last[q[plain]], np.roll(points[plain], 1, axis=0))
        gap[plain] = at[plain] - np.where(first, np.maximum(c.path_at[q[plain]], ALWAYS >> 1), np.roll(at[plain], 1))
        boxes[plain] = _around(before, points[plain])
        self._clear(simple, rows, q, np.where((gap <= CROSSING_GAP)[:, None], boxes, np.nan), plain, before, points)
        last = c.path_box[who]
        ends = np.flatnonzero(np.r_[first[1:], True]) if plain.size else plain
        last[group[plain][ends]] = points[plain][ends]
        none_new = np.ones(len(who), dtype=np.bool_)
        none_new[group[new]] = False
        kept = none_new & ~late
        last[kept] = c.path_last[who[kept]]
        self._taken = _Taken(who, np.maximum(c.path_at[who], np.maximum.reduceat(at, begin)), last)

    def take(self, bad: Flags) -> None:
        """Keeps the newest fix of everybody who is not judged in full."""
        c = self._columns
        if self._taken is not None:
            who, at, last = self._taken
            good = ~bad[who]
            c.path_at[who[good]], c.path_last[who[good]] = at[good], last[good]

    def _clear(self, simple: Flags, rows: Ints, q: Ints, boxes: Floats, plain: Ints, before: Floats,
               points: Floats) -> None:
        c = self._columns
        counts = c.count[q]
        with np.errstate(invalid="ignore"):
            large = ((boxes[:, 2:] - boxes[:, :2]) > CROSSING_BOX_DEG).any(axis=1)
            for k in range(int(counts.max(initial=0))):
                zone = c.box[q, k]
                touch = large | ((boxes[:, :2] <= zone[:, 2:]) & (boxes[:, 2:] >= zone[:, :2])).all(axis=1)
                touch &= (counts > k) & (c.supports[q, k] == IN)
                if touch.any():
                    touch &= ~self._shallow(k, q, touch, plain, before, points)
                    simple[rows[touch]] = False

    def _shallow(self, k: int, q: Ints, touch: Flags, plain: Ints, before: Floats, points: Floats) -> Flags:
        """Where the path is known and not deep enough."""
        c, out = self._columns, np.zeros(len(touch), dtype=np.bool_)
        for j in np.flatnonzero(touch[plain]).tolist():
            i = int(plain[j])
            (west, south, east, north), here = before[j].tolist(), points[i, :2].tolist()
            if (west, south) == (east, north):
                path = ((west, south), (here[0], here[1]))
                out[i] = all(depth_m(shape, path) is None for shape in c.row(int(q[i])).slots[k].shapes)
        return out


def _around(boxes: Floats, others: Floats) -> Floats:
    return np.where(_LOW, np.minimum(boxes, others), np.maximum(boxes, others))
