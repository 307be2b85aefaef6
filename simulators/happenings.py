"""True of devices, tests, appointments and weeks: what the script says, what the path says, what a body did.

Yields what `truth` writes down. As there, a truth is `clear` where whoever watched well must find it, and
`known_s` is when the last thing needed for that was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from emon.domain import instant
from simulators.devices import Emission
from simulators.documents import TIME_ZONE
from simulators.duty import Span, stretches
from simulators.evidence import ARRIVAL_S, Track
from simulators.ground import Floats
from simulators.plan import Document, Exposure, Happening, Plan

POSITIVE_G_DL: Final = 0.020
CONSECUTIVE: Final = 3
NO_UPLOAD_S: Final = 48 * 3_600.0
EDGE_S: Final = 600.0  # late or left: seen so shortly before an appointment's end, or after its start
SLACK_S: Final = 180.0
"""Fixes come once a minute, and their chain decides: seconds of presence or absence may be missed by so much."""


class Known(NamedTuple):
    """A true interval of one kind; `clear` if it must be found, known at `known_s`."""

    kind: str
    condition: str
    from_s: float
    to_s: float
    known_s: float
    clear: bool = True


def told(plan: Plan, until_s: float) -> Iterator[Known]:
    """What the script says."""
    for one in plan.happenings:
        condition = _condition(plan, one.under)
        if one.from_s < until_s and condition is not None:
            kind, known_s = _called(one, until_s)
            yield Known(kind, condition, one.from_s, one.to_s, known_s + ARRIVAL_S)


def _called(one: Happening, until_s: float) -> tuple[str, float]:
    if one.later is not None and one.later[1] <= until_s:
        return one.later[0], one.known_s
    return one.kind, one.known_s


def _condition(plan: Plan, kind: str) -> str | None:
    return next((c["id"] for c in plan.conditions if c["kind"] == kind), None)


# --- alcohol through the skin ------------------------------------------------------------------------------
def skin(plan: Plan, condition: Document, emissions: Iterable[Emission], until_s: float) -> Iterator[Known]:
    """Episodes of alcohol at the skin with what they are called by now, and uploads that stay away."""
    measured = sorted({e.observed_s: e for e in emissions
                       if e.reading["kind"] == "alcohol_transdermal"}.values(), key=lambda e: e.observed_s)
    for exposure in plan.exposures:
        yield from _episode(exposure, condition["id"], [e for e in measured if e.observed_s < until_s])
    if measured:
        ends = [*(e.observed_s for e in measured), max(until_s, measured[-1].observed_s)]
        for last, following in pairwise(ends):
            due = last + NO_UPLOAD_S
            if due < following and due < until_s:
                yield Known("alcohol_no_upload", condition["id"], due, following, due + ARRIVAL_S)


def _episode(exposure: Exposure, condition: str, measured: list[Emission]) -> Iterator[Known]:
    """Nothing below three readings at the limit: nobody can tell that from an artefact."""
    during = [e for e in measured if exposure.from_s <= e.observed_s < exposure.to_s]
    high = [e for e in during if e.reading["tac_g_dl"] >= POSITIVE_G_DL]
    if len(high) < CONSECUTIVE:
        return
    possible = max(e.send_s for e in high[:CONSECUTIVE]) + ARRIVAL_S
    zeros = [e for e in measured if e.observed_s > high[-1].observed_s and e.reading["tac_g_dl"] == 0.0]
    over = next((b for a, b in pairwise(zeros) if _are_neighbours(a, b, measured)), None)
    kind = "alcohol_possible"
    if over is not None:
        kind = "alcohol_confirmed" if exposure.why == "drinking" else "alcohol_review"
    yield Known(kind, condition, exposure.from_s, exposure.to_s, possible)


def _are_neighbours(a: Emission, b: Emission, measured: list[Emission]) -> bool:
    return not any(a.observed_s < e.observed_s < b.observed_s for e in measured)


# --- appointments ------------------------------------------------------------------------------------------
def appointments(plan: Plan, condition: Document, seen: Track, start_us: int, until_s: float) -> Iterator[Known]:
    """Windows without so much time there in one piece as is asked for."""
    assert plan.target is not None
    place = next(p for p in plan.places if p["id"] == condition["place"])
    minimum = condition["minimum_s"]
    for window in stretches(condition, start_us, plan.effective_s, until_s):
        if window.to_s > until_s:
            continue
        t = np.arange(window.from_s, window.to_s, 1.0)
        x, y = plan.at(t)
        present = np.hypot(x - plan.target[0], y - plan.target[1]) <= place["radius_m"]
        longest = _longest(present)
        if longest >= minimum:
            continue
        watched = _longest_gap(seen, plan, place["radius_m"], window) < minimum / 2
        if not watched:
            yield Known("location_lost", condition["id"], window.from_s, window.to_s, window.to_s, clear=False)
        sent = seen.sent[(seen.t >= window.from_s) & (seen.t < window.to_s)]
        known = max(window.to_s, float(sent.max()) if len(sent) else window.to_s) + ARRIVAL_S
        kind = _missed(t[present], window)
        clear = watched and longest < minimum - SLACK_S
        yield Known(kind, condition["id"], window.from_s, window.to_s, known, clear)


def _longest_gap(seen: Track, plan: Plan, radius_m: float, window: Span) -> float:
    """Seconds without a fix that may tell: network fixes tell of presence only."""
    assert plan.target is not None
    there = np.hypot(seen.true_x - plan.target[0], seen.true_y - plan.target[1]) <= radius_m
    tells = (seen.gnss | there) & (seen.t >= window.from_s) & (seen.t < window.to_s)
    return float(np.diff(np.concatenate(([window.from_s], seen.t[tells], [window.to_s]))).max())


def _longest(present: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    """Seconds of the longest piece."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], present, [False])).astype(np.int8)))
    return float((edges[1::2] - edges[::2]).max()) if len(edges) else 0.0


