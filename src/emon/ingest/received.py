"""What arrived of a device, and where its `seq` has gaps: the answer to a vendor who asks.

Gaps are counted along the device's own time, so the question's `from` is an `observed_at` too: asked by
arrival, a late upload would look like a hole. A `seq` that falls while time goes on is a device that started
to count anew: numbers are compared only within one such run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple


class Received(NamedTuple):
    """One reading that arrived; instants in microseconds UTC."""

    observed_at: int
    received_at: int
    kind: str
    seq: int | None


class Gap(NamedTuple):
    """Numbers `first` to `last`, both included, did not arrive between two that did."""

    first: int
    last: int
    after: int  # observed_at of the reading before the gap
    before: int  # and of the one after


def in_order(readings: Iterable[Received]) -> list[Received]:
    """By observed_at; of readings that arrived twice (same instant, kind and seq) only the first."""
    earliest: dict[tuple[int, str, int | None], Received] = {}
    for reading in readings:
        key = (reading.observed_at, reading.kind, reading.seq)
        known = earliest.get(key)
        if known is None or reading.received_at < known.received_at:
            earliest[key] = reading
    return sorted(earliest.values(), key=lambda r: (r.observed_at, -1 if r.seq is None else r.seq, r.kind))


def gaps(readings: Sequence[Received]) -> list[Gap]:
    """Missing numbers in readings that are in order, by time."""
    return [Gap(low + 1, high - 1, run[low], run[high]) for run in _runs(readings)
            for low, high in pairwise(sorted(run)) if high > low + 1]


def _runs(readings: Sequence[Received]) -> list[dict[int, int]]:
    """Per uninterrupted count: observed_at by seq."""
    runs: list[dict[int, int]] = []
    before = -1
    for reading in readings:
        if reading.seq is None:
            continue
        if not runs or reading.seq * 2 <= before:
            runs.append({})
        runs[-1].setdefault(reading.seq, reading.observed_at)
        before = reading.seq
    return runs
