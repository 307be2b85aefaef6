"""The oracle must keep the promises that it judges others by, or the rules contradict themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.oracle.oracle import oracle
from tests.properties.rearrange import all_arrived, rearranged
from tests.properties.views import in_force
from tests.properties.worlds import DUTIES, LABELS, MEASURES, World, labels_of_output, worlds

QUICK = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@QUICK
@given(worlds(), st.integers(0, 1000))
def test_arrival_does_not_matter(world: World, seed: int) -> None:
    """However it arrives, what is in force in the end is the same."""
    other = rearranged(world.scene, seed)
    until = all_arrived(world.scene, other)
    assert in_force(oracle(world.records, until)) == in_force(oracle(other.records(), until))


@QUICK
@given(worlds(), st.integers(-60, 300))
def test_no_hindsight(world: World, minute: int) -> None:
    """A run over what had arrived says what the whole run says up to then."""
    until = min(world.scene.at(minute), world.until_at)
    if any(outage.from_ < until < outage.to for outage in world.scene.own_outages):
        return  # nothing is ever judged at such an instant
    arrived = [record for record in world.records if record.received_at <= until]
    whole = oracle(world.records, world.until_at)
    assert oracle(arrived, until) == [line for line in whole if line.decided_at <= until]


def test_every_situation_occurs() -> None:
    """Within a fixed budget each label comes up at least three times."""
    seen: Counter[str] = Counter()

    @settings(max_examples=800, deadline=None, derandomize=True, database=None)
    @given(worlds())
    def anything(world: World) -> None:
        count(world)

    def measured(always: Sequence[str]) -> None:
        @settings(max_examples=120, deadline=None, derandomize=True, database=None)
        @given(worlds(always=always))
        def of_these(world: World) -> None:
            count(world)

        of_these()

    def count(world: World) -> None:
        labels = world.labels | labels_of_output(oracle(world.records, world.until_at))
        for label in labels:
            event(label)
        seen.update(labels)

    anything()
    for always in (DUTIES, ("away",), *((measure,) for measure in MEASURES)):
        measured(always)
    assert {label: seen[label] for label in LABELS if seen[label] < 3} == {}
