"""The same properties with many seeds: for nights and for whoever changes the evaluator (make soak)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, seed, settings

from tests.properties import test_evaluator, test_evidence, test_oracle_itself

PROPERTIES = [
    getattr(module, name)
    for module in (test_evaluator, test_evidence, test_oracle_itself)
    for name in dir(module)
    if name.startswith("test_") and hasattr(getattr(module, name), "hypothesis")
]


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("known", PROPERTIES, ids=lambda known: known.__name__)
def test_property_with_many_seeds(known: Callable[..., None], number: int) -> None:
    """Two thousand worlds a seed."""
    inner = known.hypothesis.inner_test  # type: ignore[attr-defined]
    drawn = known.hypothesis._given_kwargs  # type: ignore[attr-defined]
    many = settings(
        max_examples=2000,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=False,
    )
    seed(number)(many(given(**drawn)(inner)))()
