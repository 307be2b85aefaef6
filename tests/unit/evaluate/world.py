"""A small world for evaluator tests, in minutes after midnight of 22 November 2026 in UTC."""

from __future__ import annotations

from typing import Any

from emon.domain import instant
from emon.domain.binding import Binding
from emon.domain.finding import Finding
from emon.domain.order import Condition, Order, Place, Window
from emon.domain.reading import Reading
from emon.domain.zone import Zone
from emon.evaluate import batch
from emon.journal.records import Bound, InputRecord

MIDNIGHT = instant.parse("2026-11-22T00:00:00Z")
LON = -89.40
HOME = Place(id="home", lat=43.07, lon=LON, radius_m=75)
SCHOOL = Zone(id="school", centre=(LON, 43.10), radius_m=200.0)
LAT = {"home": 43.07, "school": 43.10, "fence": 43.10 + 0.0018, "elsewhere": 43.2}  # fence: on the border

EXCLUSION = Condition(id="c1", kind="exclusion_zone", zone="school")
INCLUSION = Condition(id="c1", kind="inclusion_zone", place="home")
CURFEW = Condition(id="c2", kind="curfew", place="home", windows=(Window(from_s=2 * 3600, to_s=4 * 3600),))
CONTACT = Condition(id="c3", kind="contact")


def at(minute: float) -> int:
    """The instant of a minute."""
    return MIDNIGHT + round(minute * instant.MINUTE)


def order(*conditions: Condition, version: int = 1, since: float = 0, **more: Any) -> Order:
    """A version of the participant's order."""
    return Order(**{"id": "O", "version": version, "participant": "P", "places": (HOME,), "conditions": conditions,
                    "effective_from": at(since), **more})


def bound(device: str = "D", since: float | None = None, **more: Any) -> Binding:
    """The participant's device."""
    return Binding(**{"id": f"B-{device}", "device": device, "participant": "P",
                      "from_": None if since is None else at(since), **more})


def fix(minute: float, where: str, arrives: float | None = None, **more: Any) -> Reading:
    """A position; arrives at once unless told otherwise."""
    return Reading(**{"device": "D", "kind": "position", "observed_at": at(minute), "lat": LAT[where], "lon": LON,
                      "received_at": at(minute if arrives is None else arrives), "accuracy_m": 8.0,
                      "method": "gnss", **more})


def fixes(minutes: range | list[float], where: str, **more: Any) -> list[Reading]:
    """Several positions."""
    return [fix(minute, where, **more) for minute in minutes]


def records(readings: list[Reading], *orders: Order, bindings: tuple[Binding, ...] = (bound(),),
            zones: tuple[Zone, ...] = (SCHOOL,)) -> list[InputRecord]:
    """The evaluator's input, by arrival."""
    arrived = sorted(readings, key=lambda reading: reading.received_at)
    return list(batch.merge(arrived, orders, zones, bindings))


def findings(readings: list[Reading], *orders: Order, until: float | None = None, **more: Any) -> list[Finding]:
    """All revisions."""
    return list(batch.evaluate(records(readings, *orders, **more), None if until is None else at(until)))


def told(revisions: list[Finding]) -> list[str]:
    """Revisions as short lines: `decided kind status onset-ended reason`, in minutes."""
    return [f"{_minute(f.decided_at)} {f.kind} {f.status} {_minute(f.onset)}-{_minute(f.ended)} {f.reason}"
            for f in revisions]


def _minute(value: int | None) -> str:
    return "" if value is None else f"{(value - MIDNIGHT) / instant.MINUTE:g}"


def with_marks(given: list[InputRecord]) -> list[InputRecord]:
    """The same with `last` on the final record of every arrival, as the router writes it."""
    out = []
    for index, record in enumerate(given):
        last = index + 1 == len(given) or given[index + 1].received_at > record.received_at
        out.append(record if not isinstance(record, Bound) else Bound(
            record.participant, record.received_at, record.reading, last))
    return out
