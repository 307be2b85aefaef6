"""True silences: of one participant's devices, of positions, and of a whole feed at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from simulators.devices import Emission
from simulators.evidence import ARRIVAL_S, Track
from simulators.ground import Floats
from simulators.plan import Document, Plan

if TYPE_CHECKING:
    from simulators.world import World

MARGIN_S: Final = 30.0
"""A silence must outlast its due by so much to be clear: it may end in the same breath otherwise."""
MIN_MEMBERS: Final = 5


class Silence(NamedTuple):
    """Nothing from `last_s` on; too long since `from_s`, until `to_s`; to be found at `due_s`."""

    last_s: float
    from_s: float
    to_s: float
    due_s: float
    clear: bool


def outages(world: World, emissions: Iterable[Emission], until_s: float) -> dict[str, list[Silence]]:
    """Per feed with five or more bound devices: when none was heard for the least patience of all."""
    members: dict[str, set[str]] = defaultdict(set)
    patience: dict[str, float] = defaultdict(lambda: float("inf"))
    bound: dict[str, list[float]] = defaultdict(list)  # of people who are to be heard from
    for plan in world.plans:
        every = min((c["every_s"] for c in plan.conditions if c["kind"] == "contact"), default=float("inf"))
        for device in plan.devices:
            members[device.feed].add(device.id)
            if every < float("inf"):
                bound[device.feed].append(plan.effective_s if device.from_s is None else device.from_s)
            patience[device.feed] = min(patience[device.feed], every)
    heard: dict[str, list[float]] = defaultdict(list)
    for emission in emissions:
        heard[emission.feed].append(emission.observed_s)
    found: dict[str, list[Silence]] = {}
    for feed, devices in members.items():
        if len(devices) >= MIN_MEMBERS <= len(bound[feed]):
            times = np.unique(np.array(heard[feed]))
            times = times[times >= sorted(bound[feed])[MIN_MEMBERS - 1]]
            found[feed] = [Silence(a, a + patience[feed], b, a + patience[feed],
                                   b - a > patience[feed] + MARGIN_S)
                           for a, b in _gaps(times, patience[feed], until_s)]
    return found


def contact_breaches(plan: Plan, condition: Document, seen: Track, until_s: float,
                     feed_silence: dict[str, list[Silence]]) -> Iterable[tuple[str, Silence]]:
    """contact_lost and location_lost of one condition, less what a feed outage explains."""
    every, hold = condition["every_s"], condition["hold_s"]
    excuses = [s for device in plan.devices for s in feed_silence.get(device.feed, ())]
    for a, b in _gaps(seen.heard, every, until_s, begin_s=plan.effective_s):
        onset = _excused(a, every, excuses)
        if onset < b:
            yield "contact_lost", Silence(a, onset, b, onset + hold, b > onset + hold + MARGIN_S)
    if not len(seen.t):
        return
    for a, b in _gaps(seen.heard[seen.located], every, until_s, begin_s=plan.effective_s):
        onset = _excused(a, every, excuses)
        told = (~seen.located) & (seen.heard >= onset) & (seen.heard < b)
        if onset < b and told.any():
            i = int(np.argmax(told))
            due = max(onset + hold, float(seen.heard[i]))
            known = max(due, float(seen.heard_sent[i]) + ARRIVAL_S)
            yield "location_lost", Silence(a, onset, b, known, b > due + MARGIN_S)


def _gaps(times: Floats, every_s: float, until_s: float, *,
          begin_s: float | None = None) -> list[tuple[float, float]]:
    """Pairs of neighbouring instants further apart than `every_s`; the end counts as one."""
    known = times if begin_s is None else np.concatenate(([begin_s], times[times > begin_s]))
    ends = np.concatenate((known, [max(until_s, float(known[-1]))])) if len(known) else known
    wide = np.flatnonzero(np.diff(ends) > every_s)
    return [(float(ends[i]), float(ends[i + 1])) for i in wide if float(ends[i]) + every_s < until_s]


def _excused(last_s: float, every_s: float, excuses: list[Silence]) -> float:
    """Onset of a silence; from the end of the outage that explains it, where one does."""
    onset = last_s + every_s
    for outage in excuses:
        if outage.last_s - every_s <= last_s <= outage.to_s and outage.from_s <= onset + every_s:
            onset = max(onset, outage.to_s + every_s)
    return onset
