"""Contact: hearing anything at all (contact_lost), and hearing where (location_lost).

A silence counts from its last reading, or from the start of the stretch or of the first binding if that is
later. Where our own outage or the feed's covers what was not yet found, it counts from the end of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from emon.domain.instant import DAY, MINUTE, SECOND
from emon.domain.reading import KINDS
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.ledger import Ledger
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.positions import located
from emon.evaluate.rules.circumstances import circumstances
from emon.evaluate.signals import Case
from emon.evaluate.track import key
from emon.evaluate.verdict import Hint, Interval, Judged, Settled
from emon.journal.records import Bound
from emon.limits import CONTACT_EVERY_S, CONTACT_HOLD_S


class Pace(NamedTuple):
    """How often somebody must be heard and how much longer we wait, in microseconds."""

    every: int
    hold: int


class Heard(NamedTuple):
    """An instant at which devices were heard: the first and last of their readings in fold order (of one
    identity what came in first). `where`: the same of those that may say where, if one of them does."""

    at: int
    first: Bound
    last: Bound
    where: tuple[Bound, Bound] | None

    @property
    def located(self) -> bool:
        """Whether one of them also said where."""
        return self.where is not None


class Contact:
    """Kinds contact_lost and location_lost, a family each."""

    kinds = ("contact",)
    by_time = True
    apart = True
    reads = frozenset(KINDS)

    def moving(self, case: Case, term: Term, hint: Hint, quiet: int, ledger: Ledger, bounds: Sequence[Bound],
               newest: bool) -> Sequence[Bound]:
        """See verdict.Skimming. Always in doubt."""
        return bounds

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule. The region reaches from the last located reading before to the next one after."""
        return judge_silences(case, term, pace_of(term), "contact_lost", from_, until, tracked=case.body.tracked)


def judge_silences(case: Case, term: Term, pace: Pace, kind: str, from_: int, until: int, *,
                   tracked: bool) -> Judged:
    """Silences of whoever the case is about, as findings of a kind; `tracked`: also whether somebody knows where."""
    judged = Judged(from_, from_)
    first_binding = case.body.bound_from
    if first_binding is None:
        return Judged(from_, NEVER)
    for stretch in term.duty(from_, NEVER):
        if stretch.from_ > case.clock:
            judged.fall_due(stretch.from_, case.clock)
        elif stretch.from_ <= until:
            start = max(stretch.from_, first_binding)
            _Silences(case, term, stretch, start, judged, pace, kind, tracked=tracked).judge(from_, until)
    return judged


def pace_of(term: Term) -> Pace:
    """The condition's pace with its defaults."""
    condition = term.condition
    every_s = CONTACT_EVERY_S if condition.every_s is None else condition.every_s
    hold_s = CONTACT_HOLD_S if condition.hold_s is None else condition.hold_s
    return Pace(round(every_s * SECOND), round(hold_s * SECOND))


def _heard(at: int, group: list[Bound], located_: bool) -> Heard:
    places = [b for b in group if b.reading.kind in ("position", "presence")] if located_ else []
    return Heard(at, *_ends(group), _ends(places) if places else None)


def _ends(group: list[Bound]) -> tuple[Bound, Bound]:
    first, last = (min((b for b in group if key(b) == key(end)), key=lambda b: b.received_at)
                   for end in (group[0], group[-1]))
    return first, last


def _beside(case: Case, at: int) -> dict[str, Any]:
    known = circumstances(case, at)
    return {"circumstances": known} if known else {}


