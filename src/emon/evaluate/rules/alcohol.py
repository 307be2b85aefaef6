"""The condition `alcohol`: breath tests and readings through the skin, each judged by rules of its own."""

from __future__ import annotations

from collections.abc import Sequence

from emon.evaluate.orderbook import Term
from emon.evaluate.rules import breath, transdermal
from emon.evaluate.signals import Case
from emon.evaluate.verdict import Hint, Judged, Settled
from emon.journal.records import Bound


class Alcohol:
    """Families breath, alcohol and alcohol_no_upload."""

    kinds = ("alcohol",)
    by_time = True
    reads = frozenset({"alcohol_breath", "alcohol_transdermal"})

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """See verdict.Reaching. A reading of another kind matters only to tests that did not come in."""
        if news is not None:
            tested = [b.reading.observed_at for b in news if b.reading.kind == "alcohol_breath"]
            worn = [b.reading.observed_at for b in news if b.reading.kind == transdermal.KIND]
            heard = max(b.reading.observed_at for b in news)
            if hint.open_from is not None and heard >= hint.open_from:
                tested += [hint.open_from, heard]
            spans = [breath.reach(case, terms, min(tested), max(tested))] if tested else []
            if worn:  # what waits for a confirmation or a window's end must be seen again, or its timer is forgotten
                spans.append((breath.reach(case, terms, min(worn), case.clock)[0], case.clock))
            return min((s[0] for s in spans), default=until), max((s[1] for s in spans), default=from_ - 1)
        if hint.open_from is not None:
            from_ = min(from_, hint.open_from)
        from_, until = breath.reach(case, terms, from_, until)
        return from_, max(until, case.clock)

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule."""
        limits = breath.limits_of(term)
        from_ = transdermal.anchor(case, term, limits, from_)
        judged = Judged(from_, min(until, case.clock) + 1)
        breath.judge(case, term, hint, from_, judged)
        transdermal.judge(case, term, limits, from_, judged)
        return judged
