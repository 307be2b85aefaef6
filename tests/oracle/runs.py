"""Chains and runs: from single fixes to "was there from ... to ..."."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emon.domain.order import Condition
from tests.oracle.fixes import Fix
from tests.oracle.knowledge import MINUTE, SECOND, Heard

CHAIN_GAP = 30 * MINUTE


@dataclass(frozen=True)
class Run:
    """A confirmed run within one judged span. `contrary` is the chain that ended it, () where none did."""

    chain: tuple[Fix, ...]
    due: int
    fixes: tuple[Fix, ...]  # from the chain's first on, before the contrary chain's first
    contrary: tuple[Fix, ...]
    before: tuple[Fix, ...]  # fixes of the span before the chain's first

    @property
    def first(self) -> int:
        return self.chain[0].at

    @property
    def supports(self) -> list[Fix]:
        return [fix for fix in self.fixes if fix.supports]

    @property
    def strong_pair(self) -> tuple[Fix, ...]:
        """The first two of a chain that holds at three times the accuracy, () where there is none."""
        previous: Fix | None = None
        for fix in self.fixes:
            if not fix.strong:
                continue
            if fix.supports and previous is not None and fix.at - previous.at <= CHAIN_GAP:
                return previous, fix
            previous = fix if fix.supports else None
        return ()

    @property
    def evidence(self) -> list[Heard]:
        """All that the run rests on: its supporting fixes, and what ended it."""
        named = [(fix.heard, fix.beside) for fix in (*self.supports, *self.contrary)]
        return [heard for pair in named for heard in pair if heard is not None]


def confirm_fixes(condition: Condition) -> int:
    return 2 if condition.confirm_fixes is None else condition.confirm_fixes


def wait(condition: Condition) -> int:
    """Hold and grace add up (microseconds)."""
    return round(((condition.hold_s or 0) + (condition.grace_s or 0)) * SECOND)


def runs(span_fixes: Sequence[Fix], condition: Condition) -> list[Run]:
    """All runs that open or will open within a span, if nothing more is heard; see `Run.due`."""
    needed, patience = confirm_fixes(condition), wait(condition)
    found: list[Run] = []
    position = 0
    while True:
        chain = _chain(span_fixes, position, needed, supporting=True)
        if chain is None:
            return found
        first, last = chain[0], chain[-1]
        due = max(span_fixes[last].at, span_fixes[first].at + patience)
        breaking = [
            i for i in range(first, len(span_fixes)) if not span_fixes[i].supports and span_fixes[i].at <= due
        ]
        if breaking:
            position = breaking[0] + 1
            continue
        end = _chain(span_fixes, last + 1, needed, supporting=False)
        until = len(span_fixes) if end is None else end[0]
        found.append(
            Run(
                chain=tuple(span_fixes[i] for i in chain),
                due=due,
                fixes=tuple(span_fixes[first:until]),
                contrary=() if end is None else tuple(span_fixes[i] for i in end),
                before=tuple(span_fixes[:first]),
            )
        )
        if end is None:
            return found
        position = end[-1] + 1


def _chain(fixes: Sequence[Fix], position: int, needed: int, *, supporting: bool) -> list[int] | None:
    """Indices of the first full chain of one side at or after a position."""
    chain: list[int] = []
    for i in range(position, len(fixes)):
        if fixes[i].supports != supporting:
            chain = []
            continue
        if chain and fixes[i].at - fixes[chain[-1]].at > CHAIN_GAP:
            chain = []
        chain.append(i)
        if len(chain) == needed:
            return chain
    return None


def level(run: Run, condition: Condition) -> int:
    """How sure the run is of itself by all of its fixes."""
    if run.strong_pair:
        return 3
    return 1 if confirm_fixes(condition) == 1 else 2
