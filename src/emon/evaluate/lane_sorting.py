"""Which readings of a chunk change nothing, told with numpy for all participants at once.

Why that is exact, condition by condition, of readings observed while the compiled row holds:

* A machine that is empty (IDLE): the newest reading that supports nothing breaks a chain that confirms
  nothing, or nothing. A late one, and one that supports, is for the ledger to answer (ledger.py), in order of
  arrival. Conditions without a ledger admit only what lies after everything that ever supported (`quiet`),
  and, as a late reading may contradict one that broke a chain, `margin` later.
* A run that nothing questions (STEADY): a newer reading that supports it says the same again; one that is
  unsure says nothing. A run that might become surer (STEADY_WEAK) lets no reading pass that is sure.
* Off duty ([free_from, free_until)) nothing is judged.
* Contact: a reading that is newer than all found gaps, before the silence falls due.

* A device that says that it lives, and a charge that nobody asks about: where it is newer than all that was heard, and
  somebody knew where its wearer was until then, it is a sign of life and nothing else.

All readings of a participant in a chunk pass, or none does: then all of them are judged in full, and what the
ledgers took of them meanwhile is only more than they need (their chains are put back).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from emon.domain.instant import DAY
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate import lane_chunk
from emon.evaluate.geo import signed_distances_m
from emon.evaluate.lane_chunk import GNSS, SAYS_NOTHING, Flags, Floats, Ints, columns_of
from emon.evaluate.lane_columns import Columns
from emon.evaluate.lane_paths import PathSorting
from emon.evaluate.lane_rows import IDLE, SLOTS, STEADY
from emon.evaluate.signals import IN, OUT, STRICT_FACTOR
from emon.journal.records import Bound
from emon.limits import ACCURACY_FACTOR, BATTERY_LOW, CHAIN_GAP, HISTORY_DAYS

_FAR_FIX_M: Final = 20_000.0  # a fix less accurate than this is measured, whatever the boxes say
_RADIX: Final = 65_535  # so many people are sorted by numbers of 16 bits, which is much faster


class Idle(NamedTuple):
    """`good`: by reading. The others are of the good ones, in order of participant: who, which of the chunk's
    readings, when it was observed and when it came in."""

    good: Flags
    people: Ints
    rows: Ints
    at: Ints
    came: Ints


class Sorting:
    """One chunk after the other over the same columns."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._paths = PathSorting(columns)
        self._signs: list[tuple[Ints, Ints, Ints]] = []
        self._chains: dict[tuple[int, int], int | None] = {}  # as they stood before this chunk
        self._moved: set[tuple[int, int]] = set()  # ledgers that this chunk changed

    def idle(self, bounds: Sequence[Bound], last_clock: int,
             calm_from: Mapping[str, int], apart: Collection[str] = ()) -> Idle:
        """Sorts a chunk out and takes the idle readings in. `last_clock`: the chunk's last arrival. `calm_from`,
        `apart`: see Outages."""
        c = self._columns
        chunk = columns_of(bounds, c.index, c.devices, c.carriers)
        p, at, came = chunk.person, chunk.at, chunk.came
        known = p >= 0
        if not known.any():
            return Idle(known, p[:0], p[:0], at[:0], came[:0])
        simple = known & c.inside[p] & (chunk.device == c.device[p]) & (chunk.carrier == c.carrier[p])
        simple &= (at >= c.from_[p]) & (at < c.until[p]) & (at <= last_clock) & (at >= came - HISTORY_DAYS * DAY)
        if calm_from:
            calm = np.full(len(c.feeds), ALWAYS, dtype=np.int64)
            for name, from_ in calm_from.items():
                if name in c.feeds:
                    calm[c.feeds[name]] = from_
            simple &= at >= calm[c.feed[p]]
        if apart:
            named = np.zeros(len(c.names) + 1, dtype=np.bool_)
            named[[c.index[name] for name in apart]] = True  # the last one is nobody
            simple &= ~named[p]
        order = np.argsort(p.astype(np.uint16) if len(c.names) < _RADIX else p, kind="stable")
        before = self._heard_before(p, at, order)
        simple &= chunk.located | self._only_lives(chunk, at > before)
        self._places(simple, chunk, at > before)
        self._paths.sort(simple, chunk, at > before, order)
        self._silences(simple, chunk, before, order, last_clock)
        bad = np.zeros(len(c.names) + 1, dtype=np.bool_)
        bad[p[~simple]] = True
        bad[-1] = True
        good = ~bad[p]
        self._settle(bad)
        self._paths.take(bad)
        self._take(good, chunk)
        taken = order[good[order]]
        return Idle(good, p[taken], taken, at[taken], came[taken])

    def _heard_before(self, p: Ints, at: Ints, order: Ints) -> Ints:
        """Per reading the latest instant at which its participant was heard by then."""
        c = self._columns
        q = p[order]
        start = np.flatnonzero(np.r_[True, q[1:] != q[:-1]])
        run = _running_max(np.maximum(at[order], c.last_heard[q]), start)
        shifted = np.empty_like(run)
        shifted[1:] = run[:-1]
        shifted[start] = c.last_heard[q[start]]
        before = np.empty_like(run)
        before[order] = shifted
        return before

    def _only_lives(self, chunk: lane_chunk.Columns, newest: Flags) -> Flags:
        """Which readings say only that a device lives that has spoken before, while it is known where its wearer is and
        the charge neither begins nor ends anything."""
        c, p = self._columns, chunk.person
        charge_says = (chunk.charge < BATTERY_LOW) | (chunk.charge >= c.charged[p])
        lives: Flags = chunk.lives & newest & c.talks[p] & (chunk.at < c.located_until[p]) & ~charge_says
        return lives

    def _places(self, simple: Flags, chunk: lane_chunk.Columns, newest: Flags) -> None:
        """Clears `simple` for readings that may matter to a condition about a place."""
        c = self._columns
        self._signs = []
        rows = np.flatnonzero(simple & chunk.located)
        accuracy = chunk.accuracy[rows]
        part = _Part(rows, chunk.person[rows], chunk.at[rows], newest[rows], chunk.method[rows], chunk.lon[rows],
                     chunk.lat[rows], accuracy, np.where(accuracy < _FAR_FIX_M, accuracy, np.nan))
        counts = c.count[part.q]
        deciding = part.method != SAYS_NOTHING
        for k in range(int(counts.max(initial=0))):
            here = counts > k
            far = self._far(part, k)
            sign, strict = self._signs_of(part, k, np.flatnonzero(~far & here))
            crowded = np.zeros(c.size, dtype=np.bool_)  # who is where he should not be, once in this chunk
            crowded[part.q[sign > 0]] = True
            easy = here & far & part.newest & deciding & (part.at > c.easy[part.q, k]) & ~crowded[part.q]
            self._note_signs(part, k, np.flatnonzero(easy), None)
            hard = np.flatnonzero(here & ~easy)
            if hard.size:
                ok = self._hard(part, k, hard, sign[hard], strict[hard], crowded)
                simple[rows[hard[~ok]]] = False
                self._note_signs(part, k, hard, sign[hard])

    def _far(self, part: _Part, k: int) -> Flags:
        """Whether fixes are certainly outside, at as many accuracies as may matter."""
        c = self._columns
        box, reach, x, y = c.box[part.q, k], c.reach[part.q, k] * part.reach[:, None], part.lon, part.lat
        far: Flags = ((x < box[:, 0] - reach[:, 0]) | (y < box[:, 1] - reach[:, 1]) | (x > box[:, 2] + reach[:, 0])
                      | (y > box[:, 3] + reach[:, 1]))
        return far

    def _signs_of(self, part: _Part, k: int, near: Ints) -> tuple[Ints, Ints]:
        """What fixes say, and what they say at three accuracies."""
        c = self._columns
        supports = c.supports[part.q, k]
        sign, strict = OUT * supports, OUT * supports
        if near.size:
            side, surely = self._measure(part.q[near], k, part.lon[near], part.lat[near], part.accuracy[near])
            sign[near], strict[near] = side * supports[near], surely * supports[near]
        sign[(sign > 0) & (part.method != GNSS)] = 0
        sign[part.method == SAYS_NOTHING] = 0
        return sign, strict

    def _note_signs(self, part: _Part, k: int, index: Ints, sign: Ints | None) -> None:
        """Keeps which of the fixes say something."""
        if sign is not None:
            index = index[sign != 0]
        self._signs.append((part.rows[index], part.q[index] * SLOTS + k, part.at[index]))

    def _hard(self, part: _Part, k: int, hard: Ints, sign: Ints, strict: Ints, crowded: Flags) -> Flags:
        """Whether fixes that have to be looked at more closely change nothing."""
        c = self._columns
        q, t, newest = part.q[hard], part.at[hard], part.newest[hard]
        state = c.state[q, k]
        quiet = c.quiet[q, k] + np.where(newest, 0, c.margin[q, k])
        ok: Flags = np.where(state == IDLE, (sign <= 0) & (t > quiet),
                             (sign >= 0) & (t > c.last_event[q, k]) & ((state == STEADY) | (strict == 0)))
        ok |= (t >= c.free_from[q, k]) & (t < c.free_until[q, k])
        self._ledgers(ok, k, q, t, sign, newest, state == IDLE, crowded)
        return ok

    def _ledgers(self, ok: Flags, k: int, q: Ints, t: Ints, sign: Ints, newest: Flags,
                 idle: Flags, crowded: Flags) -> None:
        """Asks the ledgers, in order of arrival, wherever the newest reading is not simply contrary again and the
        ledger may change in this chunk or knows something of that time."""
        c = self._columns
        kept = idle & c.kept[q, k]
        asked = kept & (crowded[q] | ~newest | ~ok | c.chained[q, k])
        still = asked & ~crowded[q] & ~c.chained[q, k]
        clear = still & (t - CHAIN_GAP > c.bottom[q, k]) & ((t < c.busy[q, k, 0]) | (t > c.busy[q, k, 1]))
        ok[clear] = True
        asked &= ~clear
        index = np.flatnonzero(asked)
        for i, p, at, side, new in zip(index.tolist(), q[index].tolist(), t[index].tolist(),
                                       sign[index].tolist(), newest[index].tolist(), strict=True):
            slot = c.row(p).slots[k]
            ledger = slot.ledger
            assert ledger is not None
            self._chains.setdefault((p, k), ledger.chain)
            if side > 0:
                ok[i] = slot.confirm >= 2 and ledger.supports(at)
                if ok[i]:
                    c.changed.add(p)
                    self._moved.add((p, k))
            elif new and at > slot.quiet:
                ok[i] = True
                if side < 0 and ledger.chain is not None:
                    ledger.contrary(at)
                    c.changed.add(p)
                    self._moved.add((p, k))
            else:
                ok[i] = ledger.admits(at)

    def _settle(self, bad: Flags) -> None:
        """After a chunk: who is judged in full stands where he stood before it."""
        c = self._columns
        for (p, k), chain in self._chains.items():
            ledger = c.row(p).slots[k].ledger
            assert ledger is not None
            if bad[p]:
                ledger.chain = chain
            elif (p, k) in self._moved:
                c.note_ledger(p, k, c.row(p).slots[k])
        self._chains.clear()
        self._moved.clear()

    def _measure(self, q: Ints, k: int, lon: Floats, lat: Floats, accuracy: Floats) -> tuple[Ints, Ints]:
        """Sides at one and at three accuracies, shape by shape; the latter only where a run could become surer."""
        c = self._columns
        shapes = [c.row(p).slots[k].shapes for p in q.tolist()]
        enough = np.where(c.state[q, k] == IDLE, ACCURACY_FACTOR, STRICT_FACTOR) * accuracy
        best = signed_distances_m([each[0] for each in shapes], lon, lat, enough)
        for i, each in enumerate(shapes):
            for shape in each[1:]:
                best[i] = max(best[i], shape.distance_of_one_m(float(lon[i]), float(lat[i])))
        side = np.where(best > 0, IN, OUT)
        return (np.where(np.abs(best) > ACCURACY_FACTOR * accuracy, side, 0),
                np.where(np.abs(best) > STRICT_FACTOR * accuracy, side, 0))

    def _silences(self, simple: Flags, chunk: lane_chunk.Columns, before: Ints, order: Ints, last_clock: int) -> None:
        """Clears `simple` where a silence falls due, or a gap that was found may be filled."""
        c, p, at = self._columns, chunk.person, chunk.at
        watched = simple & (c.delay[p] < NEVER)
        if not watched.any():
            return
        simple[watched & ((at <= c.contact_quiet[p]) | (chunk.located & (chunk.method == SAYS_NOTHING))
                          | (chunk.came > before + c.delay[p]))] = False
        mine = order[watched[order]]
        q = p[mine]
        last = np.flatnonzero(np.r_[q[1:] != q[:-1], True])
        newest = np.maximum(before[mine[last]], at[mine[last]])
        overdue = newest + c.delay[q[last]] <= last_clock
        if overdue.any():
            simple[np.isin(p, q[last[overdue]])] = False

    def _take(self, good: Flags, chunk: lane_chunk.Columns) -> None:
        """Takes idle readings in."""
        c, p, at = self._columns, chunk.person, chunk.at
        rows = np.flatnonzero(good)
        if not rows.size:
            return
        q, t = p[rows], at[rows]
        np.maximum.at(c.last_heard, q, t)
        np.minimum.at(c.floor, q, t)
        fixes = chunk.located[rows]
        np.minimum.at(c.first_fix, q[fixes], t[fixes])
        watched = fixes & (c.every[q] < NEVER)
        np.maximum.at(c.located_until, q[watched], t[watched] + c.every[q[watched]])
        touched = np.unique(q)
        due = touched[c.delay[touched] < NEVER]
        c.contact_due[due] = c.last_heard[due] + c.delay[due]
        flat = c.last_event.reshape(-1)
        for event_rows, slots, instants in self._signs:
            kept = good[event_rows]
            np.maximum.at(flat, slots[kept], instants[kept])


class _Part(NamedTuple):
    """Readings that are simple so far: where they are in the chunk, whose, when observed, whether newer than all that
    was known of the person, and what the position says."""

    rows: Ints
    q: Ints
    at: Ints
    newest: Flags
    method: Ints
    lon: Floats
    lat: Floats
    accuracy: Floats
    reach: Floats  # the accuracy again; nan where the fix is measured, whatever the boxes say


def _running_max(values: Ints, starts: Ints) -> Ints:
    """Largest value so far within each group."""
    marks = np.zeros(values.size, dtype=np.int64)
    marks[starts[1:]] = 1
    group = np.cumsum(marks)
    low = values.min()
    span = int(values.max() - low) + 1
    if (group[-1] + 1) * span < (1 << 62):
        lifted = np.maximum.accumulate((values - low) + group * span)
        lifted_back: Ints = lifted - group * span + low
        return lifted_back
    out = values.copy()
    for begin, end in pairwise([*starts.tolist(), values.size]):
        np.maximum.accumulate(values[begin:end], out=out[begin:end])
    return out
