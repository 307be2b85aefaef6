"""All manners in which an evaluator may be run over the same records; each must say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from types import ModuleType

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
