"""The noise is as bad as measured, no better and no worse."""

from __future__ import annotations

import numpy as np
import pytest

from simulators import noise


def _many(*, indoors: bool = False, canyon: bool = False, spikes: bool = False, step_s: float = 600.0,
          count: int = 40_000) -> noise.Fixes:
    rng = np.random.default_rng(7)
    t = np.arange(count) * step_s
    zero, flag = np.zeros(count), np.ones(count, dtype=bool)
    return noise.observe(rng, t, zero, zero, carry=noise.start(rng, -step_s), indoors=flag & indoors,
                         canyon=flag & canyon, spikes=spikes)


def test_gnss_accuracy_has_the_measured_median_and_tail() -> None:
    """Median 12 m and p99 59 m, as in 203,000 real fixes."""
    accuracy = _many().accuracy_m
    assert np.median(accuracy) == pytest.approx(12, rel=0.03)
    assert np.percentile(accuracy, 99) == pytest.approx(59, rel=0.05)


def test_two_thirds_of_gnss_errors_lie_within_the_claimed_accuracy() -> None:
    """A receiver's accuracy is a 68 % radius."""
    fixes = _many()
    assert np.mean(np.hypot(fixes.x, fixes.y) <= fixes.accuracy_m) == pytest.approx(0.675, abs=0.02)


def test_between_tall_buildings_the_receiver_lies() -> None:
    """Error p50/p95/max 28/62/79 m at a claimed 7 m."""
    fixes = _many(canyon=True)
    error = np.hypot(fixes.x, fixes.y)
    assert np.percentile(error, (50, 95)) == pytest.approx((28, 62), rel=0.04)
    assert error.max() <= 79.01
    assert set(fixes.accuracy_m) == {7.0}


def test_network_fixes_are_kilometres_wrong_once_in_a_hundred() -> None:
    """Median 32 m, p90 67 m, p99 2.5 km."""
    fixes = _many(indoors=True)
    error = np.hypot(fixes.x, fixes.y)[fixes.network]
    assert np.percentile(error, (50, 90)) == pytest.approx((32, 67), rel=0.05)
    assert np.percentile(error, 99) == pytest.approx(2_500, rel=0.25)
    assert fixes.network.mean() == pytest.approx(noise.NETWORK_INDOORS, abs=0.02)


def test_errors_of_neighbouring_fixes_belong_together() -> None:
    """At 15 s apart the error is mostly that of the fix before; ten minutes later it is another."""
    near, far = _many(step_s=15.0), _many(step_s=600.0)

    def correlation(fixes: noise.Fixes) -> float:
        unit = fixes.x / fixes.accuracy_m
        return float(np.corrcoef(unit[:-1], unit[1:])[0, 1])

    assert correlation(near) > 0.75
    assert abs(correlation(far)) < 0.05


def test_a_spike_is_a_single_fix() -> None:
    """Wild gnss fixes are there, and none within three of another."""
    fixes = _many(spikes=True, count=200_000)
    wild = np.flatnonzero(np.hypot(fixes.x, fixes.y) > 4 * noise.ACCURACY_MAX_M)
    assert 10 < len(wild) < 90
    assert np.diff(wild).min() > 3
