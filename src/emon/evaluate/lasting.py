"""What a device says lasts from one event to the next: motion, charging.

The days on which such events were observed are remembered (positions.Body), so that the state at an instant is
found without looking through all that was observed before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from emon.domain.instant import DAY
from emon.domain.versions import NEVER
from emon.evaluate.positions import Wearing
from emon.evaluate.signals import Case
from emon.evaluate.track import key
from emon.journal.records import Bound


def events(case: Case, wearing: Wearing, what: str, low: int) -> list[Bound]:
    """Starts and stops of a wearing from `low` up to the clock, in fold order, after the last one before `low`,
    which tells how things stood then."""
    names = (f"{what}_start", f"{what}_stop")
    found: list[Bound] = []
    for day in sorted(case.body.measured_days.get(what, ()), reverse=True):
        if day * DAY > case.clock:
            continue
        begin, end = max(day * DAY, wearing.from_), min(day * DAY + DAY, wearing.until) - 1
        of_day = _once([b for b in case.readings(begin, end)
                        if b.reading.device == wearing.device and b.reading.event in names])
        since = next((i for i, b in enumerate(of_day) if b.reading.observed_at >= low), len(of_day))
        found = of_day[max(since - 1, 0):] + found
        if since > 0:
            break
    return found


def spans(said: Sequence[Bound]) -> list[tuple[int, int]]:
    """From each start to the stop after it; NEVER where none is known. A start within changes nothing."""
    out: list[tuple[int, int]] = []
    began: int | None = None
    for bound in said:
        at = bound.reading.observed_at
        if (bound.reading.event or "").endswith("_start"):
            began = at if began is None else began
        elif began is not None:
            out.append((began, at))
            began = None
    return out if began is None else [*out, (began, NEVER)]


def around(said: Sequence[Bound], from_: int, until: int) -> list[Bound]:
    """What was said within [from_, until], and last before it."""
    before = [b for b in said if b.reading.observed_at < from_][-1:]
    return [*before, *(b for b in said if from_ <= b.reading.observed_at <= until)]


def total(spans_: Sequence[tuple[int, int]], from_: int, until: int) -> int:
    """How much of [from_, until] the spans, which do not overlap, cover."""
    return sum(max(0, min(end, until) - max(begin, from_)) for begin, end in spans_)


def _once(bounds: Sequence[Bound]) -> list[Bound]:
    """Of readings of one identity the one that came in first."""
    return [min(same, key=lambda b: b.received_at) for _, same in groupby(bounds, key=key)]
