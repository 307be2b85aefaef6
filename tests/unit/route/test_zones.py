"""Who is told of a zone, and when."""

from __future__ import annotations

import json
from pathlib import Path

from emon.domain import instant
from emon.domain.order import Condition, Order
from emon.domain.zone import Zone
from emon.journal.memory import MemoryJournal
from emon.journal.port import ORDERS, READINGS, Entry, partition_of
from emon.journal.records import OrderVersion, ZoneVersion, encode
from emon.recording import export
from emon.route.bind import Binder
from tests.unit.route.worlds import PARTITIONS, T0


def zone(name: str, version: int = 1, kind: str = "exclusion") -> ZoneVersion:
    return ZoneVersion(T0, Zone(id=name, version=version, kind=kind, centre=(-89.0, 43.0), radius_m=50.0 + version))


def order(participant: str, *zones: str, version: int = 1) -> OrderVersion:
    conditions = tuple(Condition(id=f"c{n}", kind="exclusion_zone", zone=name) for n, name in enumerate(zones))
    return OrderVersion(T0, Order(id=f"O-{participant}", version=version, participant=participant,
                                  conditions=conditions))


def told(binder: Binder, version: OrderVersion | ZoneVersion) -> list[tuple[int, str, int]]:
    """Where which zone version goes with a version."""
    return [(placed.partition, placed.output.zone.id, placed.output.zone.version)
            for placed in binder.tell(binder.take(version), T0 + 5) if isinstance(placed.output, ZoneVersion)]


def home(participant: str) -> int:
    return partition_of(participant, PARTITIONS)


OTHER = next(f"P-{n}" for n in range(2, 99) if home(f"P-{n}") != home("P-1"))


def test_a_zone_goes_where_an_order_names_it_whichever_comes_first() -> None:
    binder = Binder(PARTITIONS)
    assert told(binder, zone("Z")) == []
    assert told(binder, order("P-1", "Z", "later")) == [(home("P-1"), "Z", 1)]
    assert told(binder, zone("later")) == [(home("P-1"), "later", 1)]
    assert told(binder, zone("Z", 2)) == [(home("P-1"), "Z", 2)]


def test_who_names_a_zone_later_is_told_all_its_versions_once() -> None:
    binder = Binder(PARTITIONS)
    for version in (zone("Z"), order("P-1", "Z"), zone("Z", 2)):
        told(binder, version)
    assert told(binder, order(OTHER, "Z")) == [(home(OTHER), "Z", 1), (home(OTHER), "Z", 2)]
    assert told(binder, order(OTHER, "Z", version=2)) == []
    assert told(binder, zone("Z", 3)) == [(p, "Z", 3) for p in sorted((home("P-1"), home(OTHER)))]


def test_a_zone_that_is_told_later_has_its_own_shape_and_the_instant_of_the_telling() -> None:
    binder = Binder(PARTITIONS)
    first = zone("Z")
    binder.take(first)
    placed = binder.tell(binder.take(order("P-1", "Z")), T0 + 5)
    assert placed[0].output == ZoneVersion(T0 + 5, first.zone)


def test_a_neutral_zone_concerns_everybody_from_its_first_neutral_version_on() -> None:
    binder = Binder(PARTITIONS)
    everywhere = range(PARTITIONS)
    assert told(binder, zone("Park", kind="neutral")) == [(p, "Park", 1) for p in everywhere]
    told(binder, zone("Z"))
    told(binder, order("P-1", "Z"))
    assert sorted(told(binder, zone("Z", 2, "neutral"))) == sorted(
        [(p, "Z", 1) for p in everywhere if p != home("P-1")] + [(p, "Z", 2) for p in everywhere])


async def test_the_recording_has_each_zone_once_and_those_that_concern_nobody(tmp_path: Path) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.open()
    alone, named = zone("alone"), zone("named")
    await journal.append([Entry(ORDERS, version.zone.id, encode(version)) for version in (alone, named)])
    await journal.append([Entry(READINGS, "named", encode(ZoneVersion(T0 + at, named.zone, True)), partition)
                          for partition, at in ((0, 3), (1, 9), (2, 3))])
    assert (await export(journal, tmp_path))["zone versions"] == 2
    features = json.loads((tmp_path / "zones.geojson").read_text())["features"]
    assert [each["properties"]["id"] for each in features] == ["named", "alone"]
    assert instant.parse(features[0]["properties"]["received_at"]) == T0 + 3
