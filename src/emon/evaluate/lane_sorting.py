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

All readings of a participant in a chunk pass, or none does: then all of them are judged in full, and what the
ledgers took of them meanwhile is only more than they need (their chains are put back).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from emon.domain.instant import DAY
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.geo import signed_distances_m
from emon.evaluate.lane_columns import Columns, Flags, Floats, Ints
from emon.evaluate.lane_rows import IDLE, SLOTS, STEADY
from emon.evaluate.signals import IN, OUT, STRICT_FACTOR
from emon.evaluate.track import key as fold_key
from emon.journal.records import Bound
from emon.limits import ACCURACY_FACTOR, HISTORY_DAYS, UNKNOWN_ACCURACY_M

_GNSS, _CONTRARY_ONLY = 2, 1
_METHOD: Final = {"gnss": _GNSS, "wifi": _CONTRARY_ONLY, "cell": _CONTRARY_ONLY, "rf": _CONTRARY_ONLY,
                  "beacon": _CONTRARY_ONLY}
_FAR_FIX_M: Final = 20_000.0  # a fix less accurate than this is measured, whatever the boxes say


class Idle(NamedTuple):
    """`good`: by reading. `newest`: of each feed the newest good one. `people`, `instants`, `bounds`: the good
    ones in order of participant."""

    good: Flags
    newest: list[Bound]
    people: Ints
    instants: Ints
    bounds: list[Bound]


