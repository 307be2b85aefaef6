"""A world told by the router's own code to any number of partitions, and judged by an evaluator each."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec

from emon.domain.finding import Finding, publication_key
from emon.domain.order import Order
from emon.domain.reading import Reading
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory, MemorySnapshots
from emon.journal.port import Entry
from emon.journal.records import (
    BindingVersion,
    InputRecord,
    OrdersRecord,
    OrderVersion,
    VerdictVersion,
    ZoneVersion,
    decode_input,
)
from emon.route.bind import Binder, Placed
from emon.route.heads import reading_of
from emon.route.sequence import Sequencer, arrival
from tests.oracle.scene import Scene
from tests.properties.running import cut

SECOND = 1_000_000


class Router:
    """The pure parts of the router around a history in memory. Where nothing comes for long it tells a tick right
    after the last arrival and one right before the next: those between change nothing."""

    def __init__(self, scene: Scene, partitions: int) -> None:
        self.binder, self.sequencer = Binder(partitions), Sequencer(partitions)
        self.readings: list[Reading] = []
        self.entries: list[Entry] = []
        self.deaf = [(outage.from_, outage.to) for outage in scene.own_outages]

    def tell(self, at: int, versions: Sequence[OrdersRecord], readings: Sequence[Reading]) -> None:
        """What was received at an instant."""
        self._wait(at)
        for version in versions:
            self.entries += self.sequencer.ticks_up_to(at)
            change = self.binder.take(version)
            if change.versions:
                stamp = self.sequencer.stamp(at)
                moved = [r for device, from_, until in sorted(set(change.again)) for r in self.readings
                         if r.device == device and from_ <= r.observed_at < until]
                self.entries += arrival([*self.binder.tell(change, stamp), *self._place(moved, stamp)])
        self.readings += readings
        for reading in readings:
            self.entries += self.sequencer.ticks_up_to(at)
            if self.binder.place(reading_of(msgspec.json.encode(reading)), at):
                self.entries += arrival(self._place([reading], self.sequencer.stamp(at)))

    def _wait(self, at: int) -> None:
        order = self.sequencer
        if order.tick is not None and at - order.tick > 2 * SECOND:
            if any(from_ <= order.last and at <= to + SECOND for from_, to in self.deaf):
                return  # then nothing is told before it is over
            self.entries += order.ticks_up_to(order.tick + SECOND)
            order.tick = max(order.tick, at - at % SECOND - SECOND)

    def _place(self, readings: Sequence[Reading], stamp: int) -> list[Placed]:
        placed: list[Placed] = []
        for reading in readings:
            one = reading_of(msgspec.json.encode(reading))
            targets = self.binder.place(one, stamp)
            placed += targets
            self.sequencer.hear(one, [target.partition for target in targets], stamp)
        return placed


def told(scene: Scene, partitions: int, until: int) -> list[list[InputRecord]]:
    """What each partition's evaluator reads."""
    router = Router(scene, partitions)
    arrivals = {at for at, _ in scene.versions} | {r.received_at for r in scene.readings}
    for at in sorted(at for at in arrivals if at <= until):
        router.tell(at, [_version(each, at) for when, each in scene.versions if when == at],
                    [r for r in scene.readings if r.received_at == at])
    router.tell(until - until % SECOND + SECOND, [], [])
    router.entries += router.sequencer.ticks_up_to(until - until % SECOND + SECOND)
    return [[decode_input(e.value) for e in router.entries if e.partition == partition]
            for partition in range(partitions)]


def _version(version: object, at: int) -> OrdersRecord:
    if isinstance(version, Order):
        return OrderVersion(at, version)
    if isinstance(version, Zone):
        return ZoneVersion(at, version)
    if isinstance(version, Verdict):
        return VerdictVersion(at, version)
    return BindingVersion(at, version)  # type: ignore[arg-type]


def judged(scene: Scene, partitions: int, until: int, seed: int | None = None) -> list[Finding]:
    """What all partitions say together. `seed`: each is stopped and restored between batches of any size. They share
    a history, as processes share a store."""
    lines: list[Finding] = []
    history = MemoryHistory()
    for partition, records in enumerate(told(scene, partitions, until)):
        snapshots = MemorySnapshots()
        one = Evaluator(history, partition=partition, partitions=partitions)
        for part in [records] if seed is None else cut(records, Random(seed + partition)):
            lines += one.step(part)
            if seed is not None:
                one.flush_history()
                shared, changed = one.snapshot()
                snapshots.save(partition, 1, 0, shared, changed)
                snapshot = snapshots.load(partition)
                assert snapshot is not None
                one = Evaluator.restore(snapshot, history, partition=partition, partitions=partitions)
    return sorted(lines, key=publication_key)
