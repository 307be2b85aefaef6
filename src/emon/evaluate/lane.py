"""The fast lane: readings that cannot change anything, told apart for all participants at once.

Most readings support no finding of anybody whose conditions are at rest. For a participant in simple
circumstances (one position device, one wording of every condition, nothing pending) what matters is compiled
into one row of arrays; a chunk of readings is then sorted out with numpy, and only participants of whom one
reading may matter are judged, with all their readings of the chunk, by the exact machine.

A reading is idle for a condition about a place when the machine is empty and the reading supports nothing
and lies after everything that ever did (`quiet`): then it may be late, doubled or contradicting, and still
break no chain and move no end. In a run that nothing questions it is idle when it only says the same again.

A participant is *in* the lane (the arrays are right) or *out* (the `Person` is right): `leave` copies back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from emon.domain.instant import DAY
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.geo import Shape
from emon.evaluate.orderbook import OrderBook, Piece, Term, places_of
from emon.evaluate.person import Conditioned, Person
from emon.evaluate.port import Chunk
from emon.evaluate.rules import RULE_OF_KIND
from emon.evaluate.rules.contact import pace_of
from emon.evaluate.rules.zones import chain_life
from emon.evaluate.signals import IN, OUT, STRICT_FACTOR
from emon.evaluate.track import chunks
from emon.evaluate.track import key as fold_key
from emon.journal.records import Bound
from emon.limits import ACCURACY_FACTOR, DEFAULT_FEED, HISTORY_DAYS, STATE_BEFORE_START, UNKNOWN_ACCURACY_M

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SLOTS: Final = 8  # conditions about places that one participant may have in the lane
_IDLE, _STEADY, _STEADY_WEAK = 0, 1, 2
_GNSS, _CONTRARY_ONLY = 2, 1
_METHOD: Final = {"gnss": _GNSS, "wifi": _CONTRARY_ONLY, "cell": _CONTRARY_ONLY, "rf": _CONTRARY_ONLY,
                  "beacon": _CONTRARY_ONLY}
_FAR_FIX_M: Final = 20_000.0  # a fix less accurate than this is measured, whatever the boxes say


class Slot(NamedTuple):
    """A condition about a place, compiled. Readings observed in [free_from, free_until) are off duty."""

    key: tuple[str, str]
    shapes: tuple[Shape, ...]
    supports: int
    state: int
    quiet: int
    margin: int  # how much longer a chain may come back to life, if a reading that broke it is contradicted
    last_event: int
    free_from: int
    free_until: int


@dataclass(slots=True)
class Row:
    """A participant compiled: valid for readings observed in [from_, until)."""

    device: str
    from_: int
    until: int
    slots: list[Slot]
    contact: tuple[str, str] | None = None
    delay: int = NEVER
    contact_quiet: int = ALWAYS
    last_heard: int = ALWAYS
    carrier: str | None = None
    feed: str = DEFAULT_FEED
    saved: msgspec.Raw | None = None


class Pending(NamedTuple):
    """Readings of one chunk that wait for the history: rows in order of participant."""

    people: Ints
    bounds: list[Bound]


class Lane:
    """Arrays over all participants that were ever in the lane."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.names: list[str] = []
        self._rows: list[Row | None] = []
        self._size = 0
        self._grow(256)
        self.feeds: dict[str, int] = {}
        self.pending: list[Pending] = []
        self._none_before = NEVER
        self._taken: list[int] = []  # per participant, how many of `pending` were taken back already

    # --- in and out ------------------------------------------------------------------------------------------

    def enter(self, person: Person, row: Row) -> None:
        """The participant's arrays are right from now on."""
        p = self.index.get(person.participant)
        if p is None:
            p = self.index[person.participant] = len(self.names)
            self.names.append(person.participant)
            self._rows.append(None)
            self._taken.append(0)
            if p >= self._size:
                self._grow(2 * self._size)
        self._rows[p] = row
        self._taken[p] = len(self.pending)
        self.inside[p] = True
        self.device[p] = row.device
        self.from_[p], self.until[p] = row.from_, row.until
        self.floor[p], self.first_fix[p] = person.floor, NEVER
        self.delay[p], self.contact_quiet[p] = row.delay, row.contact_quiet
        self.last_heard[p], self.carrier[p] = row.last_heard, row.carrier
        self.feed[p] = self.feed_id(row.feed)
        self.contact_due[p] = NEVER
        if row.contact is not None:
            self.contact_due[p] = row.last_heard + row.delay
            self._none_before = min(self._none_before, row.last_heard + row.delay)
            person.conditions[row.contact].due = None  # kept in the lane meanwhile
        self.count[p] = len(row.slots)
        for k, slot in enumerate(row.slots):
            self.state[p, k], self.supports[p, k] = slot.state, slot.supports
            self.quiet[p, k], self.last_event[p, k] = slot.quiet, slot.last_event
            self.margin[p, k] = slot.margin
            self.free_from[p, k], self.free_until[p, k] = slot.free_from, slot.free_until
            box = slot.shapes[0].box
            self.box[p, k] = (min(s.box.west for s in slot.shapes), min(s.box.south for s in slot.shapes),
                              max(s.box.east for s in slot.shapes), max(s.box.north for s in slot.shapes))
            self.east_m[p, k] = box.metres_per_degree_east

    def leave(self, person: Person) -> None:
        """The person is right from now on; does nothing for who is out."""
        p = self.index.get(person.participant)
        if p is None or not self.inside[p]:
            return
        row = self.row(p)
        self.inside[p] = False
        self.take_back(person, p)
        person.floor = min(person.floor, int(self.floor[p]))
        person.last_heard = max(person.last_heard, int(self.last_heard[p]))
        if self.first_fix[p] < NEVER:
            person.body.note_position(row.device, int(self.first_fix[p]))
        for k, slot in enumerate(row.slots):
            _note_event(person, slot.key, int(self.last_event[p, k]))
        if row.contact is not None:
            person.conditions[row.contact].due = int(self.contact_due[p])
        self.contact_due[p] = NEVER

    def feed_id(self, name: str) -> int:
        """The number of a feed."""
        return self.feeds.setdefault(name, len(self.feeds))

    def row(self, p: int) -> Row:
        """What was compiled of somebody who is in."""
        row = self._rows[p]
        assert row is not None
        return row

    def saved(self, p: int) -> msgspec.Raw:
        """What the row of somebody who is in is about, encoded once."""
        row = self.row(p)
        if row.saved is None:
            row.saved = msgspec.Raw(msgspec.msgpack.encode(SavedRow(
                self.names[p], row.device, [slot.key for slot in row.slots], row.contact)))
        return row.saved

    def remind(self, person: Person) -> None:
        """Before readings go to the history: who has days in memory must not miss them there."""
        p = self.index.get(person.participant)
        if p is not None and self.inside[p] and len(person.track):
            self.take_back(person, p)

    def take_back(self, person: Person, p: int) -> None:
        """Gives the person readings that wait for the history."""
        for pending in self.pending[self._taken[p]:]:
            low, high = np.searchsorted(pending.people, (p, p + 1))
            person.track.note(pending.bounds[low:high])
        self._taken[p] = len(self.pending)

    def due_by(self, clock: int) -> list[str]:
        """Participants in the lane whose silence falls due up to the clock."""
        if clock < self._none_before:
            return []
        dues = self.contact_due[:len(self.names)]
        due = np.flatnonzero(dues <= clock)
        self._none_before = int(dues[dues > clock].min(initial=NEVER))
        return [self.names[p] for p in due.tolist()]

    def next_due(self) -> int | None:
        """No silence of anybody in the lane falls due before then."""
        return None if self._none_before >= NEVER else self._none_before

    def flush(self) -> list[Chunk]:
        """What waits for the history."""
        pending, self.pending = self.pending, []
        self._taken = [0] * len(self.names)
        if not pending:
            return []
        people = np.concatenate([p.people for p in pending])
        bounds = [b for p in pending for b in p.bounds]
        order = np.argsort(people, kind="stable").tolist()
        edges = [0, *(np.flatnonzero(np.diff(people[order])) + 1).tolist(), len(order)]
        written: list[Chunk] = []
        for low, high in pairwise(edges):
            rows = [bounds[i] for i in order[low:high]]
            written += chunks(rows[0].participant, rows)
        return written

    # --- sorting out -----------------------------------------------------------------------------------------

    def idle(self, bounds: Sequence[Bound], last_clock: int,
             calm_from: Mapping[str, int]) -> tuple[NDArray[np.bool_], list[Bound]]:
        """Which readings of a chunk change nothing, and of each feed the newest of them. All readings of a
        participant are idle, or none is; the arrays have then taken the idle ones in. `last_clock`: the
        chunk's last arrival. `calm_from`: see Outages; feeds that are not named do not matter."""
        n = len(bounds)
        get = self.index.get
        readings = [b.reading for b in bounds]
        p = np.array([get(b.participant, -1) for b in bounds], dtype=np.int64)
        known = p >= 0
        if not known.any():
            return known, []
        at = np.array([r.observed_at for r in readings], dtype=np.int64)
        came = np.array([b.received_at for b in bounds], dtype=np.int64)
        device = np.empty(n, dtype=object)
        device[:] = [r.device for r in readings]
        simple = known & self.inside[p] & (device == self.device[p])
        simple &= (at >= self.from_[p]) & (at < self.until[p]) & (at <= came) & (at >= came - HISTORY_DAYS * DAY)
        carrier = np.empty(n, dtype=object)
        carrier[:] = [r.feed for r in readings]
        simple &= carrier == self.carrier[p]
        simple &= np.array([r.kind == "position" and r.lat is not None for r in readings], dtype=np.bool_)
        code = _METHOD.get
        method = np.array([code(r.method, 0) for r in readings], dtype=np.int64)
        calm = np.full(len(self.feeds), ALWAYS, dtype=np.int64)
        for name, from_ in calm_from.items():
            if name in self.feeds:
                calm[self.feeds[name]] = from_
        simple &= at >= calm[self.feed[p]]
        order = np.argsort(p, kind="stable")
        before = self._heard_before(p, at, order)
        self._places(simple, p, at, readings, method, at > before, n)
        self._silences(simple, p, at, came, method, before, order, last_clock)
        bad = np.zeros(len(self.names) + 1, dtype=np.bool_)
        bad[p[~simple]] = True
        bad[-1] = True
        good = ~bad[p]
        self._take(good, p, at, bounds, order)
        return good, self._newest(good, p, at, bounds)

    def _newest(self, good: NDArray[np.bool_], p: Ints, at: Ints, bounds: Sequence[Bound]) -> list[Bound]:
        rows = np.flatnonzero(good)
        feeds = self.feed[p[rows]]
        newest = []
        for feed in np.unique(feeds):
            mine = rows[feeds == feed]
            last = mine[at[mine] == at[mine].max()]
            newest.append(max((bounds[i] for i in last.tolist()), key=fold_key))
        return newest

    def _heard_before(self, p: Ints, at: Ints, order: Ints) -> Ints:
        """Per reading the latest instant at which its participant was heard by then."""
        q = p[order]
        start = np.flatnonzero(np.r_[True, q[1:] != q[:-1]])
        run = _running_max(np.maximum(at[order], self.last_heard[q]), start)
        shifted = np.empty_like(run)
        shifted[1:] = run[:-1]
        shifted[start] = self.last_heard[q[start]]
        before = np.empty_like(run)
        before[order] = shifted
        return before

    def _places(self, simple: NDArray[np.bool_], p: Ints, at: Ints, readings: Sequence[Any], method: Ints,
                newest: NDArray[np.bool_], n: int) -> None:
        """Clears `simple` for readings that may matter to a condition about a place."""
        lon = np.array([r.lon for r in readings], dtype=np.float64)
        lat = np.array([r.lat for r in readings], dtype=np.float64)
        accuracy = np.array([r.accuracy_m or UNKNOWN_ACCURACY_M for r in readings], dtype=np.float64)
        accuracy[accuracy == 2147483647] = UNKNOWN_ACCURACY_M
        reach_lat = STRICT_FACTOR * accuracy / 110_000.0
        self._signs: list[tuple[Ints, Ints, Ints]] = []
        for k in range(int(self.count[p[simple]].max(initial=0))):
            rows = np.flatnonzero(simple & (self.count[p] > k))
            if not rows.size:
                continue
            q = p[rows]
            box, x, y = self.box[q, k], lon[rows], lat[rows]
            reach = reach_lat[rows]
            reach_lon = STRICT_FACTOR * accuracy[rows] / self.east_m[q, k]
            far = ((x < box[:, 0] - reach_lon) | (y < box[:, 1] - reach) | (x > box[:, 2] + reach_lon)
                   | (y > box[:, 3] + reach)) & (accuracy[rows] < _FAR_FIX_M)
            side = np.full(rows.size, OUT, dtype=np.int64)
            strict = np.full(rows.size, OUT, dtype=np.int64)
            near = np.flatnonzero(~far)
            if near.size:
                side[near], strict[near] = self._measure(q[near], k, x[near], y[near], accuracy[rows][near])
            supports = self.supports[q, k]
            sign, strict = side * supports, strict * supports
            sign[(sign > 0) & (method[rows] != _GNSS)] = 0
            sign[method[rows] == 0] = 0
            t, state = at[rows], self.state[q, k]
            quiet = self.quiet[q, k] + np.where(newest[rows], 0, self.margin[q, k])
            ok = np.where(state == _IDLE, (sign <= 0) & (t > quiet),
                          (sign >= 0) & (t > self.last_event[q, k]) & ((state == _STEADY) | (strict == 0)))
            ok |= (t >= self.free_from[q, k]) & (t < self.free_until[q, k])
            simple[rows[~ok]] = False
            events = np.flatnonzero(sign != 0)
            self._signs.append((rows[events], q[events] * SLOTS + k, t[events]))

    def _measure(self, q: Ints, k: int, lon: Floats, lat: Floats, accuracy: Floats) -> tuple[Ints, Ints]:
        """Sides at one and at three accuracies, shape by shape."""
        best = np.full(q.size, -np.inf)
        order = np.argsort(q, kind="stable")
        edges = [0, *(np.flatnonzero(np.diff(q[order])) + 1).tolist(), q.size]
        for low, high in pairwise(edges):
            mine = order[low:high]
            row = self.row(int(q[mine[0]]))
            for shape in row.slots[k].shapes:
                best[mine] = np.maximum(best[mine], shape.signed_distance_m(lon[mine], lat[mine]))
        side = np.where(best > 0, IN, OUT)
        return (np.where(np.abs(best) > ACCURACY_FACTOR * accuracy, side, 0),
                np.where(np.abs(best) > STRICT_FACTOR * accuracy, side, 0))

    def _silences(self, simple: NDArray[np.bool_], p: Ints, at: Ints, came: Ints, method: Ints, before: Ints,
                  order: Ints, last_clock: int) -> None:
        """Clears `simple` where a silence falls due, or a gap that was found may be filled."""
        watched = simple & (self.delay[p] < NEVER)
        if not watched.any():
            return
        simple[watched & ((at <= self.contact_quiet[p]) | (method == 0)
                          | (came > before + self.delay[p]))] = False
        mine = order[watched[order]]
        q = p[mine]
        last = np.flatnonzero(np.r_[q[1:] != q[:-1], True])
        newest = np.maximum(before[mine[last]], at[mine[last]])
        overdue = newest + self.delay[q[last]] <= last_clock
        if overdue.any():
            simple[np.isin(p, q[last[overdue]])] = False

    def _take(self, good: NDArray[np.bool_], p: Ints, at: Ints, bounds: Sequence[Bound], order: Ints) -> None:
        """Takes idle readings in."""
        rows = np.flatnonzero(good)
        if not rows.size:
            return
        q, t = p[rows], at[rows]
        np.maximum.at(self.last_heard, q, t)
        np.minimum.at(self.floor, q, t)
        np.minimum.at(self.first_fix, q, t)
        touched = np.unique(q)
        watched = touched[self.delay[touched] < NEVER]
        self.contact_due[watched] = self.last_heard[watched] + self.delay[watched]
        flat = self.last_event.reshape(-1)
        for event_rows, slots, instants in self._signs:
            kept = good[event_rows]
            np.maximum.at(flat, slots[kept], instants[kept])
        mine = order[good[order]]
        self.pending.append(Pending(p[mine], [bounds[i] for i in mine.tolist()]))

    def _grow(self, size: int) -> None:
        def widen(name: str, shape: tuple[int, ...], fill: Any, dtype: Any) -> None:
            grown = np.full((size, *shape), fill, dtype=dtype)
            if self._size:
                grown[:self._size] = getattr(self, name)
            setattr(self, name, grown)
        for name, shape, fill, dtype in _COLUMNS:
            widen(name, shape, fill, dtype)
        self._size = size

    inside: NDArray[np.bool_]
    device: NDArray[np.object_]
    from_: Ints
    until: Ints
    floor: Ints
    first_fix: Ints
    carrier: NDArray[np.object_]
    feed: Ints
    delay: Ints
    contact_quiet: Ints
    contact_due: Ints
    last_heard: Ints
    count: Ints
    state: Ints
    supports: Ints
    quiet: Ints
    margin: Ints
    last_event: Ints
    free_from: Ints
    free_until: Ints
    box: Floats
    east_m: Floats


