"""The usual load under more conditions than zones: what each rule costs, and what all of them cost together.

People at rest have a curfew at home that is on; those who move an appointment at home that lasts; some must keep
away from somebody with a device of her own; bracelets say how full they are, and some measure alcohol too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from emon.domain import instant
from emon.domain.binding import Binding
from emon.domain.order import Condition, Order, Place, Test, Window
from emon.domain.reading import Reading
from emon.domain.zone import Zone
from emon.journal.records import BindingVersion, Bound, OrderVersion, Tick, ZoneVersion
from emon.limits import FEED_GRAIN
from simulators.workload import FEED, Workload, device, person

STATUS_EVERY, MEASURED_EVERY = 15, 30  # readings of everybody together
KEEP_AWAY_EVERY: Final = 50  # of so many participants one must keep away from somebody
RULES: Final = ("contact", "curfew", "attendance", "device_integrity", "alcohol", "substance_testing", "keep_away")
_HOME_M: Final = 100.0


@dataclass(frozen=True, slots=True)
class Ruled(Workload):
    """A load whose orders hold one exclusion zone, or as many as the load has, and conditions of some `kinds`; of
    those that exclude one another (curfew, attendance) everybody has one, where both are named. `home`: degrees by
    participant; `moves`: who is away from home."""

    kinds: frozenset[str]
    zones: int
    home: NDArray[np.float64]
    moves: NDArray[np.bool_]

    def versions(self, *, contact: bool = False) -> list[OrderVersion | ZoneVersion | BindingVersion]:
        """Orders, zones and bindings, all known before the first reading."""
        known = self.start_us - instant.DAY
        found: list[OrderVersion | ZoneVersion | BindingVersion] = []
        for i in range(self.participants):
            names = [f"Z-{i:06d}-{k}" for k in range(self.zones)]
            for k, zone in enumerate(names):
                ring = tuple((lon, lat) for lon, lat in self.corners[i, k].tolist())
                found.append(ZoneVersion(known, Zone(id=zone, polygons=((ring + ring[:1],),))))
            lon, lat = self.home[i].tolist()
            found.append(OrderVersion(known, Order(
                id=f"O-{i:06d}", participant=person(i), effective_from=known,
                places=(Place(id="home", lat=lat, lon=lon, radius_m=_HOME_M),),
                conditions=tuple(self._conditions(i, names)))))
            if "contact" in self.kinds:  # an order of its own: nobody was heard before the load begins
                found.append(OrderVersion(known, Order(
                    id=f"C-{i:06d}", participant=person(i), effective_from=self.start_us,
                    conditions=(Condition(id="contact", kind="contact", every_s=3600.0),))))
            found.append(BindingVersion(known, Binding(
                id=f"B-{i:06d}", device=device(i), participant=person(i), role="position", feed=FEED, from_=known)))
        return found

    def records(self, arrival: int = 100) -> Iterator[list[Bound | Tick]]:
        """As those of a load, some readings being of another kind, and the protected persons' fixes among them."""
        rows, watched = 0, "keep_away" in self.kinds
        yield [*self._before()]
        for records in Workload.records(self, arrival):
            mixed: list[Bound | Tick] = []
            for record in records:
                if isinstance(record, Bound):
                    rows += 1
                    mixed += self._mixed(record, rows, watched)
                else:
                    mixed.append(record)
            yield mixed

    def _before(self) -> Iterator[Bound]:
        """The feed was heard all day before, or what comes late would be read as the ends of outages."""
        for at in range(self.start_us - instant.DAY, self.start_us, FEED_GRAIN):
            yield Bound(person(0), self.start_us, Reading(device=device(0), kind="status", observed_at=at, feed=FEED,
                                                          event="heartbeat"))

    def _conditions(self, i: int, zones: list[str]) -> Iterator[Condition]:
        yield from (Condition(id=f"c{k}", kind="exclusion_zone", zone=zone, buffer_m=50.0) for k, zone in
                    enumerate(zones))
        windows = (Window(from_s=20 * 3600, to_s=14 * 3600),)  # the load begins at midnight
        kinds = self.kinds - ({"attendance"} if self.moves[i] else {"curfew"}) if (
            {"attendance", "curfew"} <= self.kinds) else self.kinds
        if "curfew" in kinds:
            yield Condition(id="curfew", kind="curfew", place="home", windows=windows, hold_s=300.0)
        if "attendance" in kinds:
            yield Condition(id="visit", kind="attendance", place="home", windows=windows, minimum_s=1800.0)
        if "device_integrity" in kinds:
            yield Condition(id="device", kind="device_integrity", charge_every_h=24.0)
        if "alcohol" in kinds:
            yield Condition(id="alcohol", kind="alcohol", tests=(Test(at_s=7 * 3600), Test(at_s=19 * 3600)))
        if "substance_testing" in kinds:
            yield Condition(id="laboratory", kind="substance_testing", per_month=2)
        if "keep_away" in kinds and i % KEEP_AWAY_EVERY == 0:
            yield Condition(id="apart", kind="keep_away", protected_device=_hers(i), distance_m=300.0)

    def _mixed(self, record: Bound, row: int, watched: bool) -> Iterator[Bound]:
        i = int(record.participant[2:])
        reading, more = record.reading, {}
        if "device_integrity" in self.kinds and row % STATUS_EVERY == 0:
            more = {"kind": "status", "event": "battery", "battery_fraction": 0.8}
        elif "alcohol" in self.kinds and row % MEASURED_EVERY == 1:
            more = {"kind": "alcohol_transdermal", "sensor_family": "scram", "tac_g_dl": 0.0}
        if more:
            reading = Reading(device=reading.device, observed_at=reading.observed_at, feed=FEED, **more)
        if watched and i % KEEP_AWAY_EVERY == 0:  # a kilometre north of where he is
            hers = msgspec.structs.replace(record.reading, device=_hers(i), lat=(record.reading.lat or 0.0) + 0.009)
            yield Bound(_hers(i), record.received_at, hers)
        yield msgspec.structs.replace(record, reading=reading)


def ruled(load: Workload, kinds: frozenset[str], zones: int) -> Ruled:
    """The load under such conditions."""
    order = np.argsort(load.person, kind="stable")
    bounds = np.searchsorted(load.person[order], np.arange(load.participants + 1))
    home = np.zeros((load.participants, 2))
    moves = np.zeros(load.participants, dtype=np.bool_)
    for i in range(load.participants):
        mine = order[bounds[i]:bounds[i + 1]]
        if mine.size:
            home[i] = np.median(load.lon[mine]), np.median(load.lat[mine])
            moves[i] = np.percentile(np.abs(load.lat[mine] - home[i, 1]), 75) > _HOME_M / 111_000
    columns: dict[str, Any] = {field.name: getattr(load, field.name) for field in fields(Workload)}
    return Ruled(**columns, kinds=kinds, zones=zones, home=home, moves=moves)


def _hers(i: int) -> str:
    return f"HERS-{i:06d}"
