"""What the console needs of the alerts stage. The two never import each other: whoever wires passes it in."""

from __future__ import annotations

from typing import Protocol

from emon.domain.alert import Command, Done, Refusal


class Commands(Protocol):
    """Carries out operators' commands; called from several threads."""

    def execute(self, alert_id: int, command: Command, *, key: str | None = None,
                expected: int | None = None) -> Done | Refusal:
        """`key`: the caller's idempotency key; `expected`: the version it saw. Raises Unavailable."""
