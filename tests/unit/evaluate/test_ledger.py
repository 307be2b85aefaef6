"""The ledger never forgets a span in which readings matter because of what was found beside it."""

from __future__ import annotations

from emon.domain.instant import MINUTE
from emon.domain.versions import ALWAYS
from emon.evaluate.ledger import Ledger, Told


def test_a_run_that_touches_what_is_told_anew_stays_loud() -> None:
    ledger = Ledger(ALWAYS)
    at = [minute * MINUTE for minute in range(400)]
    ledger.tell(Told(at[100], at[220], [at[130], at[131], at[160], at[162]], [at[134], at[170]],
                     [(at[130], at[135]), (at[160], at[171])], 30 * MINUTE))
    ledger.tell(Told(at[125], at[150], [at[130]], [at[134]], [], 30 * MINUTE))
    assert not ledger.admits(at[166])
    assert not ledger.supports(at[166])
    assert ledger.admits(at[128])
