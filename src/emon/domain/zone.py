"""Zones: versioned geometry on the ground, in WGS84 degrees."""

from __future__ import annotations

import msgspec

Ring = tuple[tuple[float, float], ...]
"""Closed ring of (lon, lat) degrees."""


class Zone(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One version of a zone. Either `polygons` (each: shell, then holes) or a circle (`centre`, `radius_m`).

    Instants are microseconds UTC; `effective_from` None: always. `received_at` None: known before everything.
    """

    id: str
    version: int = 1
    name: str = ""
    kind: str = "exclusion"  # exclusion | inclusion | neutral
    polygons: tuple[tuple[Ring, ...], ...] = ()
    centre: tuple[float, float] | None = None  # (lon, lat)
    radius_m: float | None = None
    effective_from: int | None = None
    effective_until: int | None = None
    void: bool = False
    provenance: str | None = None
    received_at: int | None = None
