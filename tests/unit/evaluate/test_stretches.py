"""A feed's stretches follow from the set of readings, in whatever order and portions they come."""

from __future__ import annotations

from random import Random

import numpy as np

from emon.evaluate.stretches import Heard, Spoken, join, mark_of, stretches, telling, thin
from emon.journal.records import HeardElsewhere

GRAIN, PACE = 60, 600


def spoken(at: int, device: str = "D", came: int = 0, event: str | None = None) -> Spoken:
    return Spoken(came or at, at, device, "acme", HeardElsewhere(device, "status", at, came or at, None, event))


def edges(heard: list[Heard]) -> list[tuple[int, int]]:
    return [(stretch.first, stretch.last) for stretch in heard]


def together(readings: list[Spoken]) -> list[Heard]:
    ordered = sorted(readings, key=lambda s: s.observed_at)
    at = np.array([s.observed_at for s in ordered], dtype=np.int64)
    return list(stretches(at, lambda i: mark_of(ordered[i]), GRAIN))


def test_pauses_up_to_the_grain_are_forgotten_and_longer_ones_kept_to_the_instant() -> None:
    assert edges(together([spoken(at) for at in (0, 60, 100, 161, 200)])) == [(0, 100), (161, 200)]


def test_neither_order_nor_portions_matter() -> None:
    for seed in range(60):
        random = Random(seed)
        readings = [spoken(random.randrange(0, 1500, 5), random.choice("DEF"), random.randint(1500, 3000))
                    for _ in range(random.randint(1, 60))]
        heard: list[Heard] = []
        picked: list[Heard] = []
        random.shuffle(readings)
        for begin in range(0, len(readings), 7):
            portion = readings[begin:begin + 7]
            for stretch in together(portion):
                join(heard, stretch, GRAIN, PACE)
            rows = telling(picked, np.array([s.observed_at for s in portion], dtype=np.int64), GRAIN)
            for stretch in together([portion[i] for i in rows.tolist()]):
                join(picked, stretch, GRAIN, PACE)
        assert heard == together(readings) == picked


def test_readings_within_what_is_known_are_passed_over() -> None:
    heard = together([spoken(0), spoken(50), spoken(700), spoken(760)])
    at = np.array([10, 50, 300, 710, 760, 765, 790, 790], dtype=np.int64)
    assert sorted(at[telling(heard, at, GRAIN)].tolist()) == [50, 300, 760, 790, 790]


def test_evidence_quotes_the_first_in_fold_order_at_the_beginning_and_the_last_at_the_end() -> None:
    stretch, = together([spoken(5, "E"), spoken(5, "D", 9), spoken(5, "D", 7), spoken(8, "E", 9), spoken(8, "E", 8),
                         spoken(8, "D")])
    assert (stretch.first_mark.device, stretch.first_mark.received_at) == ("D", 7)
    assert (stretch.last_mark.device, stretch.last_mark.received_at) == ("E", 8)


def test_only_pauses_that_some_order_asks_about_are_news() -> None:
    heard = together([spoken(0), spoken(700), spoken(900)])

    def put(at: int) -> bool:
        stretch, = together([spoken(at)])
        return join(heard, stretch, GRAIN, PACE)

    assert [put(at) for at in (800, 910, 1000)] == [False, False, False], "nobody asks about 100 s"
    assert put(300), "the pause after 0 became short"
    assert put(2000) and not put(2010) and put(1500)


def test_old_short_pauses_go_and_long_ones_stay() -> None:
    heard = together([spoken(at) for at in (0, 100, 200, 900, 1000, 1100)])
    assert edges(thin(heard, 1050, PACE)) == [(0, 200), (900, 1000), (1100, 1100)]
