"""The oracle: at each arrival and each due instant, judge everything anew and write what changed.

A timer due at an arrival's instant belongs to the arrival; one due before it is judged with what was known
before it. Due instants are whatever present knowledge says will change by time alone, one after another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from emon.domain.finding import Finding
from emon.domain.order import Order
from emon.journal.records import Bound, InputRecord
from tests.oracle import (
    accumulated,
    attendance,
    breath,
    crossing,
    curfew,
    devices,
    laboratory,
    near,
    runs,
    silence,
    transdermal,
)
from tests.oracle.fixes import Fix, Person, fixes
from tests.oracle.knowledge import DAY, SECOND, Heard, Known, Sighting, known
from tests.oracle.ledger import Interval, Ledger
from tests.oracle.runs import Run
from tests.oracle.versions import Judged, Span, Term, borders, in_force, judged_spans, terms

KINDS = (
    "exclusion_zone",
    "inclusion_zone",
    "zone_crossing",
    "curfew_left",
    "curfew_late",
    "curfew_absent",
    "contact_lost",
    "location_lost",
    "feed_outage",
    "breath_failed",
    "breath_missed",
    "breath_incomplete",
    "breath_refused",
    "breath_not_received",
    "test_failed",
    "test_missed",
    "curfew_accumulated",
    "attendance_missed",
    "attendance_late",
    "attendance_left",
    "tamper",
    "panic",
    "battery",
    "motion_without_fix",
    "charging_missed",
    "alcohol_possible",
    "alcohol_confirmed",
    "alcohol_review",
    "alcohol_no_upload",
    "keep_away",
    "protected_contact_lost",
    "protected_battery",
)


EITHER = "either"


@dataclass
class Judgement:
    """What is found at `clock`, and the instants ahead at which time alone may change that."""

    clock: int
    found: list[Interval] = field(default_factory=list)
    dues: set[int] = field(default_factory=set)

    def reached(self, instant: int) -> bool:
        """Whether the clock is there; if not, it is noted as due."""
        if instant > self.clock:
            self.dues.add(instant)
        return instant <= self.clock


def oracle(records: Sequence[InputRecord], until: int | None = None) -> list[Finding]:
    """All revisions up to `until` (default: the last arrival), in their order."""
    arrivals = sorted({record.received_at for record in records})
    if not arrivals:
        return []
    last = arrivals[-1] if until is None else until
    horizon = _horizon(records, last)
    ledger, clock, dues = Ledger(), None, set[int]()
    while True:
        ahead = [t for t in (*arrivals, *dues) if (clock is None or t > clock) and t <= last]
        if not ahead:
            return ledger.lines
        clock = min(ahead)
        now, at_tick = known(records, clock), known(records, clock // SECOND * SECOND)
        outages = silence.outages(at_tick)
        judgement = judge(now, outages, horizon)
        dues = (
            judgement.dues
            | set(now.awaited)
            | {_next_second(clock), *(_next_second(o.onset) for o in outages)}
        )
        why = _WhyGone(now, outages, horizon, _with_news(records, clock))
        ledger.write(clock, judgement.found, why)


def _horizon(records: Sequence[InputRecord], last: int) -> Span:
    observed = [record.reading.observed_at for record in records if isinstance(record, Bound)]
    return min([*observed, *(record.received_at for record in records)]) - 3 * DAY, last + 3 * DAY


def _next_second(instant: int) -> int:
    return -(-instant // SECOND) * SECOND


def _with_news(records: Sequence[InputRecord], clock: int) -> set[str]:
    """Participants of whom a reading is taken in at this instant."""
    return {
        r.participant
        for r in records
        if isinstance(r, Bound) and max(r.received_at, r.reading.observed_at) == clock
    }


@dataclass(frozen=True)
class _WhyGone:
    """Leave or a feed outage where the finding would stand without it; EITHER where readings that came in
    the same arrival might be named just as well."""

    now: Known
    outages: list[silence.Outage]
    horizon: Span
    with_news: set[str]

    def __call__(self, finding: Finding) -> str:
        reason = self._reason(finding)
        return EITHER if reason != "gone" and finding.participant in self.with_news else reason

    def _reason(self, finding: Finding) -> str:
        if finding.kind in ("contact_lost", "location_lost") and self._stands(finding, self.now, []):
            return "feed_outage"
        without = {
            name: [_without_leave(o) for o in versions] if name == finding.order else versions
            for name, versions in self.now.orders.items()
        }
        if without != self.now.orders and self._stands(
            finding, _with_orders(self.now, without), self.outages
        ):
            return "leave"
        return "gone"

    def _stands(self, finding: Finding, changed: Known, outages: list[silence.Outage]) -> bool:
        """Whether anything that overlaps the finding would be found."""
        until = finding.ended or self.now.clock
        return any(
            finding.finding_id.startswith(f"{i.key}|")
            and i.onset <= until
            and finding.onset <= (i.ended or self.now.clock)
            for i in judge(changed, outages, self.horizon).found
        )


def _with_orders(now: Known, orders: dict[str, list[Order]]) -> Known:
    """The same knowledge with other orders."""
    return dataclasses.replace(now, orders=orders)


def _without_leave(order: Order) -> Order:
    return msgspec.structs.replace(
        order,
        conditions=tuple(msgspec.structs.replace(condition, leave=()) for condition in order.conditions),
    )


def judge(now: Known, outages: list[silence.Outage], horizon: Span) -> Judgement:
    """Everything that is found by what is known, at its clock."""
    result = Judgement(now.clock)
    people: dict[str, Person] = {}
    for versions in now.orders.values():
        result.dues |= {edge for edge in borders(versions) if now.clock < edge < horizon[1]}
        for condition_id in sorted({c.id for version in versions for c in version.conditions}):
            for term in terms(versions, condition_id):
                name = term.pieces[0].order.participant
                person = people.setdefault(name, Person(now, name))
                result.found += _term(person, term, outages, horizon, result)
    result.found += _feed_outages(now, outages)
    return result


def _term(
    person: Person,
    term: Term,
    outages: list[silence.Outage],
    horizon: Span,
    result: Judgement,
) -> Iterator[Interval]:
    match term.condition.kind:
        case "exclusion_zone" | "inclusion_zone":
            yield from _zone(person, term, fixes(person, term), result)
            if term.condition.kind == "exclusion_zone":
                yield from _crossings(person, term)
        case "curfew":
            found = list(_curfew(person, term, fixes(person, term), horizon, result))
            yield from found
            if term.condition.allowance_s_per_week is not None:
                yield from _accumulated(person, term, found, horizon, result)
        case "attendance":
            yield from _attendance(person, term, fixes(person, term), horizon, result)
        case "contact":
            yield from _silence(person, term, outages, result)
        case "keep_away":
            yield from _near(person, term, horizon, result)
        case "alcohol":
            for span in judged_spans(term, None):
                for fact in breath.facts(person, term, span.start, span.end, horizon, result.reached):
                    yield _of_fact(person, term, fact)
                for fact in transdermal.facts(person, term, span, result.reached):
                    yield _of_fact(person, term, fact)
        case "substance_testing":
            for span in judged_spans(term, None):
                for fact in laboratory.facts(person, term, span.start, span.end, horizon, result.reached):
                    yield _of_fact(person, term, fact)
        case "device_integrity":
            for span in judged_spans(term, None):
                for fact in devices.facts(person, term, span, result.reached):
                    yield _of_fact(person, term, fact)


def _of_fact(person: Person, term: Term, fact: breath.Fact) -> Interval:
    piece = term.piece_at(fact.onset)
    return Interval(
        participant=person.participant,
        order=piece.order.id,
        condition=term.condition.id,
        kind=fact.kind,
        onset=fact.onset,
        ended=fact.ended,
        level=fact.level,
        reason=fact.reason,
        evidence=fact.evidence,
        order_version=piece.order.version,
        part=fact.part,
    )


def _within(all_fixes: Sequence[Fix], start: int, end: int) -> list[Fix]:
    return [fix for fix in all_fixes if start <= fix.at < end]


def _zone(person: Person, term: Term, all_fixes: list[Fix], result: Judgement) -> Iterator[Interval]:
    zones = person.known.zones.get(term.condition.zone or "", [])
    result.dues |= {edge for edge in borders(zones) if result.clock < edge}
    for span in judged_spans(term, zones):
        for run in runs.runs(_within(all_fixes, span.start, span.end), term.condition):
            if run.due >= span.end or not result.reached(run.due):
                continue
            ended, reason = _end(run, span, result)
            zone = in_force(zones, run.first)
            yield _interval(
                person,
                term,
                term.condition.kind,
                run.first,
                ended,
                reason,
                run,
                zone.version if zone is not None else None,
            )


def _crossings(person: Person, term: Term) -> Iterator[Interval]:
    for span in judged_spans(term, person.known.zones.get(term.condition.zone or "", [])):
        for fact in crossing.facts(person, span):
            found = _of_fact(person, term, fact)
            yield dataclasses.replace(found, zone_version=crossing.zone_version(person, span, fact.onset))


def _end(run: Run, span: Judged | curfew.Stretch, result: Judgement) -> tuple[int | None, str]:
    if run.contrary:
        return run.contrary[0].at, ""
    return (span.end, span.reason) if result.reached(span.end) else (None, "")


def _interval(
    person: Person,
    term: Term,
    kind: str,
    onset: int,
    ended: int | None,
    reason: str,
    run: Run,
    zone_version: int | None,
) -> Interval:
    piece = term.piece_at(onset)
    return Interval(
        participant=person.participant,
        order=piece.order.id,
        condition=term.condition.id,
        kind=kind,
        onset=onset,
        ended=ended,
        level=runs.level(run, term.condition),
        reason=reason,
        evidence=tuple(run.evidence),
        order_version=piece.order.version,
        zone_version=zone_version,
        seen_until=run.supports[-1].at,
    )


def _near(person: Person, term: Term, horizon: Span, result: Judgement) -> Iterator[Interval]:
    hers = near.protected(person.known, term)
    all_fixes = near.fixes(person, hers, term)
    spans: Sequence[Judged | curfew.Stretch] = judged_spans(term, None)
    if term.condition.windows:
        spans = curfew.stretches(term, horizon)
    for span in spans:
        for run in runs.runs(_within(all_fixes, span.start, span.end), term.condition):
            if run.due < span.end and result.reached(run.due):
                ended, reason = _end(run, span, result)
                found = _interval(person, term, "keep_away", run.first, ended, reason, run, None)
                yield dataclasses.replace(found, level=4) if found.level == 3 else found
    for span in judged_spans(term, None) if hers is not None else ():
        assert hers is not None
        for gap in near.silences(hers, term, span):
            if result.reached(gap.due):
                yield _of_gap(person, term, "protected_contact_lost", gap, span, result)
        for fact in near.batteries(hers, term, span, result.reached):
            yield _of_fact(person, term, fact)


def _curfew(
    person: Person, term: Term, all_fixes: list[Fix], horizon: Span, result: Judgement
) -> Iterator[Interval]:
    for stretch in curfew.stretches(term, horizon):
        inside = _within(all_fixes, stretch.start, stretch.end)
        for run in runs.runs(inside, term.condition):
            if run.due >= stretch.end or not result.reached(run.due):
                continue
            before = curfew.witness(run, stretch, all_fixes)
            onset = curfew.onset(run, stretch, before)
            kind, ended, reason = curfew.kind_while_open(before), None, ""
            if run.contrary:
                ended = run.contrary[0].at
            elif result.reached(stretch.end):
                ended = stretch.end
                kind, reason = curfew.kind_and_reason_at_end(kind, onset, stretch, inside)
            found = _interval(person, term, kind, onset, ended, reason, run, None)
            seen = () if before is None else (before.heard,)
            yield dataclasses.replace(found, evidence=(*seen, *found.evidence))


def _accumulated(
    person: Person, term: Term, found: list[Interval], horizon: Span, result: Judgement
) -> Iterator[Interval]:
    allowed = accumulated.allowance(term)
    for week in accumulated.weeks(term, found, result.clock, horizon):
        if week.goes_on(result.clock) and not result.reached(result.clock + allowed - week.total):
            continue
        if week.total < allowed or (week.total == allowed and not week.goes_on(result.clock)):
            continue
        onset, end = max(week.start, term.start), min(week.end, term.end)
        over = result.reached(end)
        yield Interval(
            participant=person.participant,
            order=term.pieces[0].order.id,
            condition=term.condition.id,
            kind="curfew_accumulated",
            onset=onset,
            ended=end if over else None,
            level=2,
            reason=term.end_reason if over and end < week.end else "",
            evidence=tuple(heard for interval in week.away for heard in interval.evidence),
            order_version=term.piece_at(onset).order.version,
        )


def _attendance(
    person: Person, term: Term, all_fixes: list[Fix], horizon: Span, result: Judgement
) -> Iterator[Interval]:
    for one in attendance.appointments(term, horizon):
        if one.cut or one.end <= attendance.judged_from(person, term) or not result.reached(one.end):
            continue
        told = attendance.verdict(person, term, one, all_fixes)
        if told is not None:
            piece = term.piece_at(one.start)
            yield Interval(
                participant=person.participant,
                order=piece.order.id,
                condition=term.condition.id,
                kind=told.kind,
                onset=one.start,
                ended=one.end,
                level=told.level,
                reason="",
                evidence=told.evidence,
                order_version=piece.order.version,
                part=str(one.named_after),
            )


def _silence(
    person: Person, term: Term, outages: list[silence.Outage], result: Judgement
) -> Iterator[Interval]:
    standing = [outage for outage in outages if outage.onset <= result.clock]
    for span in judged_spans(term, None):
        for kind in ("contact_lost", "location_lost"):
            for gap in silence.silences(
                person, term.condition, span.start, span.end, standing, of_location=kind == "location_lost"
            ):
                if result.reached(gap.due):
                    yield _of_gap(person, term, kind, gap, span, result)


def _of_gap(
    person: Person, term: Term, kind: str, gap: silence.Silence, span: Judged, result: Judgement
) -> Interval:
    ended, reason = gap.end, ""
    if ended is None and result.reached(span.end):
        ended, reason = span.end, span.reason
    piece = term.piece_at(gap.onset)
    return Interval(
        participant=person.participant,
        order=piece.order.id,
        condition=term.condition.id,
        kind=kind,
        onset=gap.onset,
        ended=ended,
        level=1,
        reason=reason,
        evidence=_heard(gap.evidence),
        order_version=piece.order.version,
    )


def _heard(sightings: Sequence[Sighting]) -> tuple[Heard, ...]:
    return tuple(min(s.readings, key=lambda h: h.received_at) for s in sightings)


def _feed_outages(now: Known, outages: list[silence.Outage]) -> Iterator[Interval]:
    for outage in outages:
        if outage.onset > now.clock // SECOND * SECOND:
            continue
        ending = [s for sightings in now.sightings.values() for s in sightings if s.at == outage.end]
        yield Interval(
            participant=None,
            order=None,
            condition=None,
            kind="feed_outage",
            onset=outage.onset,
            ended=outage.end,
            level=1,
            reason="",
            evidence=_heard([outage.last, *ending[:1]]),
            feed=outage.feed,
        )
