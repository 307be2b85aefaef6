"""Each device's readings, kept so that they can be sent again when it turns out whose they are.

The newest readings of a device wait in memory until they fill a chunk or grow old; chunks go to the store
with the position from which the raw log must be read again to have the rest. A reading may stand in two
chunks after a crash: whoever reads drops the second.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from emon.limits import CHUNK_AGE, CHUNK_READINGS
from emon.route.heads import Reading, reading_of
from emon.store.ingest import DeviceChunk

_QUICK = 1  # zlib level: four fifths of what level 6 saves for a third of its time


@dataclass(slots=True)
class Tail:
    """Readings of one device that no chunk in the store holds yet."""

    device: str
    partition: int
    offset: int
    since: int
    lines: list[bytes] = field(default_factory=list)
    first_observed_at: int = 1 << 62
    last_observed_at: int = -(1 << 62)
    last_received_at: int = 0


class DeviceHistory:
    """What the store does not hold yet. `offsets`: by raw partition, the next record to be read."""

    def __init__(self, offsets: dict[int, int]) -> None:
        self._next = dict(offsets)
        self._tails: dict[str, Tail] = {}
        self._full: dict[str, None] = {}
        self._cut: list[Tail] = []

    def add(self, reading: Reading) -> None:
        """A reading from the raw log; one that was read before changes nothing."""
        if reading.offset < self._next.get(reading.partition, 0):
            return
        self._next[reading.partition] = reading.offset + 1
        tail = self._tails.get(reading.device)
        if tail is None:
            tail = self._tails[reading.device] = Tail(reading.device, reading.partition, reading.offset,
                                                      reading.received_at)
        tail.lines.append(bytes(reading.line))
        observed_at = reading.observed_at
        if observed_at < tail.first_observed_at:
            tail.first_observed_at = observed_at
        if observed_at > tail.last_observed_at:
            tail.last_observed_at = observed_at
        if reading.received_at > tail.last_received_at:
            tail.last_received_at = reading.received_at
        if len(tail.lines) == CHUNK_READINGS:
            self._full[reading.device] = None

    def cut(self, now: int, *, old: bool) -> list[Tail]:
        """What is to be written as chunks, earlier cuts that were not `written` included. `old`: look through all
        devices for readings that have waited long enough."""
        due = dict(self._full)
        if old:
            due |= {device: None for device, tail in self._tails.items() if now - tail.since >= CHUNK_AGE}
        self._full = {}
        for device in due:
            self._cut.append(self._tails.pop(device))
        return list(self._cut)

    def positions(self) -> dict[int, int]:
        """By raw partition, from where the log must be read again once the cut chunks are written."""
        positions = dict(self._next)
        for tail in self._tails.values():
            positions[tail.partition] = min(positions[tail.partition], tail.offset)
        return positions

    def written(self) -> None:
        """The cut chunks are in the store."""
        self._cut = []

    def cut_devices(self) -> set[str]:
        """Devices of chunks that may not be in the store yet."""
        return {tail.device for tail in self._cut}

    def lines(self, device: str) -> Iterator[bytes]:
        """Readings of a device that the store does not hold yet."""
        for tail in self._cut:
            if tail.device == device:
                yield from tail.lines
        if device in self._tails:
            yield from self._tails[device].lines


def packed(tail: Tail) -> DeviceChunk:
    """A tail that was cut, as it goes into the store. Some 50 µs: for a thread, when thousands grow old at once."""
    return DeviceChunk(tail.device, tail.first_observed_at, tail.last_observed_at, tail.last_received_at,
                       len(tail.lines), zlib.compress(b"\n".join(tail.lines), _QUICK))


def again(chunks: Iterable[DeviceChunk], lines: Iterable[bytes], from_: int, until: int) -> list[Reading]:
    """Readings observed in [from, until), each once, in the order in which they arrived."""
    every = [line for chunk in chunks for line in zlib.decompress(chunk.payload).split(b"\n")]
    readings = (reading_of(line) for line in dict.fromkeys([*every, *lines]))
    return [reading for reading in readings if from_ <= reading.observed_at < until]
