"""The earth as everybody measures it: WGS84, and flat maps around a point."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

Floats = NDArray[np.float64]

WGS84: Final = Geod(ellps="WGS84")


def metres_from(centre_lon: Floats, centre_lat: Floats, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Azimuthal equidistant metres east and north of centres: the geodesic from each, by azimuth and length. Arrays of
    one length, degrees."""
    azimuth, _, away = WGS84.inv(centre_lon, centre_lat, lon, lat)
    angle = np.radians(azimuth)
    return away * np.sin(angle), away * np.cos(angle)
