"""Feed outages: many devices of one feed silent together are one outage, not many silences.

One fold a feed over the instants at which any of its devices was heard. Judged at whole-second ticks only, from what
is known then: a backlog that arrives later shrinks, splits or removes an outage.

Readings of other partitions come with the tick that follows them. So that they and our own are treated alike, every
reading waits for the whole second after its arrival and joins its feed by the bindings known then: what a partition
knows at a second is a set, the same in all partitions, however the readings are spread over them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from emon.domain.binding_book import BindingBook
from emon.domain.finding import Finding
from emon.domain.instant import DAY, SECOND
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.calm import Bounds, Calm, Ways
from emon.evaluate.matching import Book, Key, Moment, revise
from emon.evaluate.orderbook import OrderBook
from emon.evaluate.rules.contact import pace_of
from emon.evaluate.signals import Outage
from emon.evaluate.stretches import Heard, Spoken, bound_of, join, mark_of, stretches, telling, thin
from emon.evaluate.verdict import Interval
from emon.journal.records import Bound, HeardElsewhere, Tick
from emon.limits import (
    CONTACT_EVERY_S,
    DEFAULT_FEED,
    FEED_GRAIN,
    FEED_GRAIN_FOR,
    FEED_STRETCHES,
    HISTORY_DAYS,
    OUTAGE_MIN_MEMBERS,
)

_observed, _last = attrgetter("observed_at"), attrgetter("last")
_STEPS_BACK = 64  # stretches looked at to find since when a feed is calm: any later instant is right too


@dataclass(slots=True)
class Feed:
    """What is known of one feed. `news`: something other than the newest stretch growing. `checked`: the
    last reading after which silence was already judged. `room`: how many stretches before old ones are thinned."""

    name: str
    heard: list[Heard] = field(default_factory=list)
    devices: set[str] = field(default_factory=set)
    outages: list[Outage] = field(default_factory=list)
    book: Book = field(default_factory=Book)
    news: bool = False
    checked: int | None = None
    recheck_at: int | None = None
    room: int = FEED_STRETCHES


class Changed(NamedTuple):
    """Participants whose silence must be judged again, from an instant on."""

    participants: dict[str, int]
    revisions: list[Finding]


class Calmness(NamedTuple):
    """`from_`: per feed from when on readings only lengthen what was heard last, NEVER where they may do more; feeds
    that are not named do not matter. `apart`: people to whom something may happen meanwhile. `together`: what ticks
    tell that only lengthens; `later`: what they tell else."""

    from_: dict[str, int]
    apart: set[str]
    together: Sequence[Tick]
    later: Sequence[Tick]


class Outages:
    """All feeds. `waiting`: readings whose second is not over; `ahead`: observed in what is still the future."""

    def __init__(self, orders: OrderBook, bindings: BindingBook) -> None:
        self._orders, self._bindings = orders, bindings
        self.feeds: dict[str, Feed] = {}
        self.via: dict[str, list[tuple[int, str]]] = {}  # device -> when which feed began to carry it
        self.own: list[tuple[int, int]] = []
        self.waiting: list[Spoken] = []
        self.ways = Ways()
        self._calm: list[tuple[int, Calm]] = []  # waits too: until which second, and what
        self.ahead: list[Spoken] = []
        self.pace = round(CONTACT_EVERY_S * SECOND)
        self.watched = False
        self._second = NEVER  # the end of the first second in which something waiting was received
        # device -> (from, until, by, feed): what comes by that feed then changes nothing about who belongs where
        self._plain: dict[str, tuple[int, int, str, str]] = {}

    def standing(self) -> dict[str, list[Outage]]:
        """Outages by feed, as the last tick saw them."""
        return {name: feed.outages for name, feed in self.feeds.items() if feed.outages}

    def demand(self, every: int, clock: int) -> None:
        """Some order asks for a reading at least so often, perhaps also back in time. Until one does, feeds are
        followed and not judged."""
        if every < self.pace:
            for feed in self.feeds.values():
                self._thin(feed, clock)
        self.pace, self.watched = min(self.pace, every), True

    def text(self) -> None:
        """An order or binding version came in: who belongs to which feed may differ."""
        self._plain.clear()
        self.waiting, self._calm = self.all_waiting(), []
        for feed in self.feeds.values():
            feed.news = True

    def named(self, device: str, name: str | None) -> None:
        """A binding says by which feed a device is heard."""
        if name is not None:
            self._feed(name).devices.add(device)

    # --- readings ----------------------------------------------------------------------------------------

    def take(self, bound: Bound) -> None:
        """A reading of a bound device."""
        self._wait(_spoken(bound))

    def elsewhere(self, heard: Mapping[str, Sequence[HeardElsewhere]]) -> None:
        """Readings that other partitions were given."""
        for spoken in _elsewhere(heard):
            self._wait(spoken)

    def skim(self, calm: Calm, ticks: Iterable[Tick], last_clock: int) -> None:
        """Readings that were found to change nothing up to a clock, before which no version comes."""
        second = last_clock - last_clock % SECOND
        others = self._skim_elsewhere(ticks, second, calm)
        ripe = calm.came <= second
        self._count_calm([calm.part(ripe)], [s for s in others if s.received_at <= second], second)
        if not ripe.all():
            self._wait_until(second + SECOND)
            self._calm.append((second + SECOND, calm.part(~ripe).alone()))
        for one in others:
            if one.received_at > second:
                self._wait(one)

    def _skim_elsewhere(self, ticks: Iterable[Tick], second: int, calm: Calm) -> list[Spoken]:
        """Counts what other partitions were given by a second of devices that come as they came before, without
        looking each up; returns the rest. `calm`: readings that we have ourselves."""
        heard = [(by or DEFAULT_FEED, those) for tick in ticks for by, those in (tick.heard or {}).items()]
        if not heard:
            return []
        plain, oldest = self._plain, HISTORY_DAYS * DAY
        odd = {self.ways.ways[way].device for way in calm.ways.tolist()}
        for by, those in heard:
            for one in those:
                at, came, known = one.observed_at, one.received_at, plain.get(one.device)
                if (known is None or not known[0] <= at < known[1] or known[2] != by or came > second
                        or not came - oldest <= at <= second):
                    odd.add(one.device)
        rest: list[Spoken] = []
        by_feed: dict[str, list[HeardElsewhere]] = {}
        for by, those in heard:
            for one in those:
                if one.device in odd:  # all of it: what one reading moves decides what the next one means
                    rest.append(Spoken(one.received_at, one.observed_at, one.device, by, one))
                else:
                    by_feed.setdefault(plain[one.device][3], []).append(one)
        for name, ones in by_feed.items():
            instants = np.fromiter(map(_observed, ones), np.int64, len(ones))
            self._hear(self._feed(name), instants, ones.__getitem__, second)
        return rest

    def all_waiting(self) -> list[Spoken]:
        """The readings whose second is not over."""
        return self.waiting + [one for _, calm in self._calm for one in calm.spoken(self.ways.ways)]

    def before_binding(self, clock: int) -> None:
        """A binding is about to come in: it counts for the readings of its own second, not for earlier ones."""
        self.settle(_second_of(clock) - SECOND)

    def settle(self, tick: int) -> None:
        """What was received up to a whole second counts from then on."""
        ripe: list[Spoken] = []
        calm: list[Calm] = []
        if self._second <= tick:
            ripe = [s for s in self.waiting if s.received_at <= tick]
            self.waiting = [s for s in self.waiting if s.received_at > tick]
            calm = [each for second, each in self._calm if second <= tick]
            self._calm = [(second, each) for second, each in self._calm if second > tick]
            self._find_second()
        if self.ahead:
            ripe += [s for s in self.ahead if s.observed_at <= tick]
            self.ahead = [s for s in self.ahead if s.observed_at > tick]
        if ripe or calm:
            self._count_calm(calm, ripe, tick)

    def restored(self) -> None:
        """What waits was put back from a snapshot."""
        self._find_second()

    def _find_second(self) -> None:
        seconds = [_second_of(s.received_at) for s in self.waiting] + [second for second, _ in self._calm]
        self._second = min(seconds, default=NEVER)

    def _wait(self, spoken: Spoken) -> None:
        self._wait_until(_second_of(spoken.received_at))
        self.waiting.append(spoken)

    def _wait_until(self, second: int) -> None:
        if second > self._second:
            self.settle(self._second)
        self._second = min(self._second, second)

    def _count(self, ripe: Sequence[Spoken], tick: int) -> None:
        self.ahead += [s for s in ripe if s.observed_at > tick]
        counted = [s for s in ripe if s.received_at - HISTORY_DAYS * DAY <= s.observed_at <= tick]
        plain = self._plain
        by_feed: dict[str, list[Spoken]] = {}
        odd: set[str] = set()
        for s in counted:
            known = plain.get(s.device)
            if known is None or not known[0] <= s.observed_at < known[1] or known[2] != s.by:
                odd.add(s.device)
        if odd:  # their other readings with them: what one of them moves decides what the next one means
            by_feed = self._sort_out([s for s in counted if s.device in odd])
        for s in counted:
            if s.device not in odd:
                by_feed.setdefault(plain[s.device][3], []).append(s)
        for name, spoken in by_feed.items():
            instants = np.array([s.observed_at for s in spoken], dtype=np.int64)
            self._hear(self._feed(name), instants, partial(_mark_at, spoken), tick)

    def _count_calm(self, calms: Sequence[Calm], others: list[Spoken], tick: int) -> None:
        """Devices that come as they came before are counted together; the rest one by one."""
        elsewhere = {one.device for one in others}
        for device in elsewhere:
            self.ways.forget(device)
        together: list[tuple[Calm, NDArray[np.bool_]]] = []
        rest: list[Spoken] = []
        for calm in calms:
            firsts = calm.firsts()
            known = firsts >= self.ways.since[calm.ways]
            for i in np.flatnonzero(~known).tolist():
                way = int(calm.ways[i])
                known[i] = self.ways.ways[way].device not in elsewhere and self._listen(way, int(firsts[i]))
            if not known.all():
                rest += calm.spoken(self.ways.ways, ~known)
            together.append((calm, known))
        self._count([*others, *rest], tick)
        for calm, known in together:
            for name, mine in self.ways.by_feed(calm.ways):
                rows = calm.rows(mine & known)
                if rows.size:
                    self._hear(self._feed(name), calm.at[rows], partial(_mark_of_row, calm.bounds, rows), tick)

    def _listen(self, way: int, first: int) -> bool:
        """Takes in from when on a device was heard in a way, if that is the only way or the newest one."""
        device, by, name = self.ways.ways[way]
        known = self.via.get(device, [])
        if not known or known[-1][1] != by or (first < known[-1][0] and len(known) > 1):
            return False
        if first < known[-1][0]:
            self._disturb(first, known[-1][0])
            known[0] = (first, by)
        self._feed(name).devices.add(device)
        self.ways.since[way] = known[-1][0]
        return True

    def _sort_out(self, counted: Sequence[Spoken]) -> dict[str, list[Spoken]]:
        """Readings by feed, once it is noted which feed carries whom."""
        for s in sorted(counted, key=lambda s: (_second_of(s.received_at), s.observed_at, s.device, s.by)):
            self._note_feed(s.device, s.observed_at, s.by)
        by_feed: dict[str, list[Spoken]] = {}
        for s in counted:
            since, by = self.via[s.device][-1]
            name = self._name_of(s)
            by_feed.setdefault(name, []).append(s)
            self._feed(name).devices.add(s.device)
            self._plain.pop(s.device, None)
            for span in self._bindings.spans(s.device):
                if by == s.by and span.from_ <= s.observed_at < span.until:
                    self._plain[s.device] = (max(since, span.from_), span.until, by, name)
        return by_feed

    def _disturb(self, from_: int, until: int) -> None:
        """Who was a member in [from_, until) may differ, though feeds were heard just the same: that matters where
        some feed was silent after an instant in it."""
        for feed in self.feeds.values():
            index = bisect_left(feed.heard, from_, key=_last)
            while not feed.news and index < len(feed.heard) and feed.heard[index].last < until:
                following = feed.heard[index + 1].first if index + 1 < len(feed.heard) else NEVER
                feed.news = following - feed.heard[index].last > self.pace
                index += 1

    def _hear(self, feed: Feed, at: NDArray[np.int64], mark: Callable[[int], HeardElsewhere], tick: int) -> None:
        """The feed was heard at some instants; `mark`: what evidence says of the reading at an index."""
        grain = min(FEED_GRAIN, self.pace)
        rows = telling(feed.heard, at, grain)
        rows = rows[np.argsort(at[rows], kind="stable")]
        standing = bool(feed.outages) and feed.outages[-1].ended is None
        for stretch in stretches(at[rows], lambda i: mark(int(rows[i])), grain):
            new = not feed.heard or (standing and stretch.last > feed.heard[-1].last)
            if join(feed.heard, stretch, grain, self.pace) or new:
                feed.news = True
        if len(feed.heard) > feed.room:
            self._thin(feed, tick)
            feed.room = max(FEED_STRETCHES, 2 * len(feed.heard))

    def _thin(self, feed: Feed, clock: int) -> None:
        feed.heard = thin(feed.heard, clock - FEED_GRAIN_FOR, self.pace)

    def _name_of(self, spoken: Spoken) -> str:
        owner = self._bindings.owner(spoken.device, spoken.observed_at)
        return spoken.by if owner is None or owner.feed is None else owner.feed

    def _comes_as_before(self, spoken: Spoken) -> bool:
        known = self.via.get(spoken.device)
        return known is not None and known[-1][1] == spoken.by and (
            spoken.observed_at >= known[-1][0] or len(known) == 1)

    # --- time --------------------------------------------------------------------------------------------

    def calm_from(self, last_clock: int, bounds: Sequence[Bound], ticks: Sequence[Tick] = ()) -> Calmness | None:
        """What readings do to feeds up to a clock. None where one that waits or comes with the ticks does more to a
        feed than to tell that it is heard: then every reading counts by itself."""
        if not self.watched:
            return Calmness({}, set(), ticks, ())
        calm = {name: self._calm_of(feed, last_clock) for name, feed in self.feeds.items()}
        if not all(self._stays_calm(each, calm) for _, each in self._calm):
            return None
        others = [s for tick in ticks for s in _elsewhere(tick.heard or {})]
        ahead = [s for s in self.ahead if s.observed_at <= last_clock]
        odd = [s for group in (self.waiting, ahead, others) for s in group if not self._is_calm(s, calm)]
        if any(calm.get(self._name_of(s), ALWAYS) < NEVER or not self._comes_as_before(s)
               or s.device not in self.feeds[self._name_of(s)].devices for s in odd):
            return None
        people = self._people_of(self._troubled(calm, last_clock, bounds, odd))
        later = {s.device for s in odd}
        return Calmness(calm, people, *(_of_devices(ticks, later, wanted=wanted) for wanted in (False, True)))

    def _calm_of(self, feed: Feed, last_clock: int) -> int:
        """From when on readings only lengthen what was heard last; NEVER while the feed is, or may fall, silent."""
        if feed.news or not feed.heard or (feed.outages and feed.outages[-1].ended is None):
            return NEVER
        last = feed.heard[-1].last
        if last + self.pace <= last_clock or (
                feed.checked == last and feed.recheck_at is not None and feed.recheck_at <= last_clock):
            return NEVER
        return self._calm_since(feed)

    def _troubled(self, calm: Mapping[str, int], last_clock: int, bounds: Sequence[Bound],
                  odd: Sequence[Spoken]) -> list[Feed]:
        """Silent feeds of which something may change up to a clock. Of one that nobody speaks by nothing does."""
        silent = [feed for name, feed in self.feeds.items() if calm[name] == NEVER]
        if not silent:
            return []
        devices = {bound.reading.device for bound in bounds} | {s.device for s in odd}
        names = {bound.reading.feed or DEFAULT_FEED for bound in bounds} | {s.by for s in odd}
        return [feed for feed in silent if feed.name in names or not feed.devices.isdisjoint(devices)
                or ((due := self._due(feed, last_clock)) is not None and due <= last_clock)]

    def _people_of(self, feeds: Iterable[Feed]) -> set[str]:
        """Whoever any version gave a device that is heard by one of the feeds."""
        return {person for feed in feeds for device in feed.devices for person in self._bindings.holders(device)}

    def _stays_calm(self, waiting: Calm, calm: Mapping[str, int]) -> bool:
        """As `_is_calm`, of readings that were calm when they came in."""
        if not waiting.lies_after(calm, self.ways):
            return False
        firsts = waiting.firsts()
        for i in np.flatnonzero(firsts < self.ways.since[waiting.ways]).tolist():
            device, by, name = self.ways.ways[int(waiting.ways[i])]
            known = self.via.get(device, [])
            if not known or known[-1][1] != by or (firsts[i] < known[-1][0] and len(known) > 1) or (
                    device not in self.feeds[name].devices):
                return False
        return True

    def _calm_since(self, feed: Feed) -> int:
        index = len(feed.heard) - 1
        lowest = max(0, index - _STEPS_BACK)
        while index > lowest and feed.heard[index].first - feed.heard[index - 1].last <= self.pace:
            index -= 1
        return feed.heard[index].first

    def _is_calm(self, spoken: Spoken, calm: Mapping[str, int]) -> bool:
        plain = self._plain.get(spoken.device)
        if plain is not None and plain[0] <= spoken.observed_at < plain[1] and plain[2] == spoken.by:
            return calm.get(plain[3], NEVER) <= spoken.observed_at
        name = self._name_of(spoken)
        return (name in calm and calm[name] <= spoken.observed_at
                and self._comes_as_before(spoken) and spoken.device in self.feeds[name].devices)

    def due(self, clock: int) -> int | None:
        """The next whole second at which something may change."""
        dues = [d for d in (self._due(feed, clock) for feed in self.feeds.values()) if d is not None]
        if self.waiting or self._calm:
            dues.append(max(self._second, _second_of(clock)))
        if self.ahead:
            dues.append(max(_second_of(min(map(_observed, self.ahead))), _second_of(clock)))
        return min(dues, default=None)

    def judge(self, tick: int, moment: Moment) -> Changed:
        """What a whole second brings."""
        changed = Changed({}, [])
        self.settle(tick)
        if not self.watched:
            return changed
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
        """Keeps which feed carried the device from some time on."""
        known = self.via.setdefault(device, [])
        index = bisect_right(known, at, key=lambda entry: entry[0])
        if index > 0 and known[index - 1][1] == by:
            return
        self.ways.forget(device)
        self._disturb(at, known[index][0] if index < len(known) else NEVER)
        if index < len(known) and known[index][1] == by:
            known[index] = (at, by)
        else:
            known.insert(index, (at, by))

    def _due(self, feed: Feed, clock: int) -> int | None:
        now = _second_of(clock)
        if feed.news:
            return now
        if not feed.heard:
            return None
        last = feed.heard[-1].last
        if feed.checked == last:
            return feed.recheck_at
        return max(_second_of(last + self.pace), now)

    def _outages(self, feed: Feed, tick: int) -> list[Outage]:
        feed.recheck_at = None
        found = []
        for index, heard in enumerate(feed.heard):
            following = feed.heard[index + 1].first if index + 1 < len(feed.heard) else None
            if following is not None and following - heard.last <= self.pace:
                continue
            members, every = self._members(feed, heard.last)
            if every is None or len(members) < OUTAGE_MIN_MEMBERS:
                continue
            onset = self._base(heard.last, every) + every
            if following is not None and following <= onset:
                continue
            if onset <= tick:
                found.append(Outage(feed.name, heard.last, onset, following, members))
            elif following is None:
                feed.recheck_at = _second_of(onset)
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


def _mark_at(spoken: Sequence[Spoken], index: int) -> HeardElsewhere:
    return mark_of(spoken[index])


def _mark_of_row(bounds: Bounds, rows: NDArray[np.int64], index: int) -> HeardElsewhere:
    return mark_of(_spoken(bounds[int(rows[index])]))


def _spoken(bound: Bound) -> Spoken:
    reading = bound.reading
    return Spoken(bound.received_at, reading.observed_at, reading.device, reading.feed or DEFAULT_FEED, bound)


def _elsewhere(heard: Mapping[str, Sequence[HeardElsewhere]]) -> list[Spoken]:
    return [Spoken(one.received_at, one.observed_at, one.device, by or DEFAULT_FEED, one)
            for by, those in heard.items() for one in those]


def _of_devices(ticks: Sequence[Tick], devices: set[str], *, wanted: bool) -> Sequence[Tick]:
    """The ticks with what they tell of some devices, or of all others."""
    if not devices:
        return () if wanted else ticks
    told = [msgspec.structs.replace(tick, heard={
        by: [one for one in those if (one.device in devices) == wanted] for by, those in (tick.heard or {}).items()})
        for tick in ticks]
    return [tick for tick in told if any((tick.heard or {}).values())]


def _second_of(instant: int) -> int:
    """The first whole second at which something of an instant is judged."""
    return -(-instant // SECOND) * SECOND


def _interval(outage: Outage, feed: Feed) -> Interval:
    used = [bound_of(h.last_mark) for h in feed.heard if h.last == outage.last]
    used += [bound_of(h.first_mark) for h in feed.heard if h.first == outage.ended]
    numbers: dict[str, Any] = {"devices": len(outage.members), "last_heard_at": outage.last,
                               "parameters": {"minimum_devices": OUTAGE_MIN_MEMBERS}}
    return Interval(family="feed_outage", kind="feed_outage", onset=outage.onset, ended=outage.ended, level=1,
                    reason="silence" if outage.ended is None else "heard",
                    settled=NEVER if outage.ended is None else outage.ended, used=tuple(used), numbers=numbers)
