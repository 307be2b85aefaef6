"""`emon evaluate`: files in, findings out, through the same evaluator as live.

Faulty orders or zones stop everything before it begins: an evaluation against half an order would accuse or
miss. Faulty readings cost nothing but themselves: each is listed and written to the rejects file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Final

from emon.domain import finding as findings
from emon.domain.binding import Binding
from emon.domain.errors import Fault
from emon.domain.order import Order
from emon.domain.reading import Reading
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone
from emon.evaluate import batch
from emon.formats import readings as files
from emon.formats.check import check
from emon.formats.text import Unreadable
from emon.journal.records import InputRecord, OwnOutage, Tick

PROGRESS_EVERY: Final = 20_000


@dataclass(slots=True)
class Outcome:
    """What came of it. `messages`: one line a fault, `file:line: reason`."""

    readings: int = 0
    rejected: int = 0
    revisions: int = 0
    findings: int = 0
    faulty: bool = False
    clock: int = 0  # the last arrival of anything, also of readings that are nobody's
    messages: list[str] = field(default_factory=list)


def evaluate_files(orders: Sequence[Path], zones: Sequence[Path], readings: Sequence[Path], out: Path,
                   until: int | None = None, rejects: Path | None = None, rule_version: int = 1,
                   progress: Callable[[int], None] | None = None) -> Outcome:
    """Writes revisions to `out` in the published order. Raises Unreadable for what cannot be read or written."""
    outcome = Outcome()
    checked = check([*orders, *zones], complete=True)
    outcome.messages += [f"{warning} (warning)" for warning in checked.warnings]
    if checked.faults:
        outcome.faulty = True
        outcome.messages += [str(fault) for fault in checked.faults]
        return outcome
    with ExitStack() as stack:
        rejects_to = None if rejects is None else stack.enter_context(_writable(rejects))
        taken = _taken(files.read(readings), outcome, rejects_to, progress)
        first = next(taken, None)  # an unreadable file is told before anything is written
        found = stack.enter_context(_writable(out))
        versions: list[Order | Zone | Binding | Verdict] = [
            *checked.orders, *checked.zones, *checked.bindings, *checked.verdicts]
        outcome.clock = max([outcome.clock, *(version.received_at or 0 for version in versions)])
        merged = batch.merge(_again(first, taken), checked.orders, checked.zones, checked.bindings,
                             verdicts=checked.verdicts)
        arrivals = chain(merged, _end(outcome))
        for revision in batch.evaluate(arrivals, until, rule_version=rule_version):
            found.write(findings.encode(revision) + b"\n")
            outcome.revisions += 1
            outcome.findings += revision.revision == 1
    return outcome


def _end(outcome: Outcome) -> Iterator[InputRecord]:
    """The clock at the end of all input: readings of unbound devices move it too."""
    if outcome.clock:
        yield Tick(outcome.clock)


def _again(first: Reading | OwnOutage | None,
           rest: Iterator[Reading | OwnOutage]) -> Iterator[Reading | OwnOutage]:
    if first is not None:
        yield first
        yield from rest


def _taken(read: Iterator[Reading | OwnOutage | files.Reject], outcome: Outcome, rejects: IO[bytes] | None,
           progress: Callable[[int], None] | None) -> Iterator[Reading | OwnOutage]:
    """What counts; the rest is listed, counted and kept."""
    for each in read:
        if isinstance(each, files.Reject):
            outcome.rejected += 1
            outcome.messages.append(str(each))
            if rejects is not None:
                rejects.write(each.encode() + b"\n")
            continue
        outcome.readings += isinstance(each, Reading)
        outcome.clock = max(outcome.clock, each.received_at)
        if progress is not None and outcome.readings % PROGRESS_EVERY == 0:
            progress(outcome.readings)
        yield each


def _writable(path: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as error:
        raise Fault("cannot_write", f"cannot write {path}: {error.strerror}") from error


__all__ = ["Outcome", "Unreadable", "evaluate_files"]
