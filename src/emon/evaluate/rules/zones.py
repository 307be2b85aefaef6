"""Exclusion and inclusion zones: being where an order forbids it, or not being where it demands it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from emon.domain import schedule
from emon.domain.instant import SECOND
from emon.domain.versions import NEVER
from emon.evaluate import machine
from emon.evaluate.ledger import Ledger, Told
from emon.evaluate.machine import AGAINST, FOR, Event, Knobs, Outcome, Run
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.signals import IN, OUT, Case, place_events, said_at
from emon.evaluate.verdict import Hint, Interval, Judged, Settled, bounds_of, distances, rests_on
from emon.journal.records import Bound
from emon.limits import ACCURACY_FACTOR, CHAIN_GAP, CONFIRM_FIXES, LOOK_AROUND


class Zones:
    """IN supports an exclusion_zone, OUT an inclusion_zone; the machine does the rest."""

    kinds = ("exclusion_zone", "inclusion_zone")
    by_time = False
    apart = True
    reads = frozenset({"position", "presence"})

    def moving(self, case: Case, term: Term, hint: Hint, quiet: int, ledger: Ledger, bounds: Sequence[Bound],
               newest: bool) -> Sequence[Bound]:
        """All but those that support nothing: after everything that ever did while the machine is empty, or
        wherever the ledger admits them. A chain that they break is still where the machine may begin again. And
        all but late ones that support something by themselves, which the ledger takes in."""
        if hint.open_from is not None or term.condition.windows:
            return bounds
        empty = hint.chain_from is None
        supports = IN if term.condition.kind == "exclusion_zone" else OUT
        last = hint.last_event
        quiet += 0 if newest else chain_life(term)
        moving = []
        for bound in bounds:
            at = bound.reading.observed_at
            if at < term.from_ or at >= term.until or not ((empty and at > quiet) or ledger.admits(at)):
                moving.append(bound)
                continue
            said = said_at(case, term, supports, at)
            if said > 0:
                late = last is not None and at < last
                if late and said == 1 and knobs(term).confirm >= 2 and ledger.supports(at):
                    quiet = max(quiet, at)
                    if hint.chain_from is None and ledger.fors[-1] == at and at >= (hint.stretch_from or at):
                        hint.chain_from, empty = at, False  # what broke this chain may be contradicted
                else:
                    moving.append(bound)
            elif said == AGAINST:
                last = at if last is None else max(last, at)
        if hint.stretch_from is not None:
            hint.last_event = last
        return moving

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule."""
        supports = IN if term.condition.kind == "exclusion_zone" else OUT
        stretches = zone_stretches(case, term, max(from_, case.floor), case.clock)
        return judge_runs(case, term, hint, old, from_, until, stretches, Telling(
            lambda begin, end: place_events(case, term, supports, begin, end),
            lambda stretch, run: _interval(case, term, stretch, run)))


class Telling(NamedTuple):
    """What a condition sees: `events` that say something in a span, both ends included, and how it words a run."""

    events: Callable[[int, int], list[Event]]
    interval: Callable[[Stretch, Run], Interval]


def judge_runs(case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int, until: int,
               stretches: Iterable[Stretch], telling: Telling) -> Judged:
    """The runs of a condition's machine wherever events in [from_, until] may matter, see verdict.Rule."""
    judged = Judged(from_)
    for stretch in stretches:
        begin = stretch.from_
        if begin < from_:
            begin = _anchor(case, telling, stretch, hint, old, from_)
        judged.from_ = min(judged.from_, begin)
        if _judge_span(case, term, telling, stretch, hint, old, begin, until, judged):
            break
        events = telling.events(begin, stretch.until - 1)
        outcome = machine.fold(events, stretch.from_, stretch.until, knobs(term), case.clock)
        judged.intervals += [telling.interval(stretch, run) for run in outcome.runs]
        if events or begin <= max(stretch.from_, case.floor) or hint.stretch_from == stretch.from_:
            note(judged, hint, stretch, outcome, events, term, case.clock)
        # else nothing is left from a run's onset on, and what came before it was not looked at
        judged.told.append(_told(term, begin, stretch.until, outcome, events))
    return judged


def _judge_span(case: Case, term: Term, telling: Telling, stretch: Stretch, hint: Hint, old: Sequence[Settled],
                begin: int, until: int, judged: Judged) -> bool:
    """Late news: judges only up to where the machine is empty again before the newest event, so that the
    rest stays as it is. False, and nothing done, where it is not."""
    last = hint.last_event
    if last is None or hint.stretch_from != stretch.from_ or (
            len(case.orders.by_condition(case.participant)[term.key]) > 1):
        return False
    high, step = max(until, stretch.from_) + LOOK_AROUND, 4 * LOOK_AROUND  # stretches before it are judged whole
    end = min(last, stretch.until)  # the newest event may lie in a later stretch, which is then judged too
    while high < end and (hint.open_from is None or high < hint.open_from):
        events = telling.events(begin, high)
        outcome = machine.fold(events, stretch.from_, stretch.until, knobs(term), high)
        if outcome.is_empty and not any(s.onset <= high <= s.settled for s in old):
            judged.until = high + 1
            judged.intervals += [telling.interval(stretch, run) for run in outcome.runs]
            loud(judged, outcome, events)
            judged.told.append(_told(term, begin, judged.until, outcome, events))
            return True
        high, step = high + step, step * 4
    return False


