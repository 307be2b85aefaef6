"""Feed outages: many devices of one feed silent together are one outage, not many silences.

One fold a feed over the instants at which any of its devices was heard, kept as stretches without a gap of
the shortest pace that any order asks for. Judged at whole-second ticks only, from what is known then: a
backlog that arrives later shrinks, splits or removes an outage.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from emon.domain.binding_book import BindingBook
from emon.domain.finding import Finding
from emon.domain.instant import SECOND
from emon.domain.reading import Reading
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.matching import Book, Key, Moment, revise
from emon.evaluate.orderbook import OrderBook
from emon.evaluate.rules.contact import pace_of
from emon.evaluate.signals import Outage
from emon.evaluate.track import key as fold_key
from emon.evaluate.verdict import Interval
from emon.journal.records import Bound, HeardElsewhere
from emon.limits import CONTACT_EVERY_S, DEFAULT_FEED, OUTAGE_MIN_MEMBERS


class Heard(NamedTuple):
    """A stretch in which the feed was heard often enough, from `first` to `last`; the readings at its
    ends, whichever partition they went to."""

    first: int
    last: int
    first_bound: Bound
    last_bound: Bound


@dataclass(slots=True)
class Feed:
    """What is known of one feed. `news`: something other than the newest stretch growing. `checked`: the
    last reading after which silence was already judged."""

    name: str
    heard: list[Heard] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)
    outages: list[Outage] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    news: bool = False
    checked: int | None = None
    recheck_at: int | None = None


class Changed(NamedTuple):
    """Participants whose silence must be judged again, from an instant on."""

    participants: dict[str, int]
    revisions: list[Finding]


class Outages:
    """All feeds."""

    def __init__(self, orders: OrderBook, bindings: BindingBook) -> None:
        self._orders, self._bindings = orders, bindings
        self.feeds: dict[str, Feed] = {}
        self.via: dict[str, list[tuple[int, str]]] = {}  # device -> when which feed began to carry it
        self.own: list[tuple[int, int]] = []
        self.ahead: list[Bound] = []  # of other partitions, observed in what is still the future
        self.pace = round(CONTACT_EVERY_S * SECOND)
        self.watched = False

    def standing(self) -> dict[str, list[Outage]]:
        """Outages by feed, as the last tick saw them."""
        return {name: feed.outages for name, feed in self.feeds.items() if feed.outages}

    def demand(self, every: int) -> None:
        """Some order asks for a reading at least so often. Until one does, feeds need not be followed."""
        self.pace, self.watched = min(self.pace, every), True

    def text(self) -> None:
        """An order or binding version came in: who belongs to which feed may differ."""
        for feed in self.feeds.values():
            feed.news = True

    def named(self, device: str, name: str | None) -> None:
        """A binding says by which feed a device is heard."""
        if name is not None:
            self._feed(name).devices.add(device)

    def take(self, bound: Bound) -> None:
        """A reading of a bound device."""
        reading = bound.reading
        self._hear(reading.feed or DEFAULT_FEED, reading.device, reading.observed_at, bound)

    def elsewhere(self, by: str, one: HeardElsewhere, clock: int) -> None:
        """Another partition has been given a reading."""
        bound = Bound("", one.received_at, Reading(
            device=one.device, kind=one.kind, observed_at=one.observed_at, seq=one.seq, feed=by or None,
            event=one.event, test_id=one.test_id))
        if one.observed_at > clock:
            self.ahead.append(bound)
        else:
            self.take(bound)

    def _hear(self, by: str, device: str, at: int, bound: Bound) -> None:
        """A device was heard by a feed."""
        if not self.watched:
            return
        self._note_feed(device, at, by)
        owner = self._bindings.owner(device, at)
        feed = self._feed(owner.feed if owner is not None and owner.feed is not None else by)
        feed.devices.add(device)
        heard = feed.heard
        index = bisect_right(heard, at, key=lambda h: h.first) - 1
        before = heard[index] if index >= 0 else None
        if before is not None and before.first < at < before.last:
            return
        new = Heard(at, at, bound, bound)
        low, high = index + 1, index + 1
        if before is not None and at - before.last <= self.pace:
            new, low = _join(before, new), index
        if high < len(heard) and heard[high].first - at <= self.pace:
            new, high = _join(new, heard[high]), high + 1
        grows_at_the_end = high == len(heard) and low == len(heard) - 1
        if not grows_at_the_end or (feed.outages and feed.outages[-1].ended is None):
            feed.news = True
        heard[low:high] = [new]

    def calm_from(self, last_clock: int) -> dict[str, int] | None:
        """Per feed the instant from which on readings only lengthen what was heard last. None where some feed
        is, or may fall, silent up to a clock: then every reading counts by itself."""
        if not self.watched:
            return {}
        calm = {}
        for name, feed in self.feeds.items():
            if feed.news or not feed.heard or feed.checked == feed.heard[-1].last:
                return None
            if feed.heard[-1].last + self.pace <= last_clock:
                return None
            calm[name] = feed.heard[-1].first
        if any(bound.reading.observed_at <= last_clock for bound in self.ahead):
            return None
        return calm

    def due(self, clock: int) -> int | None:
        """The next whole second at which something may change."""
        dues = [d for d in (self._due(feed, clock) for feed in self.feeds.values()) if d is not None]
        dues += [-(-bound.reading.observed_at // SECOND) * SECOND for bound in self.ahead]
        return min(dues, default=None)

    def judge(self, tick: int, moment: Moment) -> Changed:
        """What a whole second brings."""
        changed = Changed({}, [])
        ripe = [bound for bound in self.ahead if bound.reading.observed_at <= tick]
        self.ahead = [bound for bound in self.ahead if bound.reading.observed_at > tick]
        for bound in ripe:
            self.take(bound)
        for _, feed in sorted(self.feeds.items()):
            due = self._due(feed, tick)
            if due is None or due > tick:
                continue
            before, feed.outages = feed.outages, self._outages(feed, tick)
            feed.news, feed.checked = False, feed.heard[-1].last if feed.heard else None
            if before == feed.outages:
                continue
            self._affected(set(before) ^ set(feed.outages), changed)
            key = Key(None, None, None, "feed_outage", feed=feed.name)
            intervals = [_interval(outage, feed) for outage in feed.outages]
            changed.revisions.extend(revise(key, feed.book, ALWAYS, NEVER, intervals, moment))
        return changed

    def _feed(self, name: str) -> Feed:
        feed = self.feeds.get(name)
        if feed is None:
            feed = self.feeds[name] = Feed(name)
        return feed

    def _note_feed(self, device: str, at: int, by: str) -> None:
        known = self.via.setdefault(device, [])
        index = bisect_right(known, at, key=lambda entry: entry[0])
        if index > 0 and known[index - 1][1] == by:
            return
        if index < len(known) and known[index][1] == by:
            known[index] = (at, by)
        else:
            known.insert(index, (at, by))

    def _due(self, feed: Feed, clock: int) -> int | None:
        now = -(-clock // SECOND) * SECOND
        if feed.news:
            return now
        if not feed.heard:
            return None
        last = feed.heard[-1].last
        if feed.checked == last:
            return feed.recheck_at
        return max(-(-(last + self.pace) // SECOND) * SECOND, now)

    def _outages(self, feed: Feed, tick: int) -> list[Outage]:
        feed.recheck_at = None
        found = []
        for index, heard in enumerate(feed.heard):
            following = feed.heard[index + 1].first if index + 1 < len(feed.heard) else None
            members, every = self._members(feed, heard.last)
            if every is None or len(members) < OUTAGE_MIN_MEMBERS:
                continue
            onset = self._base(heard.last, every) + every
            if following is not None and following <= onset:
                continue
            if onset <= tick:
                found.append(Outage(feed.name, heard.last, onset, following, members))
            elif following is None:
                feed.recheck_at = -(-onset // SECOND) * SECOND
        return found

    def _base(self, last: int, every: int) -> int:
        for begin, end in self.own:
            if last < end and last + every > begin:
                last = end
        return last

    def _members(self, feed: Feed, at: int) -> tuple[frozenset[str], int | None]:
        """Devices of the feed at an instant, and the shortest pace that their wearers' orders ask for."""
        members, people = set(), set()
        for device in feed.devices:
            owner = self._bindings.owner(device, at)
            if owner is not None and (owner.feed or self._carrier(device, at)) == feed.name:
                members.add(device)
                people.add(owner.participant)
        paces = [pace_of(term).every for person in people if person is not None
                 for term in self._orders.terms(person)
                 if term.condition.kind == "contact" and term.from_ <= at < term.until]
        return frozenset(members), min(paces, default=None)

    def _carrier(self, device: str, at: int) -> str | None:
        known = self.via.get(device, ())
        index = bisect_right(known, at, key=lambda entry: entry[0])
        return known[index - 1][1] if index else None

    def _affected(self, outages: set[Outage], changed: Changed) -> None:
        for outage in outages:
            for device in outage.members:
                owner = self._bindings.owner(device, outage.onset)
                if owner is not None and owner.participant is not None:
                    since = changed.participants.get(owner.participant, NEVER)
                    changed.participants[owner.participant] = min(since, outage.last + 1)


