"""A world is sound, deterministic, and says what happens in it."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from emon.formats.check import check
from simulators.devices import CHUNK_S
from simulators.plan import Stay
from simulators.world import FEEDS, World, build


@pytest.fixture(scope="module")
def world() -> World:
    return build(11)


def test_the_same_seed_gives_the_same_world_and_readings(world: World) -> None:
    """Documents and readings are equal byte for byte; another seed's are not."""
    again, other = build(11), build(12)
    assert json.dumps(again.orders()) == json.dumps(world.orders())
    assert again.source().until(1_200) == world.source().until(1_200)
    assert json.dumps(other.orders()) != json.dumps(world.orders())


def test_what_is_written_passes_the_check(world: World, tmp_path: Path) -> None:
    """Orders, bindings, zones and people are sound documents without warnings."""
    world.write(tmp_path)
    checked = check([tmp_path / part for part in ("orders", "bindings", "zones", "people")])
    assert not checked.faults and not checked.warnings
    assert len({order.participant for order in checked.orders}) == 100
    assert len(checked.bindings) == len(world.bindings())
    assert (tmp_path / "truth.json").stat().st_size > 1_000


def test_protected_persons_have_devices_and_no_orders(world: World) -> None:
    """An order names the person, a binding of hers the device; nothing says where she lives."""
    protected = {plan.id for plan in world.plans if plan.protected}
    named = {c["protected_person"] for order in world.orders() for c in order["conditions"]
             if c["kind"] == "keep_away"}
    assert protected == named != set()
    assert protected == {binding["protected_person"] for binding in world.bindings() if "protected_person" in binding}
    assert {one["role"] for one in world.people() if one["person"] in protected} == {"protected_person"}


@pytest.mark.parametrize("participants", [1, 8, 100, 250])
def test_any_number_of_participants_is_a_world(participants: int) -> None:
    """Small casts keep what matters most; large ones grow every scenario."""
    world = build(3, participants)
    cast = Counter(plan.scenario for plan in world.plans if not plan.protected)
    assert cast.total() == participants
    assert cast["exclusion_breach"] >= 1
    assert len({device.id for plan in world.plans for device in plan.devices}) >= participants


def test_readings_are_sent_after_they_are_observed_and_within_their_binding(world: World) -> None:
    """Nothing comes from the future or from a device that is not bound, but an old bracelet's open strap."""
    bound = {d.id: (d.from_s, d.until_s) for plan in world.plans for d in plan.devices}
    emissions = world.source().until(3_600)
    assert len(emissions) > 3_000
    for e in emissions:
        from_s, until_s = bound[e.reading["device"]]
        assert e.send_s > e.observed_s >= (from_s or 0)
        assert until_s is None or e.observed_s < until_s or e.reading.get("event") == "strap_open"
    after = [e for e in emissions if (until := bound[e.reading["device"]][1]) is not None and e.observed_s >= until]
    assert after, "nobody opened the strap of a bracelet that was taken off"


def test_chunks_are_what_is_observed_in_them(world: World) -> None:
    """A chunk holds its ten minutes, however late they are sent."""
    source = world.source()
    while source.next_s < 4 * CHUNK_S:
        begin = source.next_s
        assert all(begin <= e.observed_s < begin + CHUNK_S + 10 for e in source.chunk())


def test_what_was_measured_before_the_start_comes_in_at_the_start(world: World) -> None:
    """Two days of an alcohol bracelet from the dock, a minute after the start, and then as it measures."""
    worn = {d.id for plan in world.plans if plan.scenario == "swab" for d in plan.devices}
    emissions = [e for e in world.source().until(2 * CHUNK_S) if e.reading["device"] in worn]
    before = [e for e in emissions if e.observed_s < 60]
    assert len(before) > 90 * len(worn)
    assert min(e.observed_s for e in before) < -48 * 3_600
    assert all(60 < e.send_s < 120 for e in before)


def test_every_feed_delivers_and_the_laboratory_feed_is_no_outage(world: World) -> None:
    """All five formats are spoken; a feed of rare readings has fewer members than an outage needs."""
    speaking = {e.feed for e in world.source().until(6 * 3_600)}
    assert speaking == {feed.id for feed in FEEDS}
    laboratory = [d for plan in world.plans for d in plan.devices if d.feed == "labworks"]
    assert 1 <= len(laboratory) < 5


def test_some_readings_come_twice_and_some_overtake_others(world: World) -> None:
    """About one in a hundred is re-sent; order of sending is not order of observation."""
    emissions = world.source().until(3_600)
    times = Counter((e.reading["device"], e.reading["seq"]) for e in emissions)
    repeated = sum(1 for n in times.values() if n > 1) / len(times)
    assert 0.004 < repeated < 0.02
    live = [e for e in emissions if e.send_s - e.observed_s < 60]
    assert any(b.observed_s < a.observed_s - 5 for a, b in pairwise(live))


def test_devices_do_not_report_in_step(world: World) -> None:
    """Phases are spread: no second of a minute holds more than its share of the fixes."""
    seconds = Counter(int(e.observed_s) % 60 for e in world.source().until(3_600)
                      if e.reading["kind"] == "position")
    assert max(seconds.values()) < 5 * seconds.total() / 60


def test_a_path_is_continuous(world: World) -> None:
    """Nobody moves faster than a car on the highway."""
    t = np.arange(-3_600.0, 86_400.0, 5.0)
    for plan in world.plans:
        x, y = plan.at(t)
        assert np.hypot(np.diff(x), np.diff(y)).max() <= 25.0 * 5 + 1e-6
        assert all(isinstance(stay, Stay) and stay.to_s > stay.from_s for stay in plan.stays)


def test_orders_amended_later_say_when_they_arrive(world: World) -> None:
    """The hospital's letter is a second version with the same times and the leave."""
    amendments = world.amendments()
    assert amendments
    for arrived_us, document in amendments:
        assert arrived_us > world.start_us
        assert document["version"] == 2
        assert any(condition.get("leave") for condition in document["conditions"])