_COLUMNS: Final = (
    ("inside", (), False, np.bool_), ("device", (), None, object), ("from_", (), NEVER, np.int64),
    ("until", (), ALWAYS, np.int64), ("floor", (), NEVER, np.int64), ("carrier", (), None, object),
    ("feed", (), 0, np.int64), ("first_fix", (), NEVER, np.int64),
    ("delay", (), NEVER, np.int64), ("contact_quiet", (), ALWAYS, np.int64),
    ("contact_due", (), NEVER, np.int64), ("last_heard", (), ALWAYS, np.int64),
    ("count", (), 0, np.int64), ("state", (SLOTS,), 0, np.int64),
    ("supports", (SLOTS,), 0, np.int64), ("quiet", (SLOTS,), ALWAYS, np.int64), ("margin", (SLOTS,), 0, np.int64),
    ("last_event", (SLOTS,), ALWAYS, np.int64), ("free_from", (SLOTS,), NEVER, np.int64),
    ("free_until", (SLOTS,), NEVER, np.int64), ("box", (SLOTS, 4), 0.0, np.float64),
    ("east_m", (SLOTS,), 1.0, np.float64),
)


def _running_max(values: Ints, starts: Ints) -> Ints:
    """Largest value so far within each group."""
    marks = np.zeros(values.size, dtype=np.int64)
    marks[starts[1:]] = 1
    group = np.cumsum(marks)
    low = values.min()
    span = int(values.max() - low) + 1
    if (group[-1] + 1) * span < (1 << 62):
        lifted = np.maximum.accumulate((values - low) + group * span)
        lifted_back: Ints = lifted - group * span + low
        return lifted_back
    out = values.copy()
    for begin, end in pairwise([*starts.tolist(), values.size]):
        np.maximum.accumulate(values[begin:end], out=out[begin:end])
    return out


