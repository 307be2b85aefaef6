"""Which fixes of a chunk make no path through a zone where their participant may not be, told with numpy.

The path to a fix that is newer than all others comes from the newest one before it. A late fix, and one of somebody who
was told two things of one instant, makes paths with what was seen within five minutes of it: nothing, fixes in the
usual surroundings, or others (paths.py). Where that leaves a path that may lead deep through a zone, all is judged in
full.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emon.domain.versions import ALWAYS
from emon.evaluate import lane_chunk
from emon.evaluate.geo import METRES_PER_DEGREE, signed_distances_m
from emon.evaluate.lane_chunk import GNSS, Flags, Floats, Ints
from emon.evaluate.lane_columns import Columns
from emon.evaluate.lane_rows import degrees
from emon.evaluate.paths import APART, MARKS, NOWHERE, SOME, depth_m, touches
from emon.evaluate.signals import IN
from emon.limits import CROSSING_BOX_DEG, CROSSING_DEPTH_M, CROSSING_GAP

Marks = NDArray[np.uint8]

_LOW: Final = np.array([True, True, False, False])  # west and south are the smaller ones
_SHORT_DEG: Final = 0.05  # so short a path is straight on a map, but for some metres
_MARGIN_M: Final = 5.0  # more than those, and than what boxes give away
_BEGINNING: Final = ALWAYS >> 1  # before everything; differences from it do not overflow


class _Fixes(NamedTuple):
    """A chunk's gnss fixes in order of participant and then as they came: where in the chunk, whose, when observed,
    where (as a box), and the number of their five minutes."""

    rows: Ints
    q: Ints
    at: Ints
    points: Floats
    number: Ints


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
        at, q = chunk.at[rows], chunk.person[rows]
        fixes = _Fixes(rows, q, at, np.stack((chunk.lon[rows], chunk.lat[rows]) * 2, axis=1), at // CROSSING_GAP)
        begin = np.flatnonzero(np.r_[True, q[1:] != q[:-1]])
        who, group = q[begin], np.repeat(np.arange(len(begin)), np.diff(np.r_[begin, len(q)]))
        c.path_box[who] = _around(c.path_box[who], _union(fixes.points, begin))
        known_at = np.maximum(c.path_at[who], _BEGINNING)
        newest_at = np.maximum(known_at, np.maximum.reduceat(at, begin))
        new = newest[rows] & (at > known_at[group])
        twice = np.zeros(len(who), dtype=np.bool_)
        twice[group[~new & (at >= known_at[group])]] = True  # perhaps two things are told of one instant
        plain = new & ~twice[group]
        self._advance(who, known_at // CROSSING_GAP, newest_at // CROSSING_GAP)
        apart = self._settle_base(fixes, begin, group)
        oldest = (newest_at // CROSSING_GAP)[group] - MARKS + 2
        self._mark(fixes, apart, plain & (fixes.number >= oldest))
        before = self._around(fixes)
        self._mark(fixes, apart, ~plain & (fixes.number >= oldest))
        self._look(simple, fixes, ~plain, np.where(_together(fixes, plain), self._around(fixes), before),
                   fixes.number < oldest)
        last = self._follow(simple, fixes, np.flatnonzero(plain), group, known_at)
        kept = ~twice & ~np.isin(np.arange(len(who)), group[new])
        last[kept] = c.path_last[who[kept]]
        self._taken = _Taken(who, newest_at, last)

    def take(self, bad: Flags) -> None:
        """Keeps the newest fix of everybody who is not judged in full."""
        c = self._columns
        if self._taken is not None:
            who, at, last = self._taken
            good = ~bad[who]
            c.path_at[who[good]], c.path_last[who[good]] = at[good], last[good]

    def _advance(self, who: Ints, old: Ints, new: Ints) -> None:
        """Forgets what was marked a day before what is new."""
        steps = new - old
        marks = self._columns.path_marks
        marks[who[steps >= MARKS]] = 0
        few = np.flatnonzero((steps > 0) & (steps < MARKS))
        for step in range(1, int(steps[few].max(initial=0)) + 1):
            few = few[steps[few] >= step]
            marks[who[few], (old[few] + step) % MARKS] = 0

    def _settle_base(self, fixes: _Fixes, begin: Ints, group: Ints) -> Flags:
        """Which fixes lie outside the usual surroundings, once those have grown where no zone is near."""
        c = self._columns
        base = c.path_base[fixes.q]
        outside: Flags = ~((fixes.points >= base) & _LOW | (fixes.points <= base) & ~_LOW).all(axis=1)
        if outside.any():
            who = fixes.q[begin]
            boxes = np.where(outside[:, None], fixes.points, np.array(NOWHERE))
            grown = _around(c.path_base[who], _union(boxes, begin))
            free = ~self._touched(who, grown)
            c.path_base[who[free]] = grown[free]
            outside &= ~free[group]
        return outside

    def _mark(self, fixes: _Fixes, apart: Flags, which: Flags) -> None:
        marks = self._columns.path_marks.reshape(-1)
        place = fixes.q * MARKS + fixes.number % MARKS
        marks[place[which]] |= SOME
        marks[place[which & apart]] |= APART

    def _around(self, fixes: _Fixes) -> Marks:
        """What is marked within five minutes of each fix, or a little more."""
        marks, near = self._columns.path_marks, fixes.number
        found: Marks = marks[fixes.q, (near - 1) % MARKS] | marks[fixes.q, near % MARKS] | marks[
            fixes.q, (near + 1) % MARKS]
        return found

    def _look(self, simple: Flags, fixes: _Fixes, late: Flags, around: Marks, forgotten: Flags) -> None:
        """Clears `simple` for fixes whose neighbours are not the newest ones."""
        c, index = self._columns, np.flatnonzero(late & (forgotten | (around != 0)))
        if not index.size:
            return
        q = fixes.q[index]
        unknown = forgotten[index] | ((around[index] & APART) != 0)
        boxes = np.where(unknown[:, None], c.path_box[q], _around(c.path_base[q], fixes.points[index]))
        simple[fixes.rows[index[self._touched(q, boxes)]]] = False

    def _follow(self, simple: Flags, fixes: _Fixes, plain: Ints, group: Ints, known_at: Ints) -> Floats:
        """Clears `simple` for fixes to which a path may lead from the newest before them; returns where by participant
        the newest is, anywhere that any was if that is not known."""
        c = self._columns
        last = c.path_box[fixes.q[np.flatnonzero(np.r_[True, group[1:] != group[:-1]])]]
        if not plain.size:
            return last
        q, at, points, mine = fixes.q[plain], fixes.at[plain], fixes.points[plain], group[plain]
        first = np.r_[True, mine[1:] != mine[:-1]]
        before = np.where(first[:, None], c.path_last[q], np.roll(points, 1, axis=0))
        gap = at - np.where(first, known_at[mine], np.roll(at, 1))
        near = np.flatnonzero(gap <= CROSSING_GAP)
        for k in range(int(c.count[q[near]].max(initial=0))):
            asked = near[self._touched_by(k, q[near], _around(before[near], points[near]))]
            asked = asked[_may_enter(before[asked], points[asked], c.box[q[asked], k])]
            asked = asked[~self._ends_deep(k, q[asked], before[asked], points[asked])]
            for i in asked.tolist():
                if not self._is_shallow(int(q[i]), k, before[i], points[i]):
                    simple[fixes.rows[plain[i]]] = False
        ends = np.flatnonzero(np.r_[first[1:], True])
        last[mine[ends]] = points[ends]
        return last

    def _touched(self, q: Ints, boxes: Floats) -> Flags:
        """Whether boxes touch any zone where their participants may not be."""
        found = np.zeros(len(q), dtype=np.bool_)
        for k in range(int(self._columns.count[q].max(initial=0))):
            found |= self._touched_by(k, q, boxes)
        return found

    def _touched_by(self, k: int, q: Ints, boxes: Floats) -> Flags:
        c = self._columns
        zone = c.box[q, k]
        touch: Flags = ((boxes[:, :2] <= zone[:, 2:]) & (boxes[:, 2:] >= zone[:, :2])).all(axis=1)
        found: Flags = (touch | _is_large(boxes)) & (c.count[q] > k) & (c.supports[q, k] == IN)
        return found

    def _ends_deep(self, k: int, q: Ints, before: Floats, points: Floats) -> Flags:
        """Whether paths, as far as they are known, begin or end as deep in their zones as a crossing goes."""
        shapes = [self._columns.row(p).slots[k].shapes for p in q.tolist()]
        single = np.array([len(each) == 1 for each in shapes], dtype=np.bool_)
        index = np.flatnonzero((before[:, :2] == before[:, 2:]).all(axis=1) & single)
        found = np.zeros(len(q), dtype=np.bool_)
        if index.size:
            mine = [shapes[i][0] for i in index.tolist()]
            for end in (before[index], points[index]):
                found[index] |= signed_distances_m(mine, end[:, 0], end[:, 1]) >= CROSSING_DEPTH_M
        return found

    def _is_shallow(self, p: int, k: int, before: Floats, point: Floats) -> bool:
        """Whether the path is known and not deep enough."""
        west, south, east, north = before.tolist()
        if (west, south) != (east, north):
            return False
        path = ((west, south), (float(point[0]), float(point[1])))
        return all(depth_m(shape, path) is None for shape in self._columns.row(p).slots[k].shapes)


def clear_base(columns: Columns, p: int) -> None:
    """Where the usual surroundings touch a zone, they tell nothing: then everything lay apart."""
    c = columns
    base = degrees(c.path_base[p].tolist())
    if base != NOWHERE and any(touches(shape, base) for slot in c.row(p).slots if slot.supports == IN
                               for shape in slot.shapes):
        c.path_base[p] = NOWHERE
        c.path_marks[p, c.path_marks[p] != 0] |= APART


def _together(fixes: _Fixes, plain: Flags) -> Flags:
    """Late fixes that have another late one of the same person within five minutes."""
    index = np.flatnonzero(~plain)
    found = np.zeros(len(plain), dtype=np.bool_)
    if index.size > 1:
        index = index[np.lexsort((fixes.at[index], fixes.q[index]))]
        near = (np.diff(fixes.q[index]) == 0) & (np.diff(fixes.at[index]) <= CROSSING_GAP)
        found[index[1:][near]] = True
        found[index[:-1][near]] = True
    return found


def _may_enter(before: Floats, points: Floats, zone: Floats) -> Flags:
    """Whether the straight lines between points may come as deep into a zone's box as a crossing goes."""
    per_metre = 1 / np.column_stack((
        METRES_PER_DEGREE * np.cos(np.radians(np.minimum(np.abs(zone[:, 1]), np.abs(zone[:, 3])))),
        np.full(len(zone), METRES_PER_DEGREE)))
    inset = (CROSSING_DEPTH_M - _MARGIN_M) * per_metre
    low, high = zone[:, :2] + inset, zone[:, 2:] - inset
    start, way = before[:, :2], points[:, :2] - before[:, :2]
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (low - start) / way, (high - start) / way
    still = way == 0
    within = (start >= low) & (start <= high)
    enters = np.where(still, np.where(within, -np.inf, np.inf), np.minimum(one, other)).max(axis=1)
    leaves = np.where(still, np.where(within, np.inf, -np.inf), np.maximum(one, other)).min(axis=1)
    known = (before[:, :2] == before[:, 2:]).all(axis=1) & (np.abs(way) <= _SHORT_DEG).all(axis=1)
    may: Flags = ~known | ((enters <= leaves) & (leaves >= 0) & (enters <= 1))
    return may


def _is_large(boxes: Floats) -> Flags:
    with np.errstate(invalid="ignore"):
        sizes = boxes[:, 2:] - boxes[:, :2]
    large: Flags = np.max(sizes, axis=1, initial=0.0) > CROSSING_BOX_DEG
    return large


def _union(points: Floats, begin: Ints) -> Floats:
    low, high = np.minimum.reduceat(points[:, :2], begin), np.maximum.reduceat(points[:, 2:], begin)
    return np.concatenate((low, high), axis=1)


def _around(boxes: Floats, others: Floats) -> Floats:
    return np.where(_LOW, np.minimum(boxes, others), np.maximum(boxes, others))
