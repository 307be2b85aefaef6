"""Crowds for the fast lane: a fix a minute, some of them inside, late, doubled or contradicted, most of them idle.

Small worlds hardly ever fill the lane; here every person enters and leaves it many times.
"""

from __future__ import annotations

from random import Random

import msgspec

from emon.domain.binding import Binding
from emon.domain.instant import MINUTE, SECOND
from emon.domain.order import Order
from emon.domain.reading import Reading
from emon.evaluate import batch
from emon.journal.records import Bound, InputRecord
from tests.unit.evaluate.world import CONTACT, CURFEW, EXCLUSION, SCHOOL, at, fix, order

PEOPLE = 6
MINUTES = 240
FENCE_LAT = 43.10183  # three metres outside
UNTIL = at(MINUTES + 160)


def crowd(seed: int) -> list[InputRecord]:
    """The evaluator's input."""
    random = Random(seed)
    readings: list[Reading] = []
    orders: list[Order] = []
    bindings: list[Binding] = []
    for person in range(PEOPLE):
        zone = msgspec.structs.replace(
            EXCLUSION, confirm_fixes=random.choice([1, 2, 2, 2, 3]), hold_s=random.choice([0, 0, 300, 2400]))
        conditions = [zone, *random.sample([CURFEW, CONTACT], random.randint(0, 1))]
        orders.append(order(*conditions, id=f"O{person}", participant=f"P{person}", since=-60))
        bindings.append(Binding(id=f"B{person}", device=f"D{person}", participant=f"P{person}", from_=at(-60)))
        readings += _day(random, f"D{person}", person / 60)
    readings.sort(key=lambda r: r.received_at)
    spread = [msgspec.structs.replace(r, received_at=r.received_at + i % 7 * SECOND) for i, r in enumerate(readings)]
    return list(batch.merge(sorted(spread, key=lambda r: r.received_at), orders, [SCHOOL], bindings))


def shuffled(records: list[InputRecord], seed: int, size: int) -> tuple[list[InputRecord], int]:
    """The same readings in an order that says nothing, in arrivals of `size`, one a minute after the last was
    observed; and when all have arrived."""
    bounds = [record for record in records if isinstance(record, Bound)]
    Random(seed).shuffle(bounds)
    end = max(bound.reading.observed_at for bound in bounds)
    arrivals = [end + (1 + index // size) * MINUTE for index in range(len(bounds))]
    late: list[InputRecord] = [
        msgspec.structs.replace(b, received_at=at, reading=msgspec.structs.replace(b.reading, received_at=at))
        for b, at in zip(bounds, arrivals, strict=True)]
    texts = [record for record in records if not isinstance(record, Bound)]
    return [*texts, *late], arrivals[-1]


def _day(random: Random, device: str, delay: float) -> list[Reading]:
    bold, twice, late = random.choice([0.03, 0.08, 0.2]), random.choice([0.02, 0.1]), random.choice([0.05, 0.3])
    sent: list[Reading] = []
    around = 0  # minutes that are still spent in and out
    for minute in range(MINUTES):
        around = random.randint(1, 5) if random.random() < bold / 2 else around - 1
        where = random.choice(["school", "school", "fence", "elsewhere"]) if around > 0 else "elsewhere"
        arrives = minute + (random.choice([3, 7, 40, 100]) if random.random() < late else delay)
        accuracy_m = random.choice([5.0, 5.0, 60.0])
        sent.append(_fix(minute, where, arrives, device, accuracy_m))
        chance = random.random()
        if chance < (0.25 if around > 0 else twice):  # the same instant told otherwise
            sent.append(_fix(minute, random.choice(["elsewhere", "school", "fence"]),
                             arrives + random.choice([1, 5, 30, 60]), device, random.choice([accuracy_m, 4.0])))
        elif chance < twice + 0.03:  # told again
            sent.append(_fix(minute, where, arrives + 2, device, accuracy_m))
    return sent


def _fix(minute: int, where: str, arrives: float, device: str, accuracy_m: float) -> Reading:
    made = fix(minute, where, arrives, device=device, accuracy_m=accuracy_m)
    return msgspec.structs.replace(made, lat=FENCE_LAT) if where == "fence" else made
