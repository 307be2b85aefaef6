"""What a verdict names must be there: its participant, order and condition, which must be one about alcohol.

Orders are looked at as they are written, faulty or not: a verdict under an order with a fault of its own is not
also a verdict under an unknown order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emon.domain.verdict import Verdict
from emon.formats.suggest import did_you_mean


class Ordered:
    """What the orders among some documents demand of whom. `orders`: by id, the participants and the kinds of each
    condition that their versions name."""

    def __init__(self, unknown: str = "stands in none of the files") -> None:
        self._unknown = unknown
        self.orders: dict[str, tuple[set[str], dict[str, set[str]]]] = {}

    def add(self, value: dict[str, Any]) -> None:
        """Looks at a document of any type."""
        name = value.get("order")
        if "verdict" in value or not isinstance(name, str):
            return
        participants, conditions = self.orders.setdefault(name, (set(), {}))
        if isinstance(value.get("participant"), str):
            participants.add(value["participant"])
        listed = value.get("conditions")
        for condition in listed if isinstance(listed, list) else []:
            if isinstance(condition, dict) and isinstance(condition.get("id"), str):
                conditions.setdefault(condition["id"], set()).add(str(condition.get("kind")))

    def faults(self, verdict: Verdict) -> Iterator[tuple[str, str]]:
        """(key, reason) of each name that is wrong. What a void version leaves out is not wrong."""
        if verdict.void and not verdict.order:
            return
        if verdict.order not in self.orders:
            if verdict.order:
                yield "order", (f"order `{verdict.order}` {self._unknown}"
                                f"{did_you_mean(verdict.order, self.orders)}")
            return
        participants, conditions = self.orders[verdict.order]
        if verdict.participant and participants and verdict.participant not in participants:
            yield "participant", (f"order {verdict.order} is of {', '.join(sorted(participants))} and not of "
                                  f"`{verdict.participant}`{did_you_mean(verdict.participant, participants)}")
        if verdict.condition and verdict.condition not in conditions:
            hint = did_you_mean(verdict.condition, conditions)
            known = f"; known are {', '.join(conditions)}" if conditions else ""
            yield "condition", f"order {verdict.order} has no condition `{verdict.condition}`{hint or known}"
        elif verdict.condition and "alcohol" not in conditions[verdict.condition]:
            kinds = ", ".join(sorted(conditions[verdict.condition]))
            yield "condition", (f"condition {verdict.condition} of order {verdict.order} is of kind {kinds}: a verdict "
                                "is on alcohol alone")
