"""The batch run: the same evaluator over files. File order is arrival order.

`merge` does for files what the router does live: it gives every record its arrival instant and every reading
to the person who held the device when it was observed, and again when a version that comes later says
otherwise. Readings of devices that nobody holds wait until somebody does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from emon.domain.binding import Binding
from emon.domain.binding_book import BindingBook, holder
from emon.domain.finding import Finding
from emon.domain.order import Order
from emon.domain.reading import Reading
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory
from emon.journal.records import (
    BindingVersion,
    Bound,
    InputRecord,
    OrderVersion,
    OwnOutage,
    VerdictVersion,
    ZoneVersion,
)
from emon.limits import BATCH_STEP, RULE_VERSION

BEFORE_EVERYTHING: Final = 0  # received_at of versions that have none; all readings are from 2000 on

VersionRecord = OrderVersion | ZoneVersion | BindingVersion | VerdictVersion


def evaluate(arrivals: Iterable[InputRecord], until: int | None = None, *,
             rule_version: int = RULE_VERSION) -> Iterator[Finding]:
    """Revisions in the published order. `arrivals` come by `received_at`; records of one instant are one
    arrival. What arrives after `until` is left out; None: up to the last record."""
    evaluator = Evaluator(MemoryHistory(), rule_version=rule_version)
    last = None
    waiting: list[InputRecord] = []
    for record in arrivals:
        if until is not None and record.received_at > until:
            break
        if len(waiting) >= BATCH_STEP and record.received_at > waiting[-1].received_at:
            yield from evaluator.arrivals(waiting)
            evaluator.flush_history()
            waiting = []
        waiting.append(record)
        last = record.received_at
    yield from evaluator.arrivals(waiting)
    end = last if until is None else until
    if end is not None:
        yield from evaluator.advance(end)


def merge(readings: Iterable[Reading | OwnOutage], orders: Iterable[Order], zones: Iterable[Zone],
          bindings: Iterable[Binding], own_outages: Iterable[OwnOutage] = (),
          verdicts: Iterable[Verdict] = ()) -> Iterator[InputRecord]:
    """The evaluator's input, by arrival. `bindings`: orders' shorthands included, see
    `domain.binding_book.bindings_of`. Readings come in file order: of their `received_at` the largest so
    far counts. Own outages may stand among the readings or beside them."""
    versions = sorted([*_versions(orders, zones, bindings, verdicts), *own_outages], key=lambda v: v.received_at)
    binder = _Binder(versions)
    clock, following = BEFORE_EVERYTHING, 0
    for reading in readings:
        clock = max(clock, reading.received_at)
        while following < len(versions) and versions[following].received_at <= clock:
            yield from binder.version(versions[following])
            following += 1
        if isinstance(reading, OwnOutage):
            yield OwnOutage(clock, reading.from_, reading.to)
        else:
            yield from binder.reading(clock, reading)
    for version in versions[following:]:
        yield from binder.version(version)


def _versions(orders: Iterable[Order], zones: Iterable[Zone],
              bindings: Iterable[Binding], verdicts: Iterable[Verdict]) -> Iterator[VersionRecord]:
    for order in orders:
        yield OrderVersion(_arrival(order), order)
    for zone in zones:
        yield ZoneVersion(_arrival(zone), zone)
    for binding in bindings:
        yield BindingVersion(_arrival(binding), binding)
    for verdict in verdicts:
        yield VerdictVersion(_arrival(verdict), verdict)


def _arrival(version: Order | Zone | Binding | Verdict) -> int:
    return BEFORE_EVERYTHING if version.received_at is None else version.received_at


class _Binder:
    """Gives readings to people; keeps those of devices that a version still to come may give to others."""

    def __init__(self, versions: Sequence[VersionRecord | OwnOutage]) -> None:
        self._book = BindingBook()
        devices: dict[str, set[str]] = {}  # binding id -> all devices that its versions name
        for record in versions:
            if isinstance(record, BindingVersion):
                devices.setdefault(record.binding.id, set()).add(record.binding.device)
        self._devices = devices
        self._to_come: dict[str, int] = {}  # device -> versions still to come that may move its readings
        for record in versions:
            if isinstance(record, BindingVersion):
                for device in devices[record.binding.id]:
                    self._to_come[device] = self._to_come.get(device, 0) + 1
        self._kept: dict[str, list[Reading]] = {}
        self._watched = {c.protected_device for r in versions if isinstance(r, OrderVersion)
                         for c in r.order.conditions if c.protected_device is not None}

    def version(self, record: VersionRecord | OwnOutage) -> Iterator[InputRecord]:
        """The version, and again the readings that change hands by it."""
        yield record
        if not isinstance(record, BindingVersion):
            return
        for changed, begin, end in self._book.add(record.binding):
            for reading in self._kept.get(changed, ()):
                if begin <= reading.observed_at < end:
                    yield from self._bound(record.received_at, reading)
        for device in self._devices[record.binding.id]:
            self._to_come[device] -= 1
            if not self._to_come[device]:
                self._kept.pop(device, None)

    def reading(self, clock: int, reading: Reading) -> Iterator[InputRecord]:
        """The reading as its holder's, if it has one."""
        if self._to_come.get(reading.device):
            self._kept.setdefault(reading.device, []).append(reading)
        yield from self._bound(clock, reading)

    def _bound(self, clock: int, reading: Reading) -> Iterator[Bound]:
        binding = self._book.owner(reading.device, reading.observed_at)
        if binding is not None:
            yield Bound(holder(binding)[1], clock, reading)
        elif reading.device in self._watched:
            yield Bound(reading.device, clock, reading)
