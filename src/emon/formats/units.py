"""Units at the edge: every one that vendors use is accepted, one is kept inside.

Breath alcohol inside is g per 210 L of breath, which equals g/dL of blood at the usual partition of 2100:1.
Results are rounded to 1e-6 so that a limit of 0.020 met in another unit is met here.
"""

from __future__ import annotations

KNOT_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6
MPH_MPS = 0.44704
FOOT_M = 0.3048


def from_mg_l(value: float) -> float:
    """g/210 L of mg per litre of breath: 210 L hold 0.21 g for each."""
    return round(value * 0.21, 6)


def from_ug_100ml(value: float) -> float:
    """g/210 L of micrograms per 100 mL of breath (100 of them are 1 mg/L)."""
    return round(value * 0.0021, 6)


def from_permille(value: float) -> float:
    """g/210 L of blood alcohol in permille by volume, g/L: ten of them are 1 g/dL."""
    return round(value / 10, 6)


def from_fahrenheit(value: float) -> float:
    """Degrees Celsius of degrees Fahrenheit."""
    return round((value - 32) / 1.8, 3)
