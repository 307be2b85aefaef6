"""Small worlds in a few words: one home, one school, one county, minutes since a start.

`Scene.records` is also a reference router: it gives each reading to whom the bindings known say, again when
a binding that arrives later says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import cos, radians
from typing import Any

import msgspec

from emon.domain import instant
from emon.domain.binding import Binding
from emon.domain.order import Absence, Condition, DayException, Order, Place, Window
from emon.domain.reading import Reading
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone
from emon.journal.records import (
    BindingVersion,
    Bound,
    InputRecord,
    OrderVersion,
    OwnOutage,
    VerdictVersion,
    ZoneVersion,
)

MINUTE = instant.MINUTE
HOME_LAT, HOME_LON = 43.07, -89.40
SITES = {  # metres east of home
    "home": 0.0,
    "porch": 55.0,
    "wall": 73.0,
    "street": 120.0,
    "fence": 270.0,
    "school": 400.0,
    "beyond": 600.0,
    "far": 5000.0,
}
"""porch: 20 m inside home; wall: 2 m; street: 45 m outside; fence: 20 m inside the school's first shape, 30 m
outside its second; beyond: 50 m behind the school; far: outside the county."""
HOME = Place(id="home", lat=HOME_LAT, lon=HOME_LON, radius_m=75)
SISTER = Place(id="sister", lat=HOME_LAT, lon=HOME_LON + 0.06, radius_m=75)


def east(metres: float) -> float:
    """Longitude so many metres east of home."""
    return HOME_LON + metres / (111_320 * cos(radians(HOME_LAT)))


def square(centre_m: float, half_m: float) -> tuple[tuple[tuple[float, float], ...], ...]:
    """A square polygon, `centre_m` metres east of home."""
    north = half_m / 111_100
    west_lon, east_lon = east(centre_m - half_m), east(centre_m + half_m)
    return (
        (
            (west_lon, HOME_LAT - north),
            (east_lon, HOME_LAT - north),
            (east_lon, HOME_LAT + north),
            (west_lon, HOME_LAT + north),
            (west_lon, HOME_LAT - north),
        ),
    )


SCHOOL = Zone(id="school", version=1, polygons=(square(400, 150),))
SCHOOL_SMALLER = Zone(id="school", version=2, polygons=(square(400, 100),))
COUNTY = Zone(id="county", version=1, kind="inclusion", polygons=(square(0, 2000),))


def exclusion(**knobs: Any) -> Condition:
    return Condition(id="zone", kind="exclusion_zone", zone="school", **knobs)


def inclusion(**knobs: Any) -> Condition:
    return Condition(id="stay", kind="inclusion_zone", zone="county", **knobs)


def contact(**knobs: Any) -> Condition:
    return Condition(id="contact", kind="contact", **knobs)


def clock(text: str) -> int:
    """Seconds after midnight of "HH:MM"."""
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


def window(start: str, end: str, days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)) -> Window:
    return Window(days=days, from_s=clock(start), to_s=clock(end))


def day_exception(date: str, *windows: Window) -> DayException:
    return DayException(date=date, windows=windows)


@dataclass
class Scene:
    """A world under construction. All times are minutes since `start`; `arrive` None: at once."""

    start: str = "2026-11-24T00:00:00Z"
    versions: list[tuple[int, Order | Zone | Binding | Verdict]] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    own_outages: list[OwnOutage] = field(default_factory=list)

    def at(self, minute: float) -> int:
        """The instant of a minute."""
        return instant.parse(self.start) + round(minute * MINUTE)

    def _maybe(self, minute: float | None) -> int | None:
        return None if minute is None else self.at(minute)

    def leave(self, start: float, end: float, reason: str = "hospital") -> Absence:
        return Absence(from_=self.at(start), to=self.at(end), reason=reason)

    def order(
        self,
        *conditions: Condition,
        version: int = 1,
        participant: str = "P",
        order: str = "",
        since: float | None = -60,
        until: float | None = None,
        arrive: float = -60,
        void: bool = False,
        time_zone: str = "UTC",
        places: tuple[Place, ...] = (HOME,),
    ) -> Scene:
        self.versions.append(
            (
                self.at(arrive),
                Order(
                    id=order or f"O-{participant}",
                    version=version,
                    participant=participant,
                    time_zone=time_zone,
                    effective_from=self._maybe(since),
                    effective_until=self._maybe(until),
                    void=void,
                    places=places,
                    conditions=conditions,
                ),
            )
        )
        return self

    def zone(
        self,
        zone: Zone = SCHOOL,
        *,
        since: float | None = None,
        until: float | None = None,
        arrive: float = -60,
        void: bool = False,
    ) -> Scene:
        self.versions.append(
            (
                self.at(arrive),
                msgspec.structs.replace(
                    zone, effective_from=self._maybe(since), effective_until=self._maybe(until), void=void
                ),
            )
        )
        return self

    def bind(
        self,
        device: str = "D",
        participant: str | None = "P",
        *,
        since: float | None = -60,
        until: float | None = None,
        arrive: float = -60,
        version: int = 1,
        protected: str | None = None,
        role: str | None = None,
        place: str | None = None,
        feed: str | None = None,
        takes_effect: float | None = None,
        void: bool = False,
        binding: str = "",
    ) -> Scene:
        self.versions.append(
            (
                self.at(arrive),
                Binding(
                    id=binding or f"B-{device}-{protected or participant}",
                    version=version,
                    device=device,
                    participant=None if protected else participant,
                    protected_person=protected,
                    role=role,
                    place=place,
                    feed=feed,
                    from_=self._maybe(since),
                    until=self._maybe(until),
                    void=void,
                    effective_from=self._maybe(takes_effect),
                ),
            )
        )
        return self

    def fix(
        self,
        minute: float,
        site: str,
        *,
        device: str = "D",
        accuracy_m: float | None = 5.0,
        method: str = "gnss",
        arrive: float | None = None,
        feed: str | None = None,
        north_m: float = 0.0,
        **more: Any,
    ) -> Scene:
        return self.reading(
            minute,
            arrive,
            device=device,
            kind="position",
            lat=HOME_LAT + north_m / 111_100,
            lon=east(SITES[site]),
            accuracy_m=accuracy_m,
            method=method,
            feed=feed,
            **more,
        )

    def fixes(self, minutes: list[float], site: str, **more: Any) -> Scene:
        for minute in minutes:
            self.fix(minute, site, **more)
        return self

    def presence(
        self,
        minute: float,
        present: bool,
        *,
        device: str = "H",
        beacon: str | None = None,
        arrive: float | None = None,
    ) -> Scene:
        return self.reading(minute, arrive, device=device, kind="presence", present=present, beacon=beacon)

    def status(
        self,
        minute: float,
        *,
        device: str = "D",
        event: str = "heartbeat",
        arrive: float | None = None,
        feed: str | None = None,
        **more: Any,
    ) -> Scene:
        return self.reading(minute, arrive, device=device, kind="status", event=event, feed=feed, **more)

    def breath(
        self,
        minute: float,
        value: float | None = 0.0,
        *,
        result: str = "ok",
        scheduled: float | None = None,
        device: str = "B",
        arrive: float | None = None,
        **more: Any,
    ) -> Scene:
        """A breath test in g/210 L."""
        return self.reading(
            minute,
            arrive,
            device=device,
            kind="alcohol_breath",
            result=result,
            brac_g_210l=value if result == "ok" else None,
            scheduled_at=self._maybe(scheduled),
            **more,
        )

    def verdict(
        self,
        minute: float,
        result: str,
        arrive: float,
        *,
        name: str = "V",
        version: int = 1,
        order: str = "O-P",
        condition: str = "alcohol",
        void: bool = False,
    ) -> Scene:
        """What an analyst says of the episode around a minute."""
        self.versions.append(
            (
                self.at(arrive),
                Verdict(id=name, version=version, participant="P", order=order, condition=condition,
                        at=self.at(minute), result=result, reason="seen", analyst="a", void=void),
            )
        )
        return self

    def reading(self, minute: float, arrive: float | None, **fields: Any) -> Scene:
        self.readings.append(
            Reading(
                observed_at=self.at(minute),
                received_at=self.at(minute if arrive is None else arrive),
                **fields,
            )
        )
        return self

    def deaf(self, start: float, end: float) -> Scene:
        self.own_outages.append(
            OwnOutage(received_at=self.at(end), from_=self.at(start), to=self.at(end), last=False)
        )
        return self

    def story(self) -> str:
        """The scene as a person would tell it: what came when, in minutes."""
        lines = []
        for record in self.records():
            what = next(
                getattr(record, n)
                for n in ("reading", "order", "zone", "binding", "verdict", "to")
                if hasattr(record, n)
            )
            said = {"participant": record.participant} if isinstance(record, Bound) else {}
            lines.append(f"{(record.received_at - self.at(0)) / MINUTE:9.3f} {self._told(what, said)}")
        return "\n".join(lines)

    def _told(self, what: Any, said: dict[str, Any]) -> str:
        if not isinstance(what, msgspec.Struct):
            return f"deaf until {(what - self.at(0)) / MINUTE}"
        fields = {**said, **{n: v for n, v in msgspec.structs.asdict(what).items() if n != "polygons"}}
        for name in ("observed_at", "received_at", "effective_from", "effective_until", "from_", "until", "at"):
            if fields.get(name):
                fields[name] = round((fields[name] - self.at(0)) / MINUTE, 3)
        if fields.get("lon") is not None:
            metres = (fields.pop("lon") - HOME_LON) / (east(1) - HOME_LON)
            fields["lat"] = f"{metres:.0f} m east"
        shown = {
            name: self._conditions(value) if name == "conditions" else value for name, value in fields.items()
        }
        return f"{type(what).__name__} " + " ".join(
            f"{name}={value}"
            for name, value in shown.items()
            if value not in (None, (), "", False) and name != "places"
        )

    def _conditions(self, conditions: tuple[Condition, ...]) -> str:
        return str(
            [
                {name: value for name, value in msgspec.structs.asdict(c).items() if value not in (None, ())}
                for c in conditions
            ]
        )

    def records(self) -> list[InputRecord]:
        """The evaluator's input, in order, arrivals marked."""
        arrivals = sorted(
            {arrive for arrive, _ in self.versions}
            | {r.received_at for r in self.readings}
            | {outage.received_at for outage in self.own_outages}
        )
        result: list[InputRecord] = []
        given: set[tuple[int, str]] = set()
        orders = [v for _, v in self.versions if isinstance(v, Order)]
        named = {c.protected_device for order in orders for c in order.conditions}
        for now in arrivals:
            group: list[InputRecord] = [o for o in self.own_outages if o.received_at == now]
            group += [_version(v, now) for arrive, v in self.versions if arrive == now]
            bindings = [v for arrive, v in self.versions if arrive <= now and isinstance(v, Binding)]
            for index, reading in enumerate(self.readings):
                for person in _owners(reading, bindings, named) if reading.received_at <= now else []:
                    if (index, person) not in given:
                        given.add((index, person))
                        group.append(Bound(participant=person, received_at=now, reading=reading))
            result += [*group[:-1], *(msgspec.structs.replace(record, last=True) for record in group[-1:])]
        return result


