"""What a finding says about itself: every reading that it names had come, every number can be worked out again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from pyproj import Geod

from emon.domain import instant
from emon.domain.finding import Finding
from emon.domain.reading import Reading
from emon.journal.records import Bound
from tests.oracle.fixes import places
from tests.oracle.ground import depth
from tests.oracle.knowledge import Known, accuracy_m, known
from tests.oracle.versions import condition_of, in_force
from tests.properties.running import REAL, at_once
from tests.properties.worlds import World, worlds

QUICK = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@QUICK
@given(worlds())
def test_evidence_had_arrived(world: World) -> None:
    """Every reading named was received, and its instant had come, when the revision was decided."""
    for line in at_once(REAL, world.records, world.until_at):
        for named in line.evidence["readings"]:
            observed_at = instant.parse(named["observed_at"])
            arrivals = [
                max(b.received_at, observed_at)
                for b in world.records
                if isinstance(b, Bound)
                and (line.participant in (None, b.participant) or line.kind.startswith(("keep_away", "protected")))
                and b.reading.observed_at == observed_at
                and (b.reading.device, b.reading.kind) == (named["device"], named["kind"])
            ]
            assert arrivals and min(arrivals) <= line.decided_at


@QUICK
@given(worlds())
def test_numbers_can_be_worked_out_again(world: World) -> None:
    """Distances, accuracies and sides of the fixes quoted, measured again by other means."""
    for line, fix, order_known in _quoted(world):
        at = instant.parse(fix["observed_at"])
        candidates = [
            b.reading
            for b in world.records
            if isinstance(b, Bound)
            and b.participant == line.participant
            and b.reading.kind == "position"
            and b.reading.observed_at == at
            and b.received_at <= line.decided_at
            and b.reading.method == fix["method"]
            and accuracy_m(b.reading) == fix["accuracy_m"]
        ]
        measured = [m for r in candidates for m in _signed(line, order_known, at, r.lat or 0.0, r.lon or 0.0)]
        assert any(abs(m - fix["distance_m"]) <= 0.02 for m in measured)
        assert abs(fix["distance_m"]) > fix["accuracy_m"]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(worlds(always=("away",), most_twists=1))
def test_what_two_people_were_apart_can_be_worked_out_again(world: World) -> None:
    """From the readings named: the distance, how unsure it is, and on which side of what is ordered it lies. Where
    she was is not told."""
    for line in at_once(REAL, world.records, world.until_at):
        assert not ({"lat", "lon"} & set(_names(line.evidence)))
        if line.kind != "keep_away" or line.status == "withdrawn":
            continue
        told = line.evidence["parameters"]
        for pair in line.evidence["pairs"]:
            mine = _fixes_at(world, line, pair["observed_at"], pair["method"], pair["accuracy_m"])
            hers = _fixes_at(world, line, pair["protected_observed_at"], pair["protected_method"],
                             pair["protected_accuracy_m"])
            speeds = {max((s for s in (a.speed_mps, b.speed_mps) if s is not None), default=1.5)
                      for a in mine for b in hers}
            assert pair["speed_mps"] in speeds
            assert any(abs(_apart_m(a, b) - pair["distance_m"]) <= 0.02 for a in mine for b in hers)
            slack = pair["accuracy_m"] + pair["protected_accuracy_m"] + pair["apart_s"] * pair["speed_mps"]
            assert abs(slack - pair["slack_m"]) < 1e-5
            assert pair["apart_s"] <= told["pair_s"] == 90
            assert abs(pair["distance_m"] - told["distance_m"]) > pair["slack_m"] - 1e-5
        near = [p for p in line.evidence["pairs"] if p["distance_m"] + p["slack_m"] < told["distance_m"]]
        assert len(near) >= told["confirm_fixes"]
        assert all(p["method"] == p["protected_method"] == "gnss" for p in near)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _fixes_at(world: World, line: Finding, at: str, method: str, accuracy: float) -> list[Reading]:
    return [b.reading for b in world.records if isinstance(b, Bound) and b.received_at <= line.decided_at
            and b.reading.kind == "position" and b.reading.observed_at == instant.parse(at)
            and b.reading.method == method and accuracy_m(b.reading) == accuracy]


def _apart_m(a: Reading, b: Reading) -> float:
    """Along the ellipsoid."""
    metres: float = Geod(ellps="WGS84").line_length([a.lon or 0.0, b.lon or 0.0], [a.lat or 0.0, b.lat or 0.0])
    return metres


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(worlds(always=("allowance",), most_twists=1))
def test_what_adds_up_to_more_than_an_allowance_adds_up(world: World) -> None:
    """The spans quoted lie in the week, have no common instant, and make up the sum that is compared."""
    for line in at_once(REAL, world.records, world.until_at):
        if line.kind == "curfew_accumulated" and line.status != "withdrawn":
            told = line.evidence
            spans = [(instant.parse(a["from_at"]), instant.parse(a["until_at"])) for a in told["away"]]
            week = instant.parse(told["week_from_at"]), instant.parse(told["week_until_at"])
            assert all(week[0] <= a < b <= week[1] for a, b in spans)
            assert all(b <= c for (_, b), (c, _) in pairwise(spans))
            assert sum(b - a for a, b in spans) == round(told["away_s"] * 1_000_000)
            assert told["away_s"] >= told["parameters"]["allowance_s_per_week"]


def _quoted(world: World) -> Iterator[tuple[Finding, dict[str, Any], Known]]:
    for line in at_once(REAL, world.records, world.until_at):
        if line.kind == "curfew_accumulated" or line.status == "withdrawn":
            continue
        if line.kind.startswith(("exclusion", "inclusion", "curfew")):
            for fix in line.evidence["fixes"]:
                yield line, fix, known(world.records, line.decided_at)


def _signed(line: Finding, now: Known, at: int, lat: float, lon: float) -> list[float]:
    """Metres inside (positive) or outside of the deepest shape; the fix may precede the order."""
    order = in_force(now.orders[line.order or ""], max(at, line.onset))
    condition = condition_of(order, line.condition or "")
    assert order is not None and condition is not None
    shapes: list[Any] = list(places(order, condition))
    if condition.zone is not None:
        zone = in_force(now.zones[condition.zone], at)
        shapes = [] if zone is None else [zone]
    depths = [depth(shape, condition.buffer_m or 0.0, lat, lon) for shape in shapes]
    return [max(d.distance_m if d.inside else -d.distance_m for d in depths)] if depths else []


@QUICK
@given(worlds())
def test_6_the_version_in_force_decides_and_is_named(world: World) -> None:
    """Order and zone version are those in force at the onset, by what was known when it was decided."""
    for line in at_once(REAL, world.records, world.until_at):
        if line.order is None or line.status == "withdrawn":
            continue
        now = known(world.records, line.decided_at)
        order = in_force(now.orders[line.order], line.onset)
        assert order is not None and order.version == line.order_version
        condition = condition_of(order, line.condition or "")
        assert condition is not None
        if condition.zone is not None:
            zone = in_force(now.zones[condition.zone], line.onset)
            assert zone is not None and zone.version == line.zone_version
        assert line.rule_version == 1
