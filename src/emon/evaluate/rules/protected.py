"""Whether a protected person's device still protects: a silence and a low battery of hers, under the condition that
tells somebody to keep away from her.

Her silence is never excused by an outage of a feed: whoever guards her must know.
"""

from __future__ import annotations

from collections.abc import Sequence

from emon.domain.instant import SECOND
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.devices import reach_of
from emon.evaluate.orderbook import Term
from emon.evaluate.rules.contact import Pace, judge_silences
from emon.evaluate.rules.integrity import Charges, charge_matters, judge_devices
from emon.evaluate.signals import Case
from emon.evaluate.subject import case_of, limits_of
from emon.evaluate.verdict import Hint, Judged, Settled
from emon.journal.records import Bound

_EMPTY = (NEVER, ALWAYS)


class ProtectedContact:
    """Kind protected_contact_lost: nothing heard of any device of hers."""

    kinds = ("protected_contact",)
    by_time = True
    reads: frozenset[str] = frozenset()

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """See verdict.Reaching: the participant's readings do not matter."""
        return (from_, until) if news is None else _EMPTY

    def beside(self, case: Case, term: Term, hint: Hint, news: Sequence[Bound] | None, from_: int,
               until: int) -> tuple[int, int]:
        """See verdict.Accompanied: any reading of hers."""
        return from_, until

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule."""
        hers = case_of(case, term)
        if hers is None:
            return Judged(from_, NEVER)
        return judge_silences(hers, term, pace_of(term), "protected_contact_lost", from_, until, tracked=False)


class ProtectedBattery:
    """Kind protected_battery, a finding of its own for each device of hers."""

    kinds = ("protected_battery",)
    by_time = False
    reads: frozenset[str] = frozenset()

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """See verdict.Reaching: the participant's readings do not matter."""
        return (from_, NEVER) if news is None else _EMPTY

    def beside(self, case: Case, term: Term, hint: Hint, news: Sequence[Bound] | None, from_: int,
               until: int) -> tuple[int, int]:
        """See verdict.Accompanied: from the first reading that says something about the battery on."""
        hers = case_of(case, term)
        if news is None or hers is None:
            return from_, NEVER
        charges = _charges(term)
        return reach_of(b for b in news if b.reading.kind == "status" and charge_matters(hers, hint, b, charges))

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule."""
        hers = case_of(case, term)
        if hers is None:
            return Judged(from_, NEVER)
        charges = _charges(term)
        return judge_devices(hers, term, hint, old, from_,
                             lambda device, said: device.battery(said, "protected_battery", charges))


def pace_of(term: Term) -> Pace:
    """How often she must be heard."""
    limits = limits_of(term)
    return Pace(round(limits["every_s"] * SECOND), round(limits["hold_s"] * SECOND))


def _charges(term: Term) -> Charges:
    limits = limits_of(term)
    return Charges(limits["battery_low"], limits["battery_critical"], limits["battery_charged"])
