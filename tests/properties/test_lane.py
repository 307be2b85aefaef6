"""The fast lane is exact: a crowd's revisions are those of an evaluator that judges everything in full.

Each fault planted in the lane is caught by some crowd.
"""

from __future__ import annotations

from functools import lru_cache

import pytest

from emon.domain.finding import Finding
from tests.properties.corners import CROSSED_BY, Corners, corners, minutes_of
from tests.properties.crowds import UNTIL, crowd, doubted, equipped, shuffled
from tests.properties.fleets import UNTIL as SPOKEN_UNTIL
from tests.properties.fleets import fleets
from tests.properties.planted import LANE_PLANTS, LIFE_PLANTS, NO_LANE, NO_SKIMMING, PATH_PLANTS, Plant
from tests.properties.running import REAL, in_batches_of, restarted
from tests.properties.test_planted import subject
from tests.properties.walkers import UNTIL as WALKED_UNTIL
from tests.properties.walkers import walkers

SEEDS = range(8)
WALKS = range(6)
FLEETS = range(4)


@lru_cache(maxsize=len(SEEDS))
def in_full(seed: int) -> tuple[Finding, ...]:
    """Without the lane."""
    return tuple(in_batches_of(subject(NO_LANE), crowd(seed), UNTIL, 100_000))


@lru_cache(maxsize=1)
def doubted_in_full() -> list[Finding]:
    """Without the lane."""
    return in_batches_of(subject(NO_LANE), doubted(), UNTIL, 100_000)


def test_fixes_that_say_nothing_change_nothing_in_the_lane() -> None:
    assert len(doubted_in_full()) > 10
    assert in_batches_of(REAL, doubted(), UNTIL, 100_000) == doubted_in_full()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crowd_in_the_lane_is_judged_as_in_full(seed: int) -> None:
    given, expected = crowd(seed), list(in_full(seed))
    assert expected
    assert in_batches_of(REAL, given, UNTIL, len(given)) == expected
    assert in_batches_of(REAL, given, UNTIL, 50) == expected
    assert restarted(REAL, given[:600], UNTIL, seed) == in_batches_of(REAL, given[:600], UNTIL, 600)


@pytest.mark.parametrize("seed", SEEDS)
def test_people_with_several_devices_are_judged_as_in_full(seed: int) -> None:
    given = equipped(seed)
    expected = in_batches_of(subject(NO_LANE), given, UNTIL, 100_000)
    assert expected
    assert in_batches_of(REAL, given, UNTIL, len(given)) == expected
    assert in_batches_of(REAL, given, UNTIL, 50) == expected
    assert restarted(REAL, given[:400], UNTIL, seed) == in_batches_of(REAL, given[:400], UNTIL, 400)


@pytest.mark.parametrize("size", [1, 5, 60])
def test_shuffled_arrivals_are_judged_as_if_every_reading_were_news(size: int) -> None:
    for seed in SEEDS[:4]:
        given, until = shuffled(crowd(seed), seed, size)
        expected = in_batches_of(subject(NO_SKIMMING), given, until, 500)
        assert expected
        assert in_batches_of(REAL, given, until, 500) == expected


@pytest.mark.parametrize("plant", LANE_PLANTS, ids=lambda plant: plant.name)
def test_a_fault_in_the_lane_is_caught(plant: Plant) -> None:
    faulty = subject(plant)
    assert in_batches_of(faulty, doubted(), UNTIL, 100_000) != doubted_in_full() or any(
        in_batches_of(faulty, crowd(seed), UNTIL, 100_000) != list(in_full(seed)) for seed in SEEDS), plant.why


@lru_cache(maxsize=len(WALKS))
def walked_in_full(seed: int) -> tuple[Finding, ...]:
    """Without the lane."""
    return tuple(in_batches_of(subject(NO_LANE), walkers(seed), WALKED_UNTIL, 100_000))


@pytest.mark.parametrize("seed", WALKS)
def test_paths_in_the_lane_are_judged_as_in_full(seed: int) -> None:
    given, expected = walkers(seed), list(walked_in_full(seed))
    assert any(finding.kind == "zone_crossing" for finding in expected)
    assert in_batches_of(REAL, given, WALKED_UNTIL, len(given)) == expected
    assert in_batches_of(REAL, given, WALKED_UNTIL, 50) == expected
    assert restarted(REAL, given[:600], WALKED_UNTIL, seed) == in_batches_of(REAL, given[:600], WALKED_UNTIL, 600)


@pytest.mark.parametrize("world", corners(), ids=lambda world: world.name)
def test_a_late_fix_finds_its_neighbours(world: Corners) -> None:
    found = in_batches_of(REAL, world.given, CROSSED_BY, 100_000)
    last = {finding.finding_id: finding for finding in found if finding.kind == "zone_crossing"}
    standing = [finding for finding in last.values() if finding.status != "withdrawn"]
    assert [(minutes_of(each.onset), minutes_of(each.ended or 0)) for each in standing] == [world.crossed]
    assert found == in_batches_of(subject(NO_LANE), world.given, CROSSED_BY, 100_000)


@pytest.mark.parametrize("plant", PATH_PLANTS, ids=lambda plant: plant.name)
def test_a_fault_about_paths_is_caught(plant: Plant) -> None:
    faulty = subject(plant)
    worlds = ((world.given, CROSSED_BY) for world in corners())
    assert any(in_batches_of(faulty, given, until, 100_000) != in_batches_of(REAL, given, until, 100_000)
               for given, until in worlds) or any(
        in_batches_of(faulty, walkers(seed), WALKED_UNTIL, 100_000) != list(walked_in_full(seed))
        for seed in WALKS), plant.why


@lru_cache(maxsize=len(FLEETS))
def spoken_in_full(seed: int) -> tuple[Finding, ...]:
    """Without the lane."""
    return tuple(in_batches_of(subject(NO_LANE), fleets(seed), SPOKEN_UNTIL, 100_000))


@pytest.mark.parametrize("seed", FLEETS)
def test_devices_of_several_feeds_are_judged_as_in_full(seed: int) -> None:
    given, expected = fleets(seed), list(spoken_in_full(seed))
    assert {"feed_outage", "contact_lost", "location_lost", "battery"} <= {finding.kind for finding in expected}
    assert in_batches_of(REAL, given, SPOKEN_UNTIL, len(given)) == expected
    assert in_batches_of(REAL, given, SPOKEN_UNTIL, 50) == expected
    assert restarted(REAL, given[:900], SPOKEN_UNTIL, seed) == in_batches_of(REAL, given[:900], SPOKEN_UNTIL, 900)


@pytest.mark.parametrize("plant", LIFE_PLANTS, ids=lambda plant: plant.name)
def test_a_fault_about_signs_of_life_is_caught(plant: Plant) -> None:
    faulty = subject(plant)
    assert any(in_batches_of(faulty, fleets(seed), SPOKEN_UNTIL, 100_000) != list(spoken_in_full(seed))
               for seed in FLEETS), plant.why
