"""The pipeline's clock: each whole second, one tick into every partition of the raw log.

All partitions get the same instant in one append. A second that could not be written is not made up for
later: while we take nothing in, time does not pass, and the router calls a long gap our own outage. Only a
clock that runs faster than life skips seconds without our being away: those are filled in. Several ingest
processes may tick at once; the router takes each instant once.
"""

from __future__ import annotations

import asyncio

import structlog

from emon.clock import Clock, monotonic_s
from emon.domain.errors import Unavailable
from emon.journal.port import RAW, Entry, Journal
from emon.journal.records import Tick, encode
from emon.limits import OWN_OUTAGE_GAP, TICK_EVERY

_STRIDE = OWN_OUTAGE_GAP // 2 // TICK_EVERY * TICK_EVERY  # the router fills in the seconds between

log = structlog.get_logger()


async def run(journal: Journal, clock: Clock, stop: asyncio.Event) -> None:
    """Ticks until `stop`."""
    partitions = await journal.partitions(RAW)
    away, last, ticked_s = False, 0, monotonic_s()
    while not stop.is_set():
        now = clock.now_us()
        due = now - now % TICK_EVERY + TICK_EVERY
        await clock.sleep((due - now) / 1e6)
        due = max(due, clock.now_us() // TICK_EVERY * TICK_EVERY)  # after a stall only the newest second
        if due <= last:
            continue  # woken a little early, or the clock was set back
        was_up = not away and (monotonic_s() - ticked_s) * 1e6 < OWN_OUTAGE_GAP
        instants = [*range(last + _STRIDE, due, _STRIDE), due] if last and was_up else [due]
        last = due
        try:
            await journal.append([entry for each in instants for entry in tick_entries(each, partitions)])
            away, ticked_s = False, monotonic_s()
        except Unavailable as error:
            if not away:
                log.warning("no tick: the journal is away", reason=str(error))
            away = True


def tick_entries(instant: int, partitions: int) -> list[Entry]:
    """One tick for each partition of the raw log."""
    value = encode(Tick(instant))
    return [Entry(RAW, "tick", value, partition) for partition in range(partitions)]
