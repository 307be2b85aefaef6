"""When a feed was heard, in bounded memory: stretches of time without a longer pause than a grain.

Stretches are a set of instants with its short pauses filled: in which order readings come does not matter, and of
each edge the reading that evidence quotes is kept, the earliest in fold order where a stretch begins, the latest
where it ends. Pauses shorter than anything that an order asks for are worth keeping too: an order that arrives later
may ask for more, also back in time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emon.domain.reading import OPENING_EVENTS, Reading
from emon.journal.records import Bound, HeardElsewhere

Ints = NDArray[np.int64]


class Spoken(NamedTuple):
    """A reading of which only counts that a device spoke, and by which feed. `mark`: what evidence says."""

    received_at: int
    observed_at: int
    device: str
    by: str
    mark: Bound | HeardElsewhere


class Heard(NamedTuple):
    """A stretch in which the feed was heard often enough, from `first` to `last`, and the readings at its ends,
    whichever partition they went to."""

    first: int
    last: int
    first_mark: HeardElsewhere
    last_mark: HeardElsewhere


def mark_of(spoken: Spoken) -> HeardElsewhere:
    """What evidence says of the reading."""
    if isinstance(spoken.mark, HeardElsewhere):
        return spoken.mark
    reading = spoken.mark.reading
    return HeardElsewhere(reading.device, reading.kind, reading.observed_at, spoken.received_at, reading.seq,
                          reading.event, reading.test_id)


def bound_of(mark: HeardElsewhere) -> Bound:
    """The reading as evidence wants it."""
    return Bound("", mark.received_at, Reading(device=mark.device, kind=mark.kind, observed_at=mark.observed_at,
                                               seq=mark.seq, event=mark.event, test_id=mark.test_id))


def stretches(at: Ints, mark: Callable[[int], HeardElsewhere], grain: int) -> Iterator[Heard]:
    """Stretches of sorted instants; `mark`: what evidence says of the reading at an index."""
    cuts = (np.flatnonzero(np.diff(at) > grain) + 1).tolist()
    for begin, end in pairwise([0, *cuts, len(at)] if at.size else []):
        first, last = int(at[begin]), int(at[end - 1])
        after = begin + int(np.searchsorted(at[begin:end], first, side="right"))
        before = begin + int(np.searchsorted(at[begin:end], last, side="left"))
        yield Heard(first, last, reduce(_earlier, map(mark, range(begin, after))),
                    reduce(_later, map(mark, range(before, end))))


def telling(heard: Sequence[Heard], at: Ints, grain: int) -> Ints:
    """Which of some readings (at least one) may change the stretches: not those within one that is known, or that
    the newest of them makes longer."""
    if not heard:
        return np.arange(len(at))
    last = heard[-1]
    newest = int(at.max())
    end = max(newest, last.last) if newest <= last.last + grain else last.last
    around = np.flatnonzero((at <= last.first) | (at >= end) | (at == last.last))
    earlier = [i for i in around[at[around] < last.first].tolist() if _tells(heard, int(at[i]))]
    return np.concatenate((np.array(earlier, dtype=np.int64), around[at[around] >= last.first]))


def _tells(heard: Sequence[Heard], at: int) -> bool:
    index = bisect_left(heard, at, key=attrgetter("last"))
    return index == len(heard) or not heard[index].first < at < heard[index].last


def join(heard: list[Heard], new: Heard, grain: int, pace: int) -> bool:
    """Puts a stretch in; whether pauses longer than `pace` are others now."""
    low = bisect_left(heard, new.first - grain, key=attrgetter("last"))
    high = bisect_right(heard, new.last + grain, lo=low, key=attrgetter("first"))
    for old in heard[low:high]:
        new = _union(old, new)
    around = slice(max(0, low - 1), high + 1)
    before = _pauses(heard[around], pace)
    whole = [*heard[around.start:low], new, *heard[high:high + 1]]
    heard[low:high] = [new]
    return before != _pauses(whole, pace)


def thin(heard: list[Heard], before: int, pace: int) -> list[Heard]:
    """The stretches, those before an instant without pauses of up to `pace`."""
    kept: list[Heard] = []
    for stretch in heard:
        if kept and stretch.first < before and stretch.first - kept[-1].last <= pace:
            stretch = _union(kept.pop(), stretch)
        kept.append(stretch)
    return kept


def _pauses(heard: Sequence[Heard], pace: int) -> list[tuple[int, int]]:
    return [(a.last, b.first) for a, b in pairwise(heard) if b.first - a.last > pace]


def _union(a: Heard, b: Heard) -> Heard:
    first, last = min(a.first, b.first), max(a.last, b.last)
    firsts = [h.first_mark for h in (a, b) if h.first == first]
    lasts = [h.last_mark for h in (a, b) if h.last == last]
    return Heard(first, last, _earlier(firsts[0], firsts[-1]), _later(lasts[0], lasts[-1]))


def _fold_key(mark: HeardElsewhere) -> tuple[int, str, str, bool, str]:
    event = mark.event or mark.test_id or ""
    return (mark.observed_at, mark.device, mark.kind, event not in OPENING_EVENTS, event)


def _earlier(a: HeardElsewhere, b: HeardElsewhere) -> HeardElsewhere:
    return min(a, b, key=lambda mark: (_fold_key(mark), mark.received_at, mark.seq or 0))


def _later(a: HeardElsewhere, b: HeardElsewhere) -> HeardElsewhere:
    """Of one identity the one that came in first."""
    if _fold_key(a) == _fold_key(b):
        return _earlier(a, b)
    return max(a, b, key=_fold_key)
