"""Each planted fault is caught. A fault that no property notices is a hole in the properties."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.properties.corpus import Case, corpus
from tests.properties.mutant import changed_source, reloaded
from tests.properties.planted import PLANTS, Plant
from tests.properties.running import REAL, Subject, at_once, of_kinds, restarted
from tests.properties.targets import targets
from tests.properties.views import differences


def subject(plant: Plant) -> Subject:
    """The evaluator with the fault in it."""
    with reloaded(plant.module, changed_source(plant.module, plant.old, plant.new)):
        return Subject(
            *(import_module(f"emon.evaluate.{name}") for name in ("evaluator", "history", "batch"))
        )


def wrong(mutant: Subject, one: Case, manner: str) -> bool:
    """Whether the evaluator says something else than the rules' text on this world."""
    if manner == "at once":
        lines = at_once(mutant, one.records, one.until)
    else:
        lines = restarted(mutant, one.records, one.until, seed=1)
    return differences(one.expected, of_kinds(lines)) != ""


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_planted_fault_is_caught(plant: Plant) -> None:
    """Some world of the corpus comes out wrong."""
    mutant = subject(plant)
    assert any(wrong(mutant, one, plant.manner) for one in (*targets(), *corpus())), plant.why


@pytest.mark.parametrize("manner", ["at once", "restarted"])
def test_without_a_fault_nothing_is_caught(manner: str) -> None:
    """The corpus accuses no honest evaluator."""
    assert [one.name for one in (*targets(), *corpus()) if wrong(REAL, one, manner)] == []
