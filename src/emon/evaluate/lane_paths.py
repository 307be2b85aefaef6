"""Which fixes of a chunk make no path through a zone where their participant may not be, told with numpy.

The path to a fix that is newer than all others comes from the newest one before it. Of a late fix, and of one of
somebody who was told two things of one instant, the neighbours are looked for in the cells around it (paths.py): it and
each of them must lie on one side of every zone, and where something was seen in its own cell already, perhaps at its
very instant, all of those together. Where that leaves a path that may lead deep through a zone, all is judged in
full.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emon.domain.versions import ALWAYS
from emon.evaluate import lane_chunk
from emon.evaluate.geo import METRES_PER_DEGREE, MOST_PER_DEGREE, signed_distances_m
from emon.evaluate.lane_chunk import GNSS, Flags, Floats, Ints
from emon.evaluate.lane_columns import Columns
from emon.evaluate.paths import CELL, CELLS, DOUBTFUL, REACH, SEEN, SIDES, WALLS, Marks, depth_m
from emon.evaluate.signals import IN
from emon.limits import CROSSING_BOX_DEG, CROSSING_DEPTH_M, CROSSING_GAP

_LOW: Final = np.array([True, True, False, False])  # west and south are the smaller ones
_SHORT_DEG: Final = 0.05  # so short a path is straight on a map, but for some metres
_MARGIN_M: Final = 5.0  # more than those, and than what boxes give away
_BEGINNING: Final = ALWAYS >> 1  # before everything; differences from it do not overflow
_APART: Final[NDArray[np.bool_]] = np.array(  # of sides: whether there is one of every zone
    [all(common >> 4 * k & 15 for k in range(WALLS)) for common in range(SIDES + 1)])


class _Fixes(NamedTuple):
    """A chunk's gnss fixes in order of participant and then as they came: where in the chunk, whose, when observed,
    where (as a box), on which sides of the zones, the number of the cell, from which cell on those around it are
    remembered, and whether sides do not tell enough of the person."""

    rows: Ints
    q: Ints
    at: Ints
    points: Floats
    sides: Marks
    number: Ints
    oldest: Ints
    unclear: Flags


class _Taken(NamedTuple):
    """By participant: who, when the newest fix was observed, and where it is."""

    who: Ints
    at: Ints
    last: Floats


class _Newest(NamedTuple):
    """By fix: when the newest of its participant before the chunk was observed, and where it is."""

    at: Ints
    place: Floats


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
        points = np.stack((chunk.lon[rows], chunk.lat[rows]) * 2, axis=1)
        begin = np.flatnonzero(np.r_[True, q[1:] != q[:-1]])
        who, group = q[begin], np.repeat(np.arange(len(begin)), np.diff(np.r_[begin, len(q)]))
        c.path_box[who] = _around(c.path_box[who], _union(points, begin))
        known_at = np.maximum(c.path_at[who], _BEGINNING)
        newest_at = np.maximum(known_at, np.maximum.reduceat(at, begin))
        fixes = _Fixes(rows, q, at, points, _sides(c.path_walls[q], points), at // CELL,
                       (newest_at // CELL - CELLS + 1 + REACH)[group],
                       (c.path_more[who] | _is_large(c.path_box[who]))[group])
        new = newest[rows] & (at > known_at[group])
        twice = np.zeros(len(who), dtype=np.bool_)
        again = np.flatnonzero(~new & (at >= known_at[group]))
        known = _Newest(known_at[group[again]], c.path_last[q[again]])
        twice[group[again[~_is_repeated(points, group, at, np.flatnonzero(new), again, known)]]] = True
        plain = new & ~twice[group]
        self._advance(c.path_row[who], known_at // CELL, newest_at // CELL)
        self._mark(fixes, np.flatnonzero(plain))
        self._rounds(simple, fixes, np.flatnonzero(~plain))
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

    def _advance(self, rows: Ints, old: Ints, new: Ints) -> None:
        """Forgets what was marked a day before what is new."""
        steps = np.minimum(new - old, CELLS)
        each = np.repeat(np.arange(len(rows)), steps)
        step = np.arange(each.size) - np.repeat(np.cumsum(steps) - steps, steps)
        self._columns.cells.array[rows[each], (new[each] - step) % CELLS] = SIDES

    def _mark(self, fixes: _Fixes, index: Ints, doubt: Flags | None = None) -> None:
        """Remembers on which sides fixes lie. `doubt`: which of them may not count, or keep another from counting."""
        kept = fixes.number[index] >= fixes.oldest[index] - REACH
        index = index[kept]
        marks = self._columns.cells.array.reshape(-1)
        place = self._columns.path_row[fixes.q[index]] * CELLS + fixes.number[index] % CELLS
        np.bitwise_and.at(marks, place, fixes.sides[index] | np.uint16(~SIDES & 0xFFFF))
        marks[place] |= np.uint16(SEEN)
        if doubt is not None:
            marks[place[doubt[kept]]] |= np.uint16(DOUBTFUL)

    def _rounds(self, simple: Flags, fixes: _Fixes, late: Ints) -> None:
        """Late fixes as they came, the first of everybody together, then the second, and so on: each finds those before
        it."""
        c = self._columns
        if not late.size:
            return
        first = np.flatnonzero(np.r_[True, np.diff(fixes.q[late]) != 0])
        turn = np.arange(late.size) - np.repeat(first, np.diff(np.r_[first, late.size]))
        for number in range(int(turn.max()) + 1):
            index = late[turn == number]
            doubtful, seen = self._look(fixes, index)
            q = fixes.q[index[doubtful]]
            simple[fixes.rows[index[doubtful]]] &= ~self._touched(q, c.path_box[q])
            self._mark(fixes, index, seen)

    def _look(self, fixes: _Fixes, index: Ints) -> tuple[Flags, Flags]:
        """Which fixes may make a path through a zone that is marked, or any; and in whose cell something was seen."""
        c = self._columns
        marks, row, number, sides = c.cells.array, c.path_row[fixes.q[index]], fixes.number[index], fixes.sides[index]
        here = marks[row, number % CELLS]
        seen = (here & SEEN) != 0
        doubtful = (number < fixes.oldest[index]) | fixes.unclear[index] | (seen & ~_APART[sides & here & SIDES])
        together = here
        for step in (-1, 1):
            going = np.ones(len(index), dtype=np.bool_)
            for away in range(1, REACH + 1):
                there = marks[row, (number + step * away) % CELLS]
                found = going & ((there & SEEN) != 0)
                doubtful |= found & ~_APART[sides & there & SIDES]
                together = np.where(found, together & there, together)
                going &= ~found | ((there & DOUBTFUL) != 0)
        doubtful |= seen & ~_APART[together & SIDES]
        return doubtful, seen

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
        came_from = np.roll(fixes.sides[plain], 1)
        came_from[first] = _sides(c.path_walls[q[first]], before[first])
        near = np.flatnonzero((gap <= CROSSING_GAP) & (fixes.unclear[plain] | ~_APART[came_from & fixes.sides[plain]]))
        for k in range(int(c.count[q[near]].max(initial=0))):
            asked = near[self._touched_by(k, q[near], _around(before[near], points[near]))]
            asked = asked[_may_enter(before[asked], points[asked], c.box[q[asked], k])]
            asked = asked[~self._makes_none(k, q[asked], before[asked], points[asked])]
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

    def _makes_none(self, k: int, q: Ints, before: Floats, points: Floats) -> Flags:
        """Whether paths, as far as they are known, begin or end as deep in their zones as a crossing goes, or are too
        short to get there from where they begin and end."""
        shapes = [self._columns.row(p).slots[k].shapes for p in q.tolist()]
        single = np.array([len(each) == 1 for each in shapes], dtype=np.bool_)
        index = np.flatnonzero((before[:, :2] == before[:, 2:]).all(axis=1) & single)
        found = np.zeros(len(q), dtype=np.bool_)
        if index.size:
            mine, deep = [shapes[i][0] for i in index.tolist()], np.full(index.size, CROSSING_DEPTH_M)
            begin, end = (signed_distances_m(mine, each[:, 0], each[:, 1], deep)
                          for each in (before[index], points[index]))
            way_m = MOST_PER_DEGREE * np.hypot(*(points[index, :2] - before[index, :2]).T)
            found[index] = (np.maximum(begin, end) >= CROSSING_DEPTH_M) | (
                begin + end + way_m < 2 * (CROSSING_DEPTH_M - _MARGIN_M))
        return found

    def _is_shallow(self, p: int, k: int, before: Floats, point: Floats) -> bool:
        """Whether the path is known and not deep enough."""
        west, south, east, north = before.tolist()
        if (west, south) != (east, north):
            return False
        path = ((west, south), (float(point[0]), float(point[1])))
        return all(depth_m(shape, path) is None for shape in self._columns.row(p).slots[k].shapes)


def _is_repeated(points: Floats, group: Ints, at: Ints, new: Ints, again: Ints, known: _Newest) -> Flags:
    """Which fixes that are not newer than all others only say `again` what the newest one, or one that was `new` within
    the chunk, said of that instant. Otherwise perhaps two things are told of one instant."""
    if not again.size:
        return np.zeros(0, dtype=np.bool_)
    found: Flags = (at[again] == known.at) & (points[again] == known.place).all(axis=1)
    if new.size:
        first, span = int(at.min()), int(at.max() - at.min()) + 1
        keys = group[new] * span + (at[new] - first)  # ascending: of each group every new one is later
        wanted = group[again] * span + (at[again] - first)
        like = new[np.minimum(np.searchsorted(keys, wanted), new.size - 1)]
        found |= (group[like] == group[again]) & (at[like] == at[again]) & (points[like] == points[again]).all(axis=1)
    return found


def _sides(walls: Floats, boxes: Floats) -> Marks:
    """As paths.sides, of many boxes, each with walls of its own."""
    beyond = (boxes[:, None, 2:] < walls[:, :, :2]), (boxes[:, None, :2] > walls[:, :, 2:])
    bits = np.concatenate(beyond, axis=2).reshape(len(boxes), -1)
    found: Marks = np.ascontiguousarray(np.packbits(bits, axis=1, bitorder="little")).view("<u2")[:, 0]
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
