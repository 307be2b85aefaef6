"""The batch run: the same evaluator over files. File order is arrival order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from emon.domain.finding import Finding
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory
from emon.journal.records import InputRecord
from emon.limits import RULE_VERSION


def evaluate(arrivals: Iterable[InputRecord], until: int | None = None, *,
             rule_version: int = RULE_VERSION) -> Iterator[Finding]:
    """Revisions in the published order. `arrivals` come by `received_at`; records of one instant are one
    arrival. What arrives after `until` is left out; None: up to the last record."""
    evaluator = Evaluator(MemoryHistory(), rule_version=rule_version)
    last = None
    for received_at, group in groupby(arrivals, key=lambda record: record.received_at):
        if until is not None and received_at > until:
            break
        last = received_at
        yield from evaluator.arrive(list(group))
    end = last if until is None else until
    if end is not None:
        yield from evaluator.advance(end)
