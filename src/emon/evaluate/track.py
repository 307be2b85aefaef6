"""One participant's readings: days loaded from history when asked for, plus what has not been written yet.

Order: observed_at, device, kind, event (opening before closing) or test_id. A reading seen twice counts once
with its earliest `received_at`; readings of one identity with other content are all kept, for the rules to
judge. Readings older than HISTORY_DAYS at their arrival stay in the history and are not shown here.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import msgspec

from emon.domain import reading as readings
from emon.domain.instant import DAY
from emon.evaluate.port import Chunk, History
from emon.journal.records import Bound
from emon.limits import HISTORY_DAYS

Key = tuple[int, str, str, bool, str]

decode_lines: Final = msgspec.json.Decoder(Bound).decode_lines
_encode_lines: Final = msgspec.json.Encoder().encode_lines


def key(bound: Bound) -> Key:
    """Fold order within a participant, but for contents of one identity."""
    reading = bound.reading
    event = reading.event or reading.test_id or ""
    return (reading.observed_at, reading.device, reading.kind, event not in readings.OPENING_EVENTS, event)


def day_of(instant: int) -> int:
    """Days since 1970-01-01 UTC."""
    return instant // DAY


def too_late(bound: Bound) -> bool:
    """Whether the reading is kept without being judged."""
    return bound.reading.observed_at < bound.received_at - HISTORY_DAYS * DAY


def chunks(participant: str, bounds: Iterable[Bound]) -> list[Chunk]:
    """Readings (at least one) of one participant as they arrived, one chunk a day."""
    rows = list(bounds)
    instants = [b.reading.observed_at for b in rows]
    first, last = min(instants), max(instants)
    if first // DAY == last // DAY:
        return [Chunk(participant, first // DAY, first, last, len(rows), _encode_lines(rows))]
    by_day: dict[int, list[Bound]] = {}
    for bound, at in zip(rows, instants, strict=True):
        by_day.setdefault(at // DAY, []).append(bound)
    return [chunk for _, of_day in sorted(by_day.items()) for chunk in chunks(participant, of_day)]


def distinct(bounds: Iterable[Bound]) -> list[Bound]:
    """Sorted, duplicates removed, too late ones left out."""
    rows = sorted((b for b in bounds if not too_late(b)), key=_observed)
    out: list[Bound] = []
    for _, group in groupby(rows, key=_observed):
        first, *more = group
        if not more:  # nearly always: one a device and instant
            out.append(first)
            continue
        for bound in sorted((first, *more), key=lambda b: (*key(b), b.received_at)):
            if not _repeats(out, bound):
                out.append(bound)
    return out


def _observed(bound: Bound) -> int:
    return bound.reading.observed_at


def _repeats(known: Sequence[Bound], bound: Bound) -> bool:
    """Whether the readings just before in order already say the same."""
    for other in reversed(known):
        if readings.identity(other.reading) != readings.identity(bound.reading):
            return False
        if readings.content(other.reading) == readings.content(bound.reading):
            return True
    return False


@dataclass(slots=True)
class Horizon:
    """The last instant that was judged. The history may hold more: what a process wrote before it died is
    not known until it is read again."""

    at: int


class Day:
    """A day's readings in fold order; `instants`: when each was observed, to be searched quickly. Chunks that others
    wrote are read when somebody asks for the day: most are never asked for."""

    __slots__ = ("behind", "instants", "rows")

    def __init__(self, rows: list[Bound]) -> None:
        self.behind: list[Chunk] = []
        self.rows = rows
        self.instants = array("q", [bound.reading.observed_at for bound in rows])

    def between(self, from_: int, until: int) -> list[Bound]:
        """Readings observed in [from_, until]."""
        self._catch_up()
        instants = self.instants
        if not instants or (instants[0] >= from_ and instants[-1] <= until):
            return list(self.rows)
        low = bisect_left(instants, from_)
        return self.rows[low:bisect_right(instants, until, low)]

    def __len__(self) -> int:
        return len(self.rows) + sum(chunk.count for chunk in self.behind)

    def _catch_up(self) -> None:
        behind, self.behind = self.behind, []
        for chunk in behind:
            for bound in decode_lines(chunk.payload):
                if not too_late(bound):
                    self.insert(bound)

    def insert(self, bound: Bound) -> bool:
        """Takes a reading in; False where it was known already and changes nothing."""
        if self.behind:
            self._catch_up()
        rows, instants = self.rows, self.instants
        instant = bound.reading.observed_at
        first = bisect_left(instants, instant)
        if first == len(instants) or instants[first] != instant:
            rows.insert(first, bound)
            instants.insert(first, instant)
            return True
        last = bisect_right(instants, instant, first)
        at = bisect_right(rows, key(bound), first, last, key=key)
        twins = rows[bisect_left(rows, key(bound), first, last, key=key):at]
        mine = readings.content(bound.reading) if twins else b""
        for index, twin in enumerate(twins, at - len(twins)):
            if readings.content(twin.reading) == mine:
                if bound.received_at < twin.received_at:
                    rows[index] = bound
                return False
        rows.insert(at, bound)
        instants.insert(at, instant)
        return True


class Track:
    """Readings of one participant. Days are cached until `forget`."""

    __slots__ = ("_days", "_history", "_horizon", "_written", "fresh", "noted", "participant")

    def __init__(self, participant: str, history: History, horizon: Horizon, *, new: bool = False) -> None:
        self.participant = participant
        self._horizon = horizon
        self._written: set[int] | None = set() if new else None  # days with history; None: ask for each
        self.fresh: list[Bound] = []  # not yet in the history
        self.noted: list[Bound] = []  # not yet in the history either; somebody else will write them
        self._history = history
        self._days: dict[int, Day] = {}

    def add(self, bound: Bound) -> bool:
        """Takes a reading in; False where it was known already (or is too late) and changes nothing."""
        self.fresh.append(bound)
        if too_late(bound):
            return False
        return self._day(day_of(bound.reading.observed_at), loading=bound).insert(bound)

    def note(self, bounds: Iterable[Bound]) -> None:
        """Takes in readings that changed nothing and that somebody else writes to the history."""
        for bound in bounds:
            day = self._days.get(day_of(bound.reading.observed_at))
            self.noted.append(bound)
            if day is not None and not too_late(bound):
                day.insert(bound)

    def holds(self, day: int) -> bool:
        """Whether the day is in memory."""
        return day in self._days

    def written(self, chunk: Chunk) -> None:
        """Takes readings that are being written into the day in memory, where they may be known already."""
        self._days[chunk.day].behind.append(chunk)

    def between(self, from_: int, until: int) -> list[Bound]:
        """Readings observed in [from_, until], in fold order."""
        first, last = day_of(from_), day_of(until)
        if first == last and (day := self._days.get(first)) is not None:
            return day.between(from_, until)
        self._load(first, last)
        out: list[Bound] = []
        for number in range(first, last + 1):
            out += self._days[number].between(from_, until)
        return out

    def take_fresh(self) -> list[Bound]:
        """What is to be written to the history now."""
        fresh, self.fresh, self.noted = self.fresh, [], []
        return fresh

    def wrote(self, day: int) -> None:
        """The history has readings of the day now."""
        if self._written is not None:
            self._written.add(day)

    def forget(self) -> None:
        """Drops the cached days; the history and `fresh` have them."""
        self._days.clear()

    def __len__(self) -> int:
        return sum(map(len, self._days.values()))

    def _is_known(self, bound: Bound) -> bool:
        return bound.received_at <= self._horizon.at and bound.reading.observed_at <= self._horizon.at

    def _day(self, day: int, loading: Bound) -> Day:
        known = self._days.get(day)
        if known is None:
            self._load(day, day, without=loading)
            known = self._days[day]
        return known

    def _load(self, first: int, last: int, without: Bound | None = None) -> None:
        missing = [day for day in range(first, last + 1) if day not in self._days]
        if not missing:
            return
        found: dict[int, list[Bound]] = {day: [] for day in missing}
        if self._written is None or not self._written.isdisjoint(missing):
            for chunk in self._history.read(self.participant, missing[0], missing[-1]):
                if chunk.day in found:
                    found[chunk.day] += [b for b in decode_lines(chunk.payload) if self._is_known(b)]
        for bound in (*self.fresh, *self.noted):
            rows = found.get(day_of(bound.reading.observed_at))
            if rows is not None and bound is not without:
                rows.append(bound)
        for number, rows in found.items():
            self._days[number] = Day(distinct(rows))
