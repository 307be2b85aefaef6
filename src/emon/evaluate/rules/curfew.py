"""Curfew: being at one of the places during stretches of duty.

OUT supports. A stretch begins with an empty machine: what was seen before it only says how the participant
came into it (left or late, and whether an absence began with it). What a stretch ends with is settled by its
end: absent all along, or unknown for too long to say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from emon.domain.instant import SECOND
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate import machine
from emon.evaluate.ledger import Ledger
from emon.evaluate.machine import AGAINST, FOR, Event, Run
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.rules import accumulated
from emon.evaluate.rules.zones import chain_life, knobs, note, parameters, settled
from emon.evaluate.signals import OUT, Case, place_events, said_at
from emon.evaluate.verdict import Hint, Interval, Judged, Settled, bounds_of, distances, rests_on
from emon.journal.records import Bound
from emon.limits import ABSENT_GAP, STATE_BEFORE_START


class Curfew:
    """Kinds curfew_left, curfew_late, curfew_absent of one family."""

    kinds = ("curfew",)
    by_time = False
    apart = False  # a fix of one stretch tells how the next one began
    reads = frozenset({"position", "presence"})

    def moving(self, case: Case, term: Term, hint: Hint, quiet: int, ledger: Ledger, bounds: Sequence[Bound],
               newest: bool) -> Sequence[Bound]:
        """As for zones; what is observed off duty tells only how somebody came into a stretch, and no stretch
        since `quiet` has a run that would ask."""
        if hint.chain_from is not None or hint.open_from is not None or (
                term.condition.allowance_s_per_week is not None):
            return bounds
        quiet += 0 if newest else chain_life(term)
        moving = []
        for bound in bounds:
            at = bound.reading.observed_at
            outside = at <= quiet or at < term.from_ or at >= term.until
            if outside or (any(s.from_ <= at < s.until for s in term.duty(at, at))
                           and said_at(case, term, OUT, at) > 0):
                moving.append(bound)
        return moving

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule. Stretches are independent: only those that the news touches are judged."""
        adds_up = term.condition.allowance_s_per_week is not None
        if adds_up:
            from_, until = accumulated.reach(case, term, from_), case.clock
        top = min(until + STATE_BEFORE_START, case.clock)
        touched = [s for s in term.duty(max(from_, case.floor), top) if s.from_ <= top]
        judged = Judged(from_, from_)
        for stretch in touched:
            self._judge(case, term, stretch, hint, old, from_, judged)
            judged.from_ = min(judged.from_, max(stretch.from_, case.floor))
            judged.until = max(judged.until, stretch.until)
        if adds_up:
            accumulated.add_up(case, term, from_, judged)
        return judged

    def _judge(self, case: Case, term: Term, stretch: Stretch, hint: Hint, old: Sequence[Settled],
               from_: int, judged: Judged) -> None:
        begin = max(stretch.from_, case.floor)
        events = place_events(case, term, OUT, begin, stretch.until - 1)
        outcome = machine.fold(events, stretch.from_, stretch.until, knobs(term), case.clock)
        if outcome.runs:
            before = _before(case, term, stretch)
            judged.intervals += [_interval(term, stretch, run, before, events) for run in outcome.runs]
        note(judged, hint, stretch, outcome, events, term, case.clock)


def _before(case: Case, term: Term, stretch: Stretch) -> Event | None:
    """The last deciding fix before the stretch, where it is fresh enough to say anything."""
    if stretch.from_ == ALWAYS:
        return None
    events = place_events(case, term, OUT, stretch.from_ - STATE_BEFORE_START, stretch.from_ - 1)
    return events[-1] if events else None


def _interval(term: Term, stretch: Stretch, run: Run, before: Event | None, events: list[Event]) -> Interval:
    seen_home = [e for e in events if e.sign == AGAINST and e.at <= run.onset and not _after(e, run, events)]
    out_from_start = before is not None and before.sign == FOR and not seen_home
    onset = stretch.from_ if out_from_start else run.onset
    witness = seen_home[-1] if seen_home else before
    left = witness is not None and witness.sign == AGAINST
    kind, reason = "curfew_left" if left else "curfew_late", "away"
    numbers: dict[str, Any] = {}
    if run.cut:
        kind, reason, numbers = _at_the_end(stretch, run, kind, onset, events)
    elif run.ended is not None:
        reason = "returned"
    confirm = knobs(term).confirm
    used = (*([] if witness is None else [witness]), *rests_on(run, confirm))
    numbers = {"parameters": parameters(term), "fixes": distances(*used), "due": run.due,
               "window_from_at": stretch.from_, "window_until_at": stretch.until, **numbers}
    if stretch.from_ == ALWAYS:
        del numbers["window_from_at"]
    if stretch.until == NEVER:
        del numbers["window_until_at"]
    return Interval(
        family="curfew", kind=kind, onset=onset, ended=run.ended, level=machine.level(run, confirm),
        reason=reason, settled=settled(run), used=bounds_of(*used),
        numbers=numbers, seen_until=run.last.at,
        order_version=term.piece_at(onset).order.version)


def _after(event: Event, run: Run, events: list[Event]) -> bool:
    """Whether an event of the onset's instant comes after the onset in fold order."""
    return event.at == run.onset and events.index(event) > events.index(run.chain[0])


def _at_the_end(stretch: Stretch, run: Run, kind: str, onset: int,
                events: list[Event]) -> tuple[str, str, dict[str, Any]]:
    """Kind, reason and observed seconds of a run that lasts to the stretch's end."""
    never_home = all(e.sign != AGAINST for e in events)
    begin = stretch.from_ if kind == "curfew_late" and stretch.from_ != ALWAYS else onset
    marks = [begin, *(e.at for e in events if e.sign == FOR and begin <= e.at), stretch.until]
    gaps = [b - a for a, b in pairwise(marks)]
    unobserved = sum(gap for gap in gaps if gap > ABSENT_GAP)
    seconds = {"observed_s": (sum(gaps) - unobserved) // SECOND, "unobserved_s": unobserved // SECOND}
    reason = stretch.reason
    if unobserved:
        return kind, "unknown_after" if reason == "window_ended" else reason, seconds
    return "curfew_absent" if kind == "curfew_late" and never_home else kind, reason, seconds


