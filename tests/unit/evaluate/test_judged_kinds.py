"""Every kind of condition that may stand in an order has a rule."""

from __future__ import annotations

from emon.evaluate.orderbook import FACETS
from emon.evaluate.rules import RULE_OF_KIND
from emon.formats.conditions import KINDS


def test_every_kind_of_condition_is_judged_and_no_other() -> None:
    facets = {name for names in FACETS.values() for name in names}
    assert {*KINDS, *facets} == set(RULE_OF_KIND)