def _missed(there: Floats, window: Span) -> str:
    if len(there) and window.to_s - there[-1] <= EDGE_S:
        return "attendance_late"
    if len(there) and there[0] - window.from_s <= EDGE_S:
        return "attendance_left"
    return "attendance_missed"


# --- a week's allowance ------------------------------------------------------------------------------------
def used_up(plan: Plan, condition: Document, away: Iterable[tuple[Span, bool]], start_us: int,
            until_s: float) -> Iterator[Known]:
    """Weeks in which more than the allowance was spent; `away`: late or left, and whether that is clear."""
    allowance = condition["allowance_s_per_week"]
    spans = list(away)
    for week in _weeks(start_us, plan.effective_s, until_s):
        total, certain, crossed = 0.0, 0.0, None
        for span, clear in spans:
            seconds = min(span.to_s, week.to_s) - max(span.from_s, week.from_s)
            if seconds <= 0:
                continue
            if crossed is None and clear and certain + seconds - SLACK_S > allowance:
                crossed = min(span.to_s, max(span.from_s, week.from_s) + allowance - certain + SLACK_S)
            total += seconds
            certain += max(0.0, seconds - SLACK_S) if clear else 0.0
        if total > allowance:
            yield Known("curfew_accumulated", condition["id"], max(week.from_s, plan.effective_s), week.to_s,
                        week.to_s if crossed is None else crossed, crossed is not None)


def _weeks(start_us: int, from_s: float, until_s: float) -> Iterator[Span]:
    zone = ZoneInfo(TIME_ZONE)
    day = instant.to_datetime(start_us + round(from_s * 1e6)).astimezone(zone).date()
    day -= timedelta(days=day.weekday())
    while True:
        following = day + timedelta(days=7)
        begin, end = (instant.from_datetime(datetime.combine(d, time.min, zone)) for d in (day, following))
        if (begin - start_us) / 1e6 >= until_s:
            return
        yield Span((begin - start_us) / 1e6, (end - start_us) / 1e6)
        day = following
