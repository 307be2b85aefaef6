"""One total order: effective instants, whole-second ticks, and what other partitions have heard.

Every arrival (a request body, a version, a tick) gets one instant, later than that of the arrival before it,
the same in all partitions. A tick stands at exactly its whole second: whatever was received at or after that
second comes after it, whichever partition of the raw log brings it first, so the first record of a new second
brings the tick along. Seconds without a tick of their own are filled in, as batch evaluation does. Where more
than `OWN_OUTAGE_GAP` is missing we were down: that is said right after the last thing that was known before,
and time goes on at the second that ended it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from emon.journal.port import READINGS, Entry
from emon.journal.records import HeardElsewhere, OwnOutage, Tick
from emon.limits import OWN_OUTAGE_GAP, TICK_EVERY
from emon.route.bind import Output, Placed
from emon.route.heads import BoundHead, Reading, encode

Heard = dict[str, list[HeardElsewhere]]


class Sequencer:
    """Where the total order stands. `last`: the newest effective instant given; `tick`: the newest tick."""

    def __init__(self, partitions: int, last: int = 0, tick: int | None = None) -> None:
        self._partitions, self.last, self.tick = partitions, last, tick
        self._heard: dict[tuple[int, ...], Heard] = {}  # since the last tick, by the partitions that have it themselves

    def stamp(self, received_at: int) -> int:
        """The effective instant of the next arrival."""
        self.last = max(received_at, self.last + 1)
        return self.last

    def ticks_up_to(self, instant: int) -> list[Entry]:
        """Ticks of all whole seconds that were not given yet, up to the effective instant of what was received
        at `instant`: nothing is told at or after a whole second before its tick."""
        instant = max(instant, self.last + 1)
        newest = instant - instant % TICK_EVERY
        if newest <= (self.tick or 0):
            return []
        if self.tick is None:
            return self._tick(newest)
        if newest - self.tick > OWN_OUTAGE_GAP:
            return [*self._outage(self.stamp(0), self.tick, newest), *self._tick(newest)]
        return [entry for due in range(self.tick + TICK_EVERY, newest + 1, TICK_EVERY)
                for entry in self._tick(due)]

    def hear(self, reading: Reading, partitions: Iterable[int], stamp: int) -> None:
        """Notes for the other partitions that this reading went to these, in the arrival of `stamp`."""
        if self._partitions > 1:
            told = tuple(partitions)
            by_feed = self._heard.get(told)
            if by_feed is None:
                by_feed = self._heard[told] = {}
            notes = by_feed.get(reading.feed)
            if notes is None:
                notes = by_feed[reading.feed] = []
            notes.append(HeardElsewhere(reading.device, reading.kind, reading.observed_at, stamp, reading.seq,
                                        reading.event, reading.test_id))

    def _elsewhere(self) -> list[Heard | None]:
        """For each partition what the others were given since this was asked last."""
        heard: list[Heard] = [{} for _ in range(self._partitions)]
        for told, by_feed in self._heard.items():
            for partition in {*range(self._partitions)}.difference(told):
                for feed, notes in by_feed.items():
                    heard[partition].setdefault(feed, []).extend(notes)
        self._heard = {}
        return [each or None for each in heard]

    def _outage(self, stamp: int, from_: int, to: int) -> list[Entry]:
        """We were down. What was heard right before counts at the end of its own second, not of this."""
        return arrival([Placed(p, "tick", OwnOutage(stamp, from_, to, heard=heard))
                        for p, heard in enumerate(self._elsewhere())])

    def _tick(self, instant: int) -> list[Entry]:
        """A tick; nothing where time has passed it already."""
        self.tick = instant
        if instant <= self.last:
            return []
        self.last = instant
        return [Entry(READINGS, "tick", encode(Tick(instant, heard)), partition)
                for partition, heard in enumerate(self._elsewhere())]


def arrival(placed: Sequence[Placed]) -> list[Entry]:
    """The entries of one arrival, its last record in each partition marked."""
    entries: list[Entry] = []
    marked: set[int] = set()
    for each in reversed(placed):
        partition, output = each.partition, each.output
        if partition not in marked:
            marked.add(partition)
            output = _last(output)
        entries.append(Entry(READINGS, each.key, encode(output), partition))
    entries.reverse()
    return entries


def _last(output: Output) -> Output:
    if isinstance(output, BoundHead):
        output.last = True  # ours alone until it is encoded
        return output
    return output if isinstance(output, Tick) else msgspec.structs.replace(output, last=True)
