"""Partitions are invisible: several evaluators, each with its share and what the others heard, say together
what one with everything says."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emon.domain.binding import Binding
from emon.domain.finding import Finding, publication_key
from emon.domain.order import Order
from emon.domain.zone import Zone
from emon.evaluate.batch import evaluate, merge
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory, MemorySnapshots
from emon.journal.port import partition_of
from emon.journal.records import Bound, HeardElsewhere, InputRecord, OrderVersion, Tick
from tests.properties.corpus import corpus
from tests.properties.fleets import UNTIL as SPOKEN_UNTIL
from tests.properties.fleets import fleets
from tests.properties.rearrange import all_arrived
from tests.properties.routing import judged as judged_by
from tests.properties.running import REAL, at_once, cut
from tests.properties.views import in_force
from tests.properties.worlds import World, worlds

SECOND = 1_000_000
PARTITIONS = 3
COLLIDING = ("swap", "unbound", "rebound", "late", "conflict", "version")


def ticking(records: Sequence[InputRecord]) -> list[InputRecord]:
    """The world as a router tells it: a tick at every whole second that follows an arrival, and nothing else
    at whole seconds."""
    shifted = [msgspec.structs.replace(r, received_at=r.received_at + 1) for r in records if not isinstance(r, Tick)]
    seconds = sorted({(r.received_at // SECOND + 1) * SECOND for r in shifted if isinstance(r, Bound)})
    taken = {r.received_at for r in shifted}
    ticks: list[InputRecord] = [Tick(second) for second in seconds if second not in taken]
    return _marked(sorted([*shifted, *ticks], key=lambda record: record.received_at))


def share(records: Sequence[InputRecord], partition: int) -> list[InputRecord]:
    """What one partition is given."""
    heard: dict[str, list[HeardElsewhere]] = {}
    given: list[InputRecord] = []
    orders = [record.order for record in records if isinstance(record, OrderVersion)]
    keep_away = any(partition_of(order.participant, PARTITIONS) == partition and c.kind == "keep_away"
                    for order in orders for c in order.conditions)
    participants = {order.participant for order in orders}
    for record in records:
        match record:
            case Bound(participant=who) if keep_away and who not in participants:
                given.append(record)  # perhaps that of somebody who must be kept away from
            case Bound(participant=who, reading=one) if partition_of(who, PARTITIONS) != partition:
                heard.setdefault(one.feed or "", []).append(HeardElsewhere(
                    one.device, one.kind, one.observed_at, record.received_at, one.seq, one.event, one.test_id))
            case Tick():
                given.append(Tick(record.received_at, heard or None))
                heard = {}
            case _:
                given.append(record)
    return _marked(given)


def _marked(records: Sequence[InputRecord]) -> list[InputRecord]:
    """The last record of each arrival says so, as the router marks it in each partition."""
    marked: list[InputRecord] = []
    for record, following in zip(records, [*records[1:], None], strict=True):
        if not isinstance(record, Tick):
            ends = following is None or following.received_at != record.received_at
            record = msgspec.structs.replace(record, last=ends)
        marked.append(record)
    return marked


def judged(records: Sequence[InputRecord], partition: int, until: int, random: Random) -> list[Finding]:
    """What one evaluator says, stopped and restored between batches."""
    history, snapshots = MemoryHistory(), MemorySnapshots()
    one = Evaluator(history, partition=partition, partitions=PARTITIONS)
    lines: list[Finding] = []
    for part in cut(records, random):
        lines += one.step(part)
        one.flush_history()
        shared, changed = one.snapshot()
        snapshots.save(partition, 1, 0, shared, changed)
        snapshot = snapshots.load(partition)
        assert snapshot is not None
        one = Evaluator.restore(snapshot, history, partition=partition, partitions=PARTITIONS)
    return lines + list(one.advance(until))


def test_partitions_together_say_what_one_says() -> None:
    outages = 0
    for case in corpus():
        told, until = ticking(case.records), case.until + SECOND
        together = [line for partition in range(PARTITIONS)
                    for line in judged(share(told, partition), partition, until, Random(case.name))]
        alone = at_once(REAL, told, until)
        assert sorted(together, key=publication_key) == sorted(alone, key=publication_key), case.name
        outages += sum(line.kind == "feed_outage" for line in alone)
    assert outages > 10, "else this shows nothing"


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(worlds(COLLIDING, 2, always=("away",)), st.sampled_from([1, 3]))
def test_what_the_router_tells_of_two_people_is_judged_as_from_files(world: World, partitions: int) -> None:
    """A protected person's readings come through whatever is known of her when, as if all lay in files."""
    scene, until = world.scene, all_arrived(world.scene)
    versions = [msgspec.structs.replace(v, received_at=at) for at, v in scene.versions]
    files = merge(sorted(scene.readings, key=lambda r: r.received_at),
                  [v for v in versions if isinstance(v, Order)], [v for v in versions if isinstance(v, Zone)],
                  [v for v in versions if isinstance(v, Binding)])
    assert in_force(judged_by(scene, partitions, until)) == in_force(list(evaluate(files, until)))


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(worlds() | worlds(always=("outage",)) | worlds(always=("away",)), st.sampled_from([2, 4]),
       st.integers(0, 1 << 16))
def test_the_routers_partitions_say_what_its_only_one_says(world: World, partitions: int, seed: int) -> None:
    """With the router's own code, whatever the world; readings from the future, conflicts, swaps and outages too."""
    alone = judged_by(world.scene, 1, world.until_at)
    assert judged_by(world.scene, partitions, world.until_at) == alone
    assert judged_by(world.scene, partitions, world.until_at, seed) == alone


@pytest.mark.parametrize("seed", range(2))
def test_feeds_of_many_partitions_are_heard_as_in_one(seed: int) -> None:
    """Devices that say how they are, by feeds one of which fails and one of which is seldom heard."""
    records = ticking(fleets(seed))
    parts = [f for p in range(PARTITIONS) for f in judged(share(records, p), p, SPOKEN_UNTIL, Random(seed))]
    whole = at_once(REAL, records, SPOKEN_UNTIL)
    assert any(finding.kind == "feed_outage" for finding in whole)
    assert sorted(parts, key=publication_key) == sorted(whole, key=publication_key)
