"""Distances: the evaluator's vectorised ones against one shape and one fix at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emon.domain.zone import Zone
from emon.evaluate import geo
from tests.oracle.ground import depth

LAT, LON = 43.07, -89.40
METRE = 1 / 111_100


def ring(*corners: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Closed ring of metres east and north of the origin, roughly."""
    degrees = [(LON + x * METRE * 1.36, LAT + y * METRE) for x, y in corners]
    return (*degrees, degrees[0])


SHAPES = {
    "square": Zone(id="z", polygons=((ring((0, 0), (300, 0), (300, 300), (0, 300)),),)),
    "hole": Zone(
        id="z",
        polygons=(
            (
                ring((0, 0), (300, 0), (300, 300), (0, 300)),
                ring((140, 140), (160, 140), (160, 160), (140, 160)),
            ),
        ),
    ),
    "notch": Zone(
        id="z", polygons=((ring((0, 0), (300, 0), (300, 300), (150, 300), (150, 150), (0, 150)),),)
    ),
    "two": Zone(
        id="z",
        polygons=(
            (ring((0, 0), (100, 0), (100, 300), (0, 300)),),
            (ring((150, 0), (300, 0), (300, 300), (150, 300)),),
        ),
    ),
    "circle": Zone(id="z", centre=(LON, LAT), radius_m=150),
}


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(x=st.integers(-200, 500), y=st.integers(-200, 500), buffer_m=st.sampled_from([0.0, 15.0, 40.0]))
def test_depth_is_that_in_the_grown_shape(name: str, x: int, y: int, buffer_m: float) -> None:
    """Same side, and the same distance but for the centimetre that a polygonised arc costs."""
    (lon, lat), _ = ring((x, y))
    zone: Any = SHAPES[name]
    mine = depth(zone, buffer_m, lat, lon)
    theirs = float(geo.of_zone(zone, buffer_m).signed_distance_m(np.array([lon]), np.array([lat]))[0])
    assert abs(theirs - (mine.distance_m if mine.inside else -mine.distance_m)) <= 0.02
