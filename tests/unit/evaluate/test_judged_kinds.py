"""What orders are told to be judged is what there are rules for."""

from __future__ import annotations

from emon.domain.order import JUDGED_KINDS
from emon.evaluate.rules import RULE_OF_KIND


def test_every_kind_said_to_be_judged_has_a_rule_and_no_other() -> None:
    assert set(JUDGED_KINDS) == set(RULE_OF_KIND)
