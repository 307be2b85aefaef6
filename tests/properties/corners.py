"""Small worlds about one forbidden zone and the four corners around it: only from one corner to the opposite one does a
path lead through. In each, a fix comes late of which it is not seen at once whose neighbour it is.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from emon.domain.binding import Binding
from emon.domain.instant import MINUTE, SECOND
from emon.domain.order import Condition, Order
from emon.domain.reading import Reading
from emon.domain.zone import Zone
from emon.evaluate import batch
from emon.journal.records import InputRecord
from tests.unit.evaluate.world import HOME, at, order

ZONE: Final = Zone(id="yard", centre=(HOME.lon, HOME.lat), radius_m=100.0)
FAR: Final = Zone(id="far", centre=(HOME.lon, HOME.lat + 0.5), radius_m=100.0)
NORTH_WEST, NORTH_EAST, SOUTH_WEST, SOUTH_EAST = (-150, 150), (150, 150), (-150, -150), (150, -150)
NEAR_NORTH_WEST: Final = (-160, 160)
CROSSED_BY: Final = at(1900)
_CROSSING: Final = Condition(id="c1", kind="exclusion_zone", zone="yard")
_ORDERS: Final = (order(_CROSSING, since=-60),)
_BINDINGS: Final = (Binding(id="B", device="D", participant="P", from_=at(-60)),)


class Corners(NamedTuple):
    """A world: what arrives, and the minutes between which there is a crossing in the end."""

    name: str
    given: list[InputRecord]
    crossed: tuple[float, float]


def _world(name: str, crossed: tuple[float, float], *sent: Reading, orders: tuple[Order, ...] = _ORDERS,
           bindings: tuple[Binding, ...] = _BINDINGS) -> Corners:
    rest = [_fix(-40 + 10 * i, NORTH_WEST) for i in range(4)]  # so that the lane knows the person
    rest.append(_fix(1800, NORTH_WEST))  # and the last but one is no longer kept back
    readings = sorted([*rest, *sent], key=lambda r: r.received_at)
    return Corners(name, list(batch.merge(readings, list(orders), [ZONE, FAR], list(bindings))), crossed)


def _fix(minute: float, corner: tuple[float, float], arrives: float | None = None, device: str = "D") -> Reading:
    x, y = corner
    received = at(minute if arrives is None else arrives) + SECOND
    return Reading(device=device, kind="position", observed_at=at(minute), received_at=received,
                   lon=round(HOME.lon + x / 81_300, 7), lat=round(HOME.lat + y / 111_100, 7), accuracy_m=5.0,
                   method="gnss")


def minutes_of(instant: int) -> float:
    """An instant as a world names it."""
    return (instant - at(0)) / MINUTE


def corners() -> list[Corners]:
    """All of them."""
    before, after = _fix(1, SOUTH_WEST), _fix(4, NORTH_WEST)
    late = _fix(3, NORTH_EAST, arrives=20)
    again = _fix(2, NEAR_NORTH_WEST, arrives=10)
    swapped = (Binding(id="B", device="D", participant="P", from_=at(-60), until=at(2.5)),
               Binding(id="B2", device="E", participant="P", from_=at(-50)))
    by_other = [_fix(minute, corner, device="E") for minute, corner in (
        (-35.5, NORTH_WEST), (1, SOUTH_WEST), (1800, NORTH_WEST))]
    other_after, other_late = _fix(4, NORTH_WEST, device="E"), _fix(3, NORTH_EAST, arrives=20, device="E")
    return [
        _world("simply late", (1, 3), before, after, late),
        _world("what lay between is contradicted", (1, 4), before, _fix(2, NORTH_WEST), _fix(4, NORTH_EAST), again),
        _world("what lies between was contradicted", (1, 3), before, _fix(2, NORTH_WEST), after, again, late),
        _world("what lies between was contradicted in a crossing", (1, 3), before, _fix(2, NORTH_WEST),
               _fix(4, NORTH_EAST), again, late),
        _world("the newest is contradicted at once", (1.5, 6.4), _fix(-2, NORTH_WEST), _fix(1.5, SOUTH_WEST),
               _fix(1.6, NORTH_WEST), _fix(1.6, NEAR_NORTH_WEST, arrives=1.9), _fix(6.4, NORTH_EAST)),
        _world("the newest is contradicted a little later", (1.7, 6.6), _fix(-2, NORTH_WEST), _fix(1.7, SOUTH_WEST),
               _fix(2, NORTH_WEST), _fix(2, NEAR_NORTH_WEST, arrives=2.5), _fix(6.6, NORTH_EAST)),
        _world("half a minute apart", (2.6, 3.1), _fix(1, NORTH_WEST), _fix(2.6, SOUTH_WEST), after,
               _fix(3.1, NORTH_EAST, arrives=20)),
        _world("five minutes apart", (1, 6), before, _fix(9, NORTH_EAST), _fix(6, NORTH_EAST, arrives=20)),
        _world("a day late", (1, 3), before, after, *(_fix(60 * hour, NORTH_WEST) for hour in range(1, 30)),
               _fix(3, NORTH_EAST, arrives=1760)),
        _world("another device between", (1, 3), *by_other, _fix(2, NORTH_WEST), other_after, other_late,
               bindings=swapped),
        _world("another device between, heard last", (1, 3), *by_other, other_after, _fix(2, NORTH_WEST, arrives=7),
               other_late, bindings=swapped),
        _world("another device was the last that was seen", (1, 3), *by_other, _fix(2, NORTH_WEST), Reading(
            device="E", kind="status", event="heartbeat", observed_at=at(10), received_at=at(11)), other_late,
            bindings=swapped),
        _world("the first of a chunk", (1, 5.5), _fix(-2, NORTH_WEST), before, _fix(5.5, NORTH_EAST)),
        _world("another zone before", (1, 3), _fix(1, NORTH_EAST), _fix(4, SOUTH_EAST), _fix(
            3, SOUTH_WEST, arrives=20), orders=(
            order(Condition(id="c1", kind="exclusion_zone", zone="far"), since=-60),
            order(_CROSSING, version=2, since=-60, received_at=at(8)))),
    ]
