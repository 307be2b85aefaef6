"""All manners in which an evaluator may be run over the same records; each must say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from types import ModuleType
from typing import Any

from emon.domain.finding import Finding
from emon.evaluate import batch, evaluator, history
from emon.journal.records import InputRecord, OwnOutage, Tick
from tests.oracle.oracle import KINDS

SECOND = 1_000_000


@dataclass(frozen=True)
class Subject:
    """The modules of the evaluator under test: the real ones, or a mutant's."""

    evaluator: ModuleType
    history: ModuleType
    batch: ModuleType


REAL = Subject(evaluator, history, batch)


def at_once(subject: Subject, records: Sequence[InputRecord], until: int) -> list[Finding]:
    """The batch run: everything in one go."""
    return list(subject.batch.evaluate(records, until))


def in_batches(subject: Subject, records: Sequence[InputRecord], until: int, seed: int) -> list[Finding]:
    """Cut anywhere, in the middle of arrivals too."""
    one = subject.evaluator.Evaluator(subject.history.MemoryHistory())
    lines: list[Finding] = []
    for part in cut(records, Random(seed)):
        lines += one.step(part)
    return lines + list(one.advance(until))


def in_batches_of(subject: Subject, records: Sequence[InputRecord], until: int, size: int) -> list[Finding]:
    """So many records at a time."""
    one = subject.evaluator.Evaluator(subject.history.MemoryHistory())
    lines: list[Finding] = []
    for begin in range(0, len(records), size):
        lines += one.step(records[begin : begin + size])
    return lines + list(one.advance(until))


def restarted(subject: Subject, records: Sequence[InputRecord], until: int, seed: int) -> list[Finding]:
    """A new evaluator from a snapshot after every batch."""
    kept, saved = subject.history.MemoryHistory(), subject.history.MemorySnapshots()
    one, offset = subject.evaluator.Evaluator(kept), 0
    lines: list[Finding] = []
    for part in cut(records, Random(seed)):
        lines += one.step(part)
        offset += len(part)
        _save(one, saved, offset)
        one = _restore(subject, kept, saved)[0]
    return lines + list(one.advance(until))


def crashed(subject: Subject, records: Sequence[InputRecord], until: int, seed: int) -> list[Finding]:
    """Dies at random places: between a step and its snapshot, and between the history and the snapshot. What
    follows the last snapshot is read again, so revisions may come twice."""
    random = Random(seed)
    kept, saved = subject.history.MemoryHistory(), subject.history.MemorySnapshots()
    one, offset = subject.evaluator.Evaluator(kept), 0
    lines: list[Finding] = []
    deaths = random.randint(1, 4)
    while offset < len(records):
        size = random.randint(1, max(1, len(records) // 3))
        lines += one.step(records[offset : offset + size])
        offset += len(records[offset : offset + size])
        fate = random.choice(["go on", "save", "die", "die after the history"]) if deaths else "save"
        if fate == "save":
            _save(one, saved, offset)
        elif fate.startswith("die"):
            deaths -= 1
            if fate == "die after the history":
                one.flush_history()
            one, offset = _restore(subject, kept, saved)
    return lines + list(one.advance(until))


def _save(one: Any, saved: Any, offset: int) -> None:
    one.flush_history()
    shared, changed = one.snapshot()
    saved.save(0, 1, offset, shared, changed)


def _restore(subject: Subject, kept: Any, saved: Any) -> tuple[Any, int]:
    """The evaluator of the last snapshot, and from where to read again."""
    snapshot = saved.load(0)
    if snapshot is None:
        return subject.evaluator.Evaluator(kept), 0
    return subject.evaluator.Evaluator.restore(snapshot, kept), snapshot.offset


def cut(records: Sequence[InputRecord], random: Random) -> list[Sequence[InputRecord]]:
    """Some way of splitting records into batches; single ones and empty ones occur."""
    places = sorted(random.choices(range(len(records) + 1), k=random.randint(0, len(records) + 2)))
    return [records[a:b] for a, b in zip([0, *places], [*places, len(records)], strict=True)]


def with_ticks(records: Sequence[InputRecord], until: int, seed: int) -> list[InputRecord]:
    """The same records with ticks on some whole seconds: they tell the time and change nothing."""
    random = Random(seed)
    taken = {record.received_at for record in records}
    first = min(taken) // SECOND
    seconds = {random.randint(first, until // SECOND) for _ in range(40)}
    ticks: list[InputRecord] = [Tick(received_at=s * SECOND) for s in seconds if s * SECOND not in taken]
    silent = [(r.from_, r.to) for r in records if isinstance(r, OwnOutage)]
    ticks = [t for t in ticks if not any(a < t.received_at < b for a, b in silent) and t.received_at <= until]
    return sorted([*records, *ticks], key=lambda record: record.received_at)


def of_kinds(lines: Sequence[Finding]) -> list[Finding]:
    """Only what the oracle knows about."""
    return [line for line in lines if line.kind in KINDS]
