"""Conditions about devices: in which time each is judged, and from where on.

Each device is judged by itself, while it is worn and the condition is judged; a binding's end closes what is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.orderbook import Stretch
from emon.evaluate.positions import Wearing
from emon.evaluate.verdict import Settled
from emon.journal.records import Bound


class Worn(NamedTuple):
    """A wearing within a stretch: `time` in which both last, and why it ends."""

    time: Stretch
    wearing: Wearing
    stretch: Stretch


def worn_stretches(stretches: Iterable[Stretch], wearings: Sequence[Wearing]) -> Iterator[Worn]:
    """Of each stretch the time in which each device is worn."""
    for stretch in stretches:
        for wearing in wearings:
            begin, end = max(stretch.from_, wearing.from_), min(stretch.until, wearing.until)
            if begin < end:
                reason = "unbound" if wearing.until < stretch.until else stretch.reason
                yield Worn(Stretch(begin, end, reason), wearing, stretch)


def where_nothing_is_open(from_: int, old: Sequence[Settled]) -> int:
    """The latest instant up to `from_` that no interval reaches over."""
    while True:
        onset = min((s.onset for s in old if s.onset < from_ <= s.settled), default=from_)
        if onset == from_:
            return from_
        from_ = onset


def reach_of(bounds: Iterable[Bound]) -> tuple[int, int]:
    """From the earliest of the readings that matter on; empty where none does."""
    first = min((b.reading.observed_at for b in bounds), default=None)
    return (NEVER, ALWAYS) if first is None else (first, NEVER)
