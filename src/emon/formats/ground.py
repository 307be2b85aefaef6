"""Zones and places as flat shapes in metres around one point, to tell how they lie to each other.

Good for comparing what lies within some hundred kilometres; findings are measured elsewhere, to the centimetre.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import shapely
from shapely import Geometry, MultiPolygon, Point, Polygon

from emon.domain.geodesy import metres_from
from emon.domain.order import Place
from emon.domain.zone import Zone


class Ground:
    """Metres east and north of a point (lon, lat in degrees)."""

    def __init__(self, origin: tuple[float, float]) -> None:
        self._origin = origin

    def place(self, place: Place) -> Geometry:
        """The circle of a place."""
        return self._flat(Point(place.lon, place.lat)).buffer(place.radius_m)

    def zone(self, zone: Zone, buffer_m: float) -> Geometry:
        """A zone version, grown by its buffer."""
        if zone.centre is not None:
            return self._flat(Point(zone.centre)).buffer((zone.radius_m or 0.0) + buffer_m)
        shape = MultiPolygon([Polygon(rings[0], list(rings[1:])) for rings in zone.polygons])
        return self._flat(shape).buffer(buffer_m)

    def _flat(self, degrees: Geometry) -> Any:
        return shapely.transform(degrees, self._metres)

    def _metres(self, lonlat: Any) -> Any:
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        return np.column_stack(metres_from(np.full_like(lon, self._origin[0]), np.full_like(lat, self._origin[1]), lon,
                                           lat))


def enclosed_by(shapes: Iterable[Geometry], inner: Geometry, outer: Geometry) -> bool:
    """Whether every way from the middle of one shape to the middle of the other leads through some of `shapes`,
    in none of which either lies."""
    walls = shapely.union_all(list(shapes))
    ends = [shapely.centroid(inner), shapely.centroid(outer)]
    if any(shapely.intersects(walls, end) for end in ends):
        return False
    parts = getattr(walls, "geoms", [walls])
    rooms = [Polygon(ring) for part in parts for ring in part.interiors]
    return [r.contains(ends[0]) for r in rooms] != [r.contains(ends[1]) for r in rooms]
