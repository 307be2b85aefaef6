"""Neutral zones accuse nobody: they give places a name in the evidence, where a fix is surely there."""

from __future__ import annotations

from emon.domain.zone import Zone
from tests.unit.evaluate.world import CURFEW, LAT, LON, SCHOOL, at, findings, fix, fixes, order

STATION = Zone(id="station", name="Central Station", kind="neutral", centre=(LON, LAT["elsewhere"]), radius_m=100.0,
               effective_from=at(100))


def _opened(accuracy_m: float = 8.0, *zones: Zone) -> dict[str, object]:
    readings = [fix(119, "home"), *fixes([130, 131], "elsewhere", accuracy_m=accuracy_m)]
    (revision,) = [f for f in findings(readings, order(CURFEW), zones=(SCHOOL, *zones), until=140) if f.revision == 1]
    return revision.evidence


def test_a_neutral_zone_gives_the_place_a_name() -> None:
    """In the sentence, and beside each fix that lies there."""
    evidence = _opened(8.0, STATION)
    assert "The place is known as Central Station" in str(evidence["sentence"])
    assert evidence["neutral_zones"] == [
        {"observed_at": f"2026-11-22T02:1{minute}:00Z", "zone": "station", "zone_version": 1,
         "name": "Central Station"} for minute in (0, 1)]


def test_a_fix_that_may_lie_outside_names_nothing() -> None:
    """As with every zone, the distance to the border must exceed the accuracy."""
    assert "neutral_zones" not in _opened(100.0, STATION)
    assert "neutral_zones" in _opened(99.0, STATION)


def test_only_neutral_zones_in_force_then_name_places() -> None:
    """Not one that began later, not an exclusion zone of somebody else."""
    later = Zone(id="station", kind="neutral", centre=STATION.centre, radius_m=100.0, effective_from=at(135))
    other = Zone(id="park", kind="exclusion", centre=STATION.centre, radius_m=100.0)
    assert "neutral_zones" not in _opened(8.0, later, other)
