"""People whose devices speak by several feeds, one of which is seldom heard and one of which fails, and say how they
are: heartbeats, charges that fall and rise, and nothing for a while. Some clocks run ahead.
"""

from __future__ import annotations

from random import Random
from typing import Final

import msgspec

from emon.domain.binding import Binding
from emon.domain.instant import SECOND
from emon.domain.order import Condition, Order
from emon.domain.reading import Reading
from emon.evaluate import batch
from emon.journal.records import InputRecord
from tests.unit.evaluate.world import CURFEW, EXCLUSION, HOME, LAT, SCHOOL, at, order

MEMBERS: Final = 6  # of each feed
MINUTES: Final = 240
UNTIL: Final = at(MINUTES + 60)
_CONDITIONS: Final = (Condition(id="c3", kind="contact", every_s=600.0),
                      Condition(id="c3", kind="contact", every_s=1800.0, hold_s=0.0),
                      Condition(id="c4", kind="device_integrity"), CURFEW)


def fleets(seed: int) -> list[InputRecord]:
    """The evaluator's input."""
    random = Random(f"fleets {seed}")
    orders: list[Order] = []
    bindings: list[Binding] = []
    readings: list[Reading] = []
    fails = random.uniform(60, 150)
    for person in range(2 * MEMBERS):
        feed = "main" if person < MEMBERS else "other"
        conditions = random.sample(_CONDITIONS[1:], random.randint(0, 2))
        if person % 3 or random.random() < 0.3:
            conditions = [c for c in conditions if c.kind != "contact"] + [_CONDITIONS[random.randint(0, 1)]]
        orders.append(order(EXCLUSION, *conditions, id=f"O{person}", participant=f"P{person}", since=-60))
        bindings.append(Binding(id=f"B{person}", device=f"D{person}", participant=f"P{person}", from_=at(-60),
                                role=random.choice([None, "position"]), feed=random.choice([None, feed])))
        sent = _day(random, f"D{person}", feed, person / 60)
        if feed == "other":
            sent = [r for r in sent if not fails <= (r.observed_at - at(0)) / (60 * SECOND) < fails + 30]
        readings += sent
        if person % 2 == 0:  # a second device, by a feed that is seldom heard
            bindings.append(Binding(id=f"L{person}", device=f"L{person}", participant=f"P{person}", from_=at(-60),
                                    role="other", feed="seldom"))
            readings += [_status(f"L{person}", "seldom", minute, minute + 0.5, "heartbeat", None)
                         for minute in sorted(random.uniform(0, MINUTES) for _ in range(random.randint(1, 6)))]
    readings.sort(key=lambda r: r.received_at)
    spread = [msgspec.structs.replace(r, received_at=r.received_at + i % 3 * SECOND) for i, r in enumerate(readings)]
    return list(batch.merge(sorted(spread, key=lambda r: r.received_at), orders, [SCHOOL], bindings))


def _day(random: Random, device: str, feed: str, delay: float) -> list[Reading]:
    sent: list[Reading] = []
    ahead = random.choice([0.0, 0.0, 0.05, 0.2])  # of a clock, in minutes
    silent, blind, charge, falls = -1.0, -1.0, random.uniform(0.1, 0.9), random.choice([0.0, 0.004, 0.02])
    for minute in range(MINUTES):
        if random.random() < 0.01:
            silent = minute + random.choice([5, 12, 45])
        if random.random() < 0.01:
            blind = minute + random.choice([8, 15, 40])  # speaks, but does not know where it is
        charge = random.uniform(0.2, 0.9) if random.random() < 0.02 else max(0.0, charge - falls)
        if minute < silent:
            continue
        late = random.choice([2.5, 15, 50]) if random.random() < 0.05 else 0.0
        arrives = minute + late + (0.0 if ahead else delay)
        if minute >= blind:
            where = "school" if random.random() < 0.02 else "elsewhere"
            method = random.choice(["gnss", "gnss", "wifi", "unknown"] if late else ["gnss", "wifi"])
            sent.append(Reading(device=device, kind="position", feed=feed, observed_at=at(minute + ahead),
                                received_at=at(arrives), lat=LAT[where], lon=HOME.lon, accuracy_m=5.0, method=method))
        if random.random() < 0.3:
            event = random.choice(["heartbeat", "battery", "battery", "strap_open", "strap_closed"]
                                  if random.random() < 0.05 else ["heartbeat", "battery"])
            told = round(charge, 2) if event == "battery" or random.random() < 0.1 else None
            sent.append(_status(device, feed, minute + 0.1 + ahead, arrives + 0.1, event, told))
            if random.random() < 0.1:  # the same instant told otherwise
                sent.append(_status(device, feed, minute + 0.1 + ahead, arrives + random.choice([0.2, 3, 20]), event,
                                    random.choice([0.1, 0.5])))
    return sent


def _status(device: str, feed: str, minute: float, arrives: float, event: str, charge: float | None) -> Reading:
    return Reading(device=device, kind="status", feed=feed, event=event, battery_fraction=charge,
                   observed_at=at(minute), received_at=at(arrives))
