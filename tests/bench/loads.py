"""The loads: one shape for all lines, `simulators.workload`, cut to the size that each measurement needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from emon.domain import instant
from emon.journal.records import InputRecord
from simulators import workload
from simulators.workload import Workload

PARTICIPANTS: Final = 10_000
BODY: Final = 100  # readings in one body, and so in one arrival
VISIT_EVERY: Final = 50  # of so many participants one goes into a zone of theirs
VISIT_FIXES: Final = 3


def usual(minutes: float, *, participants: int = PARTICIPANTS, start_us: int = workload.START_US,
          cadence_s: float = 60.0) -> Workload:
    """People at a reading a minute: 30 % move, 5 % of readings are up to a day late, 1 % come twice, 2 % of the pairs
    of a home and one of its three zones lie near each other."""
    return workload.generate(participants=participants, minutes=minutes, start_us=start_us,
                             cadence_s=cadence_s)


def fewer(minutes: float, start_us: int) -> Workload:
    """As many readings as `usual` of a tenth of the people: each sends ten times as often."""
    return usual(minutes, participants=PARTICIPANTS // 10, start_us=start_us, cadence_s=6.0)


def steady(seconds: float, start_us: int = workload.START_US) -> Workload:
    """Ten thousand readings a second: everybody once a second. Repetitions that would come later are cut."""
    load = usual(seconds / 60, cadence_s=1.0, start_us=start_us)
    return _rows(load, np.flatnonzero(load.received_us < start_us + round(seconds * 1e6)))


def _rows(load: Workload, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Workload:
    return replace(load, person=load.person[rows], observed_us=load.observed_us[rows], lat=load.lat[rows],
                   lon=load.lon[rows], accuracy_m=load.accuracy_m[rows], received_us=load.received_us[rows])


def shuffled(load: Workload) -> Workload:
    """The same readings in an order that says nothing, all arriving in the hour after the last."""
    order = np.random.default_rng(2).permutation(len(load))
    end = int(load.received_us.max())
    return replace(_rows(load, order), start_us=end, received_us=end + np.arange(
        len(load), dtype=np.int64) * instant.HOUR // max(1, len(load)))


def with_visits(load: Workload) -> Workload:
    """Every fiftieth participant goes into the middle of a zone again and again, for three fixes each time:
    findings that open and close."""
    lat, lon, accuracy_m = load.lat.copy(), load.lon.copy(), load.accuracy_m.copy()
    middle = load.corners.mean(axis=2)
    for who in range(0, load.participants, VISIT_EVERY):
        rows = np.flatnonzero(load.person == who)
        rows = rows[np.argsort(load.observed_us[rows], kind="stable")]
        inside = rows[np.arange(len(rows)) // VISIT_FIXES % 2 == 1]
        lon[inside], lat[inside] = np.round(middle[who, 0], 7)
        accuracy_m[rows] = 5.0
    return replace(load, lat=lat, lon=lon, accuracy_m=accuracy_m)


def versions(load: Workload) -> list[InputRecord]:
    """Orders, zones and bindings as the evaluator reads them: one arrival before the first reading."""
    return list(load.versions())


def arrivals(load: Workload) -> Iterator[list[InputRecord]]:
    """Readings in arrivals of a body each, and the ticks between."""
    for arrival in load.records(BODY):
        yield list(arrival)


