"""What is known of devices around a silence or a low battery: the charge, how fast it falls, charging, a beacon.

It decides nothing. Whoever reads a finding should not have to look up that the battery was nearly empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emon.domain.instant import HOUR, MINUTE
from emon.evaluate.positions import counts
from emon.evaluate.signals import Case
from emon.journal.records import Bound
from emon.limits import CHARGE_RISES, CIRCUMSTANCES_BACK, DISCHARGE_LEAST, DISCHARGE_SPAN


def circumstances(case: Case, at: int) -> list[dict[str, Any]]:
    """Of each device worn at an instant what its readings of the day before it say; devices that say nothing of
    this are left out. Of a protected person nothing that tells where she is."""
    readings = case.readings(at - CIRCUMSTANCES_BACK, at)
    worn = sorted({w.device for w in case.body.wearings if w.from_ <= at < w.until})
    told = [{"device": device, **_of_device(case, [b for b in readings if b.reading.device == device])}
            for device in worn]
    return [each for each in told if len(each) > 1]


def _of_device(case: Case, readings: Sequence[Bound]) -> dict[str, Any]:
    told: dict[str, Any] = forecast(readings)
    charging = [b.reading for b in readings if b.reading.event in ("charging_start", "charging_stop")]
    if charging and charging[-1].event == "charging_start":
        told["charging_since_at"] = charging[-1].observed_at
    presence = [b.reading for b in readings if b.reading.kind == "presence"
                and counts(b.reading, case.participant, case.bindings)]
    if presence and not case.discreet:
        told["present"], told["presence_at"] = presence[-1].present, presence[-1].observed_at
    return told


def forecast(readings: Sequence[Bound]) -> dict[str, Any]:
    """The last charge that one device reports in readings by time, and, where it fell long enough since it rose last,
    when it is empty if it goes on so."""
    charges = [(b.reading.observed_at, b.reading.battery_fraction) for b in readings
               if b.reading.kind == "status" and b.reading.battery_fraction is not None]
    if not charges:
        return {}
    begin = 0
    for i in range(1, len(charges)):
        if charges[i][1] >= charges[i - 1][1] + CHARGE_RISES:
            begin = i
    (first_at, first), (last_at, last) = charges[begin], charges[-1]
    told: dict[str, Any] = {"battery_fraction": last, "battery_at": last_at}
    if last_at - first_at >= DISCHARGE_SPAN and first - last >= DISCHARGE_LEAST:
        an_hour = (first - last) * HOUR / (last_at - first_at)
        told["falls_by_an_hour"] = round(an_hour, 4)
        told["empty_forecast_at"] = (last_at + round(last / an_hour * HOUR)) // MINUTE * MINUTE  # no truer than that
    return told
