"""A feed's allowance."""

from __future__ import annotations

from emon.domain.instant import SECOND
from emon.ingest.rate import Bucket


def test_a_body_may_overdraw_and_the_feed_then_waits_it_off() -> None:
    bucket = Bucket(per_s=10, burst=20, now=0)
    assert bucket.wait_s(0) == 0
    bucket.charge(50)
    assert bucket.wait_s(0) == 3
    assert bucket.wait_s(2 * SECOND) == 1
    assert bucket.wait_s(4 * SECOND) == 0


def test_what_is_saved_is_bounded_and_time_never_runs_back() -> None:
    bucket = Bucket(per_s=10, burst=20, now=0)
    assert bucket.wait_s(1_000 * SECOND) == 0
    bucket.charge(21)
    assert bucket.wait_s(0) > 0


def test_empty_bodies_cost_something_too() -> None:
    bucket = Bucket(per_s=1, burst=2, now=0)
    bucket.charge(0)
    bucket.charge(0)
    assert bucket.wait_s(0) > 0