def knobs(term: Term) -> Knobs:
    """The condition's knobs with their defaults."""
    condition = term.condition
    confirm = CONFIRM_FIXES if condition.confirm_fixes is None else condition.confirm_fixes
    delay_s = (condition.hold_s or 0) + (condition.grace_s or 0)
    return Knobs(max(confirm, 1), round(delay_s * SECOND))


def chain_life(term: Term) -> int:
    """How long after its last fix a broken chain matters if the fix that broke it turns out not to count."""
    return max(CHAIN_GAP, knobs(term).delay)


def parameters(term: Term) -> dict[str, Any]:
    """The knobs as the evidence quotes them."""
    condition = term.condition
    return {"confirm_fixes": knobs(term).confirm, "hold_s": condition.hold_s or 0,
            "grace_s": condition.grace_s or 0, "buffer_m": condition.buffer_m or 0,
            "accuracy_factor": ACCURACY_FACTOR, "chain_gap_s": CHAIN_GAP // SECOND}


def _anchor(case: Case, telling: Telling, stretch: Stretch, hint: Hint, old: Sequence[Settled], from_: int) -> int:
    """The latest instant before which nothing depends on readings from `from_` on, where the machine of
    this stretch is empty: a run's first fix, or a contrary fix outside all runs."""
    known = hint.anchor(stretch.from_, from_)
    if known is not None:
        return max(known, stretch.from_)
    bottom = max(stretch.from_, case.floor)
    for run in old:
        if run.onset >= stretch.from_ and run.onset <= from_:
            if from_ <= run.settled:
                return run.onset
            bottom = max(bottom, min(run.settled, from_))
    step, top = LOOK_AROUND, from_ - 1
    while top >= bottom:
        low = max(top - step, bottom)
        contrary = [e.at for e in telling.events(low, top) if e.sign == AGAINST]
        if contrary:
            return contrary[-1]
        top, step = low - 1, step * 4
    return bottom


def note(judged: Judged, hint: Hint, stretch: Stretch, outcome: Outcome, events: Sequence[Event], term: Term,
         clock: int) -> None:
    """Keeps what the fold of a stretch left open."""
    run = outcome.runs[-1] if outcome.runs and outcome.runs[-1].ended is None else None
    judged.fall_due(outcome.due, clock)
    if run is not None:
        judged.fall_due(stretch.until, clock)
    if hint.stretch_from is None or stretch.from_ >= hint.stretch_from:  # the newest stretch is what it tells
        last_event = events[-1].at if events else None
        if hint.stretch_from == stretch.from_:
            last_event = max((t for t in (last_event, hint.last_event) if t is not None), default=None)
        hint.stretch_from, hint.last_event = stretch.from_, last_event
        hint.chain_from, hint.open_from = outcome.chain_from, run.onset if run else None
        hint.steady = machine.level(run, knobs(term).confirm) if run is not None and not run.closing else 0
    loud(judged, outcome, events)


def loud(judged: Judged, outcome: Outcome, events: Sequence[Event]) -> None:
    """Up to when something supports a finding."""
    for event in events:
        if event.sign == FOR:
            judged.loud(event.at)
    for each in outcome.runs:
        if each.ended is not None:
            judged.loud(settled(each))


def _told(term: Term, begin: int, end: int, outcome: Outcome, events: Sequence[Event]) -> Told:
    """What the ledger keeps of a fold: of contrary fixes the first after each supporting one."""
    fors: list[int] = []
    contrary: list[int] = []
    chained = False
    for event in events:
        if event.sign == FOR:
            fors.append(event.at)
            chained = True
        elif chained and event.sign == AGAINST:
            contrary.append(event.at)
            chained = False
    life = chain_life(term)
    loud = [(run.onset, settled(run)) for run in outcome.runs]
    if knobs(term).confirm < 2:
        loud += [(at, at + life) for at in fors]
    return Told(begin, end, fors, contrary, loud, life)


def zone_stretches(case: Case, term: Term, from_: int, until: int) -> list[Stretch]:
    """Stretches of duty that touch [from_, until], while the zone, if it is one, is in force."""
    duty = [s for s in term.duty(from_, until) if s.from_ <= until]
    if term.condition.zone is None:
        return duty
    spans = schedule.merge((s.from_, s.until) for s in case.orders.zone_spans(term.condition.zone))
    return [Stretch(a, b, stretch.reason if b == stretch.until else "order_ended") for stretch in duty
            for a, b in schedule.clip(spans, stretch.from_, stretch.until) if b >= from_ and a <= until]


def _interval(case: Case, term: Term, stretch: Stretch, run: Run) -> Interval:
    inside = term.condition.kind == "exclusion_zone"
    if run.ended is None:
        reason = "inside_zone" if inside else "outside_zone"
    elif run.cut:
        reason = stretch.reason
    else:
        reason = "left_zone" if inside else "returned"
    confirm = knobs(term).confirm
    used = rests_on(run, confirm)
    numbers = {"parameters": parameters(term), "fixes": distances(*used), "due": run.due}
    return Interval(
        family=term.condition.kind, kind=term.condition.kind, onset=run.onset, ended=run.ended,
        level=machine.level(run, confirm), reason=reason, settled=settled(run), used=bounds_of(*used),
        numbers=numbers, seen_until=run.last.at,
        order_version=term.piece_at(run.onset).order.version,
        zone_version=run.chain[0].zone_version)


def settled(run: Run) -> int:
    """The instant after which nothing that is observed touches the run."""
    if run.ended is None:
        return NEVER
    return run.ended if run.cut else run.closing[-1].at
