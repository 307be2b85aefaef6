"""What feeds hear in columns is what they hear reading by reading."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from emon.domain.binding import Binding
from emon.domain.binding_book import BindingBook
from emon.domain.instant import DAY, SECOND
from emon.domain.reading import Reading
from emon.domain.versions import NEVER
from emon.evaluate.calm import Calm, Way
from emon.evaluate.matching import Moment
from emon.evaluate.orderbook import OrderBook
from emon.evaluate.outages import Outages
from emon.evaluate.sentences import evidence, retraction
from emon.journal.records import Bound

START = 20_000 * DAY
DEVICES = ("D0", "D1", "D2", "D3", "D4")


def said(device: str, feed: str, observed_at: int, received_at: int) -> Bound:
    return Bound(device, received_at, Reading(device=device, kind="position", observed_at=observed_at, feed=feed))


def calm_of(outages: Outages, bounds: list[Bound]) -> Calm:
    """As the lane hands them over: device by device, each in order of arrival."""
    ordered = sorted(bounds, key=lambda b: b.participant)
    edges = [0, *(i for i in range(1, len(ordered)) if ordered[i].participant != ordered[i - 1].participant),
             len(ordered)] if ordered else [0]
    ways = [outages.ways.number(Way(ordered[i].reading.device, ordered[i].reading.feed or "",
                                    ordered[i].reading.feed or "")) for i in edges[:-1]]
    return Calm(np.array(ways, dtype=np.int64), np.array(edges, dtype=np.int64), ordered,
                np.array([b.reading.observed_at for b in ordered], dtype=np.int64),
                np.array([b.received_at for b in ordered], dtype=np.int64))


def known(outages: Outages) -> object:
    return (outages.via, {name: (feed.heard, feed.devices) for name, feed in outages.feeds.items()},
            sorted((s.received_at, s.observed_at, s.device, s.by) for s in outages.all_waiting()))


@pytest.mark.parametrize("seed", range(20))
def test_in_columns_or_one_by_one_feeds_hear_the_same(seed: int) -> None:
    rng = Random(seed)
    one_by_one, columns = (Outages(OrderBook(), BindingBook()) for _ in range(2))
    feeds = dict.fromkeys(DEVICES, "acme")
    clock = START
    for portion in range(30):
        bounds = []
        for _ in range(rng.randint(0, 12)):
            clock += rng.randrange(SECOND // 4)
            device = rng.choice(DEVICES)
            late = rng.choice((0, 0, 40, 200, 3_000)) * SECOND if feeds[device] == "acme" else 0
            bounds.append(said(device, feeds[device], clock - late, clock))
        for bound in bounds:
            one_by_one.take(bound)
        columns.skim(calm_of(columns, bounds), (), clock)
        if portion in (10, 20):  # somebody is carried by another feed from now on, which is judged in full
            device = DEVICES[portion // 10]
            feeds[device] = "other"
            clock += 1
            for outages in (one_by_one, columns):
                outages.take(said(device, "other", clock, clock))
        if portion == 15:
            for outages in (one_by_one, columns):
                outages.text()
        for outages in (one_by_one, columns):
            outages.settle(clock - clock % SECOND)
        assert known(columns) == known(one_by_one)
    for outages in (one_by_one, columns):
        outages.settle(clock + SECOND)
    assert known(columns) == known(one_by_one)
    assert columns.via[DEVICES[1]][-1][1] == "other" and not columns.all_waiting()


def test_a_reading_that_waits_in_columns_keeps_others_from_being_calm_if_its_feed_is_not() -> None:
    outages = Outages(OrderBook(), BindingBook())
    outages.demand(600 * SECOND, START)
    outages.take(said("D0", "acme", START, START))
    outages.judge(START + SECOND, Moment(START + SECOND, 1, lambda _: "late_data", evidence, retraction))
    outages.take(said("D0", "acme", START + SECOND, START + SECOND))
    outages.settle(START + 2 * SECOND)
    assert calm_from(outages, START + 2 * SECOND) == {"acme": START}
    now = START + 2 * SECOND + 1
    outages.skim(calm_of(outages, [said("D0", "acme", now, now)]), (), now)
    assert calm_from(outages, now + 1) == {"acme": START}
    outages.skim(calm_of(outages, [said("D0", "acme", START - SECOND, now + 1)]), (), now + 1)
    assert calm_from(outages, now + 2) is None


def calm_from(outages: Outages, clock: int) -> dict[str, int] | None:
    """From when on readings by each feed only lengthen what was heard."""
    calmness = outages.calm_from(clock, ())
    return None if calmness is None else calmness.from_


def test_a_feed_that_is_silent_leaves_the_others_calm() -> None:
    bindings = BindingBook()
    bindings.add(Binding(id="B", device="L0", participant="P", from_=START - DAY))
    outages = Outages(OrderBook(), bindings)
    outages.demand(600 * SECOND, START)
    outages.take(said("L0", "seldom", START, START))
    later = START + 700 * SECOND
    outages.take(said("D0", "acme", later, later))
    outages.judge(later, Moment(later, 1, lambda _: "late_data", evidence, retraction))
    assert calm_from(outages, later + SECOND) == {"seldom": NEVER, "acme": later}
    heard = [said("L0", "seldom", later + 1, later + 1)]
    calmness = outages.calm_from(later + SECOND, heard)
    assert calmness is not None and calmness.apart == {"P"}
    quiet = outages.calm_from(later + SECOND, [said("D0", "acme", later + 1, later + 1)])
    assert quiet is not None and quiet.apart == set()


def test_a_binding_of_the_same_second_says_for_which_feed_a_reading_in_columns_counts() -> None:
    bindings = BindingBook()
    outages = Outages(OrderBook(), bindings)
    for at in (START - 2 * SECOND, START - SECOND):  # the second time it is known how it comes
        outages.skim(calm_of(outages, [said("D0", "acme", at, at)]), (), at)
    before = outages.feeds["acme"].heard[-1]
    outages.skim(calm_of(outages, [said("D0", "acme", START + 1, START + 1)]), (), START + 1)
    outages.before_binding(START + 2)
    bindings.add(Binding(id="B", device="D0", participant="P", feed="fleet", from_=START - DAY))
    outages.named("D0", "fleet")
    outages.text()
    outages.settle(START + SECOND)
    assert outages.feeds["acme"].heard == [before]
    assert [(h.first, h.last) for h in outages.feeds["fleet"].heard] == [(START + 1, START + 1)]
