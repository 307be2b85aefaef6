"""The machine that owns time for conditions about places: chains of fixes, hold, grace, and runs.

Events come in fold order from one stretch of duty in which the machine starts empty.

    IDLE  --supporting--> CHAIN  --confirm_fixes of them--> DUE  --the clock passes `due`--> RUN
      ^--- contrary ------'                                  |                                |
      ^--- contrary, observed up to and at `due` ------------'                                |
      ^--- `confirm_fixes` contrary ones, no supporting one between --------------------------'

Unsure events neither count nor break. Two fixes of a chain lie at most CHAIN_GAP apart until it is
confirmed; afterwards silence ends nothing. What falls due at or after the stretch's end never opens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from emon.domain.versions import NEVER
from emon.evaluate.geo import Shape
from emon.journal.records import Bound
from emon.limits import CHAIN_GAP

FOR, UNSURE, AGAINST = 1, 0, -1


class Event(NamedTuple):
    """What one reading says about one condition.

    `sign` and `strict_sign` (at three accuracies instead of one): FOR a finding, AGAINST it, or UNSURE.
    `shapes`: to whose borders a fix is measured; none for presence. `beside`: of a pair of fixes the other person's.
    """

    at: int
    sign: int
    strict_sign: int
    shapes: tuple[Shape, ...]
    accuracy_m: float | None
    bound: Bound
    zone_version: int | None = None
    beside: Bound | None = None

    @property
    def distance_m(self) -> float | None:
        """Signed metres to the nearest border, positive inside; None for presence."""
        lon, lat = self.bound.reading.lon, self.bound.reading.lat
        if lon is None or lat is None or not self.shapes:
            return None
        return max(shape.distance_of_one_m(lon, lat) for shape in self.shapes)


@dataclass(slots=True)
class Run:
    """A confirmed run. `ended` None: it lasts. `closing`: the contrary chain that ended it."""

    chain: list[Event]
    due: int
    last: Event
    ended: int | None = None
    cut: bool = False  # ended because the stretch did
    closing: list[Event] = field(default_factory=list)
    strict: list[Event] = field(default_factory=list)  # a chain of two at three accuracies, once there is one
    fixes: list[Event] = field(default_factory=list)  # supporting ones, all

    def closers(self, confirm: int) -> list[Event]:
        """The contrary fixes that ended the run, if any did."""
        return [] if self.ended is None or self.cut else self.closing[:confirm]

    @property
    def onset(self) -> int:
        """The first fix of the confirming chain."""
        return self.chain[0].at


class Knobs(NamedTuple):
    """How many fixes confirm, and hold and grace together in microseconds."""

    confirm: int
    delay: int


@dataclass(slots=True)
class Outcome:
    """Runs in order of time; `due`: when a confirmed chain will open; `chain_from`: first fix of a chain."""

    runs: list[Run]
    due: int | None = None
    chain_from: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is open at the end."""
        return self.chain_from is None and (not self.runs or self.runs[-1].ended is not None)


def fold(events: Iterable[Event], duty_from: int, duty_until: int, knobs: Knobs, clock: int) -> Outcome:
    """All runs that the events establish by `clock`. Events lie within the stretch and up to the clock."""
    runs: list[Run] = []
    run: Run | None = None
    chain: list[Event] = []
    due: int | None = None
    contrary_at: int | None = None
    for event in events:
        if run is None and due is not None and event.at > due:
            run = _open(chain, due)
            runs.append(run)
        if run is not None:
            if _extend(run, event, knobs.confirm):
                run, chain, due = None, [], None
        elif event.sign == AGAINST:
            chain, due, contrary_at = [], None, event.at
        elif event.sign == FOR:
            if chain and due is None and event.at - chain[-1].at > CHAIN_GAP:
                chain = []
            chain.append(event)
            if due is None and len(chain) >= knobs.confirm:
                due = max(event.at, max(chain[0].at, duty_from) + knobs.delay)
                if due == contrary_at:  # equal instants: the contrary one stands, whatever the fold order
                    chain, due = [], None
                elif due >= duty_until:
                    due = NEVER
    if run is None and due is not None and due <= clock:
        run = _open(chain, due)
        runs.append(run)
    if run is not None:
        if clock >= duty_until:
            run.ended, run.cut = duty_until, True
        return Outcome(runs)
    pending = due if due is not None and clock < due < duty_until else None
    return Outcome(runs, pending, chain[0].at if chain else None)


def _open(chain: list[Event], due: int) -> Run:
    run = Run(chain=chain, due=due, last=chain[-1])
    strict: list[Event] = []
    for event in chain:
        run.fixes.append(event)
        strict = _strict(run, strict, event)
    run.strict = strict
    return run


def _extend(run: Run, event: Event, confirm: int) -> bool:
    """Adds an event to a run; True when it ends the run."""
    run.strict = _strict(run, run.strict, event)
    if event.sign == FOR:
        run.last, run.closing = event, []
        run.fixes.append(event)
    elif event.sign == AGAINST:
        if run.closing and event.at - run.closing[-1].at > CHAIN_GAP:
            run.closing = []
        run.closing.append(event)
        if len(run.closing) >= confirm:
            run.ended = run.closing[0].at
            return True
    return False


def _strict(run: Run, strict: list[Event], event: Event) -> list[Event]:
    if len(strict) >= 2:
        return strict
    if event.strict_sign == AGAINST:
        return []
    if event.strict_sign == FOR:
        return [*strict, event] if strict and event.at - strict[-1].at <= CHAIN_GAP else [event]
    return strict


def level(run: Run, confirm: int) -> int:
    """3: two fixes in a chain at three accuracies; 1: a single fix was enough; else 2."""
    if len(run.strict) >= 2:
        return 3
    return 1 if confirm == 1 else 2
