"""A fixed set of random worlds with the oracle's answer to each, worked out once a test session.

Random search is for finding new faults; this is for asking the same questions again and again cheaply: of
the evaluator in every manner of running, and of evaluators with planted faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from hypothesis import HealthCheck, Phase, given, settings

from emon.domain.finding import Finding
from emon.journal.records import InputRecord
from tests.oracle.oracle import oracle
from tests.properties.worlds import TWISTS, World, worlds


@dataclass(frozen=True)
class Case:
    """One world as input, and what is to come of it. `silent_us`: spans in which nothing can be judged."""

    name: str
    records: tuple[InputRecord, ...]
    until: int
    expected: tuple[Finding, ...]


def case(name: str, world: World) -> Case:
    """A world with the oracle's answer."""
    records = tuple(world.records)
    return Case(name, records, world.until_at, tuple(oracle(records, world.until_at)))


@lru_cache(maxsize=4)
def corpus(size: int = 252) -> tuple[Case, ...]:
    """The same worlds every time: plain ones, then each twist by itself, then anything."""
    share = size // (len(TWISTS) + 6)
    cases = _drawn("plain", share * 2, (), 0)
    for twist in TWISTS:
        cases += _drawn(twist, share, (twist,), 1)
    cases += _drawn("mixed", share * 4, tuple(TWISTS), 4)
    return tuple(cases)


@lru_cache(maxsize=1)
def routine() -> tuple[Case, ...]:
    """Worlds in which little happens."""
    return tuple(_drawn("routine", 20, ("routine",), 1))


def _drawn(name: str, size: int, twists: Sequence[str], most: int) -> list[Case]:
    """Worlds in which something is found, and a third as many in which nothing is."""
    found: list[Case] = []
    quiet: list[Case] = []

    @settings(
        max_examples=6 * size,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(worlds(twists, most))
    def draw(world: World) -> None:
        if len(found) < size and (not twists or world.twists):
            one = case(f"{name}-{len(found) + len(quiet)}", world)
            (found if one.expected else quiet).append(one)

    draw()
    return found[:size] + quiet[: size // 3]
