"""Missed charging, told plainly: at every instant that could matter, how much was charged in the time before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.oracle.breath import Fact
from tests.oracle.fixes import Person
from tests.oracle.knowledge import MINUTE, NEVER, Heard
from tests.oracle.motion import earliest, lasting, total
from tests.oracle.versions import Judged

HOUR = 60 * MINUTE


def facts(
    person: Person,
    device: str,
    worn: tuple[int, int],
    span: Judged,
    reason: str,
    reached: Callable[[int], bool],
) -> Iterator[Fact]:
    """Of one device while it is worn and judged without a break."""
    every = round((span.term.condition.charge_every_h or 0) * HOUR)
    if every == 0:
        return
    begin, last = max(worn[0], span.start), min(worn[1], span.end)
    mine = [s for s in person.sightings if s.device == device and worn[0] <= s.at < worn[1]]
    said = [earliest(s) for s in mine if s.readings[0].reading.event in ("charging_start", "charging_stop")]
    spans = lasting(said)
    enough = min(HOUR, every)

    def charged(at: int) -> int:
        return total(spans, at - every, at)

    def missed(at: int) -> bool:
        """Whether too little is charged from this instant on."""
        return charged(at) < enough or (charged(at) == enough and charged(at + 1) < enough)

    known = _worn_since(person, device, worn)
    first = max(begin + every, known)
    edges = {e for a, b in spans for edge in (a, b) if edge < NEVER for e in (edge, edge + every)} | {first}
    marks = edges | {edge + abs(enough - charged(edge)) for edge in edges}  # it changes evenly between edges
    onset: int | None = None
    for mark in [*sorted(m for m in marks if first <= m < last), last]:
        wrong = mark < last and missed(mark)
        if wrong == (onset is not None) or (mark == last and onset is None):
            continue
        if not reached(mark):
            break
        if onset is None:
            onset = mark
        else:
            yield _fact(device, said, every, onset, mark, reason if mark == last else "")
            onset = None
    if onset is not None:
        yield _fact(device, said, every, onset, None, "")


def _fact(device: str, said: list[Heard], every: int, onset: int, ended: int | None, reason: str) -> Fact:
    start, end = onset - every, onset if ended is None else ended
    evidence = [*[h for h in said if h.at < start][-1:], *(h for h in said if start <= h.at <= end)]
    return Fact(f"{device} charging", "charging_missed", onset, ended, 1, tuple(evidence), reason)


def _worn_since(person: Person, device: str, worn: tuple[int, int]) -> int:
    """From when on it is known that a device has to be charged."""
    binding = min((b for b in person.bonds if b.device == device and worn[0] <= b.start < worn[1]),
                  key=lambda b: b.start).binding
    heard = [s for s in person.sightings if s.device == device and worn[0] <= s.at < worn[1]]
    if any(s.kind == "presence" for s in heard):
        return NEVER
    if binding.role in ("position", "alcohol"):
        return worn[0]
    if binding.role is not None or binding.place is not None:
        return NEVER
    return min((s.at for s in heard if s.kind in ("status", "position", "alcohol_transdermal")), default=NEVER)
