"""Breath tests: what was measured, what was refused, and planned tests that were never taken.

An initial test at or above the cut-off needs a confirmation 15 to 30 minutes later. A planned test is
fulfilled by any `ok` in its window; without one it was missed, or, while the device has said nothing since,
not received: it may still hold the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from emon.domain import schedule
from emon.domain.instant import DAY, HOUR, SECOND
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.positions import Wearing
from emon.evaluate.results import Tested, scheduled_at, tests_of
from emon.evaluate.signals import Case
from emon.evaluate.track import key
from emon.evaluate.verdict import Hint, Interval, Judged
from emon.journal.records import Bound
from emon.limits import ALCOHOL_LIMITS, TEST_SPAN

_AHEAD = 8 * DAY  # every weekday comes up within


class Planned(NamedTuple):
    """A test that the order demands: an `ok` in [at, until]."""

    at: int
    until: int


def limits_of(term: Term) -> Mapping[str, float]:
    """The condition's limits: the order's where it names them, else the defaults."""
    return {**ALCOHOL_LIMITS, **(term.condition.limits or {})}


def reach(case: Case, terms: Sequence[Term], from_: int, until: int) -> tuple[int, int]:
    """Onsets of all findings that readings in [from_, until] may matter to."""
    waits = [_longest_wait(term) for term in terms]
    from_ = max(from_, ALWAYS // 2) - 2 * TEST_SPAN - max(waits, default=0)
    for begin, end in case.own_outages:  # a silence that waits for us to hear again
        if end >= from_ > begin:
            from_ = begin - 2 * TEST_SPAN - max(waits, default=0)
    if any(term.from_ == ALWAYS and term.condition.tests for term in terms):
        until = NEVER  # they are demanded since the first reading, which may be this one
    return from_, min(until, NEVER // 2) + 2 * TEST_SPAN


def judge(case: Case, term: Term, hint: Hint, from_: int, judged: Judged) -> None:
    """All findings with an onset in [from_, judged.until), and what falls due."""
    low, high = from_ - 2 * TEST_SPAN, judged.until + 2 * TEST_SPAN + _longest_wait(term)
    tests = tests_of(case.measured("alcohol_breath", low, high))
    open_from: int | None = None
    for stretch in term.duty(from_, NEVER):
        if stretch.from_ >= judged.until and stretch.from_ > case.clock:
            judged.fall_due(stretch.from_, case.clock)
            break
        one = _Stretch(case, term, stretch, tests, judged, from_)
        one.judge()
        if one.open_from is not None:
            open_from = one.open_from if open_from is None else min(open_from, one.open_from)
    if judged.until > case.clock:
        kept = hint.open_from
        if kept is not None and max(from_, term.from_) <= kept < term.until:  # seen again; other terms' stay
            kept = None
        hint.open_from = open_from if kept is None else min(kept, NEVER if open_from is None else open_from)
    elif open_from is not None:
        hint.open_from = open_from if hint.open_from is None else min(hint.open_from, open_from)


def _first_known(bounds: Sequence[Bound], like: Bound) -> Bound:
    """Of the readings of one identity what came in first."""
    return min((b for b in bounds if key(b) == key(like)), key=lambda b: b.received_at)


def _longest_wait(term: Term) -> int:
    limits = limits_of(term)
    windows = [test.window_s * SECOND for test in term.condition.tests]
    return max([*windows, round(limits["not_received_s"] * SECOND), round(limits["confirmation_until_s"] * SECOND)])


class _Stretch:
    """The tests of one stretch of duty."""

    def __init__(self, case: Case, term: Term, stretch: Stretch, tests: list[Tested], judged: Judged,
                 from_: int) -> None:
        self.case, self.term, self.stretch, self.tests, self.judged = case, term, stretch, tests, judged
        self.from_ = from_
        self.open_from: int | None = None  # the earliest planned test that anything heard may still decide
        self.limits = limits_of(term)
        self.confirm_from = round(self.limits["confirmation_from_s"] * SECOND)
        self.confirm_until = round(self.limits["confirmation_until_s"] * SECOND)

    def judge(self) -> None:
        """Adds intervals and dues."""
        planned = list(self._planned())
        for test in self.tests:
            result = test.agreed
            if result is None:
                continue
            self._judge_result(test, result, planned)
        for one in planned:
            self._judge_planned(one)

    def _judge_result(self, test: Tested, result: Bound, planned: list[Planned]) -> None:
        reading = result.reading
        at = reading.observed_at
        match reading.result:
            case "refused":
                self._add(test.part, "breath_refused", at, at, "refused", (result,))
            case "incomplete":
                self._add(test.part, "breath_incomplete", at, at, "incomplete", (result,))
            case "missed":
                at = scheduled_at(reading)
                if not any(one.at <= at <= one.until for one in planned):
                    self._add(test.part, "breath_missed", at, at, "missed", (result,))
            case "ok" if reading.purpose != "confirmation" and self._is_positive(result):
                self._judge_positive(test, result)

    def _judge_positive(self, test: Tested, initial: Bound) -> None:
        at = initial.reading.observed_at
        if not self._holds(at):
            return
        confirmation = self._confirmation(at)
        due = at + self.confirm_until
        if confirmation is not None:
            if self._is_positive(confirmation):
                self._add(test.part, "breath_failed", at, at, "confirmed", (initial, confirmation))
        elif due > self.case.clock:
            self.judged.fall_due(due, self.case.clock)
        elif due < self.stretch.until:
            self._add(test.part, "breath_incomplete", at, at, "no_confirmation", (initial,), due=due)

    def _confirmation(self, at: int) -> Bound | None:
        """The first one in time for an initial test."""
        for test in self.tests:
            found = test.agreed
            if found is not None and found.reading.purpose == "confirmation" and found.reading.result == "ok" and (
                    self.confirm_from <= found.reading.observed_at - at <= self.confirm_until) and (
                    found.reading.observed_at < self.stretch.until):
                return found
        return None

    def _is_positive(self, result: Bound) -> bool:
        return (result.reading.brac_g_210l or 0.0) >= self.limits["breath_g_210l"]

    def _planned(self) -> Iterator[Planned]:
        """Planned tests with windows within the stretch: those of the region, and the next one ahead, which
        only falls due."""
        if not self.term.condition.tests:
            return
        longest = _longest_wait(self.term)
        start = max(self.stretch.from_, ALWAYS if self.case.body.bound_from is None else self.case.body.bound_from)
        low = max(self.case.floor if start == ALWAYS else start, self.from_ - longest)
        high = min(self.stretch.until, self.judged.until + longest)
        if self.judged.until > self.case.clock:
            high = min(self.stretch.until, self.case.clock + _AHEAD)
        windows: dict[int, int] = {}
        for piece in self.term.pieces:
            begin, end = max(piece.from_, low), min(piece.until, high)
            if begin >= end:
                continue
            zone = piece.order.time_zone
            day, last = schedule.local_date(begin, zone) - timedelta(days=1), schedule.local_date(end, zone)
            while day <= last:
                for test in piece.condition.tests:
                    at = schedule.wall_clock(day, test.at_s, zone)
                    if day.weekday() in test.days and begin <= at < end:
                        windows[at] = max(windows.get(at, 0), test.window_s * SECOND)
                day += timedelta(days=1)
        for at, window in sorted(windows.items()):
            if at + window <= self.stretch.until:
                yield Planned(at, at + window)

    def _judge_planned(self, one: Planned) -> None:
        clock = self.case.clock
        devices = self._devices(one)
        if not devices or self._is_fulfilled(one):
            return
        if one.until > clock:
            self.judged.fall_due(one.until, clock)
            return
        part, numbers = f"at {one.at}", {"scheduled_at": one.at, "window_until_at": one.until}
        heard = self._heard_since(one.at, devices)
        if heard is not None:
            self._add(part, "breath_missed", one.at, one.until, "never_taken", (heard,), due=one.until, **numbers)
            return
        self.open_from = one.at if self.open_from is None else min(self.open_from, one.at)
        due = max(self._silent_until(one.at), one.until)
        if due > clock:
            self.judged.fall_due(due, clock)
        else:
            before = self._heard_before(one.at, devices)
            self._add(part, "breath_not_received", one.at, one.until, "device_silent", before, level=1, due=due,
                      **numbers)

    def _silent_until(self, at: int) -> int:
        """Until when a result may be on its way; what we could not have heard does not count."""
        wait = round(self.limits["not_received_s"] * SECOND)
        for begin, end in self.case.own_outages:
            if at < end and at + wait > begin:
                at = end
        return at + wait

    def _devices(self, one: Planned) -> frozenset[str]:
        """The breath devices of somebody who wears one through the whole window: those that have sent a breath
        reading by then, else those bound as alcohol devices, else all."""
        worn = [w for w in self.case.body.wearings if w.from_ <= one.at and w.until >= one.until]
        known = [w for w in worn if self._has_measured(w, one.at)]
        bound = [w for w in worn if w.binding_at(one.at).role == "alcohol"]
        return frozenset(w.device for w in known or bound or worn)

    def _has_measured(self, wearing: Wearing, at: int) -> bool:
        name = (wearing.device, wearing.from_, "alcohol_breath")
        return self.case.body.first_measured.get(name, NEVER) <= at

    def _is_fulfilled(self, one: Planned) -> bool:
        return any(all(b.reading.result == "ok" and one.at <= b.reading.observed_at <= one.until for b in test.best)
                   for test in self.tests)

    def _heard_since(self, at: int, devices: frozenset[str]) -> Bound | None:
        """The first reading of one of the devices."""
        low, step = at, HOUR
        while low <= self.case.clock:
            high = min(low + step, self.case.clock)
            heard = [b for b in self.case.readings(low, high) if b.reading.device in devices]
            if heard:
                return _first_known(heard, heard[0])
            low, step = high + 1, step * 4
        return None

    def _heard_before(self, at: int, devices: frozenset[str]) -> tuple[Bound, ...]:
        """The last reading of one of the devices within some days."""
        before = [b for b in self.case.readings(at - _AHEAD, at - 1) if b.reading.device in devices]
        return (_first_known(before, before[-1]),) if before else ()

    def _holds(self, onset: int) -> bool:
        return self.stretch.from_ <= onset < self.stretch.until and self.from_ <= onset < self.judged.until

    def _add(self, part: str, kind: str, onset: int, ended: int, reason: str, used: tuple[Bound, ...], *,
             level: int = 3, **numbers: Any) -> None:
        if not self._holds(onset):
            return
        values = [{"observed_at": b.reading.observed_at, "test_id": b.reading.test_id, "purpose": b.reading.purpose,
                   "result": b.reading.result, "brac_g_210l": b.reading.brac_g_210l, "face": b.reading.face}
                  for b in used if b.reading.kind == "alcohol_breath"]
        self.judged.intervals.append(Interval(
            family="breath", kind=kind, onset=onset, ended=ended, level=level, reason=reason, settled=ended,
            used=used, numbers={"parameters": dict(self.limits), "tests": values, **numbers},
            order_version=self.term.piece_at(onset).order.version, part=part))
