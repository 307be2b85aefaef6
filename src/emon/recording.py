"""What the pipeline took in and decided, written as files that `emon evaluate` reads.

The evaluator's input is the recording: readings with their effective `received_at`, own outages, and every
version with the instant at which it was taken in. An evaluation of the export up to `until` (manifest.json)
gives exactly the revisions of findings.ndjson, but for `recorded_at`.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import msgspec

from emon.domain import finding as findings
from emon.domain.instant import iso
from emon.formats import export as documents
from emon.journal.port import FINDINGS, ORDERS, READINGS, Journal, Record, TopicPartition
from emon.journal.records import (
    BindingVersion,
    Bound,
    InputRecord,
    OrderVersion,
    OwnOutage,
    Tick,
    VerdictVersion,
    ZoneVersion,
    decode_input,
    decode_orders,
    encode,
)

_BLOCK = 5_000  # records read at once
_COPIES = 20_000  # records of one instant: all versions of a start at once, a tick


async def export(journal: Journal, folder: Path) -> dict[str, int]:
    """Writes readings.ndjson, orders/*.json, zones.geojson, findings.ndjson and manifest.json; counts each."""
    (folder / "orders").mkdir(parents=True, exist_ok=True)
    versions = _Versions()
    readings, until = 0, 0
    with (folder / "readings.ndjson").open("wb") as out:
        async for record in _merged(journal, READINGS):
            until = max(until, record.received_at)
            line = _line(record)
            if line is None:
                versions.add(record)
            else:
                out.write(line)
                readings += isinstance(record, Bound)
    async for record in _zones_for_nobody(journal):
        versions.add(record)
    versions.write(folder)
    decided = await _findings(journal)
    (folder / "findings.ndjson").write_bytes(b"".join(line + b"\n" for line in decided))
    (folder / "manifest.json").write_bytes(msgspec.json.encode({"until": iso(until)}) + b"\n")
    return {"readings": readings, **versions.counts(), "findings' revisions": len(decided)}


async def _merged(journal: Journal, topic: str) -> AsyncIterator[InputRecord]:
    """All partitions in the order of effective arrival; what stands in several is given once."""
    streams = [_partition(journal, TopicPartition(topic, number)) for number in range(await journal.partitions(topic))]
    heap: list[tuple[int, int, InputRecord]] = []
    for index, stream in enumerate(streams):
        async for record in stream:
            heap.append((record.received_at, index, record))
            break
    heapq.heapify(heap)
    seen: dict[bytes, None] = {}  # copies of one instant stand beside each other: only the last few matter
    while heap:
        _, index, record = heapq.heappop(heap)
        if isinstance(record, Bound):
            yield record
        else:
            key = encode(record)
            if key not in seen:
                seen[key] = None
                if len(seen) > _COPIES:
                    del seen[next(iter(seen))]
                yield record
        async for following in streams[index]:
            heapq.heappush(heap, (following.received_at, index, following))
            break


async def _zones_for_nobody(journal: Journal) -> AsyncIterator[ZoneVersion]:
    """All zones that were published: what no order names is told to no evaluator, and belongs to the recording."""
    for number in range(await journal.partitions(ORDERS)):
        async for record in _records(journal, TopicPartition(ORDERS, number)):
            version = decode_orders(record.value)
            if isinstance(version, ZoneVersion):
                yield version


async def _partition(journal: Journal, position: TopicPartition) -> AsyncIterator[InputRecord]:
    async for record in _records(journal, position):
        decoded = decode_input(record.value)
        yield msgspec.structs.replace(decoded, heard=None) if isinstance(decoded, Tick | OwnOutage) else decoded


async def _records(journal: Journal, position: TopicPartition) -> AsyncIterator[Record]:
    offset = 0
    while block := await journal.read(position, offset, _BLOCK):
        for record in block:
            yield record
        offset = block[-1].offset + 1
        await asyncio.sleep(0)


def _line(record: InputRecord) -> bytes | None:
    match record:
        case Bound():
            document: dict[str, Any] = documents.reading_document(record.reading, record.received_at)
        case OwnOutage():
            document = {"v": 1, "kind": "own_outage", "from": iso(record.from_), "to": iso(record.to),
                        "received_at": iso(record.received_at)}
        case _:
            return None
    return msgspec.json.encode(document) + b"\n"


class _Versions:
    """Orders, zones, bindings and verdicts as they were taken in."""

    def __init__(self) -> None:
        self.orders: list[OrderVersion] = []
        self.zones: list[ZoneVersion] = []
        self.bindings: list[BindingVersion] = []
        self.verdicts: list[VerdictVersion] = []
        self._zones: set[bytes] = set()

    def add(self, record: InputRecord) -> None:
        match record:
            case OrderVersion():
                self.orders.append(record)
            case ZoneVersion(zone=zone):  # partitions are told when they need it: the first time counts
                said = encode(ZoneVersion(0, zone))
                if said not in self._zones:
                    self._zones.add(said)
                    self.zones.append(record)
            case BindingVersion():
                self.bindings.append(record)
            case VerdictVersion():
                self.verdicts.append(record)
            case _:
                pass

    def counts(self) -> dict[str, int]:
        return {"order versions": len(self.orders), "zone versions": len(self.zones),
                "verdict versions": len(self.verdicts)}

    def write(self, folder: Path) -> None:
        """Bindings that an order's shorthand made are left to that order."""
        names = {record.order.id for record in self.orders}
        own = [r for r in self.bindings if r.binding.id.rpartition(":")[0] not in names]
        replace = msgspec.structs.replace
        _write(folder / "orders" / "orders.json", (
            documents.order_document(replace(r.order, received_at=r.received_at)) for r in self.orders))
        if own:
            _write(folder / "orders" / "bindings.json", (
                documents.binding_document(replace(r.binding, received_at=r.received_at)) for r in own))
        if self.verdicts:
            _write(folder / "orders" / "verdicts.json", (
                documents.verdict_document(replace(r.verdict, received_at=r.received_at)) for r in self.verdicts))
        (folder / "zones.geojson").write_bytes(msgspec.json.format(msgspec.json.encode(documents.zone_collection(
            [replace(r.zone, received_at=r.received_at) for r in self.zones]))))


def _write(path: Path, items: Iterable[dict[str, Any]]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(list(items))))


async def _findings(journal: Journal) -> list[bytes]:
    """Each revision once, in the published order."""
    seen: dict[tuple[str, int], findings.Finding] = {}
    for number in range(await journal.partitions(FINDINGS)):
        async for record in _records(journal, TopicPartition(FINDINGS, number)):
            decoded = findings.decode(record.value)
            seen.setdefault((decoded.finding_id, decoded.revision), decoded)
    ordered = sorted(seen.values(), key=findings.publication_key)
    return [findings.encode(finding) for finding in ordered]
