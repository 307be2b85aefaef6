"""Where late readings may matter: the few instants at which somebody supported a finding about a place.

A machine for places opens nothing without `confirm_fixes` supporting fixes in one chain, no two of them
neighbours more than CHAIN_GAP apart and none of them followed by a contrary fix. So it is enough to remember

* `fors`: the instants of supporting fixes, rare among all readings;
* `seps`: for each but the last one instant of a contrary fix between it and the next (NEVER: none is known);
* `loud`: spans around neighbours that nothing separates, and around every run up to where it is settled.

Invariant: `fors` holds every supporting fix that counts (and perhaps some that another of the same instant
has beaten), `seps` only contrary fixes that count. Then, of a machine that is empty or holds a single fix:

* a reading that supports nothing and lies in no loud span can only shorten chains that confirm nothing, or
  beat another of its very instant; that matters only where it beats a separating fix, so `seps` are asked;
* a supporting fix that is further than CHAIN_GAP from its neighbours, or separated from them, is a chain of
  its own, which confirms nothing.

More in `fors` and in `loud` than is needed, and fewer `seps`, only make more readings be judged in full.
Whatever was judged in full is told anew from the machine's own events.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from emon.domain.versions import ALWAYS, NEVER
from emon.limits import CHAIN_GAP, LEDGER_FIXES


class Told(NamedTuple):
    """What a fold over [`begin`, `end`) found: instants of supporting and contrary fixes, runs until they are
    settled, and how long after its last fix a chain may still matter."""

    begin: int
    end: int
    fors: Sequence[int]
    contrary: Sequence[int]
    runs: Sequence[tuple[int, int]]
    life: int


class Ledger:
    """One condition's. `bottom`: nothing is known up to there. `chain`: the newest supporting fix while no
    contrary one is known after it."""

    __slots__ = ("bottom", "chain", "fors", "loud", "seps")

    def __init__(self, bottom: int = ALWAYS) -> None:
        self.bottom = bottom
        self.chain: int | None = None
        self.fors = array("q")
        self.seps = array("q")
        self.loud: list[tuple[int, int]] = []

    @property
    def busy(self) -> tuple[int, int]:
        """A span outside of which, and after `bottom`, everything that supports nothing is admitted."""
        begins = [*self.fors[:1], *(span[0] for span in self.loud[:1])]
        ends = [*self.fors[-1:], *(at for at in self.seps[-1:] if at < NEVER), *(span[1] for span in self.loud[-1:])]
        return min(begins, default=NEVER), max(ends, default=ALWAYS)

    def admits(self, at: int) -> bool:
        """Whether a reading that supports nothing, observed then, changes nothing."""
        if at - CHAIN_GAP <= self.bottom or self._is_loud(at):
            return False
        index = bisect_right(self.fors, at) - 1
        return index < 0 or self.seps[index] != at

    def supports(self, at: int) -> bool:
        """Takes in a supporting fix that changes nothing; False where it may change something."""
        if not self.admits(at):
            return False
        fors, seps = self.fors, self.seps
        index = bisect_left(fors, at)
        known = index < len(fors) and fors[index] == at
        if known:
            return True
        separated = NEVER  # the contrary fix known between the neighbours
        if index > 0:
            separated = seps[index - 1]
            if at - fors[index - 1] <= CHAIN_GAP and not separated < at:
                return False
        if index < len(fors) and fors[index] - at <= CHAIN_GAP and not at < separated < NEVER:
            return False
        if index > 0 and separated > at:
            seps[index - 1] = NEVER
        fors.insert(index, at)
        seps.insert(index, separated if separated > at else NEVER)
        if index == len(fors) - 1:
            self.chain = at
        if len(fors) > LEDGER_FIXES:
            self._prune()
        return True

    def contrary(self, at: int) -> None:
        """Takes in a contrary fix observed after everything known."""
        if self.chain is not None:
            self.chain = None
            if self.fors and self.seps[-1] == NEVER and self.fors[-1] < at:
                self.seps[-1] = at

    def tell(self, told: Told) -> None:
        """Replaces what is known of [begin, end) by what was found there."""
        low, high = bisect_left(self.fors, told.begin), bisect_left(self.fors, told.end)
        before, after = self.fors[:low], self.fors[high:]
        seps_before, seps_after = self.seps[:low], self.seps[high:]
        if before and seps_before[-1] >= told.begin:
            seps_before[-1] = NEVER
        self.fors, self.seps = before, seps_before
        marks = sorted([(at, 1) for at in told.fors] + [(at, 0) for at in told.contrary])
        loud = [span for span in self.loud if span[0] < told.begin or span[0] >= told.end]
        loud += [(told.end, until) for begin, until in self.loud if told.begin <= begin < told.end < until]
        for at, supporting in marks:
            if not supporting:
                if self.fors and self.seps[-1] == NEVER and self.fors[-1] < at:
                    self.seps[-1] = at
            elif not self.fors or self.fors[-1] < at:
                if self.fors and self.seps[-1] == at:  # of one instant: the fold order would have to tell
                    self.seps[-1] = NEVER
                self.fors.append(at)
                self.seps.append(NEVER)
        first = max(low - 1, 0)
        self.fors.extend(after)
        self.seps.extend(seps_after)
        for index in range(first, min(low + len(told.fors), len(self.fors) - 1)):
            here, following = self.fors[index], self.fors[index + 1]
            if self.seps[index] == NEVER and following - here <= CHAIN_GAP:
                loud.append((here, following + told.life))
        loud += told.runs
        self.loud = _merged(loud)
        while len(self.fors) > LEDGER_FIXES:
            self._prune()

    def _is_loud(self, at: int) -> bool:
        for begin, end in reversed(self.loud):
            if begin <= at:
                return at <= end
        return False

    def _prune(self) -> None:
        """Forgets the older half of the fixes: where they lie everything is judged in full."""
        half = len(self.fors) // 2
        last = self.seps[half - 1] if self.seps[half - 1] < NEVER else self.fors[half]
        self.bottom = max(self.bottom, self.fors[half - 1], last)
        self.fors, self.seps = self.fors[half:], self.seps[half:]
        self.loud = [span for span in self.loud if span[1] > self.bottom]


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    out: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((begin, end))
    return out
