"""Orders, zones, bindings, verdicts and people onto emon.orders: durable, each version once.

The key of a record is its kind, id and version, so compaction erases nothing but repetitions, and a version
is never edited: the same number with another content is refused. An order's `devices` are written out as
bindings too, also what its later versions drop, for whoever looks bindings up; a copy of every binding
goes to emon.raw, where whoever reads a device's log finds it beside the readings.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from emon.domain.binding import Binding
from emon.domain.binding_book import BindingBook, Conflict, bindings_of
from emon.domain.errors import Fault
from emon.domain.order import Order
from emon.domain.person import Person
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone
from emon.journal.port import ORDERS, RAW, Entry, Journal, TopicPartition
from emon.journal.records import (
    BindingVersion,
    OrdersRecord,
    OrderVersion,
    PersonVersion,
    VerdictVersion,
    ZoneVersion,
    decode_orders,
    encode,
)

Document = Order | Zone | Binding | Verdict | Person

_AT_ONCE = 1_000
_canonical = msgspec.json.Encoder(order="deterministic").encode


class Published(NamedTuple):
    """What a publication did: documents that are new, how many were known, and devices now disputed."""

    new: Sequence[Document]
    known: int
    pending: Sequence[Conflict]


class _Place(NamedTuple):
    """Where a version stands, and what it says."""

    digest: bytes
    position: TopicPartition
    offset: int


async def publish(journal: Journal, documents: Iterable[Document], *, now: int = 0) -> Published:
    """Puts documents on emon.orders; durable when it returns. `now`: the instant of arrival (0: before
    everything, as for files that are there at the start). Raises Fault `version_conflict` with nothing
    written, Unavailable."""
    return await OrderLog(journal).publish(documents, now=now)


class OrderLog:
    """What stands on emon.orders, followed from its beginning. One publication at a time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._places: dict[tuple[str, str, int], _Place] = {}
        self._offsets: dict[int, int] = {}
        self._book = BindingBook()
        self._lock = asyncio.Lock()

    async def publish(self, documents: Iterable[Document], *, now: int) -> Published:
        """As the function of that name."""
        async with self._lock:
            await self._follow()
            together = list(documents)
            given = [await self._named(document, together) for document in together]
            new = self._news(given)
            written = self._news([*new, *await self._expanded(new)])
            if written:
                await self._journal.append([e for document in written for e in _entries(document, now)])
                await self._follow()
            devices = {binding.device for binding in written if isinstance(binding, Binding)}
            return Published(new, len(given) - len(new),
                             [conflict for conflict in self._book.conflicts if conflict.device in devices])

    async def versions(self, kind: type[Document], name: str | None = None) -> Sequence[Document]:
        """All versions of a kind, or of one object, by id and version. Raises Unavailable."""
        async with self._lock:
            await self._follow()
            return await self._versions(kind, name)

    async def pending(self) -> list[Conflict]:
        """Devices that are bound to two people at one instant. Raises Unavailable."""
        async with self._lock:
            await self._follow()
            return self._book.conflicts

    def _news(self, documents: Iterable[Document]) -> Sequence[Document]:
        """Documents that are not written yet, each once. Raises Fault `version_conflict`."""
        news: dict[tuple[str, str, int], Document] = {}
        for document in documents:
            key = _key(document)
            place = self._places.get(key)
            known = _digest(news[key]) if key in news else place.digest if place is not None else None
            if known is None:
                news[key] = document
            elif known != _digest(document):
                raise Fault("version_conflict", f"{key[0].lower()} {document.id} version {document.version} "
                            "stands with another content: a changed version needs the next number")
        return list(news.values())

    async def _named(self, document: Document, together: Sequence[Document]) -> Document:
        """A void version may leave out whom it concerns: the object's other versions say it, also those that come
        `together` with it. Raises Fault."""
        missing = {Order: "participant", Binding: "device", Verdict: "participant"}.get(type(document))
        if missing is None or getattr(document, missing):
            return document
        for other in (*await self._versions(type(document), document.id), *together):
            if _same_object(other, document) and getattr(other, missing):
                return msgspec.structs.replace(document, **{missing: getattr(other, missing)})
        raise Fault("missing_field", f"`{missing}` is missing in {document.id}, and no other version has it")

    async def _expanded(self, new: Iterable[Document]) -> Sequence[Binding]:
        """Bindings that new orders bring, judged with all versions of the same orders."""
        orders = [document for document in new if isinstance(document, Order)]
        for name in {order.id for order in orders}:
            orders += [each for each in await self._versions(Order, name) if isinstance(each, Order)]
        return bindings_of(orders)

    async def _versions(self, kind: type[Document], name: str | None) -> Sequence[Document]:
        wanted = sorted((key, place) for key, place in self._places.items()
                        if key[0] == kind.__name__ and name in (None, key[1]))
        return [await self._read(place) for _, place in wanted]

    async def _read(self, place: _Place) -> Document:
        records = await self._journal.read(place.position, place.offset, 1)
        return _document(decode_orders(records[0].value))

    async def _follow(self) -> None:
        """Takes in what was written since."""
        for partition, end in (await self._journal.end_offsets(ORDERS)).items():
            position = TopicPartition(ORDERS, partition)
            while self._offsets.get(partition, 0) < end and (records := await self._journal.read(
                    position, self._offsets.get(partition, 0), _AT_ONCE)):
                for record in records:
                    document = _document(decode_orders(record.value))
                    self._places.setdefault(
                        _key(document), _Place(_digest(document), position, record.offset))
                    if isinstance(document, Binding):
                        self._book.add(document)
                self._offsets[partition] = records[-1].offset + 1


def _same_object(one: Document, other: Document) -> bool:
    return type(one) is type(other) and one.id == other.id


def _key(document: Document) -> tuple[str, str, int]:
    return (type(document).__name__, document.id, document.version)


def _digest(document: Document) -> bytes:
    """What a version says, without when it arrived."""
    bare = msgspec.structs.replace(document, received_at=None)
    if isinstance(bare, Order):
        bare = msgspec.structs.replace(bare, devices=tuple(
            msgspec.structs.replace(device, received_at=None) for device in bare.devices))
    return hashlib.sha256(_canonical(bare)).digest()


def _document(record: OrdersRecord) -> Document:
    match record:
        case OrderVersion():
            return record.order
        case ZoneVersion():
            return record.zone
        case BindingVersion():
            return record.binding
        case VerdictVersion():
            return record.verdict
        case PersonVersion():
            return record.person


def _entries(document: Document, now: int) -> list[Entry]:
    kind, name, version = _key(document)
    key = f"{kind.lower()}:{name}:{version}"
    match document:
        case Order():
            return [Entry(ORDERS, key, encode(OrderVersion(now, document, True)))]
        case Zone():
            return [Entry(ORDERS, key, encode(ZoneVersion(now, document, True)))]
        case Verdict():
            return [Entry(ORDERS, key, encode(VerdictVersion(now, document, True)))]
        case Person():
            return [Entry(ORDERS, key, encode(PersonVersion(now, document, True)))]
        case Binding():
            value = encode(BindingVersion(now, document, True))
            return [Entry(ORDERS, key, value), Entry(RAW, document.device, value)]
