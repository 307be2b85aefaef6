"""How wrong positions are. Every figure is named with where it comes from; nothing that decides reads it.

Errors are correlated in time (first-order autoregressive processes), because real ones are: a receiver that
lies keeps lying for a while, and a fold that is only tested on white noise has not been tested.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ACCURACY_MEDIAN_M: Final = 12.0  # gnss accuracy of 203,000 real phone fixes: median 12 m, p99 59 m
ACCURACY_SIGMA: Final = 0.684  # ln(59 / 12) / 2.326: the log-normal with that median and that p99
ACCURACY_MIN_M: Final = 3.0
ACCURACY_MAX_M: Final = 75.0
ERROR_PER_ACCURACY: Final = 1 / 1.5  # Rayleigh scale: 68 % of errors lie within the accuracy
ERROR_TAU_S: Final = 90.0  # multipath and atmosphere change over a minute or two
ACCURACY_TAU_S: Final = 240.0
CANYON_CLAIM_M: Final = 7.0  # what receivers claim between tall buildings
CANYON_QUANTILES: Final = ((0.0, 1.0), (0.5, 28.0), (0.95, 62.0), (1.0, 79.0))  # and how wrong they are
NETWORK_QUANTILES: Final = ((0.0, 4.0), (0.5, 32.0), (0.9, 67.0), (0.99, 2_500.0), (1.0, 4_000.0))
"""Error of network fixes in metres; beyond the 99th hundredth they are a mast, not a place."""
NETWORK_CLAIM_M: Final = (18.0, 60.0)
NETWORK_HONEST: Final = 0.26  # share of wild network fixes whose reported accuracy admits it
NETWORK_INDOORS: Final = 0.5  # share of fixes indoors that the network gives
SPIKE_RATE: Final = 0.0003  # gnss share of 210 single-fix spikes in 203,000 fixes
SPIKE_M: Final = (150.0, 600.0)
INDOOR_WORSE: Final = 1.4  # accuracy and error through a roof
DRIFT_M: Final = 55.0  # how far a receiver wanders indoors with sky in one window only
DRIFT_CLAIM_M: Final = 9.0
COLD_START_S: Final = 60.0  # first fixes after silence: almanac only
COLD_START_CLAIM_M: Final = 60.0


class Carry(NamedTuple):
    """Where the correlated processes stand after the last fix; time in seconds."""

    t: float
    values: tuple[float, ...]


class Fixes(NamedTuple):
    """What a receiver says: metres, claimed accuracy, and whether the network gave it."""

    x: Floats
    y: Floats
    accuracy_m: Floats
    network: Flags
    carry: Carry


def start(rng: np.random.Generator, t: float) -> Carry:
    """Processes in their stationary state at `t`."""
    return Carry(t, tuple(float(v) for v in rng.standard_normal(3)))


def correlated(rng: np.random.Generator, t: Floats, t0: float, v0: float, tau_s: float) -> Floats:
    """Standard normal process observed at `t` (ascending seconds), correlated over `tau_s`."""
    rho = np.exp(-np.diff(t, prepend=t0) / tau_s)
    steps = rng.standard_normal(len(t)) * np.sqrt(1 - rho**2)
    out = np.empty(len(t))
    value = v0
    for i, (r, step) in enumerate(zip(rho.tolist(), steps.tolist(), strict=True)):
        value = r * value + step
        out[i] = value
    return out


def quantile(table: tuple[tuple[float, float], ...], u: Floats) -> Floats:
    """Inverse of a distribution given by its quantiles, log-linear between them."""
    p = np.array([row[0] for row in table])
    v = np.log([row[1] for row in table])
    return np.exp(np.interp(u, p, v))



def observe(rng: np.random.Generator, t: Floats, x: Floats, y: Floats, *, carry: Carry, indoors: Flags,
            canyon: Flags, drifting: bool = False, spikes: bool = True, networked: bool = True) -> Fixes:
    """What a receiver at (x, y) reports at seconds `t`, ascending."""
    east = correlated(rng, t, carry.t, carry.values[0], ERROR_TAU_S)
    north = correlated(rng, t, carry.t, carry.values[1], ERROR_TAU_S)
    quality = correlated(rng, t, carry.t, carry.values[2], ACCURACY_TAU_S)
    accuracy = np.clip(ACCURACY_MEDIAN_M * np.exp(ACCURACY_SIGMA * quality), ACCURACY_MIN_M, ACCURACY_MAX_M)
    radius = np.hypot(east, north) * accuracy * ERROR_PER_ACCURACY
    radius = np.where(indoors, radius * INDOOR_WORSE, radius)
    accuracy = np.where(indoors, np.minimum(accuracy * INDOOR_WORSE, ACCURACY_MAX_M), accuracy)
    rank = 1 - np.exp(-(east**2 + north**2) / 2)  # exact rank of the Rayleigh radius
    radius = np.where(canyon, quantile(CANYON_QUANTILES, rank), radius)
    accuracy = np.where(canyon, CANYON_CLAIM_M, accuracy)
    if drifting:
        radius = np.where(indoors, DRIFT_M * rank, radius)
        accuracy = np.where(indoors, DRIFT_CLAIM_M, accuracy)
    network = indoors & (rng.random(len(t)) < (NETWORK_INDOORS if networked else 0.0))
    wild = quantile(NETWORK_QUANTILES, rng.random(len(t)))
    admits = (wild > NETWORK_CLAIM_M[1]) & (rng.random(len(t)) < NETWORK_HONEST)
    claim = np.where(admits, wild * 1.1, rng.uniform(*NETWORK_CLAIM_M, len(t)))
    radius, accuracy = np.where(network, wild, radius), np.where(network, claim, accuracy)
    angle = np.where(network, rng.uniform(0, 2 * np.pi, len(t)), np.arctan2(north, east))
    jump = _single(rng.random(len(t)) < (SPIKE_RATE if spikes else 0.0)) & ~network
    radius = np.where(jump, rng.uniform(*SPIKE_M, len(t)), radius)
    last = Carry(float(t[-1]), (float(east[-1]), float(north[-1]), float(quality[-1]))) if len(t) else carry
    return Fixes(x + radius * np.cos(angle), y + radius * np.sin(angle), np.round(accuracy, 1), network, last)


def _single(flags: Flags) -> Flags:
    """Only flags with none among the three before them: a spike is one fix, two would be a place."""
    kept = flags.copy()
    for lag in (1, 2, 3):
        kept[lag:] &= ~flags[:-lag]
    return kept
