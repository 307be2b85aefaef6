"""What rules answer: the intervals that the known readings and versions establish in a span of time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.ledger import Ledger, Told
from emon.evaluate.machine import Event, Run
from emon.evaluate.orderbook import Term
from emon.evaluate.signals import Case
from emon.journal.records import Bound


@dataclass(frozen=True, slots=True)
class Interval:
    """A fact of one family during [`onset`, `ended`).

    `settled`: readings observed after it cannot change the interval (NEVER while it lasts).
    `used`: the readings it rests on. `numbers`: what was compared, for the evidence. `beside`: what else is known,
    asked only when a revision is written.
    """

    family: str
    kind: str
    onset: int
    ended: int | None
    level: int
    reason: str
    settled: int
    used: tuple[Bound, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    seen_until: int | None = None
    order_version: int | None = None
    zone_version: int | None = None
    beside: Callable[[], Mapping[str, Any]] | None = field(default=None, compare=False)
    part: str = ""  # tells findings of one family apart that are never one another: tests, windows, devices


@dataclass(slots=True)
class Hint:
    """Where the machine of a condition stands after everything known, so that news need no looking back.

    It holds for the stretch that begins at `stretch_from`; `last_event` is the newest event in it.
    """

    stretch_from: int | None = None
    last_event: int | None = None
    chain_from: int | None = None
    open_from: int | None = None
    steady: int = 0  # level of an open run that no contrary fix questions; 0: none

    def anchor(self, stretch_from: int, from_: int) -> int | None:
        """From where to fold again for news observed at `from_`; None where the hint does not tell."""
        if self.stretch_from != stretch_from or (self.last_event is not None and from_ <= self.last_event):
            return None
        if self.open_from is not None:
            return self.open_from
        return from_ if self.chain_from is None else min(self.chain_from, from_)


@dataclass(slots=True)
class Judged:
    """Intervals in the region [`from_`, `until`): the whole truth there, and nothing outside it changed.

    `due`: the next instant at which the answer may change without any news. `quiet`: a reading observed later
    that supports nothing changes nothing, while the machine is idle.
    """

    from_: int
    until: int = NEVER
    intervals: list[Interval] = field(default_factory=list)
    due: int | None = None
    quiet: int = ALWAYS
    told: list[Told] = field(default_factory=list)  # for the ledger of a condition about a zone

    def loud(self, until: int) -> None:
        """Something up to an instant supports a finding: later contrary readings may matter before it."""
        self.quiet = max(self.quiet, until)

    def fall_due(self, due: int | None, clock: int) -> None:
        """Notes a possible change ahead."""
        if due is not None and clock < due < NEVER and (self.due is None or due < self.due):
            self.due = due


class Settled(Protocol):
    """An interval that stands so far."""

    @property
    def onset(self) -> int: ...

    @property
    def settled(self) -> int: ...


class Rule(Protocol):
    """How one kind of condition is judged. Pure: the same case gives the same answer."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Condition kinds that the rule judges."""

    @property
    def by_time(self) -> bool:
        """Whether time alone may open something, without any reading."""

    @property
    def reads(self) -> frozenset[str]:
        """Reading kinds that the rule looks at; others cannot change its answer."""

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """Judges the term anew wherever readings observed in [from_, until] may matter."""


class Reaching(Protocol):
    """A rule for which readings matter to what lies well before or after them."""

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """What must be judged again for readings (None: for anything else) in [from_, until]; empty (from_ >
        until) where they do not matter."""


class Accompanied(Protocol):
    """A rule for which the readings of somebody else matter too: of whoever must be kept away from."""

    def beside(self, case: Case, term: Term, hint: Hint, news: Sequence[Bound] | None, from_: int,
               until: int) -> tuple[int, int]:
        """As Reaching.reach, for readings (None: for anything else) of the other person."""


class Skimming(Protocol):
    """A rule that can tell which readings matter before it judges, each by itself."""

    @property
    def apart(self) -> bool:
        """Whether a region that was judged needs no second look for other news observed within it."""

    def moving(self, case: Case, term: Term, hint: Hint, quiet: int, ledger: Ledger, bounds: Sequence[Bound],
               newest: bool) -> Sequence[Bound]:
        """Which of the readings that just came in may change something; a quick test, all where in doubt.
        `newest`: each was observed after everything known before it, so that it contradicts nothing."""


def bounds_of(*events: Event) -> tuple[Bound, ...]:
    """The readings behind events, each once, by time."""
    bounds = [b for e in events for b in (e.bound, e.beside) if b is not None]
    unique = {(b.reading.observed_at, b.reading.device, b.reading.kind): b for b in bounds}
    return tuple(bound for _, bound in sorted(unique.items()))


def arrived(bound: Bound) -> tuple[int, int]:
    """Sort key: what came in later is newer; of one arrival what was observed later."""
    return bound.received_at, bound.reading.observed_at


def rests_on(run: Run, confirm: int) -> tuple[Event, ...]:
    """How a run was confirmed, how sure it is, its last fix, the one that came in last, and its end."""
    newest = max(run.fixes, key=lambda event: max(arrived(b) for b in (event.bound, event.beside) if b is not None))
    return (*run.chain[:confirm], *run.strict, newest, run.last, *run.closers(confirm))


def distances(*events: Event) -> list[dict[str, Any]]:
    """What was compared for each fix, in metres, each once, by time."""
    unique = {(e.at, e.bound.reading.device, e.bound.reading.kind): e for e in events}
    return [{"observed_at": e.at, "distance_m": e.distance_m, "accuracy_m": e.accuracy_m,
             "method": e.bound.reading.method} for _, e in sorted(unique.items()) if e.shapes]
