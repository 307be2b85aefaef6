"""Small pieces of a world for the router's tests."""

from __future__ import annotations

from collections.abc import Sequence

from emon.domain.binding import Binding
from emon.domain.instant import SECOND
from emon.domain.order import Condition, Order
from emon.domain.reading import Reading
from emon.journal.port import ORDERS, RAW, READINGS, Entry, Journal, TopicPartition, partition_of
from emon.journal.records import (
    BindingVersion,
    Bound,
    InputRecord,
    OrderVersion,
    RawReading,
    Tick,
    decode_input,
    encode,
)

T0 = 1_764_000_000 * SECOND
PARTITIONS = 4


def reading(device: str, at_s: float, **fields: object) -> Reading:
    """A fix of a device, so many seconds after T0, received 2 s later."""
    at = T0 + int(at_s * SECOND)
    return Reading(device=device, kind="position", observed_at=at, received_at=at + 2 * SECOND, feed="acme",
                   lat=43.0, lon=-89.0, method="gnss", **fields)  # type: ignore[arg-type]


def raw(item: Reading, *, batch: str = "", last: bool = True, partitions: int = PARTITIONS) -> Entry:
    """The reading as ingest writes it."""
    record = RawReading("acme", item.received_at, item, "{}", batch, False, last)
    return Entry(RAW, item.device, encode(record), partition_of(item.device, partitions))


def ticks(at_s: float, partitions: int = PARTITIONS) -> list[Entry]:
    """A tick in every partition of the raw log."""
    return [Entry(RAW, "tick", encode(Tick(T0 + int(at_s * SECOND))), p) for p in range(partitions)]


def bound(device: str, participant: str | None, *, version: int = 1, from_s: float | None = None,
          until_s: float | None = None, at_s: float = 0, name: str = "", person: str | None = None,
          feed: str | None = None) -> Entry:
    """A binding version as it stands on emon.orders."""
    binding = Binding(id=name or f"b-{device}", version=version, device=device, participant=participant,
                      protected_person=person, feed=feed, from_=None if from_s is None else T0 + int(from_s * SECOND),
                      until=None if until_s is None else T0 + int(until_s * SECOND))
    record = BindingVersion(T0 + int(at_s * SECOND), binding, True)
    return Entry(ORDERS, f"binding:{binding.id}:{version}", encode(record))


def order(participant: str, *, away_from: str | None = None, away_from_device: str | None = None,
          devices: Sequence[str] = (), at_s: float = 0, version: int = 1) -> Entry:
    """An order version as it stands on emon.orders."""
    conditions = () if away_from is None and away_from_device is None else (
        Condition(id="c1", kind="keep_away", protected_person=away_from, protected_device=away_from_device,
                  distance_m=500),)
    name = f"O-{participant}"
    document = Order(id=name, version=version, participant=participant, conditions=conditions, devices=tuple(
        Binding(id=f"{name}:{d}", version=version, device=d, participant=participant) for d in devices))
    return Entry(ORDERS, f"order:{name}:{version}",
                 encode(OrderVersion(T0 + int(at_s * SECOND), document, True)))


async def told(journal: Journal, partition: int) -> list[InputRecord]:
    """What a partition of emon.readings holds."""
    records = await journal.read(TopicPartition(READINGS, partition), 0, 100_000)
    return [decode_input(record.value) for record in records]


async def told_of(journal: Journal, participant: str, partitions: int = PARTITIONS) -> list[Bound]:
    """The readings given to a person, out of all partitions."""
    return [record for partition in range(partitions) for record in await told(journal, partition)
            if isinstance(record, Bound) and record.participant == participant]
