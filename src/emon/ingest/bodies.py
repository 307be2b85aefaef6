"""Bodies on their way in, and the records that they become. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from emon.domain.errors import Fault
from emon.domain.reading import Reading
from emon.formats.native import check_ahead
from emon.ingest.duplicates import digest
from emon.journal.port import RAW, REJECTED, Entry, partition_of
from emon.journal.records import RawReading, RawRejected, encode

_stamped = msgspec.structs.replace


class Understood(msgspec.Struct, frozen=True, gc=False):
    """A slice of a body: its place in it, its bytes, and what it says."""

    place: int
    raw: bytes
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class Refused:
    """A slice, or one reading of it, that was not taken."""

    index: int
    reason: str
    detail: str
    raw: bytes


@dataclass(slots=True, eq=False)
class Body:
    """One request on its way. Sandbox bodies are judged like all others, and leave no trace."""

    feed: str
    received_at: int
    understood: Sequence[Understood]
    refused: list[Refused]
    sandbox: bool = False
    accepted: int = 0
    duplicates: int = 0

    def size(self) -> int:
        """How many readings were understood or refused."""
        return sum(len(part.readings) for part in self.understood) + len(self.refused)


class New(msgspec.Struct, frozen=True, gc=False):
    """A reading that may be taken. `mark`: its digest."""

    body: Body
    raw: bytes
    reading: Reading
    mark: int


def judged(bodies: Iterable[Body], owners: Mapping[str, str]) -> list[New]:
    """Readings that may be taken, stamped; the others join their body's `refused`. `owners`: whose a device
    is that may be another feed's."""
    taken: list[New] = []
    for body in bodies:
        feed, received_at = body.feed, body.received_at
        for part in body.understood:
            for reading in part.readings:
                if reading.observed_at > received_at or owners.get(reading.device, feed) != feed:  # hardly any
                    refusal = _refusal(body, reading, owners)
                    if refusal is not None:
                        body.refused.append(Refused(part.place, refusal.code, refusal.detail, part.raw))
                        continue
                mark = digest(reading)  # of the unstamped one: there is less to leave out
                taken.append(New(body, part.raw, _stamped(reading, received_at=received_at, feed=feed), mark))
    return taken


def _refusal(body: Body, reading: Reading, owners: Mapping[str, str]) -> Fault | None:
    if owners.get(reading.device, body.feed) != body.feed:
        return Fault("device_of_another_feed", f"device {reading.device!r:.80} belongs to another feed: "
                     "a binding that names this feed moves it")
    try:
        check_ahead(reading.observed_at, body.received_at)
    except Fault as fault:
        return fault
    return None


def raw_entries(fresh: Sequence[New], batches: Mapping[Body, str], partitions: int) -> list[Entry]:
    """The records of accepted readings, of each body beside one another; a body's last one in each partition is
    marked.

    `batches`: the name of each body that counts; sandbox bodies have none.
    """
    entries: list[Entry] = []
    marked: set[int] = set()  # partitions that have the last one of the body
    body: Body | None = None
    batch: str | None = None
    for new in reversed(fresh):
        if new.body is not body:
            body = new.body
            batch = batches.get(body)
            marked.clear()
        if batch is None:
            continue
        device = new.reading.device
        partition = partition_of(device, partitions) if partitions > 1 else 0
        text, is_base64 = _text(new.raw)
        record = RawReading(body.feed, body.received_at, new.reading, text, batch, is_base64,
                            partition not in marked)
        marked.add(partition)
        entries.append(Entry(RAW, device, encode(record), partition))
    entries.reverse()
    return entries


def rejected_entries(group: Iterable[Body]) -> list[Entry]:
    """The records of slices that were not taken, with their reasons."""
    entries = []
    for body in group:
        if not body.sandbox:
            for refused in body.refused:
                text, is_base64 = _text(refused.raw)
                entries.append(Entry(REJECTED, body.feed, encode(RawRejected(
                    body.feed, body.received_at, refused.reason, refused.detail, text, is_base64,
                    refused.index))))
    return entries


def _text(raw: bytes) -> tuple[str, bool]:
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(raw).decode(), True
