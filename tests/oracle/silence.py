"""Silences: of a person, of a person's location, of a whole feed; and our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emon.domain.order import Condition
from tests.oracle.fixes import Person, presence_of
from tests.oracle.knowledge import LONG_AGO, NEVER, SECOND, Known, Sighting, best_position, method_known
from tests.oracle.versions import Bond, bonds, borders, in_force

MIN_MEMBERS = 5


@dataclass(frozen=True)
class Outage:
    """A feed's silence. `end` None: still silent. `members`: the participants bound to it at the onset.

    One whose onset lies ahead of the clock has not begun; it tells when to look again.
    """

    feed: str
    last: Sighting
    onset: int
    end: int | None
    members: frozenset[str]


@dataclass(frozen=True)
class Silence:
    """A gap long enough to be found from `due` on. `evidence`: what was heard last, and what ended it."""

    onset: int
    due: int
    end: int | None
    evidence: tuple[Sighting, ...]


def every(condition: Condition) -> int:
    return round((600.0 if condition.every_s is None else condition.every_s) * SECOND)


def hold(condition: Condition) -> int:
    return round((300.0 if condition.hold_s is None else condition.hold_s) * SECOND)


def located(person: Person, sighting: Sighting) -> bool:
    """Whether a sighting says where somebody is."""
    if sighting.kind == "position":
        best = best_position(sighting)
        if best is None:  # equally good ones disagree: located all the same
            return any(method_known(heard.reading) for heard in sighting.readings)
        return method_known(best.reading)
    if sighting.kind == "presence":
        heard = presence_of(person, sighting)
        return heard is not None and heard.reading.present is True
    return False


def _after_own_outages(base: int, needed: int, known: Known) -> int:
    """Silence that was not yet found when we went deaf counts from when we hear again."""
    for start, end in sorted(known.own_outages):
        if base < end and base + needed > start:
            base = end
    return base


def _held(
    base: int,
    last: int,
    until: int | None,
    needed: int,
    known: Known,
    outages: Sequence[Outage],
    participant: str,
    period: int,
) -> int:
    """Base of a silence after all that speaks for the person: our own outages and the feed's."""
    base = _after_own_outages(base, needed, known)
    for outage in sorted(outages, key=lambda o: o.onset):
        if participant not in outage.members or last < outage.last.at - period:
            continue
        if until is not None and until <= outage.onset:
            continue
        end = NEVER if outage.end is None else outage.end
        if base < end:
            base = _after_own_outages(end, needed, known)
    return base


def silences(
    person: Person,
    condition: Condition,
    start: int,
    end: int,
    outages: Sequence[Outage],
    *,
    of_location: bool,
) -> list[Silence]:
    """Silences of one judged span, those due later than it knows included. A reading at the span's very end
    still ends one: that is an end of its own."""
    first_bond = min((bond.start for bond in person.bonds), default=NEVER)
    start = max(start, first_bond)
    if start >= end:
        return []
    heard = [s for s in person.sightings if not of_location or located(person, s)]
    unlocated = [s for s in person.sightings if not located(person, s)]
    marks = [start, *sorted({s.at for s in heard if start < s.at <= end})]
    if start == LONG_AGO:
        marks = marks[1:]
    found = []
    for last, following in zip(marks, [*marks[1:], None], strict=True):
        before = [s for s in heard if s.at <= last]
        base = _held(
            last,
            before[-1].at if before else last,
            following,
            every(condition) + hold(condition),
            person.known,
            outages,
            person.participant,
            every(condition),
        )
        if base >= NEVER:
            continue
        onset, due = base + every(condition), base + every(condition) + hold(condition)
        evidence = before[-1:]
        if of_location:
            calls = [s for s in unlocated if s.at >= onset]
            if not calls or not person.position_bonds(onset):
                continue
            due, evidence = max(due, calls[0].at), [*evidence, calls[0]]
        if due >= end or (following is not None and following <= due):
            continue
        if following is not None:
            evidence = [*evidence, next(s for s in heard if s.at == following)]
        found.append(Silence(onset, due, following, tuple(evidence)))
    return found


def _smallest_every(known: Known, participants: frozenset[str], at: int) -> int | None:
    values = []
    for versions in known.orders.values():
        order = in_force(versions, at)
        if order is not None and order.participant in participants:
            values += [every(c) for c in order.conditions if c.kind == "contact"]
    return min(values, default=None)


def outages(known: Known) -> list[Outage]:
    """Feed outages that stand or stood by the clock of what is known (a whole second)."""
    everybody = bonds(known)
    if len({bond.device for bond in everybody}) < MIN_MEMBERS:
        return []
    people = {participant: Person(known, participant) for participant in known.sightings}
    sightings = sorted((s for person in people.values() for s in person.sightings), key=lambda s: s.at)
    feeds = {b.binding.feed for b in everybody if b.binding.feed} | {feed_of(s) for s in sightings}
    edges = {known.clock, *(s.at for s in sightings), *(e for b in everybody for e in (b.start, b.end))}
    edges |= {edge for versions in known.orders.values() for edge in borders(versions)}
    marks = sorted(edge for edge in edges if LONG_AGO < edge <= known.clock)
    result: list[Outage] = []
    for feed in sorted(feeds):
        for start, end in zip(marks, [*marks[1:], known.clock + 1], strict=True):
            if result and result[-1].feed == feed and result[-1].end == start and not any(
                s.at == start and feed_of(s) == feed for s in sightings
            ):  # whoever is a member now, it ends with the feed's next word
                open_end = None if end > known.clock else end
                result[-1] = Outage(feed, result[-1].last, result[-1].onset, open_end, result[-1].members)
                continue
            result = _extend(result, _state(known, feed, everybody, sightings, start), start, end, known)
    return result


def feed_of(sighting: Sighting) -> str:
    return sighting.readings[0].reading.feed or "default"


def _state(
    known: Known, feed: str, everybody: Sequence[Bond], sightings: Sequence[Sighting], at: int
) -> tuple[str, Sighting, int, frozenset[str]] | None:
    """Feed, its last sighting, when that becomes an outage, and whose: None where it cannot."""
    members = []
    for bond in everybody:
        if not bond.start <= at < bond.end:
            continue
        earlier = [s for s in sightings if s.device == bond.device and s.at <= at]
        named = bond.binding.feed or (feed_of(earlier[-1]) if earlier else None)
        if named == feed:
            members.append(bond)
    devices = {bond.device for bond in members}
    participants = frozenset(bond.binding.participant or bond.binding.protected_person or "" for bond in members)
    heard = [s for s in sightings if s.device in devices and s.at <= at]
    period = _smallest_every(known, participants, at)
    if len(devices) < MIN_MEMBERS or not heard or period is None:
        return None
    return feed, heard[-1], _after_own_outages(heard[-1].at, period, known) + period, participants


def _extend(
    found: list[Outage],
    state: tuple[str, Sighting, int, frozenset[str]] | None,
    start: int,
    end: int,
    known: Known,
) -> list[Outage]:
    """Adds one stretch of time in which members and last sighting stay the same."""
    if state is None or (state[2] >= end and end <= known.clock):
        return found
    feed, last, onset, participants = state
    open_end = None if end > known.clock else end
    if found and found[-1].feed == feed and found[-1].last == last and found[-1].end == start:
        merged = found[-1]
        return [*found[:-1], Outage(feed, last, merged.onset, open_end, merged.members)]
    return [*found, Outage(feed, last, onset, open_end, participants)]
