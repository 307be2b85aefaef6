"""When an evaluator saves: soon after its work, and less often the longer saving takes.

A save of everybody at full load takes a second. Saved every two seconds, a backlog would be worked off at half the
speed; saved seldom, a restart has much to read again. So saving may take a share of the time, within bounds.
"""

from __future__ import annotations

from emon.limits import SNAPSHOT_EVERY_S, SNAPSHOT_MOST_S, SNAPSHOT_PAUSE


class Saving:
    """The times of one partition's saves, in seconds of any steady clock."""

    __slots__ = ("_ended_s", "_took_s")

    def __init__(self, now_s: float) -> None:
        self._ended_s, self._took_s = now_s, 0.0

    def is_due(self, now_s: float) -> bool:
        """Whether it is time for a save."""
        return now_s - self._ended_s >= min(SNAPSHOT_MOST_S, max(SNAPSHOT_EVERY_S, SNAPSHOT_PAUSE * self._took_s))

    def saved(self, began_s: float, ended_s: float) -> None:
        """A save went through."""
        self._ended_s, self._took_s = ended_s, ended_s - began_s
