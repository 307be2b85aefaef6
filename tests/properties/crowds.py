"""Crowds for the fast lane: a fix a minute, some of them inside, late, doubled or contradicted, most of them idle.

Small worlds hardly ever fill the lane; here every person enters and leaves it many times.
"""

from __future__ import annotations

from random import Random

import msgspec

from emon.domain.binding import Binding
from emon.domain.instant import MINUTE, SECOND
from emon.domain.order import Condition, Order, Place, Window
from emon.domain.reading import Reading
from emon.evaluate import batch
from emon.journal.records import Bound, InputRecord
from tests.unit.evaluate.world import CONTACT, CURFEW, EXCLUSION, HOME, INCLUSION, LAT, SCHOOL, at, fix, order

PEOPLE = 6
MINUTES = 240
FENCE_LAT = 43.10183  # three metres outside
UNTIL = at(MINUTES + 160)
OFFICE = Place(id="office", lat=LAT["elsewhere"], lon=HOME.lon, radius_m=75)
VISITS = Condition(id="c4", kind="attendance", place="home", minimum_s=1200,
                   windows=(Window(from_s=3600, to_s=5400), Window(from_s=9000, to_s=10800)))
KINDS = [EXCLUSION, INCLUSION, CURFEW, CONTACT, VISITS, Condition(id="c6", kind="device_integrity"),
         msgspec.structs.replace(CURFEW, allowance_s_per_week=600),
         msgspec.structs.replace(CURFEW, hold_s=300, places=("home", "office"), place=None)]


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


def doubted() -> list[InputRecord]:
    """People who are inside twice, with a fix between that says nothing, and never more."""
    readings = []
    for person in range(PEOPLE):
        for minute in range(MINUTES):
            where, accuracy_m = {0: ("school", 5.0), 1: ("fence", 60.0), 2: ("school", 5.0)}.get(
                (minute - 7 * person) % 45, ("elsewhere", 5.0))
            readings.append(_fix(minute, where, minute + person / 60, f"D{person}", accuracy_m))
    readings.sort(key=lambda r: r.received_at)
    orders = [order(EXCLUSION, id=f"O{person}", participant=f"P{person}", since=-60) for person in range(PEOPLE)]
    bindings = [Binding(id=f"B{person}", device=f"D{person}", participant=f"P{person}", from_=at(-60))
                for person in range(PEOPLE)]
    return list(batch.merge(readings, orders, [SCHOOL], bindings))


def equipped(seed: int) -> list[InputRecord]:
    """As `crowd`, of people with several devices, swaps among them, and conditions of most kinds."""
    random = Random(seed)
    readings: list[Reading] = []
    orders: list[Order] = []
    bindings: list[Binding] = []
    for person in range(PEOPLE):
        conditions = [msgspec.structs.replace(c, id=f"c{i}") for i, c in enumerate(
            random.sample(KINDS, random.randint(2, 4)))]
        orders.append(order(*conditions, id=f"O{person}", participant=f"P{person}", since=-60, places=(HOME, OFFICE)))
        delay, swap, lent = person / 60, random.choice([None, None, 90, 150]), random.random() < 0.3
        spans = [(f"D{person}", "position" if random.random() < 0.5 else None, -60,
                  None if swap is None or lent else swap + 20)]
        if swap is not None:
            spans.append((f"E{person}", "position" if lent else None, swap, swap + 40 if lent else None))
        if random.random() < 0.8:
            spans.append((f"H{person}", "home", random.choice([-60, 30, 100]), None))
        bindings += [Binding(id=f"B-{device}", device=device, participant=f"P{person}", from_=at(begin), role=role,
                             until=None if end is None else at(end), place="home" if role == "home" else None)
                     for device, role, begin, end in spans]
        for device, role, begin, end in spans:
            sent = (_reports(random, device, delay) if role == "home"
                    else _day(random, device, delay, ("home", "elsewhere")))
            if random.random() < 0.3:  # kept in the device for an hour and a half
                sent = [msgspec.structs.replace(r, received_at=max(r.received_at, at(90))) for r in sent]
            readings += [r for r in sent if at(begin) <= r.observed_at < at(MINUTES if end is None else end)
                         or random.random() < 0.02]
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


def _reports(random: Random, device: str, delay: float) -> list[Reading]:
    """What a home unit, or a bracelet beside its fixes, says now and then."""
    sent: list[Reading] = []
    for minute in range(0, MINUTES, random.choice([4, 9, 14])):
        arrives = minute + (random.choice([5, 20, 80]) if random.random() < 0.2 else delay)
        when = {"device": device, "observed_at": at(minute), "received_at": at(arrives)}
        event = random.choice(["heartbeat", "strap_open", "strap_closed"])
        sent.append(Reading(kind="presence", present=random.random() < 0.7, **when) if random.random() < 0.8
                    else Reading(kind="status", event=event, **when))
    return sent


def _day(random: Random, device: str, delay: float, stays: tuple[str, ...] = ("elsewhere",)) -> list[Reading]:
    bold, twice, late = random.choice([0.03, 0.08, 0.2]), random.choice([0.02, 0.1]), random.choice([0.05, 0.3])
    sent: list[Reading] = []
    around = 0  # minutes that are still spent in and out
    for minute in range(MINUTES):
        around = random.randint(1, 5) if random.random() < bold / 2 else around - 1
        where = random.choice(["school", "school", "fence", "elsewhere"]) if around > 0 else stays[
            minute // 25 % len(stays)]
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
