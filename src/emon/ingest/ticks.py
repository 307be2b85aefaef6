"""The pipeline's clock: each whole second, one tick into every partition of the raw log.

All partitions get the same instant in one append. A second that could not be written is not made up for
later: while we take nothing in, time does not pass, and the router calls a long gap our own outage. A process
that was merely held up takes in all the same when it goes on: then enough ticks are written to say so, which
matters where a demo's clock runs so fast that half a second of ours is half a minute of its. Several ingest
processes may tick at once; the router takes each instant once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from emon.clock import Clock, monotonic_s
from emon.domain.errors import Unavailable
from emon.domain.instant import SECOND
from emon.journal.port import RAW, Entry, Journal
from emon.journal.records import Tick, encode
from emon.limits import OWN_OUTAGE_GAP, TICK_EVERY

log = structlog.get_logger()


class Ticker:
    """What this process has ticked last: shared by the loop that ticks and the intake, which may wake first
    after both were held up."""

    def __init__(self) -> None:
        self._last, self._last_s, self._away = 0, 0.0, False

    def missing(self, instant: int) -> list[int]:
        """Ticks to write before whatever is received at `instant`, so that being held up is no outage."""
        due = instant // TICK_EVERY * TICK_EVERY
        held_up = self._last and not self._away and monotonic_s() - self._last_s < OWN_OUTAGE_GAP / SECOND
        return between(self._last, due) if held_up and due > self._last else []

    def ticked(self, instant: int) -> None:
        """The journal has the tick of `instant`."""
        self._last, self._last_s, self._away = max(self._last, instant), monotonic_s(), False

    def failed(self) -> None:
        """The journal took no tick: a gap from now on is an outage."""
        self._away = True


async def run(journal: Journal, clock: Clock, stop: asyncio.Event, ticker: Ticker | None = None) -> None:
    """Ticks until `stop`."""
    ticker = ticker or Ticker()
    partitions = await journal.partitions(RAW)
    last, away = 0, False
    while not stop.is_set():
        now = clock.now_us()
        due = now - now % TICK_EVERY + TICK_EVERY
        await clock.sleep((due - now) / SECOND)
        due = max(due, clock.now_us() // TICK_EVERY * TICK_EVERY)
        if due <= last:
            continue  # woken a little early, or the clock was set back
        last = due
        try:
            await journal.append(tick_entries(ticker.missing(due) or [due], partitions))
            ticker.ticked(due)
            away = False
        except Unavailable as error:
            if not away:
                log.warning("no tick: the journal is away", reason=str(error))
            ticker.failed()
            away = True


def between(last: int, due: int) -> list[int]:
    """Instants after `last`, up to `due`, near enough to one another to be no outage."""
    return [*range(last + OWN_OUTAGE_GAP, due, OWN_OUTAGE_GAP), due]


def tick_entries(instants: Sequence[int], partitions: int) -> list[Entry]:
    """The ticks of these instants for each partition of the raw log."""
    return [Entry(RAW, "tick", value, partition) for value in (encode(Tick(instant)) for instant in instants)
            for partition in range(partitions)]
