"""What the devices gave to know a breach by: the fixes that were really sent, against the true path."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from simulators.devices import Emission
from simulators.duty import Span
from simulators.ground import LAT0, LON0, M_PER_LAT, M_PER_LON, Floats, Point, depth_m
from simulators.plan import Document, Plan

Flags = NDArray[np.bool_]

GOOD_FIXES: Final = 3
GOOD_ACCURACIES: Final = 3.0
GOOD_DEPTH_M: Final = 30.0
GOOD_APART_S: Final = 15.0 - 0.001
GOOD_WITHIN_S: Final = 1_800.0
PAIR_ACCURACIES: Final = 1.5  # of both: what a pair shows must be out of doubt
PAIR_S: Final = 90.0  # fixes of two people further apart in time say nothing about both
ARRIVAL_S: Final = 3.0  # from sending to taken in


class Signals(NamedTuple):
    """Readings of one participant against one border, ascending by time."""

    t: Floats
    sent: Floats
    good: Flags
    contrary: Flags


class Track(NamedTuple):
    """What one participant's devices sent, each reading once, ascending by observation."""

    heard: Floats  # when anything was measured
    heard_sent: Floats
    located: Flags
    t: Floats  # position fixes
    sent: Floats
    x: Floats
    y: Floats
    true_x: Floats
    true_y: Floats
    accuracy_m: Floats
    gnss: Flags
    presence_t: Floats
    presence_sent: Floats
    present: Flags
    by_unit_alone: bool

    def against(self, shape: shapely.Geometry, sign: float) -> Signals:
        """Fixes against a border; `sign` 1: inside is wrong, -1: outside is."""
        if not len(self.t):
            none = np.zeros(0, dtype=bool)
            return Signals(self.t, self.sent, none, none)
        return self._signals(depth_m(shape, self.true_x, self.true_y) * sign,
                             depth_m(shape, self.x, self.y) * sign)

    def away_from(self, home: Point, radius_m: float) -> Signals:
        """Fixes and the home unit's word against being within `radius_m` of home."""
        fixes = self._signals(np.hypot(self.true_x - home[0], self.true_y - home[1]) - radius_m,
                              np.hypot(self.x - home[0], self.y - home[1]) - radius_m)
        t = np.concatenate((fixes.t, self.presence_t))
        order = np.argsort(t, kind="stable")
        gone = ~self.present & self.by_unit_alone
        return Signals(t[order], np.concatenate((fixes.sent, self.presence_sent))[order],
                       np.concatenate((fixes.good, gone))[order],
                       np.concatenate((fixes.contrary, self.present))[order])

    def _signals(self, true_depth: Floats, told_depth: Floats) -> Signals:
        error = np.hypot(self.x - self.true_x, self.y - self.true_y)
        needed = np.maximum(GOOD_ACCURACIES * self.accuracy_m, GOOD_DEPTH_M)
        good = self.gnss & (error <= self.accuracy_m) & (true_depth >= needed)
        return Signals(self.t, self.sent, good, told_depth < -self.accuracy_m)


def track(plan: Plan, emissions: list[Emission]) -> Track:
    """Sorts out what was sent for one participant (`emissions` by sending time)."""
    first: dict[tuple[str, int], Emission] = {}
    for emission in emissions:
        first.setdefault((emission.reading["device"], emission.reading["seq"]), emission)
    everything = sorted(first.values(), key=lambda e: e.observed_s)
    fixes = [e for e in everything if e.reading["kind"] == "position"]
    presences = [e for e in everything if e.reading["kind"] == "presence"]
    t = _numbers([e.observed_s for e in fixes])
    true_x, true_y = plan.at(t)
    return Track(
        heard=_numbers([e.observed_s for e in everything]),
        heard_sent=_numbers([e.send_s for e in everything]),
        located=np.array([_locates(e.reading) for e in everything], dtype=bool),
        t=t, sent=_numbers([e.send_s for e in fixes]),
        x=(_numbers([e.reading["lon"] for e in fixes]) - LON0) * M_PER_LON,
        y=(_numbers([e.reading["lat"] for e in fixes]) - LAT0) * M_PER_LAT,
        true_x=true_x, true_y=true_y, accuracy_m=_numbers([e.reading["accuracy_m"] for e in fixes]),
        gnss=np.array([e.reading["method"] == "gnss" for e in fixes], dtype=bool),
        presence_t=_numbers([e.observed_s for e in presences]),
        presence_sent=_numbers([e.send_s for e in presences]),
        present=np.array([e.reading["present"] for e in presences], dtype=bool),
        by_unit_alone=not fixes)


