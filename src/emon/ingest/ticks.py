"""The pipeline's clock: each whole second, one tick into every partition of the raw log.

All partitions get the same instant in one append. A second that could not be written is not made up for
later: while we take nothing in, time does not pass, and the router calls a long gap our own outage. A process
that was merely held up takes in all the same when it goes on: then enough ticks are written to say so, which
matters where a demo's clock runs so fast that half a second of ours is half a minute of its. Several ingest
processes may tick at once; the router takes each instant once.
"""

from __future__ import annotations

import asyncio

import structlog

from emon.clock import Clock, monotonic_s
from emon.domain.errors import Unavailable
from emon.domain.instant import SECOND
from emon.journal.port import RAW, Entry, Journal
from emon.journal.records import Tick, encode
from emon.limits import OWN_OUTAGE_GAP, TICK_EVERY

_STRIDE = OWN_OUTAGE_GAP // 2 // TICK_EVERY * TICK_EVERY  # the router fills in the seconds between

log = structlog.get_logger()


async def run(journal: Journal, clock: Clock, stop: asyncio.Event) -> None:
    """Ticks until `stop`."""
    partitions = await journal.partitions(RAW)
    last, last_s, away = 0, 0.0, False
    while not stop.is_set():
        now = clock.now_us()
        due = now - now % TICK_EVERY + TICK_EVERY
        await clock.sleep((due - now) / SECOND)
        due = max(due, clock.now_us() // TICK_EVERY * TICK_EVERY)
        if due <= last:
            continue  # woken a little early, or the clock was set back
        held_up = last > 0 and not away and monotonic_s() - last_s < OWN_OUTAGE_GAP / SECOND
        try:
            await journal.append([entry for instant in (between(last, due) if held_up else [due])
                                  for entry in tick_entries(instant, partitions)])
            away = False
        except Unavailable as error:
            if not away:
                log.warning("no tick: the journal is away", reason=str(error))
            away = True
        last, last_s = due, monotonic_s()


def between(last: int, due: int) -> list[int]:
    """Instants after `last`, up to `due`, near enough to one another to be no outage."""
    return [*range(last + OWN_OUTAGE_GAP, due, OWN_OUTAGE_GAP), due]


def tick_entries(instant: int, partitions: int) -> list[Entry]:
    """One tick for each partition of the raw log."""
    value = encode(Tick(instant))
    return [Entry(RAW, "tick", value, partition) for partition in range(partitions)]
