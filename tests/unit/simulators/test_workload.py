"""The load has the shape that it promises, and is the same for the same seed."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
import pytest

from emon.domain.instant import HOUR, SECOND
from emon.evaluate.geo import of_zone
from emon.formats.native import decode
from emon.journal.records import Bound, OrderVersion, Tick, ZoneVersion
from simulators.workload import BORDER_M, BUFFER_M, Workload, generate


@pytest.fixture(scope="module")
def load() -> Workload:
    return generate(participants=500, minutes=20, seed=4)


def test_one_reading_a_cadence_and_a_hundredth_twice(load: Workload) -> None:
    """500 participants for 20 minutes at one a minute, and about 1 % repeats."""
    assert 10_000 < len(load) < 10_200
    assert generate(participants=500, minutes=20, seed=4).lat.tolist() == load.lat.tolist()
    assert generate(participants=500, minutes=20, seed=5).lat.tolist() != load.lat.tolist()


def test_a_twentieth_comes_late_by_up_to_a_day(load: Workload) -> None:
    """Late ones were observed before, the rest seconds ago."""
    delay = load.received_us - load.observed_us
    late = delay > 180 * SECOND
    assert 0.03 < late.mean() < 0.06
    assert 20 * HOUR < delay.max() <= 24 * HOUR + 180 * SECOND
    assert delay.min() > 0


def test_arrivals_and_ticks_are_in_one_strict_order(load: Workload) -> None:
    """Instants grow between arrivals; whole seconds are ticks; the last of an arrival is marked."""
    instants = []
    for records in load.records(arrival=100):
        assert len({record.received_at for record in records}) == 1
        instants.append(records[0].received_at)
        match records[-1]:
            case Tick():
                assert instants[-1] % SECOND == 0
            case Bound() as last:
                assert instants[-1] % SECOND != 0
                assert last.last and not any(r.last for r in records[:-1] if isinstance(r, Bound))
    assert all(a < b for a, b in pairwise(instants))


def test_bodies_say_the_same_as_records(load: Workload) -> None:
    """A native body decodes to the readings of its arrival."""
    body, records = next(load.bodies(100)), next(load.bound(100))
    told = [decode(line, received_at=0) for line in body.splitlines()]
    for line, record in zip(told, records, strict=True):
        assert (line.device, line.lat, line.lon, line.accuracy_m) == (
            record.reading.device, record.reading.lat, record.reading.lon, record.reading.accuracy_m)
        assert abs(line.observed_at - record.reading.observed_at) < SECOND


def test_every_participant_has_an_order_its_zones_and_its_device(load: Workload) -> None:
    """500 x (3 zones, 1 order, 1 binding), closed rings."""
    versions = load.versions()
    assert len(versions) == 500 * 5
    zones = [v.zone for v in versions if isinstance(v, ZoneVersion)]
    orders = [v.order for v in versions if isinstance(v, OrderVersion)]
    assert all(zone.polygons[0][0][0] == zone.polygons[0][0][-1] for zone in zones)
    assert {c.zone for order in orders for c in order.conditions} == {zone.id for zone in zones}
    assert all(len(msgspec.to_builtins(order)["conditions"]) == 3 for order in orders)


def test_some_homes_lie_at_the_borders() -> None:
    """Two in a hundred pairs of a person and a zone are so close that a bounding box does not decide; hardly ever is
    anybody inside."""
    load = generate(participants=2000, minutes=1, seed=4, near_border=0.02, moving=0.3, late=0.0, duplicates=0.0)
    zones = [v.zone for v in load.versions() if isinstance(v, ZoneVersion)]
    inside_m = np.array([of_zone(zones[3 * who + k], BUFFER_M).distance_of_one_m(lon, lat) for who, lon, lat in zip(
        load.person.tolist(), load.lon.tolist(), load.lat.tolist(), strict=True) for k in range(3)])
    beside = (inside_m > -2 * BORDER_M[1]) & (inside_m < 0)
    assert 0.015 < beside.mean() < 0.035
    assert (inside_m > 0).mean() < 0.01
