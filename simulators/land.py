"""Where people live and which zones their orders name, chosen so that truth is never a matter of taste.

A zone that a scenario does not lead into stays clear of the hull of every way its participant goes, by more
than the largest single-fix spike: whatever is found about it is found wrongly.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from simulators.city import CANYON, CITY_M, Area, personal, shared
from simulators.ground import Point, grown, streets
from simulators.noise import SPIKE_M
from simulators.plan import Plan

SCHOOL_BUFFER_M: Final = 50.0
CLEARANCE_M: Final = SPIKE_M[1] + 100.0
REACH_M: Final = (1_050.0, 3_000.0)  # from home to the zone that a scenario leads into
TRIES: Final = 400
OFF_ZONES_M: Final = 100.0  # nobody lives or works closer to a zone unless the scenario says so
ZONE_REACH_M: Final = 600.0  # more than any zone with its buffer reaches from its middle


class Land:
    """The city of one seed, and its dice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.areas: list[Area] = shared(rng)
        self._grown = {area.id: grown(area.shape, SCHOOL_BUFFER_M) for area in self.areas}

    def spot(self) -> Point:
        """Somewhere to live or work: outside downtown, off every zone."""
        while True:
            p = self._anywhere()
            clear = max(abs(p[0]), abs(p[1])) > CANYON[2] + 300
            if clear and self._free(p):
                return p

    def work(self, home: Point) -> Point:
        """A place to work, a short bus ride from home; downtown for some who live close to it."""
        if max(abs(home[0]), abs(home[1])) < 4_000 and self.rng.random() < 0.3:
            return self.downtown()
        return self.near(home, 800, 4_000)

    def downtown(self) -> Point:
        """An address between tall buildings."""
        x, y = (float(v) for v in self.rng.uniform(CANYON[0] + 100, CANYON[2] - 100, 2))
        return x, y

    def near(self, centre: Point, at_least_m: float, at_most_m: float) -> Point:
        """A spot at such a distance."""
        for _ in range(TRIES * 10):
            angle, metres = self.rng.uniform(0, 2 * np.pi), self.rng.uniform(at_least_m, at_most_m)
            p = centre[0] + float(metres * np.cos(angle)), centre[1] + float(metres * np.sin(angle))
            if self._free(p):
                return p
        raise AssertionError("no free spot: the city is too dense for the scenario")

    def target(self, plan: Plan) -> Area:
        """A shared zone in reach of home, clear of the way to work; moves home if there is none."""
        for _ in range(TRIES):
            for i in self.rng.permutation(len(self.areas)).tolist():
                area: Area = self.areas[i]
                metres = float(np.hypot(area.centre[0] - plan.home[0], area.centre[1] - plan.home[1]))
                if REACH_M[0] < metres < REACH_M[1] and _clear(self._grown[area.id], _commute(plan)):
                    return area
            plan.home = self.spot()
            plan.work = self.work(plan.home)
        raise AssertionError("no zone in reach of any home")

    def own_address(self, plan: Plan, radius_m: float) -> Area:
        """A personal zone in reach of home, clear of the way to work."""
        for _ in range(TRIES):
            centre = self.near(plan.home, REACH_M[0] + radius_m, REACH_M[1])
            area = personal(f"address-{plan.index + 1}", centre, radius_m)
            if _clear(grown(area.shape, SCHOOL_BUFFER_M), _commute(plan)):
                self.areas.append(area)
                self._grown[area.id] = grown(area.shape, SCHOOL_BUFFER_M)
                return area
            plan.home = self.spot()
            plan.work = self.work(plan.home)
        raise AssertionError("no address in reach of any home")

    def school(self) -> Area:
        """Any school."""
        schools = [area for area in self.areas if area.id.startswith("school")]
        return schools[int(self.rng.integers(len(schools)))]

    def lonely_school(self, half_m: float) -> Area:
        """A school whose street is free of other zones for so far to both sides."""
        for _ in range(TRIES):
            area = self.school()
            x, y = area.centre
            strip = shapely.box(x - half_m, y - 700, x + half_m, y + 700)
            if all(not shape.intersects(strip) for name, shape in self._grown.items() if name != area.id):
                return area
        return self.school()

    def elsewhere(self, plan: Plan, count: int) -> list[Area]:
        """Shared zones that none of the plan's ways comes near."""
        ways = shapely.union_all([shapely.MultiPoint(trip).convex_hull for trip in plan.trips])
        free = [a for a in self.areas if a.radius_m is None and _clear(self._grown[a.id], ways)]
        picks = self.rng.permutation(len(free))[:count].tolist()
        return [free[i] for i in picks]

    def shape(self, area: Area, buffer_m: float) -> shapely.Geometry:
        """The area grown by a buffer."""
        return self._grown[area.id] if buffer_m == SCHOOL_BUFFER_M and area.id in self._grown else grown(
            area.shape, buffer_m)

    def _free(self, p: Point) -> bool:
        """Whether no zone is within a hundred metres; only those with their middle close by are measured."""
        middles = np.array([area.centre for area in self.areas])
        close = np.flatnonzero(np.hypot(middles[:, 0] - p[0], middles[:, 1] - p[1]) < ZONE_REACH_M)
        spot = shapely.Point(p)
        return all(self._grown[self.areas[i].id].distance(spot) > OFF_ZONES_M for i in close.tolist())

    def _anywhere(self) -> Point:
        x, y = (float(v) for v in self.rng.uniform(-CITY_M * 0.9, CITY_M * 0.9, 2))
        return x, y


def _commute(plan: Plan) -> shapely.Geometry:
    way = (plan.home, plan.work) if plan.direct else streets(plan.home, plan.work)
    return shapely.MultiPoint(way).convex_hull


def _clear(shape: shapely.Geometry, hull: shapely.Geometry) -> bool:
    return float(shapely.distance(shape, hull)) > CLEARANCE_M