def compile_person(person: Person, orders: OrderBook, clock: int, *, watched: bool) -> Row | None:
    """The participant as a row; None where circumstances are not simple. `watched`: feeds are followed, so
    that a device must have been heard before."""
    wearings = person.body.wearings
    if len(wearings) != 1 or person.ahead or (watched and person.last_heard == ALWAYS):
        return None
    wearing = wearings[0]
    feeds = {span.item.feed for span in wearing.bindings}
    if len(feeds) > 1:
        return None
    feed = feeds.pop() or person.carrier or DEFAULT_FEED
    row = Row(wearing.device, wearing.from_, wearing.until, [], last_heard=person.last_heard,
              carrier=person.carrier, feed=feed)
    for term in orders.terms(person.participant):
        condition = person.conditions.get(term.key)
        if RULE_OF_KIND.get(term.condition.kind) is None:
            continue
        if term.until <= clock:
            row.from_ = max(row.from_, term.until)
        elif term.from_ > clock:
            row.until = min(row.until, term.from_)
        elif condition is None or not _add(row, person, term, condition, orders, clock):
            return None
    return row if row.from_ < row.until and len(row.slots) <= SLOTS else None


def _add(row: Row, person: Person, term: Term, condition: Conditioned, orders: OrderBook, clock: int) -> bool:
    piece = term.piece_at(clock)
    _clip(row, piece.from_, piece.until)
    kind = term.condition.kind
    if kind == "contact":
        return _add_contact(row, person, term, condition, clock)
    if kind in ("exclusion_zone", "inclusion_zone") and not term.condition.windows:
        return _add_zone(row, term, piece, condition, orders, clock)
    if kind == "curfew":
        return _add_curfew(row, term, piece, condition, orders, clock)
    return "position" not in RULE_OF_KIND[kind].reads


