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
from emon.evaluate.machine import Event, Run
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.rules.zones import Telling, judge_runs, knobs, parameters, settled
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

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule."""
        hers = case_of(case, term)
        limits, limit_m = limits_of(term), term.condition.distance_m or 0.0

        def events(begin: int, end: int) -> list[Event]:
            return [] if hers is None else pairs.pair_events(case, hers, limit_m, limits, begin, end)

        low = max(from_, case.floor)
        stretches = [s for s in term.duty(low, case.clock) if s.from_ <= case.clock]
        return judge_runs(case, term, hint, old, from_, until, stretches,
                          Telling(events, lambda stretch, run: _interval(term, stretch, run)))


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
