"""Breath tests, told plainly: every test that is known, and every test that was planned, one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.oracle.curfew import wall
from tests.oracle.fixes import Person
from tests.oracle.knowledge import MINUTE, SECOND, Heard, Sighting, fold_key
from tests.oracle.versions import Bond, Span, Term

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STRENGTH = {"missed": 0, "incomplete": 1, "refused": 2, "ok": 2}


@dataclass(frozen=True)
class Fact:
    """What stands at a clock."""

    part: str
    kind: str
    onset: int
    ended: int | None
    level: int
    evidence: tuple[Heard, ...]
    reason: str = ""


def _best(sighting: Sighting) -> list[Heard]:
    strongest = max(_STRENGTH[h.reading.result or ""] for h in sighting.readings)
    return [h for h in sighting.readings if _STRENGTH[h.reading.result or ""] == strongest]


def _counting(sighting: Sighting) -> Heard | None:
    """The result of a test; None where equally good ones say different things."""
    best = _best(sighting)
    said = {
        (
            r.result,
            r.observed_at,
            r.brac_g_210l if r.result == "ok" else None,
            r.purpose == "confirmation",
            r.scheduled_at if r.result == "missed" else None,
        )
        for r in (h.reading for h in best)
    }
    return min(best, key=lambda h: h.received_at) if len(said) == 1 else None


def facts(
    person: Person, term: Term, start: int, end: int, horizon: Span, reached: Callable[[int], bool]
) -> Iterator[Fact]:
    """Of one judged span. `reached` tells whether the clock is at an instant."""
    limit = (term.condition.limits or {}).get("breath_g_210l", 0.020)
    tests = [s for s in person.sightings if s.kind == "alcohol_breath"]
    planned = [p for p in _planned(term, horizon) if start <= p[0] and p[1] <= end]
    counting = [(s, h) for s in tests if (h := _counting(s)) is not None]
    for sighting, heard in counting:
        reading = heard.reading
        onset = reading.observed_at
        if reading.result == "missed" and reading.scheduled_at is not None:
            onset = reading.scheduled_at
        if not start <= onset < end:
            continue
        part = f"{sighting.device} {reading.test_id or reading.observed_at}"
        if reading.result == "refused":
            yield Fact(part, "breath_refused", onset, onset, 3, (heard,))
        elif reading.result == "incomplete":
            yield Fact(part, "breath_incomplete", onset, onset, 3, (heard,))
        elif reading.result == "missed":
            if not any(begin <= onset <= until for begin, until in planned):
                yield Fact(part, "breath_missed", onset, onset, 3, (heard,))
        elif reading.purpose != "confirmation" and (reading.brac_g_210l or 0) >= limit:
            yield from _positive(part, heard, [h for _, h in counting], end, limit, reached)
    for at, until in planned:
        yield from _planned_test(person, tests, at, until, reached)


def _positive(
    part: str, initial: Heard, others: list[Heard], end: int, limit: float, reached: Callable[[int], bool]
) -> Iterator[Fact]:
    confirmations = [
        h
        for h in others
        if h.reading.purpose == "confirmation"
        and h.reading.result == "ok"
        and 15 * MINUTE <= h.at - initial.at <= 30 * MINUTE
        and h.at < end
    ]
    due = initial.at + 30 * MINUTE
    if confirmations:
        if (confirmations[0].reading.brac_g_210l or 0) >= limit:
            yield Fact(part, "breath_failed", initial.at, initial.at, 3, (initial, confirmations[0]))
    elif reached(due) and due < end:
        yield Fact(part, "breath_incomplete", initial.at, initial.at, 3, (initial,))


def _planned(term: Term, horizon: Span) -> list[Span]:
    found: dict[int, int] = {}
    for piece in term.pieces:
        day = (_EPOCH + timedelta(microseconds=horizon[0])).date()
        while day <= (_EPOCH + timedelta(microseconds=horizon[1])).date():
            for test in piece.condition.tests:
                at = wall(day, test.at_s, piece.order.time_zone)
                if day.weekday() in test.days and piece.start <= at < piece.end:
                    found[at] = max(found.get(at, 0), at + test.window_s * SECOND)
            day += timedelta(days=1)
    return sorted(found.items())


def _planned_test(
    person: Person, tests: list[Sighting], at: int, until: int, reached: Callable[[int], bool]
) -> Iterator[Fact]:
    devices = _devices(person, at, until)
    taken = any(
        all(h.reading.result == "ok" and at <= h.at <= until for h in _best(sighting)) for sighting in tests
    )
    if not devices or taken or not reached(until):
        return
    of_devices = [h for s in person.sightings if s.device in devices for h in s.readings]
    since = [h for h in of_devices if h.at >= at]
    if since:
        first = _first_known(since, min(since, key=_place))
        yield Fact(f"at {at}", "breath_missed", at, until, 3, (first,))
        return
    base = at
    for begin, over in sorted(person.known.own_outages):
        if base < over and base + 90 * MINUTE > begin:
            base = over
    due = max(base + 90 * MINUTE, until)
    if reached(due):
        before = [h for h in of_devices if h.at < at]
        evidence = (_first_known(before, max(before, key=_place)),) if before else ()
        yield Fact(f"at {at}", "breath_not_received", at, until, 1, evidence)


def _place(heard: Heard) -> tuple[object, ...]:
    return fold_key(heard.reading)[:-1]


def _first_known(heard: list[Heard], like: Heard) -> Heard:
    return min((h for h in heard if _place(h) == _place(like)), key=lambda h: h.received_at)


def _devices(person: Person, at: int, until: int) -> set[str]:
    """The person's breath devices, as far as it is known which they are."""
    worn = [b for b in _joined(person.bonds) if b[1] <= at and until <= b[2]]
    sent = {
        device
        for device, start, stop in worn
        if any(
            s.kind == "alcohol_breath" and s.device == device and start <= h.at <= at
            for s in person.sightings
            for h in s.readings
        )
    }
    named = {
        b.device
        for b in person.bonds_at(at)
        if b.binding.role == "alcohol" and b.device in {device for device, _, _ in worn}
    }
    return sent or named or {device for device, _, _ in worn}


def _joined(bonds: list[Bond]) -> list[tuple[str, int, int]]:
    """Times with a device, those that touch made one."""
    joined: list[tuple[str, int, int]] = []
    for bond in sorted(bonds, key=lambda b: (b.device, b.start)):
        if joined and joined[-1][0] == bond.device and joined[-1][2] == bond.start:
            joined[-1] = (bond.device, joined[-1][1], bond.end)
        else:
            joined.append((bond.device, bond.start, bond.end))
    return joined
