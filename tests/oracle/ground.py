"""Distances on the ground, one shape and one fix at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import shapely
from pyproj import CRS, Transformer
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from emon.domain.order import Place
from emon.domain.zone import Zone


@dataclass(frozen=True)
class Depth:
    """Where a fix lies: inside the grown shape or not, and how far from its border (m, to 1 cm)."""

    inside: bool
    distance_m: float


@lru_cache(maxsize=4096)
def depth(shape: Zone | Place, buffer_m: float, lat: float, lon: float) -> Depth:
    """Depth of a point in a zone or place grown by `buffer_m`."""
    to_metres, ground = _ground(shape, buffer_m)
    x, y = to_metres.transform(lon, lat)
    point = Point(x, y)
    return Depth(bool(ground.covers(point)), round(float(ground.boundary.distance(point)), 2))


def leads_through(
    shape: Zone | Place, buffer_m: float, one: tuple[float, float], other: tuple[float, float], deep_m: float
) -> bool:
    """Whether the straight path between two points (latitude, longitude) is so deep in the grown shape somewhere."""
    to_metres, ground = _ground(shape, buffer_m)
    path = LineString([to_metres.transform(lon, lat) for lat, lon in (one, other)])
    core = ground.buffer(0.005 - deep_m, quad_segs=512)  # depths are rounded to 1 cm
    return bool(core.intersects(path))


@lru_cache(maxsize=256)
def _ground(shape: Zone | Place, buffer_m: float) -> tuple[Transformer, Any]:
    radius_m = shape.radius_m
    if isinstance(shape, Place) or shape.centre is not None:
        lon, lat = (shape.lon, shape.lat) if isinstance(shape, Place) else shape.centre or (0.0, 0.0)
        to_metres = _projection(lat, lon)
        return to_metres, Point(0, 0).buffer((radius_m or 0.0) + buffer_m, quad_segs=512)
    degrees = MultiPolygon([Polygon(rings[0], list(rings[1:])) for rings in shape.polygons])
    to_metres = _projection(degrees.centroid.y, degrees.centroid.x)
    metres = shapely.transform(degrees, to_metres.transform, interleaved=False)
    return to_metres, metres.buffer(buffer_m, quad_segs=512) if buffer_m else metres


def _projection(lat: float, lon: float) -> Transformer:
    return Transformer.from_crs(
        CRS.from_epsg(4326),
        CRS.from_proj4(f"+proj=aeqd +lat_0={lat!r} +lon_0={lon!r} +datum=WGS84 +units=m"),
        always_xy=True,
    )
