"""Conditions that nobody can keep together are told in words; those that somebody can are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emon.formats.check import check

HEAD = """\
order: O-1
participant: P-1
time_zone: America/Chicago
effective_from: 2026-11-02T00:00:00-06:00
places:
  - {id: home, lat: 43.07, lon: -89.40, radius_m: 75}
  - {id: clinic, lat: 43.10, lon: -89.40, radius_m: 60}
conditions:
  - {id: speak, kind: contact}
"""
NIGHTS = '  - {id: nights, kind: curfew, place: home, windows: [{from: "20:00", to: "06:00"}]}\n'
CLINIC = ('  - {id: talks, kind: attendance, place: clinic, windows: [{days: [tue], from: "10:00", to: "11:00"}], '
          'minimum_s: 1800}\n')
OUT_OF_YARD = "  - {id: stay-out, kind: exclusion_zone, zone: yard}\n"
IN_YARD = "  - {id: stay-in, kind: inclusion_zone, zone: yard}\n"


def _box(lat: float, lon: float, half_deg: float, hole_deg: float | None = None) -> dict[str, object]:
    def ring(half: float) -> list[list[float]]:
        return [[lon - half, lat - half], [lon + half, lat - half], [lon + half, lat + half], [lon - half, lat + half],
                [lon - half, lat - half]]
    return {"type": "Polygon", "coordinates": [ring(half_deg)] + ([ring(hole_deg)] if hole_deg else [])}


def _warnings(folder: Path, conditions: str, *zones: tuple[str, dict[str, object]]) -> list[str]:
    (folder / "order.yaml").write_text(HEAD + conditions)
    (folder / "zones.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"id": name}, "geometry": geometry} for name, geometry in zones]}))
    checked = check([folder], contradictions=True)
    assert not checked.faults
    return [f"{Path(warning.file).name}:{warning.line}: {warning.reason}" for warning in checked.warnings]


def test_a_curfew_inside_a_forbidden_zone(tmp_path: Path) -> None:
    """Both lines are named by what they are, with the first night."""
    (told,) = _warnings(tmp_path, NIGHTS + OUT_OF_YARD, ("yard", _box(43.07, -89.40, 0.01)))
    assert told == ("order.yaml:11: nights (curfew) wants home, which lies inside zone yard that stay-out "
                    "(exclusion_zone) forbids at the same time, first 2026-11-02T06:00:00Z to 2026-11-02T12:00:00Z: "
                    "nobody can keep both")


def test_a_place_that_reaches_into_a_zone(tmp_path: Path) -> None:
    """The share of it is told."""
    (told,) = _warnings(tmp_path, NIGHTS + OUT_OF_YARD, ("yard", _box(43.07, -89.41, 0.01)))
    assert "wants home, 50 % of which lies inside zone yard" in told


@pytest.mark.parametrize("free", [
    '  - {id: stay-out, kind: exclusion_zone, zone: yard, windows: [{from: "08:00", to: "18:00"}]}\n',
    "  - {id: stay-out, kind: exclusion_zone, zone: far}\n",
    "  - {id: stay-out, kind: exclusion_zone, zone: yard, suspensions: [{from: 2026-11-02T00:00:00-06:00, "
    "to: 2028-01-01T00:00:00Z, reason: moved}]}\n"])
def test_what_is_not_forbidden_then_or_there_contradicts_nothing(tmp_path: Path, free: str) -> None:
    """Zones by day, elsewhere, or suspended."""
    assert _warnings(tmp_path, NIGHTS + free, ("yard", _box(43.07, -89.40, 0.01)),
                     ("far", _box(44.07, -89.40, 0.01))) == []


def test_a_curfew_outside_the_zone_that_must_not_be_left(tmp_path: Path) -> None:
    """An inclusion zone around another town."""
    (told,) = _warnings(tmp_path, NIGHTS + IN_YARD, ("yard", _box(44.07, -89.40, 0.01)))
    assert "wants home, which lies outside zone yard that stay-in (inclusion_zone)" in told


def test_a_zone_of_one_inside_that_of_the_other(tmp_path: Path) -> None:
    """Must be in, must be out."""
    (told,) = _warnings(tmp_path, IN_YARD + "  - {id: out, kind: exclusion_zone, zone: all}\n",
                        ("yard", _box(43.5, -89.40, 0.01)), ("all", _box(43.5, -89.40, 0.1)))
    assert "there is nowhere to be" in told


def test_an_appointment_during_a_curfew_elsewhere(tmp_path: Path) -> None:
    """Unless leave makes room for it, each time."""
    all_day = '  - {id: nights, kind: curfew, place: home, windows: [{from: "20:00", to: "10:45"}]%s}\n'
    (told,) = _warnings(tmp_path, all_day % "" + CLINIC)
    assert "talks (attendance) wants clinic from 2026-11-03T16:00:00Z to 2026-11-03T17:00:00Z, when nights" in told
    leave = ", leave: [{from: 2026-11-03T15:00:00Z, to: 2026-11-03T18:00:00Z, reason: talks}]"
    (told,) = _warnings(tmp_path, all_day % leave + CLINIC)
    assert "from 2026-11-10T16:00:00Z" in told


def test_an_appointment_that_leaves_time_enough_after_a_curfew(tmp_path: Path) -> None:
    """Half an hour of the window is free."""
    assert _warnings(tmp_path, NIGHTS.replace("06:00", "10:30") + CLINIC) == []


def test_two_curfews_at_once(tmp_path: Path) -> None:
    """At different places."""
    (told,) = _warnings(tmp_path, NIGHTS + NIGHTS.replace("nights", "evenings").replace("home", "clinic"))
    assert "nights (curfew) wants home and evenings (curfew) wants clinic at the same time" in told


def test_an_appointment_behind_a_zone(tmp_path: Path) -> None:
    """A ring around the clinic, with a hole in the middle; a gap in the ring is a way."""
    ring = _box(43.10, -89.40, 0.02, 0.01)
    (told,) = _warnings(tmp_path, NIGHTS + CLINIC + OUT_OF_YARD, ("yard", ring))
    assert "cannot be reached from home without crossing a zone of stay-out (exclusion_zone)" in told
    west = {"type": "Polygon", "coordinates": [[[-89.42, 43.08], [-89.41, 43.08], [-89.41, 43.12], [-89.42, 43.12],
                                                [-89.42, 43.08]]]}
    assert _warnings(tmp_path, NIGHTS + CLINIC + OUT_OF_YARD, ("yard", west)) == []


def test_without_being_asked_files_are_not_searched_for_contradictions(tmp_path: Path) -> None:
    """A batch run over ten thousand orders should not pay for it."""
    _warnings(tmp_path, NIGHTS + OUT_OF_YARD, ("yard", _box(43.07, -89.40, 0.01)))
    assert not check([tmp_path]).warnings