def _join(left: Heard, right: Heard) -> Heard:
    """Two stretches as one. Of readings at one instant the first in fold order stands at the beginning and the
    last at the end, and of the same one twice what came first: in whatever order they are heard."""
    first, last = left.first_bound, right.last_bound
    if left.first == right.first:
        first = min(first, right.first_bound, key=lambda bound: (fold_key(bound), bound.received_at))
    if left.last > right.last:
        last = left.last_bound
    elif left.last == right.last:
        last = max(left.last_bound, last, key=lambda bound: (fold_key(bound), -bound.received_at))
    return Heard(left.first, max(left.last, right.last), first, last)


def _interval(outage: Outage, feed: Feed) -> Interval:
    last = next((h.last_bound for h in feed.heard if h.last == outage.last), None)
    following = next((h.first_bound for h in feed.heard if h.first == outage.ended), None)
    numbers: dict[str, Any] = {"devices": len(outage.members), "last_heard_at": outage.last,
                               "parameters": {"minimum_devices": OUTAGE_MIN_MEMBERS}}
    used = (last, following)
    return Interval(family="feed_outage", kind="feed_outage", onset=outage.onset, ended=outage.ended, level=1,
                    reason="silence" if outage.ended is None else "heard",
                    settled=NEVER if outage.ended is None else outage.ended,
                    used=tuple(b for b in used if b is not None), numbers=numbers)
