"""The only file that asks what time it is. Everything else takes `now` as an argument or a `Clock`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits. `now_us` is microseconds UTC."""

    def now_us(self) -> int:
        """The present instant."""

    async def sleep(self, seconds: float) -> None:
        """Waits so many of this clock's seconds."""


class SystemClock:
    """Real time."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ScaledClock:
    """Time that runs `speed` times as fast from `start_us` on: the demo's clock."""

    def __init__(self, start_us: int, speed: float, origin_ns: int | None = None) -> None:
        """`origin_ns`: the monotonic instant of `start_us`, the same for all processes of a machine."""
        self.start_us, self.speed = start_us, speed
        self.origin_ns = time.monotonic_ns() if origin_ns is None else origin_ns

    def now_us(self) -> int:
        return self.start_us + int((time.monotonic_ns() - self.origin_ns) / 1000 * self.speed)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits so many real seconds, but no longer than until `stop`."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def monotonic_ns() -> int:
    """Nanoseconds of the machine's clock that no one sets: the same in all its processes."""
    return time.monotonic_ns()


def monotonic_s() -> float:
    """Seconds for measuring durations."""
    return time.monotonic()
