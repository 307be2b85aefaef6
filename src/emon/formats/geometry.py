"""Whether a zone's shape can be one on the ground. GeoJSON is [lon, lat] in WGS84 degrees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from shapely import MultiPolygon, Polygon
from shapely.validation import explain_validity

from emon.formats.faults import ObjectFault
from emon.formats.lines import PathPart
from emon.formats.models import (
    MultiPolygonGeometry,
    PointGeometry,
    PolygonGeometry,
    Position,
    Ring,
    ZoneFeature,
)

_WGS84: Final = ("CRS84", "EPSG::4326", "EPSG:4326")
_Path = tuple[PathPart, ...]


def check_shape(feature: ZoneFeature) -> Iterator[ObjectFault]:
    """Faults of a feature's geometry, paths from the feature."""
    shape, radius_m = feature.geometry, feature.properties.radius_m
    path: _Path = ("geometry", "coordinates")
    if shape is None:
        if not feature.properties.void:
            yield ObjectFault(("geometry",), "the zone has no geometry")
        return
    if isinstance(shape, PointGeometry):
        yield from _range(shape.coordinates, path)
        if radius_m is None:
            yield ObjectFault(("properties",), "a Point needs `radius_m` in its properties")
        return
    if radius_m is not None:
        yield ObjectFault(("properties", "radius_m"),
                          f"`radius_m` goes with a Point, not with a {shape.type}")
    match shape:
        case PolygonGeometry():
            yield from _polygon(shape.coordinates, path)
        case MultiPolygonGeometry():
            faults = [fault for at, polygon in enumerate(shape.coordinates)
                      for fault in _polygon(polygon, (*path, at))]
            yield from faults or _parts(shape, path)


def check_crs(crs: dict[str, Any] | None) -> Iterator[ObjectFault]:
    """Other reference systems than WGS84 would put zones elsewhere."""
    name = str(((crs or {}).get("properties") or {}).get("name", "")) if crs is not None else "CRS84"
    if not name.endswith(_WGS84):
        yield ObjectFault(("crs",), f"reference system `{name:.60}` is not WGS84; export as EPSG:4326")


def _polygon(rings: list[Ring], path: _Path) -> Iterator[ObjectFault]:
    faults = [fault for at, ring in enumerate(rings) for fault in _ring(ring, (*path, at))]
    if faults:
        yield from faults
        return
    shape = Polygon(_flat(rings[0]), [_flat(ring) for ring in rings[1:]])
    if not shape.is_valid:
        yield ObjectFault(path, _why(explain_validity(shape)))
    elif shape.area == 0:
        yield ObjectFault(path, "the polygon encloses nothing")


def _parts(shape: MultiPolygonGeometry, path: _Path) -> Iterator[ObjectFault]:
    whole = MultiPolygon([Polygon(_flat(rings[0]), [_flat(ring) for ring in rings[1:]])
                          for rings in shape.coordinates])
    if not whole.is_valid:
        yield ObjectFault(path, f"parts of the zone overlap; merge them ({_where(explain_validity(whole))})")


def _ring(ring: Ring, path: _Path) -> Iterator[ObjectFault]:
    out_of_range = [fault for at, position in enumerate(ring) for fault in _range(position, (*path, at))]
    if out_of_range:
        yield out_of_range[0]
    elif len(ring) < 4:
        yield ObjectFault(path, f"a ring of {len(ring)} positions; a closed one has at least 4")
    elif ring[0][:2] != ring[-1][:2]:
        yield ObjectFault((*path, len(ring) - 1), "the ring is not closed: its last position must equal its "
                                                  "first")


def _range(position: Position, path: _Path) -> Iterator[ObjectFault]:
    lon, lat = position[0], position[1]
    if not -180 <= lon <= 180 or not -90 <= lat <= 90:
        yield ObjectFault(path, f"[{lon}, {lat}] is not on earth; positions are [lon, lat] in degrees")


def _flat(ring: Ring) -> list[tuple[float, float]]:
    return [(position[0], position[1]) for position in ring]


def _why(explained: str) -> str:
    if "Self-intersection" in explained:
        return f"the polygon crosses or touches itself {_where(explained)}"
    return f"the polygon is not valid: {explained.partition('[')[0].lower()} {_where(explained)}"


def _where(explained: str) -> str:
    return f"at [{explained.partition('[')[2].rstrip(']').replace(' ', ', ')}]"