def pairs(his: Track, hers: Track, distance_m: float) -> Signals:
    """His fixes against being within a distance of her: each beside her fix nearest in time."""
    if not len(his.t) or not len(hers.t):
        none = np.zeros(0, dtype=bool)
        return Signals(his.t[:0], his.sent[:0], none, none)
    after = np.clip(np.searchsorted(hers.t, his.t), 1, max(1, len(hers.t) - 1))
    nearest = np.where(his.t - hers.t[after - 1] <= np.abs(hers.t[after] - his.t), after - 1, after)
    age = np.abs(hers.t[nearest] - his.t)
    true = np.hypot(his.true_x - hers.true_x[nearest], his.true_y - hers.true_y[nearest])
    told = np.hypot(his.x - hers.x[nearest], his.y - hers.y[nearest])
    accuracies = his.accuracy_m + hers.accuracy_m[nearest]
    speed = np.maximum(_speed(his), _speed(hers)[nearest])
    slack = PAIR_ACCURACIES * accuracies + age * 2 * speed + GOOD_DEPTH_M
    good = his.gnss & hers.gnss[nearest] & (age <= PAIR_S - 1) & (np.maximum(told, true) + slack < distance_m)
    return Signals(his.t, np.maximum(his.sent, hers.sent[nearest]), good, told - accuracies > distance_m)


def _speed(track: Track) -> Floats:
    """True speed (m/s) between a fix and its neighbours, the faster of both."""
    apart = np.hypot(np.diff(track.true_x), np.diff(track.true_y)) / np.maximum(np.diff(track.t), 1.0)
    return np.maximum(np.concatenate((apart, [0.0])), np.concatenate(([0.0], apart)))


def earliest(signals: Signals, span: Span, condition: Document, *, duty: Span | None = None) -> float | None:
    """When the breach could first be known (s after the start); None where it is not clear."""
    need = max(GOOD_FIXES, condition.get("confirm_fixes", 2))
    patience = condition.get("hold_s", 0.0) + condition.get("grace_s", 0.0)
    run: list[int] = []
    best: float | None = None
    for i in np.flatnonzero((signals.t >= span.from_s) & (signals.t < span.to_s)).tolist():
        if signals.contrary[i]:
            run = []
        elif signals.good[i] and (not run or signals.t[i] - signals.t[run[-1]] >= GOOD_APART_S):
            run.append(i)
            findable = _known(signals, run[-need:], need, patience, duty)
            if findable is not None and (best is None or findable < best):
                best = findable
    return best


def _known(signals: Signals, chain: list[int], need: int, patience: float, duty: Span | None) -> float | None:
    if len(chain) < need:
        return None
    first, last = float(signals.t[chain[0]]), float(signals.t[chain[-1]])
    begin = first if duty is None else max(first, duty.from_s)
    due = max(last, begin + patience)
    broken = signals.contrary & (signals.t > first) & (signals.t <= due)
    if last - first > GOOD_WITHIN_S or broken.any() or (duty is not None and due >= duty.to_s):
        return None
    return max(due, float(signals.sent[chain].max()) + ARRIVAL_S)


def _locates(reading: dict[str, Any]) -> bool:
    return reading["kind"] == "position" or (reading["kind"] == "presence" and bool(reading["present"]))


def _numbers(values: list[float]) -> Floats:
    return np.array(values, dtype=np.float64)
