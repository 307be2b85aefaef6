"""A load to measure with: many participants, their own polygon zones, late and repeated readings.

Nothing happens in it on purpose; it has the shape of a day at a monitoring centre, not its stories. All of it
is laid out in numpy columns first, so that the generator is faster than what it measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emon.domain import instant
from emon.domain.binding import Binding
from emon.domain.order import Condition, Order
from emon.domain.reading import Reading
from emon.domain.zone import Zone
from emon.journal.records import BindingVersion, Bound, OrderVersion, Tick, ZoneVersion
from simulators.ground import LAT0, LON0, M_PER_LAT, M_PER_LON

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEED: Final = "load"
START_US: Final = 1_788_912_000 * instant.SECOND  # a fixed evening: 2026-09-09T00:00:00Z
AREA_M: Final = 30_000.0  # homes lie within so far of the middle
ROAM_M: Final = 3_000.0  # and people go so far from them
CORNERS: Final = 12
ZONE_M: Final = (120.0, 260.0)
BUFFER_M: Final = 50.0
BORDER_M: Final = (10.0, 60.0)  # a home that is near a zone lies so far outside its grown border
LATENCY_S: Final = (0.5, 3.0)
REPEATED_AFTER_S: Final = (5.0, 120.0)
ACCURACY_SIGMA: Final = 0.684


@dataclass(frozen=True, slots=True)
class Workload:
    """Columns in arrival order, instants in microseconds UTC; `corners`: degrees by participant, zone."""

    participants: int
    start_us: int
    person: Ints
    observed_us: Ints
    received_us: Ints
    lat: Floats
    lon: Floats
    accuracy_m: Floats
    corners: Floats

    def __len__(self) -> int:
        return len(self.person)

    def versions(self, *, contact: bool = False) -> list[OrderVersion | ZoneVersion | BindingVersion]:
        """Orders, zones and bindings, all known before the first reading."""
        known = self.start_us - instant.DAY
        found: list[OrderVersion | ZoneVersion | BindingVersion] = []
        for i in range(self.participants):
            zones = [f"Z-{i:06d}-{k}" for k in range(self.corners.shape[1])]
            for k, zone in enumerate(zones):
                ring = tuple((lon, lat) for lon, lat in self.corners[i, k].tolist())
                found.append(ZoneVersion(received_at=known, zone=Zone(
                    id=zone, polygons=((ring + ring[:1],),))))
            conditions = [Condition(id=f"c{k + 1}", kind="exclusion_zone", zone=zone, buffer_m=BUFFER_M)
                          for k, zone in enumerate(zones)]
            if contact:
                conditions.append(Condition(id="contact", kind="contact", every_s=3600.0))
            found.append(OrderVersion(received_at=known, order=Order(
                id=f"O-{i:06d}", participant=person(i), effective_from=known, conditions=tuple(conditions))))
            found.append(BindingVersion(received_at=known, binding=Binding(
                id=f"B-{i:06d}", device=device(i), participant=person(i), role="position", feed=FEED,
                from_=known)))
        return found

    def bound(self, arrival: int = 100) -> Iterator[list[Bound]]:
        """Records for the evaluator, one list an arrival of so many readings."""
        persons = [person(i) for i in range(self.participants)]
        for batch, received in self._arrivals(arrival):
            records = [Bound(participant=persons[i], received_at=received, reading=reading)
                       for i, reading in zip(self.person[batch].tolist(), self._readings(batch), strict=True)]
            last = records[-1]
            records[-1] = Bound(participant=last.participant, received_at=received, reading=last.reading,
                                last=True)
            yield records

    def records(self, arrival: int = 100) -> Iterator[list[Bound | Tick]]:
        """As `bound`, with the ticks of every whole second between, each an arrival of its own."""
        second = self.start_us // instant.SECOND
        for records in self.bound(arrival):
            reached = records[0].received_at // instant.SECOND
            for tick in range(second + 1, reached + 1):
                yield [Tick(received_at=tick * instant.SECOND)]
            second = max(second, reached)
            yield list(records)

    def bodies(self, readings: int = 100) -> Iterator[bytes]:
        """Native NDJSON bodies for HTTP, in arrival order."""
        for batch, _ in self._arrivals(readings):
            yield b"".join(self._lines(batch))

    def _arrivals(self, size: int) -> Iterator[tuple[slice, int]]:
        previous = 0
        for begin in range(0, len(self), size):
            batch = slice(begin, min(begin + size, len(self)))
            received = max(int(self.received_us[batch.stop - 1]), previous + 1)
            if received % instant.SECOND == 0:
                received += 1  # whole seconds belong to the ticks
            previous = received
            yield batch, received

    def _columns(self, batch: slice) -> tuple[list[Any], ...]:
        return tuple(column[batch].tolist() for column in (
            self.person, self.observed_us, self.lat, self.lon, self.accuracy_m))

    def _readings(self, batch: slice) -> list[Reading]:
        return [Reading(device=f"LOAD-{i:06d}", kind="position", observed_at=observed, lat=lat, lon=lon,
                        accuracy_m=accuracy, method="gnss", feed=FEED)
                for i, observed, lat, lon, accuracy in zip(*self._columns(batch), strict=True)]

    def _lines(self, batch: slice) -> Iterator[bytes]:
        seconds = np.datetime_as_string(self.observed_us[batch].astype("M8[us]"), unit="ms").tolist()
        persons, _, lats, lons, accuracies = self._columns(batch)
        for i, at, lat, lon, accuracy in zip(persons, seconds, lats, lons, accuracies, strict=True):
            yield (f'{{"v":1,"device":"LOAD-{i:06d}","kind":"position","observed_at":"{at}Z","lat":{lat},'
                   f'"lon":{lon},"accuracy_m":{accuracy},"method":"gnss"}}\n').encode()


def person(i: int) -> str:
    """Id of participant `i`."""
    return f"P-{i:06d}"


def device(i: int) -> str:
    """Id of the participant's device."""
    return f"LOAD-{i:06d}"


