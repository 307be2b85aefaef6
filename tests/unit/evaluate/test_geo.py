"""Distances to borders agree with the ellipsoid and know inside from outside."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Geod

from emon.domain.order import Place
from emon.domain.zone import Zone
from emon.evaluate import geo
from emon.limits import CACHED_GROWN, CACHED_POLYGONS

WGS84 = Geod(ellps="WGS84")
HOME = Place(id="home", lat=43.07, lon=-89.40, radius_m=75)


def around(metres: float, azimuth: float) -> tuple[np.ndarray, np.ndarray]:
    lon, lat, _ = WGS84.fwd(HOME.lon, HOME.lat, azimuth, metres)
    return np.array([lon]), np.array([lat])


@pytest.mark.parametrize(("metres", "signed"), [(0.0, 75.0), (50.0, 25.0), (80.5, -5.5), (1000.0, -925.0)])
@pytest.mark.parametrize("azimuth", [0, 77, 200])
def test_a_circle_measures_along_the_ellipsoid(metres: float, signed: float, azimuth: float) -> None:
    measured = geo.of_place(HOME, 0.0).signed_distance_m(*around(metres, azimuth))[0]
    assert measured == pytest.approx(signed, abs=0.011)


def square(side_m: float, hole: bool = False) -> Zone:
    def ring(half: float) -> tuple[tuple[float, float], ...]:
        corners = [WGS84.fwd(HOME.lon, HOME.lat, a, half * 2**0.5)[:2] for a in (45, 135, 225, 315, 45)]
        return tuple((float(lon), float(lat)) for lon, lat in corners)
    rings = (ring(side_m / 2), ring(side_m / 10)) if hole else (ring(side_m / 2),)
    return Zone(id="z", polygons=(rings,))


def test_a_polygon_is_grown_by_its_buffer() -> None:
    shape = geo.of_zone(square(200.0), 30.0)
    inside, between, outside = (shape.signed_distance_m(*around(m, 90))[0] for m in (0.0, 110.0, 150.0))
    assert (inside, between, outside) == pytest.approx((130.0, 20.0, -20.0), abs=0.02)


def test_a_hole_is_outside() -> None:
    assert geo.of_zone(square(200.0, hole=True), 0.0).signed_distance_m(*around(0.0, 0))[0] == pytest.approx(
        -20.0, abs=0.02)


def test_a_buffer_closes_a_narrow_hole() -> None:
    """Seen from inside, the border is that of the grown shape: a hole narrower than the buffer has gone."""
    shape = geo.of_zone(square(200.0, hole=True), 30.0)
    assert shape.signed_distance_m(*around(0.0, 0))[0] == pytest.approx(130.0, abs=0.02)


def test_the_box_never_excludes_what_may_be_inside() -> None:
    shape = geo.of_zone(square(200.0), 30.0)
    for azimuth in range(0, 360, 15):
        lon, lat = around(150.0, azimuth)
        box = shape.box
        if shape.signed_distance_m(lon, lat)[0] > 0:
            assert box.west <= lon[0] <= box.east and box.south <= lat[0] <= box.north


def test_a_zone_across_the_antimeridian_has_an_inside() -> None:
    ring = ((179.9, 0.0), (-179.9, 0.0), (-179.9, 0.2), (179.9, 0.2), (179.9, 0.0))
    shape = geo.of_zone(Zone(id="z", polygons=((ring,),)), 0.0)
    assert shape.signed_distance_m(np.array([180.0, -179.95, 0.0]), np.array([0.1, 0.1, 0.1]))[:2].min() > 0


def test_a_place_across_the_antimeridian_is_never_far_by_its_longitude() -> None:
    ring = ((179.9, 0.0), (-179.9, 0.0), (-179.9, 0.2), (179.9, 0.2), (179.9, 0.0))
    shape = geo.of_zone(Zone(id="z", polygons=((ring,),)), 0.0)
    assert not shape.is_far(179.95, 0.1, 0.0)
    assert not shape.is_far(-179.95, 0.1, 0.0)
    assert shape.is_far(179.95, 0.3, 0.0)


@pytest.mark.parametrize("wide", [0.01, 0.5, 6.0])
def test_what_lies_beyond_a_long_side_is_not_far_where_the_side_bulges(wide: float) -> None:
    ring = ((-wide, 60.0), (wide, 60.0), (wide, 60.5), (-wide, 60.5), (-wide, 60.0))
    shape = geo.of_zone(Zone(id="z", polygons=((ring,),)), 0.0)
    lats = np.arange(60.4, 60.8, 0.0001)
    measured = shape.signed_distance_m(np.zeros_like(lats), lats)
    assert not any(shape.is_far(0.0, float(lat), 20.0) for lat, m in zip(lats, measured, strict=True) if m >= -20.0)
    assert shape.is_far(0.0, 65.0, 20.0)


def test_many_fixes_at_once_measure_as_one_by_one() -> None:
    shapes = [geo.of_zone(square(200.0, hole=hole), 20.0) for hole in (False, True)] * 20
    rng = np.random.default_rng(3)
    middle_lon, middle_lat = shapes[0].centre
    lon, lat = middle_lon + rng.uniform(-0.003, 0.003, 40), middle_lat + rng.uniform(-0.002, 0.002, 40)
    alone = [s.distance_of_one_m(x, y) for s, x, y in zip(shapes, lon.tolist(), lat.tolist(), strict=True)]
    assert geo.signed_distances_m(shapes, lon, lat).tolist() == pytest.approx(alone, abs=0.011)
    enough = np.full(40, 15.0)
    roughly = geo.signed_distances_m(shapes, lon, lat, enough)
    assert ((roughly > enough) == (np.array(alone) > enough)).all()
    assert ((roughly > 0) == (np.array(alone) > 0)).all()
    assert min(alone) < 0 < 15.0 < max(alone)


def test_polygons_that_rest_keep_no_geometry_in_memory() -> None:
    shapes = [geo.of_zone(square(100.0 + i, hole=True), 30.0) for i in range(CACHED_GROWN + 50)]
    first = shapes[0].distance_of_one_m(*shapes[0].centre)
    for shape in shapes:
        shape.signed_distance_m(np.array([shape.centre[0]]), np.array([shape.centre[1]]))
    assert geo._grown.cache_info().currsize <= CACHED_GROWN
    assert geo._unpacked.cache_info().currsize <= CACHED_POLYGONS
    again = shapes[0].signed_distance_m(np.array([shapes[0].centre[0]]), np.array([shapes[0].centre[1]]))
    assert again[0] == first
