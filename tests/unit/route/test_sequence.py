"""One total order: every sentence here is one that evaluators rely on."""

from __future__ import annotations

import msgspec

from emon.domain.instant import SECOND
from emon.journal.port import Entry
from emon.journal.records import Bound, HeardElsewhere, OwnOutage, Tick, decode_input
from emon.route.bind import Placed
from emon.route.heads import BoundHead, Reading
from emon.route.sequence import Sequencer, arrival

T = 1_764_000_000 * SECOND
LINE = msgspec.Raw(b'{"device":"d","kind":"status","observed_at":1}')


def records(entries: list[Entry], partition: int = 0) -> list[object]:
    return [decode_input(e.value) for e in entries if e.partition == partition]


def test_instants_strictly_increase_even_where_arrivals_do_not() -> None:
    order = Sequencer(1)
    assert [order.stamp(at) for at in (T + 5, T + 5, T + 3, T + 9)] == [T + 5, T + 6, T + 7, T + 9]


def test_a_tick_stands_at_its_whole_second_before_what_was_received_in_it() -> None:
    order = Sequencer(1, T - 400_000, T - SECOND)
    told = records(order.ticks_up_to(T + 250_000))
    assert told == [Tick(T)]
    assert order.stamp(T) == T + 1  # a body of exactly that second comes after the tick


def test_missing_seconds_are_filled_in() -> None:
    order = Sequencer(1, T, T)
    assert records(order.ticks_up_to(T + 3 * SECOND)) == [Tick(T + n * SECOND) for n in (1, 2, 3)]


def test_thirty_seconds_are_no_outage_and_thirty_one_are() -> None:
    calm = Sequencer(1, T, T)
    assert not any(isinstance(r, OwnOutage) for r in records(calm.ticks_up_to(T + 30 * SECOND)))
    gone = Sequencer(2, T, T)
    entries = gone.ticks_up_to(T + 31 * SECOND)
    for partition in (0, 1):
        outage, tick = records(entries, partition)
        assert outage == OwnOutage(T + 1, T, T + 31 * SECOND)
        assert tick == Tick(T + 31 * SECOND)


def test_a_repeated_or_old_tick_tells_nothing() -> None:
    order = Sequencer(1, T, T)
    assert order.ticks_up_to(T) == [] and order.ticks_up_to(T - 5 * SECOND) == []


def test_a_clock_that_ran_ahead_is_no_outage_when_the_others_catch_up() -> None:
    order = Sequencer(1, T, T)
    order.ticks_up_to(T + 20 * SECOND)
    order.ticks_up_to(T + 45 * SECOND)
    order.stamp(T + 45 * SECOND)
    for second in range(21, 46):
        assert order.ticks_up_to(T + second * SECOND) == []
    assert records(order.ticks_up_to(T + 46 * SECOND)) == [Tick(T + 46 * SECOND)]


def test_a_tick_names_what_other_partitions_heard_since_the_last_one() -> None:
    order = Sequencer(3, T, T)
    order.hear(Reading("d1", T - 7, T, "acme", LINE, kind="status", event="battery"), [0], T + 1)
    order.hear(Reading("d2", T - 8, T, "acme", LINE, kind="position", seq=4), [0, 2], T + 2)
    entries = order.ticks_up_to(T + SECOND)
    heard = [records(entries, p)[0].heard for p in range(3)]  # type: ignore[attr-defined]
    one = HeardElsewhere("d1", "status", T - 7, T + 1, event="battery")
    two = HeardElsewhere("d2", "position", T - 8, T + 2, seq=4)
    assert heard == [None, {"acme": [one, two]}, {"acme": [one]}]
    again = order.ticks_up_to(T + 2 * SECOND)
    assert [records(again, p)[0].heard for p in range(3)] == [None, None, None]  # type: ignore[attr-defined]


def test_what_was_heard_before_an_outage_of_ours_is_known_everywhere_when_that_is_told() -> None:
    order = Sequencer(2, T + 500_000, T)
    order.hear(Reading("d1", T, T, "acme", LINE, kind="status"), [0], T + 500_000)
    told = order.ticks_up_to(T + 60 * SECOND)
    heard = {"acme": [HeardElsewhere("d1", "status", T, T + 500_000)]}
    assert records(told, 0) == [OwnOutage(T + 500_001, T, T + 60 * SECOND), Tick(T + 60 * SECOND)]
    assert records(told, 1) == [OwnOutage(T + 500_001, T, T + 60 * SECOND, heard=heard), Tick(T + 60 * SECOND)]


def test_no_arrival_reaches_a_whole_second_before_its_tick() -> None:
    order = Sequencer(2, T + SECOND - 2, T)
    assert order.ticks_up_to(T + 500_000) == [] and order.stamp(T + 500_000) == T + SECOND - 1
    order.hear(Reading("d1", T, T, "acme", LINE, kind="status"), [0], T + SECOND - 1)
    told = records(order.ticks_up_to(T + 500_000), 1)
    assert told == [Tick(T + SECOND, {"acme": [HeardElsewhere("d1", "status", T, T + SECOND - 1)]})]
    assert order.stamp(T + 500_000) == T + SECOND + 1


def test_the_last_record_of_an_arrival_is_marked_in_each_partition() -> None:
    placed = [Placed(p, "P", BoundHead("P", T, LINE)) for p in (0, 1, 0, 1, 1)]
    entries = arrival(placed)
    assert [e.partition for e in entries] == [0, 1, 0, 1, 1]
    marks = [[r.last for r in records(entries, p) if isinstance(r, Bound)] for p in (0, 1)]
    assert marks == [[False, True], [False, False, True]]
