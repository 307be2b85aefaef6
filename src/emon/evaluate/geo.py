"""Signed distances of fixes to the border of a zone or place, in metres.

Every shape has its own azimuthal equidistant projection at its own centroid, so that a distance follows
from the shape and the fix alone. Distances are rounded to 1 cm before anybody compares them. Positive:
inside; `buffer_m` has then already grown the shape outward. Adding it to the distance is exact for circles,
for convex shapes and outside; inside all others the distance to the border of the grown shape is measured.

Most zones lie far from everybody most of the time. So a polygon rests as bytes, and only the geometries measured
last are kept unpacked.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import cos, hypot, inf, radians, sin, tan
from typing import Any, Final, NamedTuple

import numpy as np
import shapely

from emon.domain.geodesy import WGS84, Floats, metres_from
from emon.domain.order import Place
from emon.domain.zone import Ring, Zone
from emon.limits import CACHED_GROWN, CACHED_POLYGONS

ARC_SEGMENTS: Final = 256  # a quarter circle of 100 m is then true to 0.1 cm
_ARC_M: Final = 1.0  # much more than straight pieces for arcs take away from any buffer
METRES_PER_DEGREE: Final = 110_000.0  # of latitude, a little less than anywhere on the ellipsoid
MOST_PER_DEGREE: Final = 112_000.0  # of latitude or longitude, a little more than anywhere
_REMEMBERED: Final = 64  # fixes of one chain, looked at again and again
_MANY_CORNERS: Final = 64  # from so many on an index pays
_BOX_REACH_M: Final = 60_000.0  # further away the box's degrees are no measure
_BOX_SLACK_M: Final = 1.0  # what the box test gives away at least
_EARTH_M: Final = 6_350_000.0  # no radius of curvature is smaller where people live


Degrees = tuple[float, float, float, float]
"""West, south, east, north of a box."""
NOWHERE: Final[Degrees] = (inf, inf, -inf, -inf)
Path = tuple[tuple[float, float], tuple[float, float]]
"""From one fix straight to another, each as longitude and latitude."""


class Box(NamedTuple):
    """Degrees around a shape, grown by its buffer: what lies `reach_m` outside is certainly outside."""

    west: float
    south: float
    east: float
    north: float
    metres_per_degree_east: float


class Shape:
    """A zone version with its buffer, or a place. Most are never measured to: at first only the box is made."""

    __slots__ = ("_centre", "_circle_m", "_measured", "_packed", "_rings", "_simple", "box", "buffer_m")

    def __init__(self, polygons: tuple[tuple[Ring, ...], ...], centre: tuple[float, float] | None,
                 radius_m: float, buffer_m: float) -> None:
        self.buffer_m = buffer_m
        self._circle_m = radius_m if centre is not None else None
        self._centre = centre
        self._rings = polygons
        self._measured: dict[tuple[float, float], float] | None = None
        self._packed = b""
        self._simple = True
        if centre is not None:
            self.box = _box(centre * 2, radius_m + buffer_m)
        else:
            self.box = _box(_bounds(polygons), buffer_m)

    def _make(self) -> tuple[float, float]:
        """Makes what measuring takes of a polygon; returns the centre."""
        make_together([self])
        assert self._centre is not None
        return self._centre

    @property
    def made(self) -> bool:
        """Whether all that measuring takes is there."""
        return self._centre is not None

    @property
    def rings(self) -> tuple[tuple[Ring, ...], ...]:
        """A polygon's rings in degrees, until it is made."""
        return self._rings

    def rest(self, centre: tuple[float, float], packed: bytes, lacking_m2: float) -> None:
        """Takes in what was made. `lacking_m2`: by how much the polygon is smaller than its hull."""
        self._centre, self._packed, self._rings = centre, packed, ()
        self._simple = self.buffer_m == 0 or lacking_m2 < 1e-6

    @property
    def centre(self) -> tuple[float, float]:
        """Where the projection touches: longitude and latitude."""
        return self._centre or self._make()

    @property
    def circle_m(self) -> float | None:
        """The radius of a circle; None for polygons."""
        return self._circle_m

    @property
    def packed(self) -> bytes:
        """A polygon in metres, as WKB."""
        if self._centre is None:
            self._make()
        return self._packed

    @property
    def geometry(self) -> tuple[Any, Any]:
        """A polygon and its border, in metres."""
        return _unpacked(self.packed)

    @property
    def simple(self) -> bool:
        """Whether the buffer may just be added to distances."""
        if self._centre is None:
            self._make()
        return self._simple

    def signed_distance_m(self, lon: Floats, lat: Floats) -> Floats:
        """Metres to the grown border, rounded to 1 cm; positive inside. Arrays of one length, degrees."""
        return np.round(self.depths_m(*self._place(lon, lat)), 2)

    def ends_m(self, path: Path) -> tuple[Floats, Floats]:
        """Where a path begins and ends, in metres east and north of the centre."""
        (lon, lat), (other_lon, other_lat) = path
        return self._place(np.array([lon, other_lon]), np.array([lat, other_lat]))

    def _place(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        centre = self.centre
        return metres_from(np.full_like(lon, centre[0]), np.full_like(lat, centre[1]), lon, lat)

    def depths_m(self, x: Floats, y: Floats, segments: int = ARC_SEGMENTS) -> Floats:
        """Metres to the grown border of points in metres; positive inside. With fewer `segments` a quarter of an arc it
        is a little too little."""
        if self._circle_m is not None:
            return self._circle_m - np.hypot(x, y) + self.buffer_m
        polygon, border = self.geometry
        points = shapely.points(x, y)
        away = shapely.distance(border, points)
        grown: Floats = np.where(shapely.contains_xy(polygon, x, y), away, -away) + self.buffer_m
        if not self._simple and (inside := grown > 0).any():
            grown[inside] = shapely.distance(_grown(self._packed, self.buffer_m, segments), points[inside])
        return grown

    def distance_of_one_m(self, lon: float, lat: float) -> float:
        """As `signed_distance_m` for one fix, without the cost of arrays; remembers the latest answers."""
        measured = self._measured
        if measured is None or len(measured) >= _REMEMBERED:
            measured = self._measured = {}
        known = measured.get((lon, lat))
        if known is None:
            known = measured[lon, lat] = self._measure_one(lon, lat)
        return known

    def _measure_one(self, lon: float, lat: float) -> float:
        centre = self.centre
        azimuth, _, away = WGS84.inv(centre[0], centre[1], lon, lat)
        if self._circle_m is not None:
            signed = self._circle_m - away
        else:
            angle = radians(azimuth)
            x, y = away * sin(angle), away * cos(angle)
            polygon, border = self.geometry
            signed = float(shapely.distance(border, shapely.points(x, y)))
            if not shapely.contains_xy(polygon, x, y):
                signed = -signed
            if not self._simple and signed + self.buffer_m > 0:
                return float(np.round(shapely.distance(_grown(self._packed, self.buffer_m), shapely.points(x, y)), 2))
        return float(np.round(signed + self.buffer_m, 2))

    def is_far(self, lon: float, lat: float, reach_m: float) -> bool:
        """Whether a fix is certainly more than `reach_m` outside; False where that takes measuring."""
        box = self.box
        if reach_m > _BOX_REACH_M:
            return False
        north, east = reach_m / METRES_PER_DEGREE, reach_m / box.metres_per_degree_east
        return (lat < box.south - north or lat > box.north + north
                or lon < box.west - east or lon > box.east + east)


def make_together(shapes: Sequence[Shape]) -> None:
    """Makes what measuring takes of polygons, all at once: one by one it would cost ten times that."""
    degrees = _degrees([shape.rings for shape in shapes])
    centres = shapely.get_coordinates(shapely.centroid(degrees))
    origin = np.repeat(centres, shapely.get_num_coordinates(degrees), axis=0)
    polygons = shapely.transform(degrees, lambda lonlat: np.column_stack(
        metres_from(origin[:, 0], origin[:, 1], lonlat[:, 0], lonlat[:, 1])))
    lacking = shapely.area(shapely.convex_hull(polygons)) - shapely.area(polygons)
    for shape, (lon, lat), packed, less in zip(shapes, centres.tolist(), shapely.to_wkb(polygons), lacking.tolist(),
                                               strict=True):
        shape.rest((lon, lat), packed, less)


def signed_distances_m(shapes: Sequence[Shape], lon: Floats, lat: Floats,
                       enough_m: Floats | None = None) -> Floats:
    """`signed_distance_m` of many fixes, each to a shape of its own, in one go. `enough_m`: where a fix lies
    further inside than that, it does not matter how much further."""
    unmade = [shape for shape in dict.fromkeys(shapes) if not shape.made]
    if unmade:
        make_together(unmade)
    centres = np.array([shape.centre for shape in shapes], dtype=np.float64)
    x, y = metres_from(centres[:, 0], centres[:, 1], lon, lat)
    signed = np.empty(len(shapes))
    circles = np.array([shape.circle_m is not None for shape in shapes], dtype=np.bool_)
    for i in np.flatnonzero(circles).tolist():
        signed[i] = (shapes[i].circle_m or 0.0) - np.hypot(x[i], y[i])
    rest = np.flatnonzero(~circles)
    if rest.size:
        polygons, borders = _geometries([shapes[i] for i in rest.tolist()])
        apart = shapely.distance(borders, shapely.points(x[rest], y[rest]))
        within = shapely.contains_xy(polygons, x[rest], y[rest])
        signed[rest] = np.where(within, apart, -apart)
    grown = signed + np.array([shape.buffer_m for shape in shapes])
    unsure = grown > 0 if enough_m is None else (grown > 0) & (grown <= enough_m + _ARC_M)
    for i in np.flatnonzero(unsure).tolist():  # the buffer added is the least that it may be
        if not shapes[i].simple:
            grown[i] = shapes[i].signed_distance_m(lon[i:i + 1], lat[i:i + 1])[0]
    rounded: Floats = np.round(grown, 2)
    return rounded


def _geometries(shapes: Sequence[Shape]) -> tuple[Any, Any]:
    """Polygons and their borders. Small ones are unpacked together: keeping them would cost more than that."""
    packed = [shape.packed for shape in shapes]
    polygons = shapely.from_wkb(packed)
    borders = shapely.boundary(polygons)
    for i in np.flatnonzero(shapely.get_num_coordinates(polygons) >= _MANY_CORNERS).tolist():
        polygons[i], borders[i] = _unpacked(packed[i])
    return polygons, borders


def of_zone(zone: Zone, buffer_m: float) -> Shape:
    """The shape of a zone version, grown by `buffer_m`."""
    return Shape(zone.polygons, zone.centre, zone.radius_m or 0.0, buffer_m)


def of_place(place: Place, buffer_m: float) -> Shape:
    """The shape of a place, grown by `buffer_m`."""
    return Shape((), (place.lon, place.lat), place.radius_m, buffer_m)


@lru_cache(maxsize=CACHED_POLYGONS)
def _unpacked(packed: bytes) -> tuple[Any, Any]:
    """A polygon and its border."""
    polygon = shapely.from_wkb(packed)
    border = shapely.boundary(polygon)
    if shapely.get_num_coordinates(polygon) >= _MANY_CORNERS:
        shapely.prepare(polygon)
        shapely.prepare(border)
    return polygon, border


@lru_cache(maxsize=CACHED_GROWN)
def _grown(packed: bytes, buffer_m: float, segments: int = ARC_SEGMENTS) -> Any:
    """The border of a grown polygon."""
    grown = shapely.buffer(shapely.from_wkb(packed), buffer_m, quad_segs=segments)
    return shapely.boundary(grown)


def _degrees(polygons: Sequence[tuple[tuple[Ring, ...], ...]]) -> Any:
    """Geometries in degrees; rings that cross the antimeridian continue beyond 180. Single rings are made together."""
    made = np.empty(len(polygons), dtype=object)
    single = [i for i, rings in enumerate(polygons) if len(rings) == len(rings[0]) == 1]
    for i, rings in enumerate(polygons):
        if len(rings) > 1 or len(rings[0]) > 1:
            made[i] = _polygons(rings)
    if single:
        lengths = [len(polygons[i][0][0]) for i in single]
        corners = np.array([point for i in single for point in polygons[i][0][0]], dtype=np.float64)
        corners[:, 0] += 360.0 * np.round((np.repeat([polygons[i][0][0][0][0] for i in single], lengths)
                                           - corners[:, 0]) / 360.0)
        made[single] = shapely.polygons(shapely.linearrings(
            corners, indices=np.repeat(np.arange(len(single)), lengths)))
    return made


def _polygons(polygons: tuple[tuple[Ring, ...], ...]) -> Any:
    """One geometry of several rings. Where polygons touch, as the halves of a zone cut at the antimeridian do, is no
    border."""
    origin = polygons[0][0][0][0]
    shapes = [shapely.Polygon(_unwrap(rings[0], origin), [_unwrap(hole, origin) for hole in rings[1:]])
              for rings in polygons]
    return shapely.union_all(shapes) if len(shapes) > 1 else shapes[0]


def _bounds(polygons: tuple[tuple[Ring, ...], ...]) -> tuple[float, ...]:
    """West, south, east, north of what `_degrees` makes."""
    origin = polygons[0][0][0][0]
    points = [point for rings in polygons for point in _unwrap(rings[0], origin)]
    lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
    return min(lons), min(lats), max(lons), max(lats)


def _unwrap(ring: Ring, origin: float) -> list[tuple[float, float]]:
    return [(lon + 360.0 * round((origin - lon) / 360.0), lat) for lon, lat in ring]


def _box(bounds: tuple[float, ...], grow_m: float) -> Box:
    west, south, east, north = bounds
    furthest = min(abs(south) + 1.0, 89.0) if abs(south) > abs(north) else min(abs(north) + 1.0, 89.0)
    east_m = METRES_PER_DEGREE * cos(radians(furthest))
    grow_m += _BOX_SLACK_M + _bulge_m(hypot(east - west, north - south) * MOST_PER_DEGREE, furthest)
    west, east = west - grow_m / east_m, east + grow_m / east_m
    if max(-west, east) > 180.0 - _BOX_REACH_M / east_m:  # a place within reach has another longitude: latitudes tell
        west, east = -1e9, 1e9
    return Box(west, south - grow_m / METRES_PER_DEGREE, east, north + grow_m / METRES_PER_DEGREE, east_m)


def _bulge_m(across_m: float, lat: float) -> float:
    """More than a straight side, which a parallel is not, may lie outside the degrees of its ends."""
    return across_m ** 2 * (1 + tan(radians(lat))) / (4 * _EARTH_M) + across_m ** 3 / _EARTH_M ** 2
