"""Three kinds of wrong have three mechanisms.

Bad data is a `Fault`: kept with its reason, counted, never fatal to the good data beside it.
A part that is away is `Unavailable`: retried with backoff, bounded. A bug is an assertion: the process
dies and restarts from its snapshot, because a swallowed exception in a rule is a missed breach.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(unsafe_hash=True)  # neither frozen nor slotted: context managers set an exception's traceback
class Fault(Exception):
    """Input that cannot be taken as it is.

    `code` is a stable snake_case word for programs and metrics, `detail` one clear sentence that names
    what is wrong, where in the value (`path`, e.g. `conditions[1].zone`) and what to do about it.
    """

    code: str
    detail: str
    path: str = ""

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.detail}"


class Unavailable(Exception):
    """A journal, store or channel is away for now; the caller retries or answers 503 with Retry-After."""


class Fenced(Exception):
    """Somebody newer holds this partition; what was worked out for it here must be thrown away."""
