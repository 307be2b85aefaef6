"""The evaluator: records in, revisions of findings out, the same for every split into batches.

Time is data. The clock is the `received_at` of what has been read; timers fire by it and by nothing else.
An arrival is all records of one instant, judged together with the timers due at it; timers due before it
fire before it. What the evaluator believes at an instant follows from the set of readings and versions
taken in by then, so late data simply changes the set.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import compress, groupby

import numpy as np

from emon.domain.binding_book import BindingBook, holder
from emon.domain.finding import Finding
from emon.domain.instant import SECOND
from emon.domain.order import Order
from emon.domain.verdict import Verdict
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate import sentences, state
from emon.evaluate.analysts import VerdictBook
from emon.evaluate.lane import Lane
from emon.evaluate.lane_rows import compile_person
from emon.evaluate.lane_saved import dump as dump_lane
from emon.evaluate.lane_saved import load as load_lane
from emon.evaluate.matching import Moment, output_order
from emon.evaluate.orderbook import OrderBook
from emon.evaluate.outages import Outages
from emon.evaluate.paths import Cells
from emon.evaluate.person import Books, News, Person
from emon.evaluate.port import Chunk, History, Snapshot
from emon.evaluate.track import Horizon, chunks
from emon.journal.port import partition_of
from emon.journal.records import (
    BindingVersion,
    Bound,
    InputRecord,
    OrderVersion,
    OwnOutage,
    Tick,
    VerdictVersion,
    ZoneVersion,
    encode,
)
from emon.limits import CACHED_READINGS, CONTACT_EVERY_S, LANE_READINGS, LANE_SPAN, PENDING_BYTES, RULE_VERSION


class Evaluator:
    """State of one partition. Not safe to call from two threads at once."""

    def __init__(self, history: History, *, partition: int = 0, partitions: int = 1,
                 rule_version: int = RULE_VERSION) -> None:
        self._history, self._partition, self._partitions = history, partition, partitions
        self.rule_version = rule_version
        self.clock = ALWAYS
        self._horizon = Horizon(ALWAYS)
        self._orders, self._bindings, self._verdicts = OrderBook(), BindingBook(), VerdictBook()
        self._outages = Outages(self._orders, self._bindings)
        self._people: dict[str, Person] = {}
        self._timers: list[tuple[int, str]] = []
        self._arrival: list[InputRecord] = []
        self._cells = Cells()
        self._lane = Lane(self._outages.ways, self._cells)
        self._touched: set[str] = set()
        self._unwritten: set[str] = set()  # who may have readings that the history lacks, the lane's aside
        self._reading: set[str] = set()  # who may have days in memory
        self._dirty: set[str] = set()
        self._dirty_texts: set[str] = set()
        self._kept_away: dict[str, set[str]] = {}  # who must keep away from somebody here, as far as looked up

    def step(self, records: Sequence[InputRecord], lines: Sequence[bytes] | None = None) -> list[Finding]:
        """Revisions that the whole arrivals in `records` bring, in the published order. The last arrival is
        kept back until it is known to be whole. `lines`: the records as JSON, where somebody has them already."""
        known = [*self._arrival, *records]
        every = [*map(encode, self._arrival), *(map(encode, records) if lines is None else lines)]
        end = len(known)
        if known and not _closes(known[-1]):
            while end and known[end - 1].received_at == known[-1].received_at and not _closes(known[end - 1]):
                end -= 1
        self._arrival = known[end:]
        return self.arrivals(known[:end], every[:end])

    def arrivals(self, records: Sequence[InputRecord], lines: Sequence[bytes] | None = None) -> list[Finding]:
        """Judges whole arrivals, whatever their marks: records of one `received_at` are one arrival."""
        written: list[Finding] = []
        begin = 0
        if lines is None:
            lines = list(map(encode, records))
        for index in _texts(records):
            if index < begin:
                continue
            low = bisect_left(records, records[index].received_at, begin, index, key=_received)
            high = bisect_right(records, records[index].received_at, index, key=_received)
            written += self._chunks(records[begin:low], lines[begin:low]) + self._arrive(records[low:high])
            begin = high
        return written + self._chunks(records[begin:], lines[begin:])

    def _chunks(self, records: Sequence[InputRecord], lines: Sequence[bytes]) -> list[Finding]:
        """Readings and ticks, in spans short enough for the lane."""
        written: list[Finding] = []
        begin = 0
        while begin < len(records):
            end = bisect_right(records, records[begin].received_at + LANE_SPAN, begin, key=_received)
            room = max(LANE_READINGS, len(self._people))  # whoever is judged in full is so with all of a chunk
            if end - begin > room:
                end = bisect_right(records, records[begin + room].received_at, begin, end, key=_received)
            written += self._chunk(records[begin:end], lines[begin:end])
            begin = end
            if self._lane.waiting.bytes > PENDING_BYTES:
                self.flush_history()
        return written

    def _chunk(self, records: Sequence[InputRecord], lines: Sequence[bytes]) -> list[Finding]:
        """What changes nothing is taken in at once, the rest arrival by arrival."""
        self._enter_lane(max(records[0].received_at, self.clock))
        last = max(records[-1].received_at, self.clock)
        bounds = [r for r in records if type(r) is Bound]
        ticks = [r for r in records if type(r) is Tick and r.heard]
        calmness = self._outages.calm_from(last, bounds, ticks) if bounds or ticks else None
        if calmness is not None and self._lane.names:
            for name in self._due_people(last):
                self._set_timer(self._leave_lane(name))  # what the lane looked after may be due first
            lines = list(compress(lines, [type(r) is Bound for r in records]))
            idle = self._lane.idle(bounds, lines, last, calmness.from_, calmness.apart)
            self._outages.skim(self._lane.calm(idle, bounds), calmness.together, last)
            loud: list[InputRecord] = [bounds[i] for i in np.flatnonzero(~idle.good).tolist()]
            loud = sorted([*loud, *calmness.later], key=_received)
        else:
            loud = [r for r in records if type(r) is Bound or (type(r) is Tick and r.heard)]
        written: list[Finding] = []
        for _, arrival in groupby(loud, key=_received):
            written += self._arrive(list(arrival))
        written += self._fire(last, inclusive=True)
        self.clock = self._horizon.at = max(self.clock, last)
        return written

    def _due_people(self, last: int) -> list[str]:
        """Who has a timer up to a clock, silences in the lane aside."""
        due: dict[str, int] = {}
        while self._timers and self._timers[0][0] <= last:
            at, participant = heapq.heappop(self._timers)
            if self._person_due(participant) == at:
                due[participant] = at
        for participant, at in due.items():
            heapq.heappush(self._timers, (at, participant))
        return list(due)

    def _enter_lane(self, clock: int) -> None:
        """Compiles everybody who was judged since the last chunk and is at rest."""
        for participant in self._touched:
            if self._who_keeps_away(participant):
                continue  # what changes nothing for this person may change something for others
            person = self._people[participant]
            row = compile_person(person, self._orders, clock, watched=self._outages.watched)
            if row is not None:
                self._lane.enter(person, row)
                if row.contact is not None:
                    self._set_timer(person)  # of all that is due what the lane looks after is no longer the first
        self._touched.clear()

    def _leave_lane(self, participant: str) -> Person:
        """The person with everything that the lane knows."""
        person = self._people[participant]
        self._lane.leave(person)
        self._touched.add(participant)
        self._unwritten.add(participant)
        return person

    def advance(self, clock_us: int) -> list[Finding]:
        """Moves the clock: takes in what arrived by then and fires timers up to and including it."""
        written: list[Finding] = []
        if self._arrival and self._arrival[0].received_at <= clock_us:
            arrival, self._arrival = self._arrival, []
            written = self._arrive(arrival)
        written += self._fire(clock_us, inclusive=True)
        self.clock = max(self.clock, clock_us)
        return written

    @property
    def next_due(self) -> int | None:
        """The next instant at which a timer may fire without any record."""
        while self._timers and self._person_due(self._timers[0][1]) != self._timers[0][0]:
            heapq.heappop(self._timers)
        dues = [self._timers[0][0]] if self._timers else []
        others = (self._outages.due(self.clock) if self._outages.watched else None, self._lane.next_due())
        return min([*dues, *(due for due in others if due is not None)], default=None)

    def snapshot(self) -> tuple[bytes, dict[str, bytes | None]]:
        """The shared part, and the parts that changed since the last call. Flush the history first."""
        self._dirty.update(self._lane.names[p] for p in self._lane.changed)
        self._lane.changed.clear()
        changed: dict[str, bytes | None] = {p: state.dump_person(self._people[p]) for p in self._dirty}
        for name in self._dirty_texts:
            kind, name_of = name[:name.index("\x1f", 1) + 1], name[name.index("\x1f", 1) + 1:]
            if kind == state.ORDER:
                changed[name] = state.dump_versions(self._orders.order_versions(name_of))
            elif kind == state.ZONE:
                changed[name] = state.dump_versions(self._orders.zone_versions(name_of))
            elif kind == state.VERDICT:
                changed[name] = state.dump_versions(self._verdicts.versions(name_of))
            else:
                changed[name] = state.dump_versions(self._bindings.versions(name_of))
        self._dirty.clear()
        self._dirty_texts.clear()
        return state.dump_shared(self.clock, self._arrival, self._outages, dump_lane(self._lane)), changed

    @classmethod
    def restore(cls, snapshot: Snapshot, history: History, *, partition: int = 0, partitions: int = 1,
                rule_version: int = RULE_VERSION) -> Evaluator:
        """The evaluator as it was when the snapshot was taken."""
        evaluator = cls(history, partition=partition, partitions=partitions, rule_version=rule_version)
        texts = state.load_versions(snapshot.participants)
        for order in texts.orders:
            evaluator._orders.add_order(order)
        for zone in texts.zones:
            evaluator._orders.add_zone(zone)
        for binding in texts.bindings:
            evaluator._bindings.add(binding)
        for verdict in texts.verdicts:
            evaluator._verdicts.add(verdict)
        for name, part in snapshot.participants.items():
            if not name.startswith("\x1f"):
                person = Person(name, history, evaluator._bindings, evaluator._horizon, evaluator._cells,
                                alone=name in evaluator._orders.protected_devices)
                state.load_person(part, person)
                evaluator._people[name] = person
        shared = state.load_shared(snapshot.shared, evaluator._outages)
        evaluator.clock, evaluator._arrival, lane = shared
        evaluator._horizon.at = evaluator.clock
        evaluator._dirty.update(load_lane(lane, evaluator._people))  # their parts in the snapshot are old
        for person in evaluator._people.values():
            evaluator._set_timer(person)
        evaluator._touched.update(evaluator._people)
        return evaluator

    def flush_history(self) -> None:
        """Writes readings that the history does not have yet; call before `snapshot`."""
        written: list[Chunk] = self._lane.flush(self._people)
        for name in self._unwritten:
            fresh = self._people[name].track.take_fresh()
            if fresh:
                written += chunks(name, fresh)
        if written:
            self._history.append(written)
        for chunk in written:
            self._people[chunk.participant].track.wrote(chunk.day)
        self._reading |= self._unwritten
        self._unwritten.clear()
        if sum(len(self._people[name].track) for name in self._reading) > CACHED_READINGS:
            for name in self._reading:
                self._people[name].track.forget()
            self._reading.clear()

    def _arrive(self, arrival: Sequence[InputRecord]) -> list[Finding]:
        at = max(arrival[0].received_at, self.clock)
        written: list[Finding] = []
        for record in arrival:
            if isinstance(record, OwnOutage):
                written += self._own_outage(record)
        written += self._fire(at, inclusive=False)
        self.clock = at
        return written + self._judge(at, self._take(arrival))

    def _fire(self, until: int, *, inclusive: bool) -> list[Finding]:
        """Timers up to `until`, instant by instant."""
        written: list[Finding] = []
        while (due := self.next_due) is not None and (due < until or (inclusive and due == until)):
            self.clock = max(self.clock, due)
            written += self._judge(self.clock, {})
        return written

    def _take(self, arrival: Iterable[InputRecord]) -> dict[str, News]:
        """Texts first, then readings: they are one instant."""
        news: dict[str, News] = {}
        readings = []
        for record in arrival:
            if isinstance(record, Bound):
                readings.append(record)
            else:
                self._take_text(record, news)
        for bound in readings:
            self._take_reading(bound, news)
        return news

    def _take_reading(self, bound: Bound, news: dict[str, News]) -> None:
        if bound.participant in self._people:
            person = self._leave_lane(bound.participant)
        else:  # whose it is was decided before it came here; protected persons' fixes come too
            person = self._new_person(bound.participant)
        self._dirty.add(bound.participant)
        self._outages.take(bound)
        if bound.reading.observed_at > self.clock:
            person.ahead.append(bound)
            self._set_timer(person)
            return
        person.take(bound, news.setdefault(bound.participant, News()))

    def _take_text(self, record: InputRecord, news: dict[str, News]) -> None:
        changed: dict[str, int] = {}
        why = "order_changed"
        if not isinstance(record, Tick):
            self._kept_away.clear()
        match record:
            case OrderVersion(order=order):
                changed = self._orders.add_order(order)
                self._dirty_texts.add(state.ORDER + order.id)
                self._protect(order)
                for condition in order.conditions:
                    if condition.kind == "contact":
                        every_s = CONTACT_EVERY_S if condition.every_s is None else condition.every_s
                        self._outages.demand(round(every_s * SECOND), self.clock)
                self._outages.text()
            case ZoneVersion(zone=zone):
                changed, why = self._orders.add_zone(zone), "zone_changed"
                self._dirty_texts.add(state.ZONE + zone.id)
            case BindingVersion(binding=binding):
                self._outages.before_binding(self.clock)
                changed, why = self._bind(record), "binding_changed"
                self._dirty_texts.add(state.BINDING + binding.id)
                self._outages.named(binding.device, binding.feed)
                self._outages.text()
            case VerdictVersion(verdict=verdict):
                self._take_verdict(verdict, news)
            case Tick(heard=heard) | OwnOutage(heard=heard) if heard:
                self._outages.elsewhere(heard)
            case _:
                pass
        for participant, from_ in changed.items():
            if self._person(participant) is not None:
                self._leave_lane(participant)
                news.setdefault(participant, News()).text(from_, why)
                self._dirty.add(participant)

    def _protect(self, order: Order) -> None:
        """A device that an order names stands for its bearer from now on."""
        for device in {c.protected_device for c in order.conditions} & self._people.keys():
            person = self._leave_lane(device or "")
            person.alone = True
            person.rebind(self._bindings, self.clock)

    def _who_keeps_away(self, name: str) -> set[str]:
        """Participants judged here who must keep away from a person, by the words of any version."""
        if not self._orders.protects:
            return set()
        found = self._kept_away.get(name)
        if found is None:
            found = {p for p in self._orders.kept_away(name, self._bindings.devices_of(name))
                     if self._is_mine(p) and p != name}
            self._kept_away[name] = found
        return found

    def _is_mine(self, participant: str) -> bool:
        return self._partitions == 1 or partition_of(participant, self._partitions) == self._partition

    def _take_verdict(self, verdict: Verdict, news: dict[str, News]) -> None:
        """Only the episode that it names, or named before, must be looked at again."""
        self._dirty_texts.add(state.VERDICT + verdict.id)
        for named in self._verdicts.add(verdict):
            if self._person(named.participant) is not None:
                self._leave_lane(named.participant)
                news.setdefault(named.participant, News()).verdicts.append(named)
                self._dirty.add(named.participant)

    def _bind(self, record: BindingVersion) -> dict[str, int]:
        """Takes a binding in; also what only changes its role or place is a change."""
        binding = record.binding
        owners: set[str] = set()
        before = {d: list(self._bindings.spans(d)) for d in self._bindings.devices_named(binding)}
        self._bindings.add(binding)
        from_ = NEVER
        for device in self._bindings.devices_named(binding):
            after = self._bindings.spans(device)
            owners |= {holder(s.item)[1] for s in (*after, *before.get(device, ()))}
            if after != before.get(device, []):
                from_ = min([from_, *(s.from_ for s in {*after} ^ {*before.get(device, [])})])
        if from_ == NEVER:
            return {}
        changed = dict.fromkeys(owners, from_)
        for device in self._bindings.devices_named(binding):
            if device in self._orders.protected_devices:  # who must be kept away from may be another person now
                owners.add(device)
                changed |= dict.fromkeys(self._orders.protected_devices[device], ALWAYS)
        for participant in owners & self._people.keys():
            person = self._leave_lane(participant)
            person.rebind(self._bindings, self.clock)
        return changed

    def _own_outage(self, record: OwnOutage) -> list[Finding]:
        span = (record.from_, record.to)
        if span in self._outages.own or record.from_ >= record.to:
            return []
        written = self._fire(min(record.from_, record.received_at), inclusive=True)
        self._outages.own = sorted([*self._outages.own, span])
        self._outages.text()
        if self.clock > record.from_:
            late = {p: News(silence_from=record.from_) for p in self._people}
            written += self._judge(self.clock, late)
        return written

    def _judge(self, at: int, news: dict[str, News]) -> list[Finding]:
        """Everything that this instant decides, in the published order."""
        for participant in self._lane.due_by(at):
            self._leave_lane(participant)
            news.setdefault(participant, News())
        while self._timers and self._timers[0][0] <= at:
            due, participant = heapq.heappop(self._timers)
            if self._person_due(participant) == due:
                self._wake(self._leave_lane(participant), at, news.setdefault(participant, News()))
        written: list[Finding] = []
        if at % SECOND == 0:
            changed = self._outages.judge(at, self._moment(at))
            written += changed.revisions if self._partition == 0 else []
            for participant, since in changed.participants.items():
                if participant in self._people:
                    mine = news.setdefault(participant, News())
                    mine.silence_from = min(mine.silence_from, since)
        books = Books(self._orders, self._bindings, self._outages.standing(), self._outages.own,
                      self._verdicts, self.rule_version, self._other)
        for name in list(news):
            for participant in self._who_keeps_away(name):
                news.setdefault(participant, News()).beside[name] = news[name]
        for participant in news:
            person = self._leave_lane(participant)
            if self._is_mine(participant):  # else only here because somebody who is judged here must keep away
                written += person.judge(books, at, news[participant])
            self._dirty.add(participant)
            self._set_timer(person)
        self._horizon.at = max(self._horizon.at, at)
        return sorted(written, key=output_order)

    def _wake(self, person: Person, at: int, news: News) -> None:
        """Takes in readings of the future that the clock has reached."""
        ripe = [b for b in person.ahead if b.reading.observed_at <= at]
        if ripe:
            person.ahead = [b for b in person.ahead if b.reading.observed_at > at]
            for bound in ripe:
                person.take(bound, news)

    def _moment(self, at: int) -> Moment:
        return Moment(at, self.rule_version, lambda _: "late_data", sentences.evidence, sentences.retraction)

    def _other(self, name: str) -> Person:
        """Somebody who must be kept away from."""
        return self._leave_lane(name) if name in self._people else self._new_person(name)

    def _person(self, participant: str) -> Person | None:
        """The participant; None where another partition judges them, and nobody here must keep away from them."""
        person = self._people.get(participant)
        if person is None and (self._is_mine(participant) or self._who_keeps_away(participant)):
            person = self._new_person(participant)
        return person

    def _new_person(self, participant: str) -> Person:
        person = Person(participant, self._history, self._bindings, self._horizon, self._cells, new=True,
                        alone=participant in self._orders.protected_devices)
        self._people[participant] = person
        self._unwritten.add(participant)
        return person

    def _person_due(self, participant: str) -> int | None:
        person = self._people.get(participant)
        return None if person is None else person.due

    def _set_timer(self, person: Person) -> None:
        due = person.due
        if due is not None:
            heapq.heappush(self._timers, (due, person.participant))


def _texts(records: Sequence[InputRecord]) -> list[int]:
    """Where records stand that are neither readings nor ticks."""
    if {*map(type, records)} <= {Bound, Tick}:
        return []
    return [i for i, r in enumerate(records) if type(r) is not Bound and type(r) is not Tick]


def _received(record: InputRecord) -> int:
    return record.received_at


def _closes(record: InputRecord) -> bool:
    """Whether the record is marked as its arrival's last."""
    return isinstance(record, Tick) or record.last
