"""The evaluator's promises, as properties over small random worlds. One test a promise; the numbered ones are
the invariants of the whole system."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.oracle.oracle import oracle
from tests.properties.corpus import routine
from tests.properties.rearrange import all_arrived, rearranged
from tests.properties.running import (
    REAL,
    at_once,
    crashed,
    in_batches,
    in_batches_of,
    of_kinds,
    restarted,
    with_ticks,
)
from tests.properties.views import differences, in_force
from tests.properties.worlds import DUTIES, MEASURES, World, labels_of_output, worlds

ANY = (
    worlds()
    | worlds(always=MEASURES, most_twists=1)
    | worlds(always=DUTIES, most_twists=1)
    | worlds(always=("away",), most_twists=2)
)
SEEDS = st.integers(0, 1 << 16)
FEWER = settings(max_examples=80, deadline=None, derandomize=True, database=None)
QUICK = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@QUICK
@given(ANY)
def test_revisions_are_the_oracles(world: World) -> None:
    """What the rules' text says, revision by revision."""
    expected = oracle(world.records, world.until_at)
    for label in world.labels | labels_of_output(expected):
        event(label)
    assert differences(expected, of_kinds(at_once(REAL, world.records, world.until_at))) == ""


@QUICK
@given(ANY, SEEDS)
def test_1_batches_do_not_matter(world: World, seed: int) -> None:
    """Every field of every revision is the same however the records are cut into batches."""
    whole = at_once(REAL, world.records, world.until_at)
    assert in_batches(REAL, world.records, world.until_at, seed) == whole


@FEWER
@given(worlds(always=("routine", "deaf")) | worlds(always=("routine",)), st.sampled_from([1, 7, 30]))
def test_1_batch_sizes_do_not_matter_to_the_fast_lane(world: World, size: int) -> None:
    """Hours of fixes that change nothing, sorted out together or one by one; ticks in between."""
    records = with_ticks(world.records, world.until_at, size)
    whole = at_once(REAL, world.records, world.until_at)
    assert in_batches_of(REAL, records, world.until_at, len(records)) == whole
    assert in_batches_of(REAL, records, world.until_at, size) == whole
    assert differences(oracle(world.records, world.until_at), of_kinds(whole)) == ""


def test_the_fast_lane_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """In worlds of routine most readings are sorted out there, so that what the others show holds for it."""
    lane = import_module("emon.evaluate.lane")
    seen: Counter[str] = Counter()
    really = lane.Lane.idle

    def counted(self: Any, bounds: Any, *rest: Any) -> Any:
        sorted_out = really(self, bounds, *rest)
        seen["offered"] += len(bounds)
        seen["idle"] += int(sum(sorted_out.good))
        return sorted_out

    monkeypatch.setattr(lane.Lane, "idle", counted)
    for case in routine():
        in_batches_of(REAL, case.records, case.until, len(case.records))
    assert seen["idle"] > 0.3 * seen["offered"] > 100


@QUICK
@given(ANY, SEEDS)
def test_2_arrival_order_does_not_matter(world: World, seed: int) -> None:
    """Delayed, reordered, sent twice: once all has arrived the same findings are in force."""
    other = rearranged(world.scene, seed)
    until = all_arrived(world.scene, other)
    assert in_force(at_once(REAL, world.records, until)) == in_force(at_once(REAL, other.records(), until))


@QUICK
@given(ANY, st.integers(-60, 300))
def test_2_nothing_shows_hindsight(world: World, minute: int) -> None:
    """A run over what had arrived by then says what the whole run says up to then."""
    until = min(world.scene.at(minute), world.until_at)
    if any(outage.from_ < until < outage.to for outage in world.scene.own_outages):
        return  # nothing is ever judged at such an instant
    arrived = [record for record in world.records if record.received_at <= until]
    whole = at_once(REAL, world.records, world.until_at)
    assert at_once(REAL, arrived, until) == [line for line in whole if line.decided_at <= until]


@QUICK
@given(ANY, SEEDS)
def test_4_restarts_do_not_matter(world: World, seed: int) -> None:
    """A new process from a snapshot after every batch says what one process says."""
    event("restart")
    whole = at_once(REAL, world.records, world.until_at)
    assert restarted(REAL, world.records, world.until_at, seed) == whole


@QUICK
@given(ANY, SEEDS)
def test_4_crashes_do_not_matter(world: World, seed: int) -> None:
    """Killed anywhere: nothing is lost, what is said twice is said in the same words, under the same ids."""
    whole = {(line.finding_id, line.revision): line for line in at_once(REAL, world.records, world.until_at)}
    lines = crashed(REAL, world.records, world.until_at, seed)
    assert {(line.finding_id, line.revision) for line in lines} == set(whole)
    assert all(whole[line.finding_id, line.revision] == line for line in lines)


@QUICK
@given(ANY, SEEDS)
def test_7_ticks_tell_the_time_and_change_nothing(world: World, seed: int) -> None:
    """Timers fire at their instants, whether the clock jumps over them or comes by every now and then."""
    whole = at_once(REAL, world.records, world.until_at)
    ticking = with_ticks(world.records, world.until_at, seed)
    assert in_batches(REAL, ticking, world.until_at, seed) == whole
