"""Whose reading is it, and which partitions must have it. Pure: versions and readings in, outputs out.

A reading goes to the partition of the participant who held the device when it was observed. The readings of
whoever must be kept away from also go to the partition of each participant whom some order version tells so:
nearness then needs no look into another partition. `Bound.participant` names whose reading it is, participant
or protected person; for a device that a condition names as `protected_device` and nobody holds, the device. Whoever
ever held such a device may be the one who is meant: all devices of theirs go the same way.
A device that two people hold at once sends to nobody. What goes to nobody stays in the device's history, and
when a version changes whose it is, also back in time, it goes to whoever holds the device now.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from emon.domain.binding import Binding
from emon.domain.binding_book import BindingBook, Interval, Shorthand, holder
from emon.domain.order import Order
from emon.domain.versions import ALWAYS, NEVER
from emon.journal.port import partition_of
from emon.journal.records import (
    BindingVersion,
    OrdersRecord,
    OrderVersion,
    OwnOutage,
    PersonVersion,
    Tick,
    VerdictVersion,
    ZoneVersion,
)
from emon.route.heads import BoundHead, Reading
from emon.route.zones import Missing, ZonePartitions

VersionRecord = OrderVersion | ZoneVersion | BindingVersion | VerdictVersion
Output = BoundHead | VersionRecord | Tick | OwnOutage

_NOBODY: frozenset[int] = frozenset()
_encode = msgspec.json.Encoder(order="deterministic").encode


class Placed(msgspec.Struct, frozen=True, gc=False):
    """An output on its way into a partition of emon.readings."""

    partition: int
    key: str
    output: Output


class Change(NamedTuple):
    """What a version does: it is told to every partition, a zone only to those that it concerns; `missing` zone
    versions are told where they were not needed before; these devices' readings are sent again."""

    versions: Sequence[VersionRecord]
    again: Sequence[Interval]
    missing: Sequence[Missing] = ()


class Binder:
    """All versions known so far, and what follows from them for readings."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.book = BindingBook()
        self._shorthand = Shorthand()
        self._zones = ZonePartitions(partitions)
        self._told: dict[tuple[str, str, int], bytes] = {}
        self._watchers: dict[str, set[int]] = {}  # who must be kept away from -> partitions that need to know
        self._device_watchers: dict[str, set[int]] = {}  # the same for devices that conditions name
        self._devices: dict[str, set[str]] = {}  # person -> devices that any version gave them
        self._holders: dict[str, set[str]] = {}  # device -> people whom any version gave it to

    def take(self, record: OrdersRecord) -> Change:
        """Takes a version in. One that was taken in before, with the same content, changes nothing."""
        match record:
            case OrderVersion(order=order) if self._is_news(record):
                change = self._bindings([record], self._shorthand.add(order), record.received_at,
                                        self._watch(order))
                home = partition_of(order.participant, self.partitions)
                return change._replace(missing=self._zones.name(order, home))
            case ZoneVersion() if self._is_news(record):
                return Change([record], (), self._zones.add(record))
            case VerdictVersion() if self._is_news(record):
                return Change([record], ())
            case BindingVersion(binding=binding):
                return self._bindings([], [binding], record.received_at)
        return Change((), ())

    def _bindings(self, versions: list[VersionRecord], bindings: Iterable[Binding], received_at: int,
                  again: Iterable[Interval] = ()) -> Change:
        intervals = list(again)
        for binding in bindings:
            record = BindingVersion(received_at, binding)
            if self._is_news(record):
                versions.append(record)
                self._devices.setdefault(holder(binding)[1], set()).add(binding.device)
                self._holders.setdefault(binding.device, set()).add(holder(binding)[1])
                intervals += self.book.add(binding)
                intervals += self._watch_holders(binding.device)
        return Change(versions, intervals)

    def _watch(self, order: Order) -> list[Interval]:
        """Whose readings the participant's partition needs from now on, and lacks so far."""
        partition = partition_of(order.participant, self.partitions)
        again: list[Interval] = []
        for condition in order.conditions:
            person, device = condition.protected_person, condition.protected_device
            if person is not None:
                again += self._watch_person(person, partition)
            if device is not None and partition not in self._device_watchers.setdefault(device, set()):
                self._device_watchers[device].add(partition)
                again += [(device, ALWAYS, NEVER), *self._watch_holders(device)]
        return again

    def _watch_person(self, person: str, partition: int) -> list[Interval]:
        """What a partition lacks that needs all devices of a person from now on."""
        if partition in self._watchers.setdefault(person, set()):
            return []
        self._watchers[person].add(partition)
        return [(device, ALWAYS, NEVER) for device in sorted(self._devices.get(person, ()))]

    def _watch_holders(self, device: str) -> list[Interval]:
        """The same of whoever ever held a device that conditions name."""
        return [interval for person in sorted(self._holders.get(device, ()))
                for partition in sorted(self._device_watchers.get(device, ()))
                for interval in self._watch_person(person, partition)]

    def _is_news(self, record: VersionRecord) -> bool:
        digest = blake2b(_encode(msgspec.structs.replace(record, received_at=0)), digest_size=16).digest()
        if self._told.get(_identity(record)) == digest:
            return False
        self._told[_identity(record)] = digest
        return True

    # --- outputs -----------------------------------------------------------------------------------------

    def place(self, reading: Reading, received_at: int) -> list[Placed]:
        """Where a reading goes, stamped with the arrival's effective instant; nowhere while unbound."""
        device = reading.device
        binding = self.book.owner(device, reading.observed_at)
        partitions = self._device_watchers.get(device, _NOBODY)
        if binding is None:
            person = device
        elif binding.participant is not None and not partitions and binding.participant not in self._watchers:
            person = binding.participant  # nearly all
            home = partition_of(person, self.partitions) if self.partitions > 1 else 0
            return [Placed(home, person, BoundHead(person, received_at, reading.line))]
        else:
            kind, person = holder(binding)
            if kind == "participant":
                partitions = partitions | {partition_of(person, self.partitions)}
            partitions = partitions | self._watchers.get(person, _NOBODY)
        return [Placed(partition, person, BoundHead(person, received_at, reading.line))
                for partition in sorted(partitions)]

    def tell(self, change: Change, received_at: int) -> list[Placed]:
        """The versions of a change, for the partitions that they concern."""
        told = [*change.missing, *((version, self._concerned(version)) for version in change.versions)]
        return [Placed(partition, _identity(version)[1],
                       msgspec.structs.replace(version, received_at=received_at, last=False))
                for version, partitions in told for partition in partitions]

    def _concerned(self, version: VersionRecord) -> Collection[int]:
        """Orders and bindings concern all: each partition must know a feed's members to see that it fell silent."""
        return self._zones.concerned(version.zone.id) if isinstance(version, ZoneVersion) else range(self.partitions)


def devices_of(record: OrdersRecord) -> Iterable[str]:
    """Devices that a version names as somebody's."""
    match record:
        case OrderVersion(order=order):
            return [lent.device for lent in order.devices]
        case BindingVersion(binding=binding):
            return [binding.device]
    return ()


def _identity(record: OrdersRecord) -> tuple[str, str, int]:
    match record:
        case OrderVersion():
            return ("order", record.order.id, record.order.version)
        case ZoneVersion():
            return ("zone", record.zone.id, record.zone.version)
        case BindingVersion():
            return ("binding", record.binding.id, record.binding.version)
        case VerdictVersion():
            return ("verdict", record.verdict.id, record.verdict.version)
        case PersonVersion():
            return ("person", record.person.id, record.person.version)