def _clip(row: Row, from_: int, until: int) -> None:
    row.from_, row.until = max(row.from_, from_), min(row.until, until)


def _add_zone(row: Row, term: Term, piece: Piece, condition: Conditioned, orders: OrderBook, clock: int) -> bool:
    stretch = next((s for s in term.duty(clock, clock) if s.until > clock), None)
    if stretch is None:
        return False
    buffer_m = piece.condition.buffer_m or 0.0
    begin = stretch.from_
    if piece.condition.zone is not None:
        span = next((s for s in orders.zone_spans(piece.condition.zone) if s.from_ <= clock < s.until), None)
        if span is None or len(orders.zone_spans(piece.condition.zone)) > 1:
            return False
        _clip(row, span.from_, span.until)
        begin = max(begin, span.from_)
        shapes = [orders.zone_shape(span.item, buffer_m)]
    else:
        shapes = [orders.place_shape(place, buffer_m) for place in places_of(piece)]
    _clip(row, stretch.from_, stretch.until)
    state = _state(condition, begin)
    if state is None:
        return False
    supports = IN if term.condition.kind == "exclusion_zone" else OUT
    return _add_slot(row, term, shapes, supports, state, condition, begin, (NEVER, NEVER))


def _add_curfew(row: Row, term: Term, piece: Piece, condition: Conditioned, orders: OrderBook,
                clock: int) -> bool:
    """On duty like a zone. Off duty every reading is idle, but for those just before a stretch that has begun:
    they tell how somebody came into it."""
    around = term.duty(clock - DAY, clock + 2 * DAY)
    before = [s for s in around if s.until <= clock]
    now = next((s for s in around if s.from_ <= clock < s.until), None)
    ahead = [s for s in around if s.from_ > clock]
    free_from = before[-1].until if before else max(clock - DAY, row.from_)
    if now is not None:
        state = _state(condition, now.from_)
        free_until = now.from_ - STATE_BEFORE_START
    else:
        state = _state(condition, None)
        free_until = ahead[0].from_ if ahead else clock + 2 * DAY
    if state is None:
        return False
    buffer_m = piece.condition.buffer_m or 0.0
    shapes = [orders.place_shape(place, buffer_m) for place in places_of(piece)]
    begin = None if now is None else now.from_
    return _add_slot(row, term, shapes, OUT, state, condition, begin, (free_from, free_until))


