"""Alcohol through the skin, told plainly: the whole series of a device, from its first reading, every time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from tests.oracle.breath import Fact, _joined
from tests.oracle.fixes import Person
from tests.oracle.knowledge import MINUTE, SECOND, Heard
from tests.oracle.versions import Judged, Term

HOUR = 60 * MINUTE
Reached = Callable[[int], bool]


@dataclass(frozen=True)
class Point:
    """A reading: its value, and whether it is zero, or at the limit."""

    at: int
    value: float
    zero: bool
    high: bool
    heard: Heard


def facts(person: Person, term: Term, span: Judged, reached: Reached) -> Iterator[Fact]:
    """Of one judged span."""
    limits = term.condition.limits or {}
    for device, bound, unbound in _joined(person.bonds):
        start, end = max(span.start, bound), min(span.end, unbound)
        heard = [
            h
            for s in person.sightings
            if s.kind == "alcohol_transdermal" and s.device == device
            for h in s.readings
            if bound <= h.at < unbound
        ]
        if start >= end or not heard or not reached(start):
            continue
        why = span.reason if end == span.end else "unbound"
        points = [p for p in _points(heard) if start <= p.at < end]
        for fact in _episodes(points, round(limits.get("gap_s", 14400) * SECOND), end, why, reached):
            yield _by_analysts(person, term, fact)
        yield from _silences(person, device, heard, start, end, why, limits.get("no_upload_s", 172800), reached)


def _by_analysts(person: Person, term: Term, fact: Fact) -> Fact:
    """What becomes of an episode that is over where an analyst has a say: the newest word of each verdict counts,
    of several verdicts the one with the greatest version, then id."""
    if fact.ended is None:
        return fact
    saying = [
        newest
        for versions in person.known.verdicts.values()
        for newest in [max(versions, key=lambda v: v.version)]
        if not newest.void
        and (newest.participant, newest.order, newest.condition)
        == (person.participant, term.pieces[0].order.id, term.condition.id)
        and newest.at is not None
        and fact.onset <= newest.at <= fact.ended
    ]
    if not saying:
        return fact
    result = max(saying, key=lambda v: (v.version, v.id)).result
    kind, level = ("alcohol_confirmed", 3) if result == "confirmed" else ("alcohol_review", 2)
    return replace(fact, kind=kind, level=level, reason=f"analyst_{result}")


def _points(heard: list[Heard]) -> list[Point]:
    agreed: list[Heard] = []
    for at in sorted({h.at for h in heard}):
        same = [h for h in heard if h.at == at]
        if len({(h.reading.tac_g_dl, h.reading.tac_ug_l) for h in same}) == 1:
            agreed.append(min(same, key=lambda h: h.received_at))
    points = []
    for h in agreed:
        grams = h.reading.tac_g_dl
        if grams is not None:
            points.append(Point(h.at, grams, grams == 0, grams >= 0.020, h))
            continue
        near = [
            o.reading.tac_ug_l
            for o in agreed
            if o.reading.tac_g_dl is None and h.at - 30 * MINUTE < o.at <= h.at
        ]
        mean = sum(value or 0.0 for value in near) / len(near)
        points.append(Point(h.at, round(mean, 6), mean <= 5, mean > 5, h))
    return points


def _episodes(points: list[Point], gap: int, end: int, why: str, reached: Reached) -> Iterator[Fact]:
    begun = 0
    while begun < len(points):
        if points[begun].zero:
            begun += 1
            continue
        last, over, cut, proof = begun, None, False, None  # indexes of the newest positive and of the zero that divides
        for index in range(begun + 1, len(points)):
            zeros = range(last + 1, index)
            if zeros and (points[index].zero or points[index].at - points[last].at > gap):
                over, proof = zeros[0], points[index]
            elif not zeros and points[index].at - points[last].at > gap:
                cut = True
            elif not points[index].zero:
                last = index
                continue
            else:
                continue
            break
        if over is None and not cut:
            due = points[last].at + gap
            if due < end and reached(due):
                over, cut = (last + 1, False) if last + 1 < len(points) else (None, True)
            elif due >= end:
                reached(end)
        yield from _episode(points, begun, last, over, proof, cut, gap, end, why, reached)
        begun = last + 1


def _episode(
    points: list[Point],
    begun: int,
    last: int,
    over: int | None,
    proof: Point | None,
    cut: bool,
    gap: int,
    end: int,
    why: str,
    reached: Reached,
) -> Iterator[Fact]:
    inside = points[begun : last + 1]
    three = next(
        (
            inside[i - 2 : i + 1]
            for i in range(2, len(inside))
            if all(p.high for p in inside[i - 2 : i + 1])
            and all(b.at - a.at <= 90 * MINUTE for a, b in zip(inside[i - 2 : i], inside[i - 1 : i + 1], strict=True))
        ),
        None,
    )
    if three is None:
        return
    before = points[begun - 1] if begun else None
    foot = before if before is not None and before.zero and inside[0].at - before.at <= gap else None
    peak = max(inside, key=lambda p: p.value)
    kind, ended, reason = "alcohol_possible", None, ""
    if over is not None:
        ended = points[over].at
        kind = "alcohol_confirmed" if _is_drinking(foot, inside, peak, points[over]) else "alcohol_review"
    elif cut:
        kind, ended = "alcohol_review", inside[-1].at
    elif reached(end):
        ended, reason = end, why
    final = points[over] if over is not None else points[-1] if last + 1 < len(points) and not cut else inside[-1]
    used = [p.heard for p in (foot, inside[0], *three, peak, final, proof) if p is not None]
    level = 3 if kind == "alcohol_confirmed" else 2
    yield Fact("", kind, inside[0].at, ended, level, tuple(used), reason or kind)


def _is_drinking(foot: Point | None, inside: list[Point], peak: Point, end: Point) -> bool:
    if foot is None or inside[0].heard.reading.tac_g_dl is None:
        return False

    def rate(change: float, time: int) -> float:
        return round(change * HOUR / time, 9)

    curve = [foot, *(p for p in inside), end]
    if any(rate(abs(b.value - a.value), b.at - a.at) >= 0.3 for a, b in pairwise(curve)):
        return False
    fall = 0.035 if peak.value >= 0.15 else 0.025
    return rate(peak.value, peak.at - foot.at) < 0.05 and rate(peak.value, end.at - peak.at) < fall


def _silences(
    person: Person,
    device: str,
    heard: list[Heard],
    start: int,
    end: int,
    why: str,
    wait_s: float,
    reached: Reached,
) -> Iterator[Fact]:
    wait = round(wait_s * SECOND)
    everybody = [h for s in person.sightings if s.kind == "alcohol_transdermal" for h in s.readings]
    for at in sorted({h.at for h in heard if h.at < end}):
        following = min((h.at for h in everybody if h.at > at), default=None)
        base = max(at, start)
        for begin, over in sorted(person.known.own_outages):
            if base < over and base + wait > begin:
                base = over
        due = base + wait
        if due >= end or (following is not None and following <= due) or not reached(due):
            continue
        ended, reason = None, ""
        used = [max((h for h in heard if h.at == at), key=lambda h: h.received_at)]
        if following is not None and following < end:
            ended = following
            used.append(next(h for h in everybody if h.at == following))
        elif reached(end):
            ended, reason = end, why
        yield Fact("", "alcohol_no_upload", due, ended, 1, tuple(used), reason)
