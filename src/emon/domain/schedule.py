"""Wall-clock windows in a named time zone as absolute instants, resolved once.

A window belongs to the day it starts on and may end on the next. A wall-clock time that occurs twice means
its first occurrence, one that does not occur the instant after the gap; what is empty then is no duty.
Windows that touch or overlap are one. Instants are microseconds UTC, spans are [from, until).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from emon.domain import instant
from emon.domain.order import DayException, Window

Stretch = tuple[int, int]

_LAST_DAY = date(2200, 1, 1)
_FIRST_DAY = date(1970, 1, 1)


@lru_cache(maxsize=1 << 16)
def wall_clock(day: date, seconds: int, zone: str) -> int:
    """The instant at which a clock in `zone` first shows `seconds` after midnight of `day`."""
    tz = ZoneInfo(zone)
    naive = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)
    local = naive.replace(tzinfo=tz)
    utc = local.astimezone(UTC)
    if utc.astimezone(tz).replace(tzinfo=None) == naive:
        return instant.from_datetime(utc)
    return _after_gap(naive, tz)


def _after_gap(naive: datetime, tz: ZoneInfo) -> int:
    """The instant at which clocks jumped over `naive`."""
    before = instant.from_datetime(naive.replace(tzinfo=tz, fold=1).astimezone(UTC))
    after = instant.from_datetime(naive.replace(tzinfo=tz, fold=0).astimezone(UTC))
    old = instant.to_datetime(before).astimezone(tz).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if instant.to_datetime(middle).astimezone(tz).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def local_date(moment: int, zone: str) -> date:
    """The calendar day of the instant in the zone; days before 1970 and after 2200 are clipped."""
    if moment <= 0:
        return _FIRST_DAY
    try:
        return min(instant.to_datetime(moment).astimezone(ZoneInfo(zone)).date(), _LAST_DAY)
    except OverflowError:
        return _LAST_DAY


def day_windows(windows: Sequence[Window], exceptions: Sequence[DayException], zone: str,
                day: date) -> list[Stretch]:
    """Windows that start on one local day, unmerged."""
    iso = day.isoformat()
    replaced = [e for e in exceptions if e.date == iso]
    chosen = [w for e in replaced for w in e.windows] if replaced else [
        w for w in windows if day.weekday() in w.days]
    out = []
    for window in chosen:
        next_day = window.to_s <= window.from_s
        begin = wall_clock(day, window.from_s, zone)
        end = wall_clock(day, window.to_s + (86_400 if next_day else 0), zone)
        if begin < end:
            out.append((begin, end))
    return out


def stretches(windows: Sequence[Window], exceptions: Sequence[DayException], zone: str,
              from_: int, until: int) -> list[Stretch]:
    """Merged windows that touch [from_, until], each cut to it by no more than a week on either side."""
    day, last = local_date(from_, zone) - timedelta(days=2), local_date(until, zone) + timedelta(days=1)
    found: list[Stretch] = []
    while day <= last:
        found += day_windows(windows, exceptions, zone, day)
        day += timedelta(days=1)
    return [s for s in merge(found) if s[1] >= from_ and s[0] <= until]


def merge(spans: Iterable[Stretch]) -> list[Stretch]:
    """Sorted spans; those that touch or overlap become one, empty ones vanish."""
    out: list[Stretch] = []
    for begin, end in sorted(s for s in spans if s[0] < s[1]):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((begin, end))
    return out


def subtract(spans: Iterable[Stretch], holes: Iterable[Stretch]) -> list[Stretch]:
    """What is left of sorted, disjoint spans outside all holes."""
    out = []
    cuts = merge(holes)
    for begin, end in spans:
        for hole_begin, hole_end in cuts:
            if hole_end <= begin or hole_begin >= end:
                continue
            if begin < hole_begin:
                out.append((begin, hole_begin))
            begin = hole_end
            if begin >= end:
                break
        if begin < end:
            out.append((begin, end))
    return out


def clip(spans: Iterable[Stretch], from_: int, until: int) -> list[Stretch]:
    """The spans' parts within [from_, until)."""
    return [(max(a, from_), min(b, until)) for a, b in spans if max(a, from_) < min(b, until)]