def generate(*, participants: int = 10_000, zones_each: int = 3, cadence_s: float = 60.0, moving: float = 0.3,
             late: float = 0.05, late_up_to_h: float = 24.0, duplicates: float = 0.01,
             near_border: float = 0.02, seed: int = 1, minutes: float = 10.0,
             start_us: int = START_US) -> Workload:
    """Lays out what arrives in `minutes`. `moving` is a share of the people, `near_border` of the pairs of a person and
    a zone (it lies next to the home of somebody who stays there), the others of readings; `late` ones were observed up
    to `late_up_to_h` before they arrive, even before the start."""
    rng = np.random.default_rng(seed)
    homes = rng.uniform(-AREA_M, AREA_M, (participants, 2))
    goes = rng.random(participants) < moving
    beside = np.where(goes, 0.0, near_border / max(1 - moving, near_border, 1e-9))
    corners = _zones(rng, homes, zones_each, beside)
    each = max(1, round(minutes * 60 / cadence_s))
    who = np.tile(np.arange(participants), each)
    phase = rng.uniform(0, cadence_s, participants)
    sent_s = np.repeat(np.arange(each) * cadence_s, participants) + phase[who]
    delay_s = rng.uniform(*LATENCY_S, len(who))
    is_late = rng.random(len(who)) < late
    delay_s[is_late] = rng.uniform(60.0, late_up_to_h * 3600, int(is_late.sum()))
    observed_us = start_us + np.round((sent_s - delay_s) * 1e3).astype(np.int64) * 1000
    x, y = _positions(rng, homes, who, sent_s - delay_s, goes)
    accuracy = np.round(np.clip(12 * np.exp(ACCURACY_SIGMA * rng.standard_normal(len(who))), 3, 75), 1)
    received_us = start_us + np.round(sent_s * 1e6).astype(np.int64)
    again = np.flatnonzero(rng.random(len(who)) < duplicates)
    rows = np.concatenate((np.arange(len(who)), again))
    received_us = np.concatenate((received_us, received_us[again] + np.round(
        rng.uniform(*REPEATED_AFTER_S, len(again)) * 1e6).astype(np.int64)))
    order = np.argsort(received_us, kind="stable")
    rows = rows[order]
    degrees = corners / np.array([M_PER_LON, M_PER_LAT]) + np.array([LON0, LAT0])
    return Workload(participants, start_us, who[rows].astype(np.int64), observed_us[rows], received_us[order],
                    np.round(LAT0 + y / M_PER_LAT, 7)[rows], np.round(LON0 + x / M_PER_LON, 7)[rows],
                    accuracy[rows], np.round(degrees, 7))


def _zones(rng: np.random.Generator, homes: Floats, zones_each: int, beside: Floats) -> Floats:
    """Corner points in metres, shape (participant, zone, corner, 2). `beside`: by participant how probably a zone lies
    next to the home."""
    n = len(homes)
    radius = rng.uniform(*ZONE_M, (n, zones_each, CORNERS))
    towards = rng.integers(0, CORNERS, (n, zones_each))  # the corner that looks at the home
    turn = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    near = rng.random((n, zones_each)) < beside[:, None]
    facing = np.take_along_axis(radius, towards[..., None], axis=2)[..., 0]
    away = np.where(near, facing + BUFFER_M + rng.uniform(*BORDER_M, (n, zones_each)),
                    rng.uniform(600, ROAM_M, (n, zones_each)))
    angle = turn[towards]
    middle = homes[:, None, :] - away[..., None] * np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    corners: Floats = middle[:, :, None, :] + np.stack((radius * np.cos(turn), radius * np.sin(turn)), axis=-1)
    return corners


def _positions(rng: np.random.Generator, homes: Floats, who: NDArray[Any], t: Floats,
               goes: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """At home with a receiver's noise, or on a smooth round trip of about an hour."""
    rate = rng.uniform(1.2e-3, 2.2e-3, (len(homes), 2))
    start = rng.uniform(0, 2 * np.pi, (len(homes), 2))
    reach = np.where(goes, ROAM_M, 0.0)[who]
    noise = rng.normal(0, 8, (2, len(who)))
    x = homes[who, 0] + reach * np.sin(rate[who, 0] * t + start[who, 0]) + noise[0]
    y = homes[who, 1] + reach * np.sin(rate[who, 1] * t + start[who, 1]) + noise[1]
    return x, y

