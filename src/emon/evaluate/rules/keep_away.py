"""Keeping away from a protected person: the participant's fixes beside hers, judged as fixes at a border are.

Being certainly nearer than the distance supports a finding, being certainly further away speaks against it. Where
she was is never told: evidence carries distances, times and accuracies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emon.domain.instant import SECOND
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate import machine, pairs
from emon.evaluate.machine import FOR, Event, Run
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.rules.zones import Telling, chain_life, judge_runs, knobs, parameters, settled
from emon.evaluate.signals import Case
from emon.evaluate.subject import case_of, limits_of
from emon.evaluate.verdict import Hint, Interval, Judged, Settled, bounds_of, rests_on
from emon.journal.records import Bound


class KeepAway:
    """Kind keep_away, counted on the participant's fixes."""

    kinds = ("keep_away",)
    by_time = False
    reads = frozenset({"position"})

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """See verdict.Reaching: the instants of positions."""
        return (from_, until) if news is None else _positions(news, 0)

    def beside(self, case: Case, term: Term, hint: Hint, news: Sequence[Bound] | None, from_: int,
               until: int) -> tuple[int, int]:
        """See verdict.Accompanied: the participant's fixes that a fix of hers may be paired with."""
        reach = round(limits_of(term)["pair_s"] * SECOND)
        return (from_ - reach, until + reach) if news is None else _positions(news, reach)

    def still(self, case: Case, term: Term, hint: Hint, quiet: int, from_: int, until: int) -> bool:
        """Whether fixes in [from_, until] that are compared anew change nothing: none supports a finding, and nothing
        before them is open or may come back to life."""
        if hint.open_from is not None or hint.chain_from is not None or from_ <= quiet + chain_life(term):
            return False
        events = _events(case, term, from_, until)
        if any(event.sign == FOR for event in events):
            return False
        if events:
            hint.last_event = max(events[-1].at, events[-1].at if hint.last_event is None else hint.last_event)
        return True

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule."""
        low = max(from_, case.floor)
        stretches = [s for s in term.duty(low, case.clock) if s.from_ <= case.clock]
        return judge_runs(case, term, hint, old, from_, until, stretches,
                          Telling(lambda begin, end: _events(case, term, begin, end),
                                  lambda stretch, run: _interval(term, stretch, run)))


def _events(case: Case, term: Term, from_: int, until: int) -> list[Event]:
    hers = case_of(case, term)
    if hers is None:
        return []
    return pairs.pair_events(case, hers, term.condition.distance_m or 0.0, limits_of(term), from_, until)


def _positions(news: Sequence[Bound], reach: int) -> tuple[int, int]:
    instants = [b.reading.observed_at for b in news if b.reading.kind == "position"]
    return (min(instants) - reach, max(instants) + reach) if instants else (NEVER, ALWAYS)


def _interval(term: Term, stretch: Stretch, run: Run) -> Interval:
    reason = "too_close"
    if run.ended is not None:
        reason = stretch.reason if run.cut else "moved_away"
    confirm = knobs(term).confirm
    used = rests_on(run, confirm)
    limits = limits_of(term)
    told: dict[str, Any] = {**parameters(term), "distance_m": term.condition.distance_m, "pair_s": limits["pair_s"],
                            "unknown_speed_mps": limits["unknown_speed_mps"]}
    del told["buffer_m"]
    compared = {(e.at, e.bound.reading.device): pairs.described(e, limits) for e in used}
    level = machine.level(run, confirm)
    return Interval(
        family="keep_away", kind="keep_away", onset=run.onset, ended=run.ended, level=4 if level == 3 else level,
        reason=reason, settled=settled(run), used=bounds_of(*used),
        numbers={"parameters": told, "pairs": [pair for _, pair in sorted(compared.items())], "due": run.due},
        seen_until=run.last.at, order_version=term.piece_at(run.onset).order.version)
