"""Gaps in seq, along a device's own time."""

from __future__ import annotations

from emon.ingest.received import Gap, Received, gaps, in_order


def arrived(*pairs: tuple[int, int | None]) -> list[Received]:
    return in_order(Received(at, at + 5, "position", seq) for at, seq in pairs)


def test_missing_numbers_are_gaps_with_the_readings_around_them() -> None:
    assert gaps(arrived((10, 1), (20, 2), (30, 6))) == [Gap(3, 5, 20, 30)]
    assert gaps(arrived((10, 1), (20, 2), (30, 3))) == []


def test_arrival_order_does_not_matter() -> None:
    assert gaps(arrived((30, 6), (10, 1), (20, 2))) == [Gap(3, 5, 20, 30)]


def test_a_device_that_counts_anew_has_no_gap_there() -> None:
    assert gaps(arrived((10, 1_000), (20, 1_001), (30, 0), (40, 1), (50, 3))) == [Gap(2, 2, 40, 50)]


def test_a_clock_set_back_makes_no_gap() -> None:
    assert gaps(arrived((10, 100), (20, 102), (21, 101), (30, 103))) == []


def test_readings_without_a_number_are_passed_over() -> None:
    assert gaps(arrived((10, 1), (15, None), (20, 2))) == []


def test_a_reading_that_stands_twice_counts_once_by_its_first_arrival() -> None:
    twice = [Received(10, 99, "position", 1), Received(10, 15, "position", 1)]
    assert in_order(twice) == [twice[1]]