class _Silences:
    """The silences of one stretch around some news."""

    def __init__(self, case: Case, term: Term, stretch: Stretch, start: int, judged: Judged, pace: Pace, kind: str, *,
                 tracked: bool) -> None:
        self.case, self.term, self.stretch, self.start, self.judged = case, term, stretch, start, judged
        self.pace, self.kind, self.tracked = pace, kind, tracked
        self.end = min(stretch.until, case.clock)  # a reading at the very end still ends a silence by itself

    def judge(self, from_: int, until: int) -> None:
        before = self._search_back(from_)
        after = self._search_on(max(until, from_))
        low = self.start if before is None else before
        high = self.end if after is None else after
        heard = self._heard(max(low, self.stretch.from_), high)
        self.judged.from_ = min(self.judged.from_, low)
        whole = after is None
        self.judged.until = max(self.judged.until, self.stretch.until + 1 if whole else high + 1)
        self._lost_contact(heard, before is None, whole)
        if self.tracked:
            self._lost_location(heard, before is None, whole)

    def _lost_contact(self, heard: list[Heard], from_start: bool, to_end: bool) -> None:
        for last, following in self._gaps(heard, from_start, to_end):
            base = self._base(last, following)
            onset = base + self.pace.every
            self._judge_silence(self.kind, last, None, following, onset, onset + self.pace.hold)

    def _lost_location(self, heard: list[Heard], from_start: bool, to_end: bool) -> None:
        places = [h._replace(first=h.where[0], last=h.where[1]) for h in heard if h.where is not None]
        for last, following in self._gaps(places, from_start, to_end):
            base = self._base(last, following)
            onset = base + self.pace.every
            end = NEVER if following is None else following.at
            blind = next((h for h in heard if onset <= h.at < end and not h.located), None)
            if blind is not None and self.case.body.deciding(onset) is not None:
                due = max(onset + self.pace.hold, blind.at)
                self._judge_silence("location_lost", last, blind, following, onset, due)

    def _gaps(self, heard: list[Heard], from_start: bool,
              to_end: bool) -> list[tuple[Heard | None, Heard | None]]:
        """Silences between neighbours; None: the start of the stretch, or nothing heard since."""
        marks: list[Heard | None] = [*([None] if from_start and self.start > ALWAYS else []), *heard,
                                     *([None] if to_end else [])]
        return list(pairwise(marks))

    def _judge_silence(self, kind: str, last: Heard | None, blind: Heard | None, following: Heard | None,
                       onset: int, due: int) -> None:
        if due >= self.stretch.until or (following is not None and following.at <= due):
            return
        if due > self.case.clock:
            self.judged.fall_due(due, self.case.clock)
            return
        ended, reason = None, "no_location" if kind == "location_lost" else "silence"
        if following is not None:
            ended, reason = following.at, "located" if kind == "location_lost" else "heard"
        elif self.case.clock >= self.stretch.until:
            ended, reason = self.stretch.until, self.stretch.reason
        else:
            self.judged.fall_due(self.stretch.until, self.case.clock)
        used = self._last_before_start() if last is None else [last.last]
        used += [] if blind is None else [blind.first]
        used += [] if following is None else [following.first]
        numbers = {"parameters": {"every_s": self.pace.every / SECOND, "hold_s": self.pace.hold / SECOND},
                   "due": due}
        if ended is not None:
            self.judged.loud(ended)
        self.judged.intervals.append(Interval(
            family=kind, kind=kind, onset=onset, ended=ended, level=1, reason=reason,
            settled=NEVER if ended is None else ended, used=tuple(used), numbers=numbers, beside=partial(
                _beside, self.case, onset - self.pace.every if last is None else last.at),
            order_version=self.term.piece_at(onset).order.version))

    def _base(self, last: Heard | None, following: Heard | None) -> int:
        """From where a silence counts, once outages are taken out; NEVER while one stands."""
        base = self._past_own_outages(self.start if last is None else max(last.at, self.start))
        held = [o for o in self.case.outages if self._is_member(o.members, o.onset)
                and (following is None or following.at > o.onset)]
        if not held:
            return base
        if last is None:
            before = self._last_before_start()
            last_at = before[0].reading.observed_at if before else self.start
        else:
            last_at = last.at
        for outage in sorted(held, key=lambda o: o.onset):
            end = NEVER if outage.ended is None else outage.ended
            if last_at >= outage.last - self.pace.every and base < end:
                base = self._past_own_outages(end)
        return base

    def _past_own_outages(self, base: int) -> int:
        """A silence that was not yet found when we went deaf counts from when we hear again."""
        for begin, end in self.case.own_outages:
            if base < end and base + self.pace.every + self.pace.hold > begin:
                base = end
        return base

    def _is_member(self, members: frozenset[str], at: int) -> bool:
        return any(w.device in members and w.from_ <= at < w.until for w in self.case.body.wearings)

    def _heard(self, from_: int, until: int) -> list[Heard]:
        readings = self.case.readings(from_, until)
        places = located(readings, self.case.participant, self.case.bindings) if self.tracked else set()
        return [_heard(at, list(group), at in places)
                for at, group in groupby(readings, key=lambda b: b.reading.observed_at)]

    def _instants(self, from_: int, until: int) -> Iterable[int]:
        """When somebody was heard, where it counts located."""
        readings = self.case.readings(from_, until)
        if self.tracked:
            return located(readings, self.case.participant, self.case.bindings)
        return (b.reading.observed_at for b in readings)

    def _search_back(self, from_: int) -> int | None:
        """The last instant before `from_`, within the stretch, that both silences may count from."""
        bottom, top, step = max(self.start, self.case.floor), min(from_ - 1, self.end), max(self.pace.every, MINUTE)
        while top >= bottom:
            low = max(top - step, bottom)
            last = max(self._instants(low, top), default=None)
            if last is not None:
                return last
            top, step = low - 1, step * 4
        return None

    def _search_on(self, until: int) -> int | None:
        """The first such instant after `until`."""
        bottom, step = max(until + 1, self.start, self.case.floor), max(self.pace.every, MINUTE)
        while bottom <= self.end:
            high = min(bottom + step, self.end)
            first = min(self._instants(bottom, high), default=None)
            if first is not None:
                return first
            bottom, step = high + 1, step * 4
        return None

    def _last_before_start(self) -> list[Bound]:
        """The reading that the evidence of a silence from the start on quotes."""
        if self.start == ALWAYS:
            return []
        before = self._heard(self.start - DAY, self.start - 1)
        return [before[-1].last] if before else []
