"""Appointments: windows in which somebody has to be at a place for some time, each judged when it is over."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from tests.oracle.curfew import windows
from tests.oracle.fixes import Fix, Person
from tests.oracle.knowledge import DAY, LONG_AGO, MINUTE, NEVER, SECOND, Heard, Sighting
from tests.oracle.versions import Span, Term, absences, minus, union

EDGE = 10 * MINUTE


@dataclass(frozen=True)
class Appointment:
    """A window without leave. `named_after`: the start that the calendar gives it; `cut`: the terms ended first."""

    parts: tuple[Span, ...]
    named_after: int
    cut: bool

    @property
    def start(self) -> int:
        return self.parts[0][0]

    @property
    def end(self) -> int:
        return self.parts[-1][1]


@dataclass(frozen=True)
class Verdict:
    """What is found of one appointment; `evidence` in no order."""

    kind: str
    level: int
    evidence: tuple[Heard, ...]


def _whole(term: Term, at: int, horizon: Span) -> list[Span]:
    piece = term.piece_at(min(max(at, term.start), term.end - 1))
    return union(windows(piece.condition, piece.order.time_zone, horizon))


def _excused(term: Term, at: int) -> bool:
    piece = term.piece_at(min(max(at, term.start), term.end - 1))
    return any(start <= at < end for start, end in absences(piece.condition))


def appointments(term: Term, horizon: Span) -> list[Appointment]:
    """All windows of a term within the horizon."""
    spans: list[Span] = []
    for piece in term.pieces:
        raw = union(windows(piece.condition, piece.order.time_zone, horizon))
        spans += [
            (max(start, piece.start), min(end, piece.end))
            for start, end in minus(raw, absences(piece.condition))
            if max(start, piece.start) < min(end, piece.end)
        ]
    groups: list[list[Span]] = []
    for span in union(spans):
        end = groups[-1][-1][1] if groups else 0
        same = groups and _excused(term, end) and _within(_whole(term, end, horizon), end, span[0])
        groups[-1:] = [[*groups[-1], span]] if same else [*groups[-1:], [span]]
    return [_appointment(term, group, horizon) for group in groups]


def _within(spans: Sequence[Span], start: int, end: int) -> bool:
    return any(a <= start and end <= b for a, b in spans)


def _appointment(term: Term, parts: list[Span], horizon: Span) -> Appointment:
    start, end = parts[0][0], parts[-1][1]
    named = start
    if _excused(term, start - 1):
        around = [a for a, b in _whole(term, start - 1, horizon) if a < start < b]
        named = max(around[0], term.start) if around else start
    own_end = any(b == end for _, b in _whole(term, end, horizon))
    return Appointment(
        tuple(parts), named, cut=end == term.end and not own_end and not _excused(term, end)
    )


def judged_from(person: Person, term: Term) -> int:
    """From when on appointments are judged: never before there is a device; without dates, a reading."""
    start = max(term.start, min((bond.start for bond in person.bonds), default=NEVER))
    if start > LONG_AGO:
        return start
    return min((s.at for s in person.known.sightings.get(person.participant, [])), default=NEVER)


def verdict(person: Person, term: Term, one: Appointment, all_fixes: Sequence[Fix]) -> Verdict | None:
    """Of an appointment that is over. Supporting fixes are those elsewhere."""
    needed = round((term.condition.minimum_s or 0) * SECOND)
    if sum(end - start for start, end in one.parts) < needed:
        return None
    fixes = [fix for fix in all_fixes if any(start <= fix.at < end for start, end in one.parts)]
    there = [fix.at for fix in fixes if not fix.supports]
    breaks = [i for i, fix in enumerate(fixes) if fix.supports and fix.heard.reading.method == "gnss"]
    for low, high in itertools.pairwise([-1, *breaks, len(fixes)]):
        stay = [fix.at for fix in fixes[low + 1 : high] if not fix.supports]
        if stay and stay[-1] - stay[0] >= needed:
            return None
    seen = all(
        b - a < needed
        for start, end in one.parts
        for a, b in itertools.pairwise([start, *(f.at for f in fixes if start <= f.at < end), end])
    )
    evidence = tuple(fix.heard for fix in fixes)
    if not seen or not any(fix.supports for fix in fixes):
        return Verdict("location_lost", 1, evidence or _before(person, one))
    kind = "attendance_missed"
    if there and there[0] <= one.start + EDGE:
        kind = "attendance_left"
    if there and there[-1] >= one.end - EDGE:
        kind = "attendance_late"
    return Verdict(kind, 3, evidence)


def _before(person: Person, one: Appointment) -> tuple[Heard, ...]:
    before: list[Sighting] = [s for s in person.sightings if one.start - DAY <= s.at < one.start]
    return tuple(min(s.readings, key=lambda h: h.received_at) for s in before[-1:])
