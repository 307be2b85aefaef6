"""Beside a silence or a low battery stands what is known of the devices; it decides nothing."""

from __future__ import annotations

from typing import Any

from emon.domain.finding import Finding
from emon.domain.order import Condition
from emon.domain.reading import Reading
from tests.unit.evaluate.world import CONTACT, at, bound, findings, fix, order

INTEGRITY = Condition(id="c6", kind="device_integrity")


def status(minute: float, device: str = "D", **more: Any) -> Reading:
    return Reading(device=device, kind="status", observed_at=at(minute), received_at=at(minute),
                   **{"event": "heartbeat", **more})


def charges(*pairs: tuple[float, float]) -> list[Reading]:
    return [status(minute, event="battery", battery_fraction=fraction) for minute, fraction in pairs]


def _silence(readings: list[Reading]) -> Finding:
    readings = sorted([fix(0, "home"), *readings], key=lambda reading: reading.observed_at)
    (silence,) = [f for f in findings(readings, order(CONTACT), until=400) if f.kind == "contact_lost"
                  and f.ended is None]
    return silence


def test_a_silence_quotes_the_battery_and_when_it_was_to_be_empty() -> None:
    """Thirty per cent in an hour: twenty more last forty minutes."""
    silence = _silence(charges(*((minute, 0.5 - 0.005 * minute) for minute in range(0, 65, 5))))
    assert silence.evidence["circumstances"] == [
        {"device": "D", "battery_fraction": 0.2, "battery_at": "2026-11-22T01:00:00Z", "falls_by_an_hour": 0.3,
         "empty_forecast_at": "2026-11-22T01:40:00Z"}]
    assert "D reported 20 % of charge at 2026-11-22T01:00:00Z and, as it falls, is empty at about" in (
        silence.evidence["sentence"])


def test_a_fall_counts_from_the_last_charging_on() -> None:
    """What it lost before says nothing about the rate since."""
    silence = _silence(charges((0, 0.9), (8, 0.1), (16, 1.0), (25, 0.97), (34, 0.94), (43, 0.91), (46, 0.9)))
    (known,) = silence.evidence["circumstances"]
    assert known["falls_by_an_hour"] == 0.2
    assert known["empty_forecast_at"] == "2026-11-22T05:16:00Z"


def test_nothing_is_forecast_from_too_little() -> None:
    """A fall over minutes, or by less than the gauge's noise."""
    for few in (charges((0, 0.9), (9, 0.8)), charges((0, 0.9), (9, 0.9), (18, 0.9), (27, 0.9), (36, 0.89))):
        (known,) = _silence(few).evidence["circumstances"]
        assert "empty_forecast_at" not in known


def test_charging_and_a_home_unit_are_told() -> None:
    """Charging until it says otherwise; presence as reported last, unless the beacon is another's."""
    there = Reading(device="H", kind="presence", observed_at=at(8), received_at=at(8), present=True)
    readings = [fix(0, "home"), status(4, event="charging_start"), there]
    world = {"bindings": (bound(), bound("H", role="home"))}
    (silence,) = [f for f in findings(readings, order(CONTACT), until=100, **world) if f.kind == "contact_lost"]
    assert silence.evidence["circumstances"] == [
        {"device": "D", "charging_since_at": "2026-11-22T00:04:00Z"},
        {"device": "H", "present": True, "presence_at": "2026-11-22T00:08:00Z"}]
    assert "D was charging since 2026-11-22T00:04:00Z" in silence.evidence["sentence"]
    stopped = [*readings, status(8, event="charging_stop")]
    (silence,) = [f for f in findings(stopped, order(CONTACT), until=100, **world) if f.kind == "contact_lost"]
    assert [each["device"] for each in silence.evidence["circumstances"]] == ["H"]


def test_a_low_battery_comes_with_its_forecast() -> None:
    """Of that device alone."""
    readings = charges(*((minute, 0.2 - 0.001 * minute) for minute in range(0, 65, 5)))
    (low,) = [f for f in findings(readings, order(INTEGRITY), until=64) if f.kind == "battery"]
    (known,) = low.evidence["circumstances"]
    assert known["battery_fraction"] < 0.15
    assert known["empty_forecast_at"] == "2026-11-22T03:20:00Z"
    assert "is empty at about 2026-11-22T03:20:00Z" in low.evidence["sentence"]


def test_what_comes_later_is_not_known_yet() -> None:
    """No hindsight: a charge reported after the silence was found stands in no revision of before."""
    silence = _silence([*charges((0, 0.5), (9, 0.5))])
    late = status(9.5, event="battery", battery_fraction=0.01)
    readings = [fix(0, "home"), *charges((0, 0.5), (9, 0.5))]
    told = findings([*readings, Reading(**{**{f: getattr(late, f) for f in late.__struct_fields__},
                                           "received_at": at(60)})], order(CONTACT), until=400)
    first = next(f for f in told if f.kind == "contact_lost")
    assert first.evidence["circumstances"] == silence.evidence["circumstances"]
