"""What really happens to one participant: a continuous path, stays, devices, faults, and the order's text.

Times are seconds after the world's start (negative before it). A plan is laid out completely before anything
is emitted; readings are derived from it, never the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import shapely

from simulators.ground import Floats, Point, streets

WALK_MPS: Final = 1.4
BUS_MPS: Final = 8.0
CAR_MPS: Final = 25.0  # on the highway out of the county
BEGIN_S: Final = -3_600.0
"""Every path begins an hour before the start, so that uploads at the start have something to tell."""
CHUNKS_BACK_S: Final = 600.0
"""What was before that is laid out in whole steps of so much."""

Document = dict[str, Any]


class Stay(NamedTuple):
    """Being at one point; indoors receivers are worse and the network helps out."""

    from_s: float
    to_s: float
    indoors: bool


class Fault(NamedTuple):
    """What is wrong with a device for a while.

    `silent`: it measures and sends nothing, for good. `no_gps`: heartbeats only. `stored`: it measures, keeps
    what it has and sends all of it at the end. `role`: of this device alone; None: of all.
    """

    kind: str
    from_s: float
    to_s: float
    role: str | None = None


class Innocent(NamedTuple):
    """What looks like a breach and is none. `settles_s`: until this is known, believing it is no mistake."""

    why: str
    family: str
    from_s: float
    to_s: float
    settles_s: float | None = None


class Event(NamedTuple):
    """A status event that a device reports; `device` None: the one worn, else this one, worn or not."""

    at_s: float
    event: str
    device: str | None = None


class Exposure(NamedTuple):
    """Alcohol at the skin: rises to `peak` (g/dL) within `rise_s`, falls to nothing within `fall_s`.

    `why`: drinking, or what is none (a hand sanitiser, an alcohol swab).
    """

    from_s: float
    peak: float
    rise_s: float
    fall_s: float
    why: str = "drinking"

    @property
    def to_s(self) -> float:
        """When nothing is left of it."""
        return self.from_s + self.rise_s + self.fall_s

    def at(self, t_s: float) -> float:
        """g/dL at `t_s`."""
        since = t_s - self.from_s
        if since < 0 or t_s >= self.to_s:
            return 0.0
        if since < self.rise_s:
            return self.peak * since / self.rise_s
        return self.peak * (self.to_s - t_s) / self.fall_s


class Test(NamedTuple):
    """What a breath device (`sends` breath) or a laboratory tells of one test."""

    at_s: float
    sends: str
    told: Document


class Happening(NamedTuple):
    """What is true because the script says so: `kind` under the condition of kind `under`.

    `known_s`: when the last thing to know it by has happened. `later`: what it is called from its `known_s` on.
    """

    kind: str
    under: str
    from_s: float
    to_s: float
    known_s: float
    later: tuple[str, float] | None = None


class Amendment(NamedTuple):
    """A further version of the order that arrives at `received_s`; `changes` by condition id."""

    received_s: float
    changes: dict[str, Document]


@dataclass(slots=True)
class Device:
    """One device in its binding [`from_s`, `until_s`)."""

    id: str
    feed: str
    role: str  # position | home | alcohol | other
    sends: str  # fixes | presence | transdermal | breath | laboratory
    from_s: float | None = None
    until_s: float | None = None
    upload_s: float = 0.0
    clock_drift_s: int = 0
    carrier: str = ""
    beacon: str | None = None
    tells_status: bool = True  # heartbeats, battery and motion beside the fixes
    history_from_s: float = BEGIN_S  # measures since then


@dataclass(slots=True)
class Plan:
    """One participant. Filled by the world and by its scenario, day by day."""

    index: int
    id: str
    order: str
    name: str
    scenario: str
    home: Point
    work: Point
    effective_s: float
    supervision: str = "medium"
    home_radius_m: float = 75.0
    direct: bool = False  # goes straight instead of along the streets
    spikes: bool = True
    network: bool = True  # the receiver falls back on the network indoors
    drifting: bool = False
    tracked: bool = False  # a fix a minute at rest too
    protects: Plan | None = None  # the person whom the order keeps away from
    protected: bool = False  # has no order: somebody else's keeps away from this person
    devices: list[Device] = field(default_factory=list)
    places: list[Document] = field(default_factory=list)
    conditions: list[Document] = field(default_factory=list)
    amendments: list[Amendment] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    innocents: list[Innocent] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    charge: list[tuple[float, float]] = field(default_factory=list)  # (s, fraction), where it is no ordinary one
    exposures: list[Exposure] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    routine: bool = True  # is tested every few hours, with nothing found
    happenings: list[Happening] = field(default_factory=list)
    exclusions: dict[str, shapely.Geometry] = field(default_factory=dict)  # condition id -> grown shape
    inclusions: dict[str, shapely.Geometry] = field(default_factory=dict)
    target: Point | None = None  # where the scenario leads to
    trips: list[tuple[Point, ...]] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    _t: list[float] = field(default_factory=list)
    _at: list[Point] = field(default_factory=list)
    _path: tuple[Floats, Floats, Floats] | None = None
    _roofs: Floats | None = None

    def begin(self, at: Point) -> None:
        """The path starts here, indoors."""
        self._t, self._at = [BEGIN_S], [at]

    @property
    def now_s(self) -> float:
        """Where the path has been laid out to."""
        return self._t[-1]

    def stay(self, until_s: float, *, indoors: bool = True) -> None:
        """Stays where it is; nothing where the path is already past `until_s`."""
        if until_s > self.now_s:
            self.stays.append(Stay(self.now_s, until_s, indoors))
            self._t.append(until_s)
            self._at.append(self._at[-1])

    def go(self, to: Point, speed_mps: float, *, via: tuple[Point, ...] = ()) -> float:
        """Goes there now; the instant of arrival (s)."""
        here = self._at[-1]
        if here == to:
            return self.now_s
        stops = (here, *via, to)
        way: list[Point] = [here]
        for a, b in pairwise(stops):
            way += [b] if self.direct or via else list(streets(a, b)[1:])
        if tuple(way) not in self.trips and tuple(reversed(way)) not in self.trips:
            self.trips.append(tuple(way))
        for a, b in pairwise(way):
            metres = float(np.hypot(b[0] - a[0], b[1] - a[1]))
            self._t.append(self.now_s + max(metres / speed_mps, 1e-3))
            self._at.append(b)
        return self.now_s

    def travel_s(self, to: Point, speed_mps: float = BUS_MPS) -> float:
        """How long the way there takes."""
        way = streets(self._at[-1], to) if not self.direct else (self._at[-1], to)
        return sum(float(np.hypot(b[0] - a[0], b[1] - a[1])) for a, b in pairwise(way)) / speed_mps

    def visit(self, to: Point, depart_s: float, leave_s: float, *, speed_mps: float = BUS_MPS,
              indoors: bool = True) -> float:
        """Leaves at `depart_s`, stays there until `leave_s` and comes back; the instant of return (s)."""
        self.stay(depart_s)
        back = self._at[-1]
        self.go(to, speed_mps)
        self.stay(leave_s, indoors=indoors)
        return self.go(back, speed_mps)

    def seal(self) -> None:
        """The path is laid out; from here on it is only read."""
        places = np.array(self._at)
        self._path = np.array(self._t), places[:, 0].copy(), places[:, 1].copy()
        self._roofs = np.array([(s.from_s, s.to_s) for s in self.stays if s.indoors]).reshape(-1, 2)
        self.faults.sort(key=lambda f: f.from_s)

    def at(self, t: Floats) -> tuple[Floats, Floats]:
        """True position (x, y) at seconds `t`."""
        assert self._path is not None
        times, x, y = self._path
        return np.interp(t, times, x), np.interp(t, times, y)

    def indoors(self, t: Floats) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Whether the person is under a roof at `t`."""
        assert self._roofs is not None
        if not len(self._roofs):
            return np.zeros(len(t), dtype=bool)
        last = np.searchsorted(self._roofs[:, 0], t, side="right") - 1
        inside: np.ndarray[Any, np.dtype[np.bool_]] = (last >= 0) & (t < self._roofs[last.clip(0), 1])
        return inside

    def faulty(self, kind: str, t_s: float, role: str | None = None) -> Fault | None:
        """The fault of this kind at `t_s`, if any, of a device of that role."""
        for fault in self.faults:
            if fault.from_s > t_s:
                return None
            if fault.kind == kind and t_s < fault.to_s and fault.role in (None, role):
                return fault
        return None

    def condition(self, kind: str, **fields: Any) -> str:
        """Adds a condition to the order; its id."""
        name = f"c{len(self.conditions) + 1}"
        self.conditions.append({"id": name, "kind": kind, **fields})
        return name
