"""What happens after a failed attempt."""

from __future__ import annotations

from emon.domain.instant import DAY, MINUTE, SECOND
from emon.notify.retry import after_failure
from tests.unit.alerts.worlds import T0

METHODS = (("email", "a"), ("webhook", "b"), ("folder", ""), ("console", ""))


def test_a_permanent_failure_goes_on_at_once() -> None:
    then = after_failure(METHODS, 0, 1, T0, T0 + 5, permanent=True)
    assert (then.method, then.next_at, then.method_attempts) == (1, T0 + 5, 0)


def test_passing_failures_wait_longer_each_time_then_go_on() -> None:
    waits = [after_failure(METHODS, 0, tries, T0, T0, permanent=False).next_at - T0 for tries in (1, 2, 3)]
    assert waits == [2 * SECOND, 4 * SECOND, 8 * SECOND]
    assert after_failure(METHODS, 0, 4, T0, T0, permanent=False).method == 1


def test_the_persons_last_method_is_tried_for_a_day() -> None:
    """A mail server that is down overnight does not turn mail into a file."""
    then = after_failure(METHODS, 1, 500, T0, T0 + DAY - 1, permanent=False)
    assert (then.method, then.next_at) == (1, T0 + DAY - 1 + 5 * MINUTE)
    assert after_failure(METHODS, 1, 500, T0, T0 + DAY, permanent=False).method == 2
    assert after_failure(METHODS, 2, 500, T0, T0 + DAY, permanent=False).method == 3
