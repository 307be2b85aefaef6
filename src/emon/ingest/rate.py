"""How much a feed may bring: a bucket that fills with time and that every reading takes from.

What a body holds is known only when it has been read, so a body is charged afterwards and may overdraw the
bucket; the feed then waits until it is filled again. A burst is thus never cut in the middle of a body.
"""

from __future__ import annotations

from emon.domain.instant import SECOND


class Bucket:
    """One feed's allowance."""

    __slots__ = ("_at", "_burst", "_left", "_per_s")

    def __init__(self, per_s: float, burst: float, now: int) -> None:
        self._per_s, self._burst, self._left, self._at = per_s, burst, burst, now

    def wait_s(self, now: int) -> float:
        """Seconds until the feed may send again; 0 where it may now."""
        self._left = min(self._burst, self._left + max(0, now - self._at) / SECOND * self._per_s)
        self._at = now
        return 0.0 if self._left > 0 else max(0.001, -self._left / self._per_s)

    def charge(self, readings: int) -> None:
        """Takes a body's readings out, one at least: an empty body costs us too."""
        self._left -= max(1, readings)
