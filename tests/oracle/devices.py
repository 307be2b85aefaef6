"""What devices say of themselves, told plainly: one device, one binding, one kind of event at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.oracle import charging, motion
from tests.oracle.breath import Fact
from tests.oracle.fixes import Person
from tests.oracle.knowledge import MINUTE, Heard, Sighting
from tests.oracle.versions import Bond, Judged, Term

_PAIRS = (
    ("strap_open", "strap_closed"),
    ("case_open", "case_closed"),
    ("proximity_lost", "proximity_restored"),
    ("shielding_start", "shielding_stop"),
    ("jamming_start", "jamming_stop"),
)


def facts(
    person: Person, term: Term, span: Judged, reached: Callable[[int], bool], *, of_the_battery_only: bool = False
) -> Iterator[Fact]:
    """Of one judged span, as far as the clock is."""
    for device in sorted({bond.device for bond in person.bonds}):
        for start, end in _worn(person.bonds, device):
            first, last = max(start, span.start), min(end, span.end)
            if first >= last:
                continue
            reason = "unbound" if end < span.end else span.reason
            mine = [s for s in person.sightings if s.device == device and first <= s.at <= span.end and s.at < end]
            found = _battery(device, mine, last) if of_the_battery_only else _device(device, mine, last)
            for fact in found:
                ended, why = fact.ended, fact.reason
                if ended is None and reached(last):
                    ended, why = last, reason
                yield Fact(fact.part, fact.kind, fact.onset, ended, fact.level, fact.evidence, why)
            if not of_the_battery_only:
                yield from motion.facts(person, device, (start, end), span, reason, reached)
                yield from charging.facts(person, device, (start, end), span, reason, reached)


def _worn(bonds: list[Bond], device: str) -> list[tuple[int, int]]:
    """Bonds of a device that touch are one."""
    worn: list[tuple[int, int]] = []
    for bond in sorted((b for b in bonds if b.device == device), key=lambda b: b.start):
        if worn and bond.start <= worn[-1][1]:
            worn[-1] = (worn[-1][0], max(worn[-1][1], bond.end))
        else:
            worn.append((bond.start, bond.end))
    return worn


def _device(device: str, mine: list[Sighting], last: int) -> Iterator[Fact]:
    for opening, closing in _PAIRS:
        opened: Sighting | None = None
        for sighting in mine:
            event = sighting.readings[0].reading.event
            if event == opening and opened is None and sighting.at < last:
                opened = sighting
            elif event == closing and opened is not None:
                yield _fact(device, "tamper", opening, 3, [_earliest(opened)], _earliest(sighting))
                opened = None
        if opened is not None:
            yield _fact(device, "tamper", opening, 3, [_earliest(opened)], None)
    yield from _mocked(device, mine, last)
    yield from _battery(device, mine, last)
    for sighting in mine:
        if sighting.readings[0].reading.event == "panic" and sighting.at < last:
            yield _fact(device, "panic", "panic", 3, [], _earliest(sighting))


def _mocked(device: str, mine: list[Sighting], last: int) -> Iterator[Fact]:
    reports: list[Heard] = []
    for sighting in mine:
        gnss = [h for h in sighting.readings if h.reading.kind == "position" and h.reading.method == "gnss"]
        if sighting.readings[0].reading.event == "mock_location" and sighting.at < last:
            reports.append(_earliest(sighting))
        elif gnss and reports and sighting.at - reports[-1].at >= 10 * MINUTE:
            came_first = min(gnss, key=lambda h: h.received_at)
            yield _fact(device, "tamper", "mock_location", 3, [reports[0], reports[-1]], came_first)
            reports = []
    if reports:
        yield _fact(device, "tamper", "mock_location", 3, [reports[0], reports[-1]], None)


def _battery(device: str, mine: list[Sighting], last: int) -> Iterator[Fact]:
    low: list[Heard] = []
    for sighting in mine:
        charges = {h.reading.battery_fraction for h in sighting.readings}
        charge = charges.pop()
        if charges or charge is None or sighting.kind != "status":
            continue
        if charge < 0.15 and sighting.at < last:
            low.append(_earliest(sighting))
        elif charge >= 0.30 and low:
            yield _low(device, low, _earliest(sighting))
            low = []
    if low:
        yield _low(device, low, None)


def _low(device: str, low: list[Heard], charged: Heard | None) -> Fact:
    critical = [h for h in low if (h.reading.battery_fraction or 0) < 0.05][:1]
    fact = _fact(device, "battery", "battery", 2, [low[0], *critical], charged)
    reason = "critical" if critical and charged is None else fact.reason
    return Fact(fact.part, fact.kind, fact.onset, fact.ended, fact.level, fact.evidence, reason)


def _fact(device: str, kind: str, event: str, level: int, said: list[Heard], closer: Heard | None) -> Fact:
    evidence = (*said, *([] if closer is None else [closer]))
    ended = None if closer is None else closer.at
    return Fact(f"{device} {event}", kind, evidence[0].at, ended, level, evidence)


def _earliest(sighting: Sighting) -> Heard:
    return min(sighting.readings, key=lambda h: h.received_at)
