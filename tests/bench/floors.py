"""What this machine does when it does one thing only: the floors under all other figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

from emon.domain.zone import Zone
from emon.evaluate.geo import Shape, of_zone
from emon.journal.records import Bound, decode_input, encode
from simulators.workload import Workload
from tests.bench import journal, loads
from tests.bench.apart import apart
from tests.bench.line import RATE, Line

BATCH: Final = 5_000
DECODE, GEOMETRY = "decode only", "geometry only"


def lines(quick: bool) -> Iterator[Line]:
    """Decode, geometry, journal."""
    readings = 100_000 if quick else 500_000
    for name, workload, work in ((DECODE, "records of emon.readings into structs", decode),
                                 (GEOMETRY, "3 zones each behind their boxes, 5,000 at a time", geometry)):
        wall, cpu = apart(work, readings)
        yield Line(name=name, workload=workload, figure=readings / wall, per_cpu=readings / cpu, unit=RATE)
    for rate in asyncio.run(journal.floors(["sqlite"] if quick else ["sqlite", "kafka"], quiet=True)):
        yield Line(name=f"journal only, {rate.driver}", workload=rate.what, figure=rate.per_s, unit=RATE)


def decode(readings: int) -> tuple[float, float]:
    """Wall and processor seconds of decoding so many records."""
    load = loads.usual(readings / loads.PARTICIPANTS)
    values = [encode(bound) for arrival in load.bound(loads.BODY) for bound in arrival][:readings]
    return _timed(lambda: [decode_input(value) for value in values])


def geometry(readings: int) -> tuple[float, float]:
    """Wall and processor seconds of deciding which side of their zones so many readings are on."""
    load = loads.usual(readings / loads.PARTICIPANTS)
    bound = [one for arrival in load.bound(loads.BODY) for one in arrival][:readings]
    shapes = _shapes(load)
    boxes = np.array([[shape.box[:4] for shape in each] for each in shapes])
    known = np.zeros((load.participants, load.corners.shape[1]), dtype=np.int8)

    def work() -> None:
        for begin in range(0, len(bound), BATCH):
            _sides(bound[begin:begin + BATCH], shapes, boxes, known)

    return _timed(work)


def _shapes(load: Workload) -> list[list[Shape]]:
    rings = [[tuple(map(tuple, zone.tolist())) for zone in zones] for zones in load.corners]
    return [[of_zone(Zone(id="z", polygons=((ring + ring[:1],),)), 50.0) for ring in each] for each in rings]


def _sides(rows: list[Bound], shapes: list[list[Shape]], boxes: np.ndarray, known: np.ndarray) -> int:
    """How many pairs change their side."""
    who = np.array([int(row.participant[2:]) for row in rows])
    lon = np.array([row.reading.lon for row in rows], dtype=np.float64)
    lat = np.array([row.reading.lat for row in rows], dtype=np.float64)
    box = boxes[who]
    near = ((lon[:, None] >= box[:, :, 0]) & (lat[:, None] >= box[:, :, 1])
            & (lon[:, None] <= box[:, :, 2]) & (lat[:, None] <= box[:, :, 3]))
    side = np.full(near.shape, -1, dtype=np.int8)
    for row, zone in zip(*np.nonzero(near), strict=True):
        away = shapes[who[row]][zone].signed_distance_m(lon[row:row + 1], lat[row:row + 1])
        side[row, zone] = 1 if away[0] > 0 else -1
    changed = int((known[who] != side).sum())
    known[who] = side
    return changed


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu
