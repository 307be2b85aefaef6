"""When a simulated curfew binds: windows minus leave, as seconds after the world's start.

Worked out on its own, from the calendar of Python's standard library.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from emon.domain import instant
from simulators.documents import TIME_ZONE
from simulators.plan import Document

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ZONE = ZoneInfo(TIME_ZONE)


class Span(NamedTuple):
    """[from_s, to_s)."""

    from_s: float
    to_s: float


def stretches(condition: Document, start_us: int, from_s: float, until_s: float) -> list[Span]:
    """Stretches of duty that touch [from_s, until_s): touching windows joined, leave taken out."""
    first = instant.to_datetime(start_us + round(from_s * 1e6)).astimezone(_ZONE).date() - timedelta(days=1)
    last = instant.to_datetime(start_us + round(until_s * 1e6)).astimezone(_ZONE).date()
    found: list[Span] = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        for window in condition["windows"]:
            if _DAYS[day.weekday()] in window["days"]:
                begin, end = time.fromisoformat(window["from"]), time.fromisoformat(window["to"])
                end_day = day if end > begin else day + timedelta(days=1)
                found.append(Span(_seconds(datetime.combine(day, begin), start_us),
                                  _seconds(datetime.combine(end_day, end), start_us)))
    joined: list[Span] = []
    for span in sorted(found):
        if joined and span.from_s <= joined[-1].to_s:
            joined[-1] = Span(joined[-1].from_s, max(joined[-1].to_s, span.to_s))
        else:
            joined.append(span)
    for leave in condition.get("leave", ()):
        joined = [piece for span in joined for piece in _without(span, leave["from"], leave["to"])]
    return [Span(max(s.from_s, from_s), s.to_s) for s in joined if s.to_s > from_s and s.from_s < until_s]


def _seconds(local: datetime, start_us: int) -> float:
    return (instant.from_datetime(local.replace(tzinfo=_ZONE)) - start_us) / 1e6


def _without(span: Span, from_s: float, to_s: float) -> list[Span]:
    pieces = [Span(span.from_s, min(span.to_s, from_s)), Span(max(span.from_s, to_s), span.to_s)]
    return [piece for piece in pieces if piece.from_s < piece.to_s]
