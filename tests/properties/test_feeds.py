"""Feeds: when the order that makes a silence matter arrives does not matter, nor into how many partitions the
devices' readings are spread."""

from __future__ import annotations

import pytest

from emon.domain.order import Condition
from tests.oracle.oracle import oracle
from tests.oracle.scene import Scene, contact
from tests.properties.routing import judged
from tests.properties.running import REAL, at_once, crashed, in_batches_of, of_kinds, restarted
from tests.properties.views import differences, in_force

SECONDS = 1 / 60


def feed(*conditions: Condition, minutes: tuple[float, ...], arrive: float = 0, devices: int = 5) -> Scene:
    """Devices of one feed that speak together."""
    scene = Scene()
    for index in range(devices):
        scene.order(*conditions, participant=f"P{index}", since=0, arrive=arrive)
        scene.bind(f"D{index}", f"P{index}", since=0, arrive=0, feed="acme")
        for minute in minutes:
            scene.status(minute + index * SECONDS, device=f"D{index}", feed="acme")
    return scene


LATE = feed(contact(), minutes=(1, 5, 60, 62), arrive=80)
MORE = feed(contact(), minutes=(1, 5, 6, 11, 12, 13, 20, 21))
MORE.order(contact(every_s=120), participant="P2", version=2, since=0, arrive=30)
TWICE = feed(contact(every_s=1800), minutes=(1, 5, 6, 25, 26, 27.5, 30, 60))
TWICE.order(contact(every_s=900), participant="P2", version=2, since=0, arrive=40)
TWICE.order(contact(every_s=60), participant="P1", version=2, since=0, arrive=50)
WORLDS = {"the first condition comes afterwards": (LATE, 100, 1),
          "an order asks for more back in time": (MORE, 40, 4),
          "and another for yet more": (TWICE, 70, 5)}


@pytest.mark.parametrize("name", WORLDS)
def test_an_order_that_comes_later_sees_what_was_silent_before(name: str) -> None:
    """As the oracle does, which knows every reading."""
    scene, until, outages = WORLDS[name]
    expected = oracle(scene.records(), scene.at(until))
    assert sum(line.kind == "feed_outage" and line.revision == 1 for line in expected) >= outages
    lines = at_once(REAL, scene.records(), scene.at(until))
    assert differences(expected, of_kinds(lines)) == ""
    for size in (1, 7):
        assert in_batches_of(REAL, scene.records(), scene.at(until), size) == lines
    assert restarted(REAL, scene.records(), scene.at(until), 3) == lines
    assert {*map(str, crashed(REAL, scene.records(), scene.at(until), 3))} == {*map(str, lines)}
    assert judged(scene, 4, scene.at(until), 3) == judged(scene, 1, scene.at(until))


@pytest.mark.parametrize("name", WORLDS)
def test_it_is_as_if_the_order_had_been_there_before(name: str) -> None:
    scene, until, _ = WORLDS[name]
    early = Scene(readings=scene.readings, versions=sorted(((scene.at(0), v) for _, v in scene.versions),
                                                           key=lambda pair: getattr(pair[1], "version", 0)))
    assert in_force(at_once(REAL, early.records(), scene.at(until))) == in_force(
        at_once(REAL, scene.records(), scene.at(until)))


def test_who_turns_out_to_have_been_a_member_later_counts_though_the_feed_was_heard_just_the_same() -> None:
    scene = feed(contact(), minutes=(1, 5, 40), devices=4)
    scene.order(contact(), participant="Q", since=0, arrive=0).bind("E", "Q", since=0, arrive=0)
    scene.status(5, device="E", feed="acme", arrive=60).status(40, device="E", feed="acme")
    lines = at_once(REAL, scene.records(), scene.at(70))
    assert differences(oracle(scene.records(), scene.at(70)), of_kinds(lines)) == ""
    assert scene.at(60) in [line.decided_at for line in lines if line.kind == "feed_outage"]


def test_a_binding_counts_for_the_readings_of_its_own_second_wherever_they_are_judged() -> None:
    scene = feed(contact(), minutes=(1, 5), devices=10)
    for index in range(4):
        scene.status(14 + 0.2 * SECONDS, device=f"D{index}", feed="acme")
        scene.bind(f"D{index}", f"P{index}", version=2, since=0, arrive=14 + 0.5 * SECONDS, feed="other")
    alone = judged(scene, 1, scene.at(40))
    assert [line.onset for line in alone if line.kind == "feed_outage"] == [scene.at(15 + 9 * SECONDS)]
    assert judged(scene, 4, scene.at(40)) == alone


def test_who_speaks_right_before_an_outage_of_ours_is_heard_everywhere_in_the_same_second() -> None:
    scene = feed(contact(), minutes=(1, 5), devices=8)
    scene.status(30, device="D3", feed="acme").deaf(30, 40)
    for partitions in (1, 2, 4):
        closed = [line for line in judged(scene, partitions, scene.at(40))
                  if line.kind == "feed_outage" and line.status == "closed"]
        assert [line.decided_at for line in closed] == [scene.at(30 + SECONDS)]