def _state(condition: Conditioned, begin: int | None) -> int | None:
    """The machine's state in the stretch that begins then; None where something is pending."""
    hint = condition.hint
    current = begin is not None and hint.stretch_from == begin
    if current and hint.open_from is not None:
        return (_STEADY if hint.steady >= 3 else _STEADY_WEAK) if hint.steady else None
    if (current and hint.chain_from is not None) or condition.due is not None:
        return None
    return _IDLE


def _add_slot(row: Row, term: Term, shapes: list[Shape], supports: int, state: int, condition: Conditioned,
              begin: int | None, free: tuple[int, int]) -> bool:
    hint = condition.hint
    last = ALWAYS
    if begin is not None and hint.stretch_from == begin and hint.last_event is not None:
        last = hint.last_event
    if shapes:
        row.slots.append(Slot(term.key, tuple(shapes), supports, state, condition.quiet,
                             chain_life(term), last, *free))
    return True


def _add_contact(row: Row, person: Person, term: Term, condition: Conditioned, clock: int) -> bool:
    """At rest: nothing silent, and the next silence counts from the newest reading."""
    pace = pace_of(term)
    if row.contact is not None or person.last_heard == ALWAYS or any(
            s.ended is None for s in condition.standing()):
        return False
    if condition.due != person.last_heard + pace.every + pace.hold:
        return False
    stretch = next((s for s in term.duty(clock, clock) if s.from_ <= clock < s.until), None)
    if stretch is None:
        return False
    _clip(row, stretch.from_, stretch.until)
    row.contact, row.delay = term.key, pace.every + pace.hold
    row.contact_quiet = condition.quiet
    return True


