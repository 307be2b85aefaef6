"""What the evaluator keeps of one participant between arrivals, and how their conditions are judged anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from emon.domain.binding_book import BindingBook
from emon.domain.finding import Finding
from emon.domain.instant import HOUR, SECOND
from emon.domain.reading import METHODS
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate import sentences
from emon.evaluate.analysts import Named, VerdictBook
from emon.evaluate.ledger import Ledger
from emon.evaluate.matching import Book, Key, Moment, Standing, revise
from emon.evaluate.orderbook import FACET, OrderBook, Term
from emon.evaluate.paths import Cells, Paths
from emon.evaluate.port import History
from emon.evaluate.positions import MEASURING, Body
from emon.evaluate.rules import (
    ACCOMPANIED_OF_KIND,
    KEEP_AWAY,
    REACHING_OF_KIND,
    RULE_OF_KIND,
    SKIMMING_OF_KIND,
    protected,
)
from emon.evaluate.rules.contact import pace_of
from emon.evaluate.signals import Case, Outage
from emon.evaluate.subject import subject
from emon.evaluate.track import Horizon, Track
from emon.evaluate.verdict import Hint, Interval, Judged, Reaching
from emon.journal.records import Bound
from emon.limits import JUDGED_TOGETHER

_BEGINNING: Final = ALWAYS >> 1  # before everything; sums with it do not overflow
_UNUSED: Final = Ledger()  # of all conditions that do not ask theirs: many would be many objects


@dataclass(slots=True)
class News:
    """What an instant brought to a participant: readings observed in [from_, until], or new texts.

    `silence_from`: feed or own outages changed from there on; only silences are judged again.
    `why`: the reason to give where something no longer stands.
    """

    from_: int = NEVER
    until: int = ALWAYS
    silence_from: int = NEVER
    texts: bool = False
    why: str = "late_data"
    bounds: list[Bound] = field(default_factory=list)
    newest: bool = True  # each observed after everything that was known before it
    verdicts: list[Named] = field(default_factory=list)  # where analysts' verdicts changed
    wide: bool = False  # the readings change more than themselves: who decides, or who is heard
    beside: dict[str, News] = field(default_factory=dict)  # what it brought to those who must be kept away from

    def reading(self, bound: Bound) -> None:
        """A reading that counts came in."""
        at = bound.reading.observed_at
        self.from_, self.until = min(self.from_, at), max(self.until, at)
        self.bounds.append(bound)

    def texts_of(self, terms: Sequence[Term], bindings: BindingBook) -> News | None:
        """The news, of this person or of whoever they must keep away from, that brought texts for a condition."""
        if self.texts or not self.beside:
            return self if self.texts else None
        hers = (self.beside.get(subject(t, bindings) or "") for t in terms if t.condition.kind in ACCOMPANIED_OF_KIND)
        return next((news for news in hers if news is not None and news.texts), None)

    def text(self, from_: int, why: str) -> None:
        """A version that changes everything from an instant on came in."""
        self.from_, self.until, self.texts, self.why = min(self.from_, from_), NEVER, True, why


@dataclass(slots=True)
class Conditioned:
    """One condition of one order: where its machine stands, what it found, when it must be looked at."""

    hint: Hint = field(default_factory=Hint)
    due: int | None = None
    quiet: int = ALWAYS  # see verdict.Judged
    ledger: Ledger = field(default_factory=Ledger)  # of conditions about zones
    books: dict[tuple[str, str], Book] = field(default_factory=dict)  # by (family, part)

    def standing(self) -> list[Standing]:
        """All findings that are not withdrawn, by onset."""
        return sorted((s for book in self.books.values() for s in book.standing), key=lambda s: s.onset)


class Books(NamedTuple):
    """What all participants share."""

    orders: OrderBook
    bindings: BindingBook
    outages: dict[str, list[Outage]]
    own_outages: list[tuple[int, int]]
    verdicts: VerdictBook
    rule_version: int
    person: Callable[[str], Person]


class Person:
    """One participant."""

    __slots__ = ("ahead", "alone", "body", "carrier", "conditions", "floor", "last_heard", "last_located",
                 "participant", "paths", "track")

    def __init__(self, participant: str, history: History, bindings: BindingBook, horizon: Horizon, cells: Cells, *,
                 new: bool = False, alone: bool = False) -> None:
        self.participant = participant
        self.alone = alone  # see positions.Body
        self.track = Track(participant, history, horizon, new=new)
        self.body = Body(participant, bindings, alone=alone)
        self.conditions: dict[tuple[str, str], Conditioned] = {}
        self.paths = Paths(cells, new=new)
        self.ahead: list[Bound] = []  # observed in what is still the future
        self.floor = NEVER  # the earliest reading known
        self.carrier: str | None = None  # the feed that the position taken in last names
        self.last_heard = ALWAYS  # the latest reading of a device that was bound then
        self.last_located = _BEGINNING  # the latest position of a device that was bound then, as far as is remembered

    @property
    def due(self) -> int | None:
        """The next instant at which something must be looked at without any news."""
        dues = [c.due for c in self.conditions.values() if c.due is not None]
        dues += [b.reading.observed_at for b in self.ahead]
        return min(dues, default=None)

    def take(self, bound: Bound, news: News) -> None:
        """Takes in a reading whose time has come."""
        if not self.track.add(bound):
            return
        reading = bound.reading
        self.floor = min(self.floor, reading.observed_at)
        news.reading(bound)
        news.newest &= reading.observed_at > self.last_heard
        if self.body.wearing(reading.device, reading.observed_at) is not None:
            self.last_heard = max(self.last_heard, reading.observed_at)
            if reading.kind == "position" and reading.method in METHODS and reading.method != "unknown":
                self.last_located = max(self.last_located, reading.observed_at)
        if reading.kind == "position":
            self.carrier = reading.feed
            if reading.method == "gnss" and reading.lon is not None and reading.lat is not None:
                self.paths.note(reading.device, reading.observed_at, reading.lon, reading.lat)
            unknown_until = self.body.note_position(reading.device, reading.observed_at)
            if unknown_until is not None and len(self.body.wearings) > 1:
                news.until, news.wide = max(news.until, unknown_until), True
        elif reading.kind in MEASURING:
            unknown_until = self.body.note_measurement(reading.device, reading.kind, reading.observed_at)
            if unknown_until is not None:
                news.until, news.wide = max(news.until, unknown_until), True
        else:
            self.body.note_word(reading)

    def rebind(self, bindings: BindingBook, clock: int) -> None:
        """Bindings changed: learns anew which devices send positions."""
        old, self.body = self.body.first_position, Body(self.participant, bindings, alone=self.alone)
        for wearing in self.body.wearings:
            if (wearing.device, wearing.from_) in old and old[wearing.device, wearing.from_] < wearing.until:
                self.body.first_position[wearing.device, wearing.from_] = old[wearing.device, wearing.from_]
        self.last_heard, self.last_located = ALWAYS, _BEGINNING
        if self.floor <= clock:
            for bound in self.track.between(self.floor, clock):
                if self.body.wearing(bound.reading.device, bound.reading.observed_at) is not None:
                    self.last_heard = bound.reading.observed_at
                if bound.reading.kind == "position":
                    self.body.note_position(bound.reading.device, bound.reading.observed_at)
                elif bound.reading.kind in MEASURING:
                    self.body.note_measurement(bound.reading.device, bound.reading.kind, bound.reading.observed_at)
                else:
                    self.body.note_word(bound.reading)

    def judge(self, books: Books, clock: int, news: News | None) -> list[Finding]:
        """The revisions that this instant brings, unordered."""
        known: dict[str, Case] = {}

        def others(name: str) -> Case:
            if name not in known:
                known[name] = books.person(name).seen(books, clock, discreet=True)
            return known[name]

        case = self.seen(books, clock, self._outages(books), others)
        terms = books.orders.by_condition(self.participant)
        written: list[Finding] = []
        for key in terms if len(terms) == len(self.conditions) else sorted(terms.keys() | self.conditions.keys()):
            condition = self.conditions.get(key)
            if condition is None:
                condition = self.conditions[key] = (
                    Conditioned() if terms[key][0].condition.kind in SKIMMING_OF_KIND else Conditioned(ledger=_UNUSED))
            written += self._judge(case, key, terms.get(key, []), condition, news, books)
        return written

    def seen(self, books: Books, clock: int, outages: Sequence[Outage] = (),
             others: Callable[[str], Case] | None = None, *, discreet: bool = False) -> Case:
        """What is known of the person."""
        return Case(self.participant, clock, self.track, self.body, books.bindings, books.orders, self.floor,
                    outages, books.own_outages, books.verdicts, others=others, discreet=discreet)

    def _judge(self, case: Case, key: tuple[str, str], terms: list[Term], condition: Conditioned,
               news: News | None, books: Books) -> list[Finding]:
        written: list[Finding] = []
        done = Judged(NEVER, ALWAYS)
        for from_, until in self._spans(case, terms, condition, news):
            if not done.from_ <= from_ <= until < done.until - 1:
                if news is not None and news.texts_of(terms, books.bindings) is not None:
                    condition.hint = Hint()
                done = self._region(case, terms, condition, from_, until)
                written += self._revise(case, key, terms, condition, done, news, books)
        return written

    def _revise(self, case: Case, key: tuple[str, str], terms: list[Term], condition: Conditioned, judged: Judged,
                news: News | None, books: Books) -> list[Finding]:
        """Keeps what was judged of a region."""
        condition.quiet = max(condition.quiet, judged.quiet)
        for told in judged.told:
            condition.ledger.tell(told)
        if judged.until > case.clock or condition.due is None or condition.due <= case.clock:
            condition.due = judged.due
        elif judged.due is not None:
            condition.due = min(condition.due, judged.due)
        texts = None if news is None else news.texts_of(terms, books.bindings)
        why = "late_data" if news is None else (texts or news).why
        moment = Moment(case.clock, books.rule_version, lambda s: _withdrawal(s, terms, case, why),
                        partial(sentences.evidence, orders=books.orders), sentences.retraction)
        by_family: dict[tuple[str, str], list[Interval]] = {name: [] for name in condition.books}
        for interval in judged.intervals:
            by_family.setdefault((interval.family, interval.part), []).append(interval)
        written: list[Finding] = []
        for (family, part), intervals in sorted(by_family.items()):
            book = condition.books.setdefault((family, part), Book())
            written += revise(Key(self.participant, key[0], key[1].split(FACET)[0], family, part), book, judged.from_,
                              judged.until, intervals, moment)
        return written

    def _spans(self, case: Case, terms: list[Term], condition: Conditioned,
               news: News | None) -> list[tuple[int, int]]:
        """What must be judged again: all of it in one go, or around each reading that may change something,
        where that is simple enough to tell."""
        from_, until = _span(terms, condition, news, case)
        if from_ > until:
            return []
        if news is None or news.texts or news.wide or news.silence_from < NEVER or len(terms) != 1 or (
                condition.due is not None and condition.due <= case.clock):
            return [(from_, until)]
        kind = terms[0].condition.kind
        if kind == "keep_away":
            if condition.due is not None or news.texts_of(terms, case.bindings) is not None:
                return [(from_, until)]
            still = KEEP_AWAY.still(case, terms[0], condition.hint, condition.quiet, from_, until)
            return [] if still else [(from_, until)]
        judging, rule = RULE_OF_KIND.get(kind), SKIMMING_OF_KIND.get(kind)
        if judging is None or rule is None:
            return [(from_, until)]
        moving: Sequence[Bound] = [b for b in news.bounds if b.reading.kind in judging.reads]
        if condition.due is None and moving:
            moving = rule.moving(case, terms[0], condition.hint, condition.quiet, condition.ledger, moving, news.newest)
            if condition.ledger.fors:
                condition.quiet = max(condition.quiet, condition.ledger.fors[-1])
        instants = sorted({bound.reading.observed_at for bound in moving})
        if rule.apart:
            return _clusters(instants, condition.standing())
        return [(instants[0], instants[-1])] if instants else []

    def _region(self, case: Case, terms: list[Term], condition: Conditioned, from_: int,
                until: int) -> Judged:
        """Judges all terms that the span touches; widens it until no standing finding crosses its edge."""
        while True:
            old = condition.standing()
            total = Judged(from_, until)
            for term in terms:
                rule = RULE_OF_KIND.get(term.condition.kind)
                if rule is None or term.until < from_:
                    continue
                if term.from_ > case.clock:
                    if rule.by_time:
                        total.fall_due(term.from_, case.clock)
                    continue
                judged = rule.judge(case, term, condition.hint, old, from_, until)
                total.from_, total.until = min(total.from_, judged.from_), max(total.until, judged.until)
                total.intervals += judged.intervals
                total.told += judged.told
                total.fall_due(judged.due, case.clock)
                total.loud(judged.quiet)
            crossing = [s.onset for s in old if s.onset < total.from_ < (s.ended or NEVER)]
            if not crossing and not (total.from_ < from_ and any(total.from_ < t.until < from_ for t in terms)):
                return total
            from_ = min([total.from_, *crossing])  # a later term may have gone back into one left out
            condition.hint = Hint()

    def _outages(self, books: Books) -> list[Outage]:
        if not books.outages:
            return []
        devices = {w.device for w in self.body.wearings}
        return [o for outages in books.outages.values() for o in outages if not devices.isdisjoint(o.members)]


def _clusters(instants: list[int], standing: Sequence[Standing]) -> list[tuple[int, int]]:
    """Sorted instants as spans: together those that are close, and those between which a finding stands: which new
    interval it is now can only be told when all are known."""
    spans: list[tuple[int, int]] = []
    for at in instants:
        if spans and (at - spans[-1][1] <= JUDGED_TOGETHER or any(
                s.onset <= at and (s.ended is None or s.ended >= spans[-1][1]) for s in standing)):
            spans[-1] = (spans[-1][0], at)
        else:
            spans.append((at, at))
    return spans


def _span(terms: list[Term], condition: Conditioned, news: News | None, case: Case) -> tuple[int, int]:
    """What must be judged again of a condition; empty (from > until) where nothing."""
    clock = case.clock
    from_, until = (news.from_, news.until) if news is not None else (NEVER, ALWAYS)
    reaching = REACHING_OF_KIND.get(terms[0].condition.kind) if terms else None
    if reaching is not None:
        return _reach(reaching, terms, condition, news, case)
    if news is not None and news.silence_from < NEVER and any(t.condition.kind == "contact" for t in terms):
        from_, until = min(from_, news.silence_from), max(until, clock)
    if condition.due is not None and condition.due <= clock:
        from_, until = min(from_, clock), max(until, clock)
    return from_, until


def _reach(reaching: Reaching, terms: list[Term], condition: Conditioned, news: News | None,
           case: Case) -> tuple[int, int]:
    """As `_span`, for rules for which readings matter beyond their own instants."""
    from_, until = NEVER, ALWAYS
    if news is not None and (news.bounds or news.texts):
        bounds = None if news.texts or news.wide else news.bounds
        from_, until = reaching.reach(case, terms, condition.hint, bounds, news.from_, news.until)
    spans = [(case.clock, case.clock)] if condition.due is not None and condition.due <= case.clock else []
    if news is not None and news.silence_from < NEVER:
        spans.append((news.silence_from, case.clock))
    if news is not None:  # what is named ahead of the clock is called so once it is there
        spans += [(v.at, v.at) for v in news.verdicts if (v.order, v.condition) == terms[0].key and v.at <= case.clock]
    spans = [reaching.reach(case, terms, condition.hint, None, *span) for span in spans]
    if news is not None and news.beside:
        spans += _beside(terms, condition, news.beside, case)
    for begin, end in spans:
        from_, until = min(from_, begin), max(until, end)
    return from_, until


def _beside(terms: list[Term], condition: Conditioned, beside: Mapping[str, News],
            case: Case) -> Iterator[tuple[int, int]]:
    """What must be judged again for news of whoever must be kept away from."""
    rule = ACCOMPANIED_OF_KIND.get(terms[0].condition.kind)
    for term in terms if rule is not None else ():
        news = beside.get(subject(term, case.bindings) or "")
        if rule is not None and news is not None and (news.bounds or news.texts):
            bounds = None if news.texts or news.wide else news.bounds
            yield rule.beside(case, term, condition.hint, bounds, news.from_, news.until)


def _withdrawal(standing: Standing, terms: list[Term], case: Case, why: str) -> str:
    """Why a finding no longer stands."""
    finding = standing.finding
    ended = case.clock + 1 if finding.ended is None else max(finding.ended, finding.onset + 1)
    if finding.kind == "breath_incomplete":  # a confirmation is awaited after it
        ended = max(ended, finding.onset + round(finding.evidence["parameters"]["confirmation_until_s"] * SECOND))
    silence = finding.kind in ("contact_lost", "location_lost") and any(t.condition.kind == "contact" for t in terms)
    for term in terms:
        onset = finding.onset - _looked_back(finding, term, silence=silence)  # what it rests on counts from there
        if why == "late_data" and (term.condition.kind == "attendance" or finding.kind == "curfew_accumulated"):
            continue  # leave within a window or a week stands beside its finding
        for piece in term.pieces:
            condition = piece.condition
            for name, absences in (("leave", condition.leave), ("suspension", condition.suspensions)):
                for absence in absences:
                    begin, end = max(absence.from_, piece.from_), min(absence.to, piece.until)
                    if begin < min(end, ended) and end > onset:
                        return name
    if silence and any(
            o.last <= finding.onset < (o.ended or NEVER) for o in case.outages):
        return "feed_outage"
    return why


def _looked_back(finding: Finding, term: Term, *, silence: bool) -> int:
    """How long before the onset of a finding things count that it rests on, in microseconds. `silence`: it is one of
    a contact condition."""
    parameters = finding.evidence.get("parameters", {})
    match finding.kind:
        case "contact_lost" | "location_lost" if silence:
            return pace_of(term).every
        case "protected_contact_lost":
            return protected.pace_of(term).every
        case "alcohol_no_upload":
            return round(float(parameters["no_upload_s"]) * SECOND)
        case "charging_missed":
            return round(float(parameters["charge_every_h"]) * HOUR)
        case "motion_without_fix":
            return round(float(parameters["within_s"]) * SECOND)
    return 0
