"""What orders are told to be judged is what there are rules for."""

from __future__ import annotations

from emon.domain.order import JUDGED_KINDS
from emon.evaluate.orderbook import FACETS
from emon.evaluate.rules import RULE_OF_KIND


def test_every_kind_said_to_be_judged_has_a_rule_and_no_other() -> None:
    facets = {name for names in FACETS.values() for name in names}
    assert {*JUDGED_KINDS, *facets} == set(RULE_OF_KIND)
