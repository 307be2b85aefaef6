"""Motion without a position, told plainly: one device, one worn time, one gap between positions at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tests.oracle.breath import Fact
from tests.oracle.fixes import Person
from tests.oracle.knowledge import MINUTE, NEVER, Heard, Sighting, best_position, method_known
from tests.oracle.versions import Judged

HOUR = 60 * MINUTE
ENOUGH = 10 * MINUTE


def facts(
    person: Person,
    device: str,
    worn: tuple[int, int],
    span: Judged,
    reason: str,
    reached: Callable[[int], bool],
) -> Iterator[Fact]:
    """Of one device while it is worn and judged without a break."""
    first, last = max(worn[0], span.start), min(worn[1], span.end)
    said = [
        earliest(s)
        for s in person.sightings
        if s.device == device
        and worn[0] <= s.at < worn[1]
        and s.readings[0].reading.event in ("motion_start", "motion_stop")
    ]
    moving = lasting(said)
    near = [s for s in person.sightings if first <= s.at <= span.end and s.at < worn[1] and _may_say(device, s)]
    fixes = [
        min((h for s in near if s.at == at for h in _own(device, s)), key=lambda heard: heard.received_at)
        for at in sorted({s.at for s in near if _says_where(device, s)})
    ]
    for before, after in zip([None, *fixes], [*fixes, None], strict=True):
        due = _enough(moving, (first if before is None else before.at) + HOUR)
        if due is None or due >= last or (after is not None and after.at <= due) or not reached(due):
            continue
        window = due - HOUR
        onset = max(window, min(start for start, end in moving if end > window))
        if next(b for b in person.bonds_at(onset, device)).binding.role not in (None, "position"):
            continue
        events = [*[h for h in said if h.at < window][-1:], *(h for h in said if window <= h.at <= due)]
        evidence = [*([] if before is None else [before]), *events, *([] if after is None else [after])]
        ended, why = (None, "") if after is None else (after.at, "")
        if ended is None and reached(last):
            ended, why = last, reason
        yield Fact(f"{device} motion", "motion_without_fix", onset, ended, 1, tuple(evidence), why)


def lasting(said: Sequence[Heard]) -> list[tuple[int, int]]:
    """From each start that follows no other start to the next stop."""
    found: list[tuple[int, int]] = []
    for heard in said:
        starts = (heard.reading.event or "").endswith("_start")
        open_now = bool(found) and found[-1][1] == NEVER
        if starts and not open_now:
            found.append((heard.at, NEVER))
        elif not starts and open_now:
            found[-1] = (found[-1][0], heard.at)
    return found


def total(spans: Sequence[tuple[int, int]], start: int, end: int) -> int:
    """How much of a time the spans make up."""
    return sum(max(0, min(b, end) - max(a, start)) for a, b in spans)


def earliest(sighting: Sighting) -> Heard:
    return min(sighting.readings, key=lambda h: h.received_at)


def _enough(moving: Sequence[tuple[int, int]], begin: int) -> int | None:
    """When an hour that ends then, not before `begin`, first holds enough motion. Between two marks the motion of
    the last hour rises or falls evenly, or stays."""
    if total(moving, begin - HOUR, begin) >= ENOUGH:
        return begin
    marks = {mark for span in moving for edge in span if edge < NEVER for mark in (edge, edge + HOUR, edge + ENOUGH)}
    for mark in sorted(m for m in marks if m > begin):
        there = total(moving, mark - HOUR, mark)
        if there >= ENOUGH:
            return mark - (there - ENOUGH)
    return None


def _may_say(device: str, sighting: Sighting) -> bool:
    if sighting.kind == "presence":
        return bool(_own(device, sighting))
    return sighting.kind == "position" and sighting.device == device


def _own(device: str, sighting: Sighting) -> list[Heard]:
    """A home unit's readings that may be about the device; all of a position's."""
    return [h for h in sighting.readings if sighting.kind == "position" or h.reading.beacon in (None, device)]


def _says_where(device: str, sighting: Sighting) -> bool:
    """Whether a sighting that may say where the device is does."""
    if sighting.kind == "presence":
        return all(h.reading.present for h in _own(device, sighting))
    best = best_position(sighting)
    return any(method_known(h.reading) for h in sighting.readings) if best is None else method_known(best.reading)