class SavedRow(msgspec.Struct, array_like=True):
    """What a row of the columns is about."""

    name: str
    device: str
    slots: list[tuple[str, str]]
    contact: tuple[str, str] | None


class Saved(msgspec.Struct, array_like=True):
    """What the lane knows better than the people's own parts. `rows`: SavedRow each."""

    rows: list[msgspec.Raw]
    columns: dict[str, bytes]


_SAVED: Final = ("floor", "first_fix", "last_heard", "contact_due", "last_event")


def dump(lane: Lane) -> bytes:
    """The lane's part of a snapshot."""
    inside = np.flatnonzero(lane.inside[:len(lane.names)])
    rows = [lane.saved(int(p)) for p in inside.tolist()]
    return msgspec.msgpack.encode(Saved(rows, {name: getattr(lane, name)[inside].tobytes() for name in _SAVED}))


def load(saved: bytes, people: Mapping[str, Person]) -> list[str]:
    """Brings people up to date who were in the lane when it was dumped; they are out now. Returns them."""
    names = []
    part = msgspec.msgpack.decode(saved, type=Saved)
    columns = {name: np.frombuffer(raw, dtype=np.int64) for name, raw in part.columns.items()}
    events = columns["last_event"].reshape(-1, SLOTS)
    for p, raw in enumerate(part.rows):
        row = msgspec.msgpack.decode(raw, type=SavedRow)
        person = people[row.name]
        names.append(row.name)
        person.floor = min(person.floor, int(columns["floor"][p]))
        person.last_heard = max(person.last_heard, int(columns["last_heard"][p]))
        if columns["first_fix"][p] < NEVER:
            person.body.note_position(row.device, int(columns["first_fix"][p]))
        for k, key in enumerate(row.slots):
            _note_event(person, key, int(events[p, k]))
        if row.contact is not None:
            person.conditions[row.contact].due = int(columns["contact_due"][p])
    return names


def _note_event(person: Person, key: tuple[str, str], last: int) -> None:
    hint = person.conditions[key].hint
    if last > ALWAYS:
        hint.last_event = last if hint.last_event is None else max(hint.last_event, last)
