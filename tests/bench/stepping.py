"""The evaluator alone: decoded records and their lines in, history and snapshots to SQLite, findings out and dropped.

It is fed as its worker feeds it: records in batches of EVALUATE_RECORDS, and after a batch at whose end
a save is due the history is flushed and a snapshot saved.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from emon.evaluate.evaluator import Evaluator
from emon.evaluate.saving import Saving
from emon.journal.records import Bound, InputRecord, encode
from emon.limits import EVALUATE_RECORDS, GC_THRESHOLD
from emon.store.engine import open_history
from emon.store.history import SqlHistory, SqlSnapshots
from emon.store.upgrade import upgrade
from simulators.workload import Workload
from tests.bench import loads
from tests.bench.apart import rss
from tests.bench.ruled import ruled


class Stepped(NamedTuple):
    """`rss`: (readings so far, bytes of memory then), from before the first order on."""

    readings: int
    findings: int
    wall_s: float
    cpu_s: float
    rss: list[tuple[int, int]]


class Stepping:
    """An evaluator over one load, as one worker holds it."""

    def __init__(self, folder: Path, load: Workload) -> None:
        engine = open_history(f"sqlite:///{folder}/history.sqlite")
        upgrade(engine)
        self._history, self._snapshots = SqlHistory(engine), SqlSnapshots(engine)
        self._evaluator = Evaluator(self._history)
        self._records = 0
        self._saving = Saving(time.perf_counter())
        self._findings = 0
        self._load = load

    def begin(self) -> None:
        """Takes in orders, zones and bindings."""
        gc.set_threshold(*GC_THRESHOLD)
        versions = loads.versions(self._load)
        self._step(versions, _lines(versions))
        self._evaluator.advance(self._load.start_us - 1)
        self._save()

    def run(self, seconds: float, *, warm: int = 0, step: int = EVALUATE_RECORDS) -> Stepped:
        """All readings in steps of so many records, or as many as fit into about so many `seconds`. The first
        `warm` ones are not counted: everybody is met for the first time then."""
        readings, wall, cpu, sizes = 0, 0.0, 0.0, [(0, rss())]
        batches = _batches(loads.arrivals(self._load), step)
        while warm > 0:
            first = next(batches)
            warm -= len(first)
            self._step(first, _lines(first))
            self._save()
        gc.collect()
        gc.freeze()
        self._findings = 0
        for batch in batches:
            lines = _lines(batch)
            wall_before, cpu_before = time.perf_counter(), time.process_time()
            self._step(batch, lines)
            if self._saving.is_due(time.perf_counter()):
                self._save()
            wall += time.perf_counter() - wall_before
            cpu += time.process_time() - cpu_before
            readings += sum(isinstance(record, Bound) for record in batch)
            sizes.append((readings, rss()))
            if wall >= seconds:
                break
        wall_before, cpu_before = time.perf_counter(), time.process_time()
        self._save()
        wall += time.perf_counter() - wall_before
        cpu += time.process_time() - cpu_before
        return Stepped(readings, self._findings, wall, cpu, sizes)

    def _step(self, batch: list[InputRecord], lines: list[bytes]) -> None:
        self._findings += len(self._evaluator.step(batch, lines))
        self._records += len(batch)

    def _save(self) -> None:
        began_s = time.perf_counter()
        self._evaluator.flush_history()
        shared, changed = self._evaluator.snapshot()
        self._snapshots.save(0, 1, self._records, shared, changed)
        self._saving.saved(began_s, time.perf_counter())


def _lines(batch: list[InputRecord]) -> list[bytes]:
    """What the journal holds of the records."""
    return list(map(encode, batch))


def _batches(arrivals: Iterator[list[InputRecord]], step: int) -> Iterator[list[InputRecord]]:
    batch: list[InputRecord] = []
    for arrival in arrivals:
        batch += arrival
        if len(batch) >= step:
            yield batch
            batch = []
    if batch:
        yield batch


@contextmanager
def _stepping(load: Workload) -> Iterator[Stepping]:
    with TemporaryDirectory(prefix="emon-bench-") as folder:
        stepping = Stepping(Path(folder), load)
        stepping.begin()
        yield stepping


def in_order(readings: int, seconds: float) -> Stepped:
    """The usual load, after a warm-up of some minutes of it."""
    warm = max(EVALUATE_RECORDS, loads.PARTICIPANTS)
    with _stepping(loads.usual((readings + warm) / loads.PARTICIPANTS)) as stepping:
        return stepping.run(seconds, warm=warm)


def under_rules(kinds: frozenset[str], zones: int, readings: int, seconds: float) -> Stepped:
    """The usual load under conditions of more kinds, after a warm-up."""
    warm = max(EVALUATE_RECORDS, loads.PARTICIPANTS)
    with _stepping(ruled(loads.usual((readings + warm) / loads.PARTICIPANTS), kinds, zones)) as stepping:
        return stepping.run(seconds, warm=warm)


def shuffled(participants: int, seconds: float) -> Stepped:
    """A day of readings a minute, in an arrival order that says nothing."""
    load = loads.shuffled(loads.usual(24 * 60, participants=participants))
    with _stepping(load) as stepping:
        return stepping.run(seconds, step=EVALUATE_RECORDS // 10)


def long(minutes: float, cadence_s: float, seconds: float) -> Stepped:
    """Memory over simulated time: the first entry of `rss` is from before any order."""
    load = loads.usual(minutes, cadence_s=cadence_s)
    with TemporaryDirectory(prefix="emon-bench-") as folder:
        stepping = Stepping(Path(folder), load)
        base = rss()
        stepping.begin()
        stepped = stepping.run(seconds)
    return stepped._replace(rss=[(0, base), *stepped.rss[1:]])