def _version(
    version: Order | Zone | Binding | Verdict, now: int
) -> OrderVersion | ZoneVersion | BindingVersion | VerdictVersion:
    if isinstance(version, Order):
        return OrderVersion(received_at=now, order=version)
    if isinstance(version, Zone):
        return ZoneVersion(received_at=now, zone=version)
    if isinstance(version, Verdict):
        return VerdictVersion(received_at=now, verdict=version)
    return BindingVersion(received_at=now, binding=version)


def _owners(reading: Reading, bindings: list[Binding], named: set[str | None]) -> list[str]:
    """To whom the bindings known give a reading; what a named device says while nobody holds it is its own."""
    owners = set()
    for name in {binding.id for binding in bindings}:
        begun = [b for b in bindings if b.id == name and (b.effective_from or -1) <= reading.observed_at]
        if not begun:
            continue
        newest = max(begun, key=lambda binding: binding.version)
        if (
            not newest.void
            and newest.device == reading.device
            and (newest.from_ or -1) <= reading.observed_at
            and (newest.until is None or reading.observed_at < newest.until)
            and (holder := newest.participant or newest.protected_person)
        ):
            owners.add(holder)
    if len(owners) == 1:
        return sorted(owners)
    return [reading.device] if reading.device in named else []  # two holders: nobody's until that is resolved
