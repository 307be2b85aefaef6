"""Other ways in which the same world may arrive: delayed, reordered, sent again."""

from __future__ import annotations

from random import Random

import msgspec

from tests.oracle.scene import Scene

_DELAYS = (0, 0, 0, 30, 60, 61, 600, 3600, 90_000)


def rearranged(scene: Scene, seed: int) -> Scene:
    """The same scene with other arrivals; a fifth of the readings come twice."""
    random = Random(seed)
    other = Scene(start=scene.start, own_outages=list(scene.own_outages))
    for reading in scene.readings:
        for _ in range(2 if random.random() < 0.2 else 1):
            arrive = _outside(scene, reading.observed_at + random.choice(_DELAYS) * 1_000_000)
            other.readings.append(msgspec.structs.replace(reading, received_at=arrive))
    random.shuffle(other.readings)
    for arrive, version in scene.versions:
        late = random.choice((0, 0, 0, 0, 3600, 7200)) * 1_000_000
        other.versions.append((_outside(scene, arrive + late), version))
    random.shuffle(other.versions)
    return other


def _outside(scene: Scene, arrive: int) -> int:
    """An instant at which something can arrive: not in our own outage."""
    for outage in scene.own_outages:
        if outage.from_ < arrive < outage.to:
            return outage.to
    return arrive


def all_arrived(*scenes: Scene) -> int:
    """An instant at which everything of all scenes has been taken in and every short timer has fired."""
    instants = [r.received_at for s in scenes for r in s.readings] + [
        at for s in scenes for at, _ in s.versions
    ]
    instants += [r.observed_at for s in scenes for r in s.readings]
    return max(instants) + 200 * 60_000_000
