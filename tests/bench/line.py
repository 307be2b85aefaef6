"""One line of the table: what was measured under which load, and what it is held against.

`per_cpu` is the figure over processor time instead of the wall's: on a machine that others use too it is the
one to compare. Floors are what the same machine does when it does nothing else, named by what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RATE, MILLISECONDS, KILOBYTES, SECONDS, MICROSECONDS = "/s", "ms", "kB", "s", "µs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A measured figure. `better`: on which side of the target it should lie; no target: a floor itself."""

    name: str
    workload: str
    figure: float
    unit: str
    target: float | None = None
    better: Literal["above", "below"] = "above"
    per_cpu: float | None = None
    floors: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    holds: bool = True
    """False where what came out was wrong, however fast."""

    @property
    def ok(self) -> bool | None:
        """Whether the target is met; None without one."""
        if not self.holds:
            return False
        if self.target is None:
            return None
        return self.figure >= self.target if self.better == "above" else self.figure <= self.target