class Sorting:
    """One chunk after the other over the same columns."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._signs: list[tuple[Ints, Ints, Ints]] = []
        self._chains: dict[tuple[int, int], int | None] = {}  # as they stood before this chunk

    def idle(self, bounds: Sequence[Bound], last_clock: int,
             calm_from: Mapping[str, int]) -> Idle:
        """Sorts a chunk out and takes the idle readings in. `last_clock`: the chunk's last arrival. `calm_from`:
        see Outages; feeds that are not named do not matter."""
        c = self._columns
        n = len(bounds)
        get = c.index.get
        readings = [b.reading for b in bounds]
        p = np.array([get(b.participant, -1) for b in bounds], dtype=np.int64)
        known = p >= 0
        if not known.any():
            return Idle(known, [], p[:0], p[:0], [])
        at = np.array([r.observed_at for r in readings], dtype=np.int64)
        came = np.array([b.received_at for b in bounds], dtype=np.int64)
        device = np.empty(n, dtype=object)
        device[:] = [r.device for r in readings]
        simple = known & c.inside[p] & (device == c.device[p])
        simple &= (at >= c.from_[p]) & (at < c.until[p]) & (at <= came) & (at >= came - HISTORY_DAYS * DAY)
        carrier = np.empty(n, dtype=object)
        carrier[:] = [r.feed for r in readings]
        simple &= carrier == c.carrier[p]
        simple &= np.array([r.kind == "position" and r.lat is not None for r in readings], dtype=np.bool_)
        code = _METHOD.get
        method = np.array([code(r.method, 0) for r in readings], dtype=np.int64)
        calm = np.full(len(c.feeds), ALWAYS, dtype=np.int64)
        for name, from_ in calm_from.items():
            if name in c.feeds:
                calm[c.feeds[name]] = from_
        simple &= at >= calm[c.feed[p]]
        order = np.argsort(p, kind="stable")
        before = self._heard_before(p, at, order)
        self._places(simple, p, at, readings, method, at > before, n)
        self._silences(simple, p, at, came, method, before, order, last_clock)
        bad = np.zeros(len(c.names) + 1, dtype=np.bool_)
        bad[p[~simple]] = True
        bad[-1] = True
        good = ~bad[p]
        self._settle(bad)
        self._take(good, p, at)
        taken = order[good[order]]
        return Idle(good, self._newest(good, p, at, bounds), p[taken], at[taken],
                    [bounds[i] for i in taken.tolist()])

    def _newest(self, good: Flags, p: Ints, at: Ints, bounds: Sequence[Bound]) -> list[Bound]:
        c = self._columns
        rows = np.flatnonzero(good)
        feeds = c.feed[p[rows]]
        newest = []
        for feed in np.unique(feeds):
            mine = rows[feeds == feed]
            last = mine[at[mine] == at[mine].max()]
            newest.append(max((bounds[i] for i in last.tolist()), key=fold_key))
        return newest

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

    def _places(self, simple: Flags, p: Ints, at: Ints, readings: Sequence[Any], method: Ints,
                newest: Flags, n: int) -> None:
        """Clears `simple` for readings that may matter to a condition about a place."""
        c = self._columns
        lon = np.array([r.lon for r in readings], dtype=np.float64)
        lat = np.array([r.lat for r in readings], dtype=np.float64)
        accuracy = np.array([r.accuracy_m or UNKNOWN_ACCURACY_M for r in readings], dtype=np.float64)
        accuracy[accuracy == 2147483647] = UNKNOWN_ACCURACY_M
        reach_lat = STRICT_FACTOR * accuracy / 110_000.0
        self._signs = []
        for k in range(int(c.count[p[simple]].max(initial=0))):
            rows = np.flatnonzero(simple & (c.count[p] > k))
            if not rows.size:
                continue
            q = p[rows]
            box, x, y = c.box[q, k], lon[rows], lat[rows]
            reach = reach_lat[rows]
            reach_lon = STRICT_FACTOR * accuracy[rows] / c.east_m[q, k]
            far = ((x < box[:, 0] - reach_lon) | (y < box[:, 1] - reach) | (x > box[:, 2] + reach_lon)
                   | (y > box[:, 3] + reach)) & (accuracy[rows] < _FAR_FIX_M)
            side = np.full(rows.size, OUT, dtype=np.int64)
            strict = np.full(rows.size, OUT, dtype=np.int64)
            near = np.flatnonzero(~far)
            if near.size:
                side[near], strict[near] = self._measure(q[near], k, x[near], y[near], accuracy[rows][near])
            supports = c.supports[q, k]
            sign, strict = side * supports, strict * supports
            sign[(sign > 0) & (method[rows] != _GNSS)] = 0
            sign[method[rows] == 0] = 0
            t, state = at[rows], c.state[q, k]
            quiet = c.quiet[q, k] + np.where(newest[rows], 0, c.margin[q, k])
            ok = np.where(state == IDLE, (sign <= 0) & (t > quiet),
                          (sign >= 0) & (t > c.last_event[q, k]) & ((state == STEADY) | (strict == 0)))
            ok |= (t >= c.free_from[q, k]) & (t < c.free_until[q, k])
            self._ledgers(ok, k, q, t, sign, newest[rows], state == IDLE)
            simple[rows[~ok]] = False
            events = np.flatnonzero(sign != 0)
            self._signs.append((rows[events], q[events] * SLOTS + k, t[events]))

    def _ledgers(self, ok: Flags, k: int, q: Ints, t: Ints, sign: Ints, newest: Flags,
                 idle: Flags) -> None:
        """Asks the ledgers, in order of arrival, wherever the newest reading is not simply contrary again."""
        c = self._columns
        kept = idle & c.kept[q, k]
        supporting = np.zeros(c.size, dtype=np.bool_)
        supporting[q[kept & (sign > 0)]] = True
        asked = kept & ((sign > 0) | ~newest | ~ok | supporting[q] | (c.chained[q, k] & (sign < 0)))
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
            elif new and at > slot.quiet:
                ok[i] = True
                if side < 0 and ledger.chain is not None:
                    ledger.contrary(at)
                    c.changed.add(p)
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
            elif ledger.chain != chain:
                c.chained[p, k] = ledger.chain is not None
        self._chains.clear()

    def _measure(self, q: Ints, k: int, lon: Floats, lat: Floats, accuracy: Floats) -> tuple[Ints, Ints]:
        """Sides at one and at three accuracies, shape by shape."""
        c = self._columns
        shapes = [c.row(p).slots[k].shapes for p in q.tolist()]
        best = signed_distances_m([each[0] for each in shapes], lon, lat, STRICT_FACTOR * accuracy)
        for i, each in enumerate(shapes):
            for shape in each[1:]:
                best[i] = max(best[i], shape.distance_of_one_m(float(lon[i]), float(lat[i])))
        side = np.where(best > 0, IN, OUT)
        return (np.where(np.abs(best) > ACCURACY_FACTOR * accuracy, side, 0),
                np.where(np.abs(best) > STRICT_FACTOR * accuracy, side, 0))

    def _silences(self, simple: Flags, p: Ints, at: Ints, came: Ints, method: Ints, before: Ints,
                  order: Ints, last_clock: int) -> None:
        """Clears `simple` where a silence falls due, or a gap that was found may be filled."""
        c = self._columns
        watched = simple & (c.delay[p] < NEVER)
        if not watched.any():
            return
        simple[watched & ((at <= c.contact_quiet[p]) | (method == 0)
                          | (came > before + c.delay[p]))] = False
        mine = order[watched[order]]
        q = p[mine]
        last = np.flatnonzero(np.r_[q[1:] != q[:-1], True])
        newest = np.maximum(before[mine[last]], at[mine[last]])
        overdue = newest + c.delay[q[last]] <= last_clock
        if overdue.any():
            simple[np.isin(p, q[last[overdue]])] = False

    def _take(self, good: Flags, p: Ints, at: Ints) -> None:
        """Takes idle readings in."""
        c = self._columns
        rows = np.flatnonzero(good)
        if not rows.size:
            return
        q, t = p[rows], at[rows]
        np.maximum.at(c.last_heard, q, t)
        np.minimum.at(c.floor, q, t)
        np.minimum.at(c.first_fix, q, t)
        touched = np.unique(q)
        watched = touched[c.delay[touched] < NEVER]
        c.contact_due[watched] = c.last_heard[watched] + c.delay[watched]
        flat = c.last_event.reshape(-1)
        for event_rows, slots, instants in self._signs:
            kept = good[event_rows]
            np.maximum.at(flat, slots[kept], instants[kept])


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
