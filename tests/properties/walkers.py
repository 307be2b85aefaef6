"""People who walk about among zones where they may not be: paths cross all the time, and much comes late.

Fixes are late one by one and by the hour, said again, told otherwise of the same instant, sent by two devices at once,
and sometimes nobody is heard for minutes.
"""

from __future__ import annotations

from math import cos, radians
from random import Random
from typing import Final

import msgspec

from emon.domain.binding import Binding
from emon.domain.instant import SECOND
from emon.domain.order import Condition, Order
from emon.domain.reading import Reading
from emon.domain.zone import Zone
from emon.evaluate import batch
from emon.journal.records import InputRecord
from tests.unit.evaluate.world import HOME, at, order

WALKERS: Final = 10
MINUTES: Final = 200
UNTIL: Final = at(MINUTES + 120)
AREA_M: Final = 1_500.0
_M_PER_LAT: Final = 111_100.0
_M_PER_LON: Final = 111_320.0 * cos(radians(HOME.lat))


def walkers(seed: int) -> list[InputRecord]:
    """The evaluator's input."""
    random = Random(f"walkers {seed}")
    zones = [Zone(id=f"z{k}", centre=_place(random.uniform(-AREA_M, AREA_M), random.uniform(-AREA_M, AREA_M)),
                  radius_m=random.choice([60.0, 120.0, 200.0])) for k in range(8)]
    orders: list[Order] = []
    bindings: list[Binding] = []
    readings: list[Reading] = []
    for person in range(WALKERS):
        conditions = [Condition(id=f"c{k}", kind="exclusion_zone", zone=zone.id, buffer_m=random.choice([0.0, 30.0]),
                                confirm_fixes=random.choice([1, 2, 2]))
                      for k, zone in enumerate(random.sample(zones, random.choice([1, 1, 2, 5])))]
        orders.append(order(*conditions, id=f"O{person}", participant=f"P{person}", since=-60))
        if random.random() < 0.4:  # another zone from some minute on
            other = msgspec.structs.replace(conditions[0], zone=random.choice(zones).id)
            orders.append(order(other, *conditions[1:], id=f"O{person}", participant=f"P{person}", version=2,
                                since=random.choice([60, 130])))
        spans = [(f"D{person}", -60.0, None)]
        if random.random() < 0.5:
            spans = [(f"D{person}", -60.0, 140.0), (f"E{person}", 110.0, None)]
        bindings += [Binding(id=f"B-{device}", device=device, participant=f"P{person}", from_=at(begin),
                             until=None if end is None else at(end)) for device, begin, end in spans]
        sent = _walk(random, person)
        for device, begin, end in spans:
            readings += [msgspec.structs.replace(r, device=device) for r in sent if random.random() < 0.97
                         and at(begin) <= r.observed_at < at(MINUTES if end is None else end)]
    readings.sort(key=lambda r: r.received_at)
    spread = [msgspec.structs.replace(r, received_at=r.received_at + i % 5 * SECOND) for i, r in enumerate(readings)]
    return list(batch.merge(sorted(spread, key=lambda r: r.received_at), orders, zones, bindings))


def _walk(random: Random, person: int) -> list[Reading]:
    x, y = random.uniform(-AREA_M, AREA_M), random.uniform(-AREA_M, AREA_M)
    pace_m, cadence = random.choice([60.0, 300.0, 600.0]), random.choice([0.4, 1.0, 1.0, 2.5])
    late, twice = random.choice([0.05, 0.3, 0.6]), random.choice([0.02, 0.2])
    east, north = random.uniform(-1, 1), random.uniform(-1, 1)
    sent: list[Reading] = []
    minute, silent_until, held_until = 0.0, 0.0, 0.0
    while minute < MINUTES:
        if random.random() < 0.15:
            east, north = random.uniform(-1, 1), random.uniform(-1, 1)
        x, y = _turned(x + east * pace_m * cadence), _turned(y + north * pace_m * cadence)
        if random.random() < 0.02:
            silent_until = minute + random.choice([4.0, 5.5, 20.0])
        if random.random() < 0.01:
            held_until = minute + random.choice([8.0, 30.0])  # what is observed until then arrives together
        if minute >= silent_until:
            arrives = max(minute + (random.choice([1.5, 4, 4, 30, 90]) if random.random() < late else person / 60),
                          held_until)
            sent.append(_fix(minute, arrives, x, y, random.choice([5.0, 5.0, 40.0, 120.0])))
            chance = random.random()
            if chance < twice:  # the same instant told otherwise
                later = arrives + random.choice([0.1, 1, 4, 20])
                sent.append(_fix(minute, later, x + random.uniform(-400, 400), y, 5.0))
            elif chance < 2 * twice:  # told again
                sent.append(msgspec.structs.replace(
                    sent[-1], received_at=sent[-1].received_at + random.choice([10, 90]) * SECOND))
        minute += cadence * random.choice([0.5, 1.0, 1.0, 1.0, 1.5])
    return sent


def _turned(metres: float) -> float:
    """Back into the area."""
    if abs(metres) <= AREA_M:
        return metres
    return (2 * AREA_M - abs(metres)) * (1 if metres > 0 else -1)


def _fix(minute: float, arrives: float, x: float, y: float, accuracy_m: float) -> Reading:
    lon, lat = _place(x, y)
    return Reading(device="", kind="position", observed_at=at(minute), received_at=at(arrives), lon=lon, lat=lat,
                   accuracy_m=accuracy_m, method="gnss")


def _place(x: float, y: float) -> tuple[float, float]:
    return round(HOME.lon + x / _M_PER_LON, 7), round(HOME.lat + y / _M_PER_LAT, 7)
