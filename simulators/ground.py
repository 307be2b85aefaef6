"""The simulated ground: one flat frame of metres east and north of Madison, Wisconsin.

Truth is worked out here and nowhere else: none of emon's own geometry is used, so that a mistake in one
cannot hide in the other. Within the simulated county the frame deviates from the ellipsoid by less than
0.5 % of a length, far below any receiver's error.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Point = tuple[float, float]
"""(metres east, metres north)."""

LAT0: Final = 43.0731
LON0: Final = -89.4012
_PHI = math.radians(LAT0)
M_PER_LAT: Final = 111_132.954 - 559.822 * math.cos(2 * _PHI) + 1.175 * math.cos(4 * _PHI)
"""Metres a degree of latitude on WGS84 (series of the meridian arc)."""
M_PER_LON: Final = 111_412.84 * math.cos(_PHI) - 93.5 * math.cos(3 * _PHI) + 0.118 * math.cos(5 * _PHI)
"""Metres a degree of longitude on WGS84 at the frame's latitude."""
BLOCK_M: Final = 200.0
"""Streets run every so many metres, north-south and east-west."""


def to_degrees(x: float, y: float) -> tuple[float, float]:
    """(lat, lon) of a point, rounded to 7 decimals (1 cm) as devices send it."""
    return round(LAT0 + y / M_PER_LAT, 7), round(LON0 + x / M_PER_LON, 7)


def circle(centre: Point, radius_m: float) -> shapely.Polygon:
    """A circle as a polygon that deviates by less than 0.1 % of the radius."""
    return shapely.Point(centre).buffer(radius_m, quad_segs=32)


def grown(shape: shapely.Geometry, buffer_m: float) -> shapely.Geometry:
    """The shape grown outward."""
    return shape.buffer(buffer_m, quad_segs=32) if buffer_m else shape


def depth_m(shape: shapely.Geometry, x: Floats, y: Floats) -> Floats:
    """Metres from each point to the border: positive inside, negative outside."""
    points = shapely.points(x, y)
    shapely.prepare(shape)
    distance = shapely.distance(shape.boundary, points)
    signed: Floats = np.where(shapely.contains(shape, points), distance, -distance)
    return signed


def streets(a: Point, b: Point) -> tuple[Point, ...]:
    """Way from `a` to `b`: to the nearest east-west street, along it, then north or south."""
    y = round(a[1] / BLOCK_M) * BLOCK_M
    corners = (a, (a[0], y), (b[0], y), b)
    return tuple(p for i, p in enumerate(corners) if i == 0 or p != corners[i - 1])


def ring_degrees(shape: shapely.Polygon) -> list[list[float]]:
    """The shell as GeoJSON coordinates."""
    ring = []
    for x, y in shape.exterior.coords:
        lat, lon = to_degrees(x, y)
        ring.append([lon, lat])
    return ring


def densified(shape: shapely.Polygon, every_m: float) -> shapely.Polygon:
    """Vertices at least every so often: long edges mean the same line in every projection then."""
    return shape.segmentize(every_m)
