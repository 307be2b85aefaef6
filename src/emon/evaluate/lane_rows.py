"""A participant in simple circumstances, compiled for the fast lane: one wording of every condition, one device that
sends positions. What other devices send is always judged in full.

What is compiled holds for readings observed in [`from_`, `until`), as long as no text changes. Where anything
is pending - a hold that runs, a silence that stands, an end that is questioned - nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
import numpy as np

from emon.domain.instant import DAY
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.geo import Degrees, Shape
from emon.evaluate.ledger import Ledger
from emon.evaluate.orderbook import OrderBook, Piece, Term, places_of
from emon.evaluate.person import Conditioned, Person
from emon.evaluate.positions import Wearing
from emon.evaluate.rules import RULE_OF_KIND
from emon.evaluate.rules.attendance import decided_until
from emon.evaluate.rules.charging import worn_since
from emon.evaluate.rules.contact import pace_of
from emon.evaluate.rules.integrity import BATTERY_OPEN, positions_matter
from emon.evaluate.rules.zones import chain_life, knobs
from emon.evaluate.signals import IN, OUT
from emon.limits import BATTERY_CHARGED, DEFAULT_FEED, STATE_BEFORE_START

SLOTS: Final = 8  # conditions about places that one participant may have in the lane
IDLE, STEADY, STEADY_WEAK = 0, 1, 2  # empty or a chain that confirms nothing; runs that nothing questions


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
    ledger: Ledger | None  # of a zone
    chain: int | None  # first fix of a chain that confirms nothing yet
    begin: int | None  # the stretch for which the hint must have been made, to be told how the chain stands
    confirm: int


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
    every: int = NEVER  # how often somebody must know where the person is
    located_until: int = NEVER  # so long somebody does
    talks: bool = False  # the device has told its state before
    charged: float = np.inf  # from such a charge on a battery's finding ends
    last_heard: int = ALWAYS
    carrier: str | None = None
    feed: str = DEFAULT_FEED
    saved: msgspec.Raw | None = None


def compile_person(person: Person, orders: OrderBook, clock: int, *, watched: bool) -> Row | None:
    """The participant as a row; None where circumstances are not simple. `watched`: feeds are followed, so
    that a device must have been heard before."""
    if person.ahead or (watched and person.last_heard == ALWAYS):
        return None
    wearing = _wearing(person, clock)
    if wearing is None:
        return None
    feeds = {span.item.feed for span in wearing.bindings}
    if len(feeds) > 1:
        return None
    named = feeds.pop()
    carrier = person.carrier or named  # of whom was not heard since a start: what comes otherwise is judged in full
    row = Row(wearing.device, wearing.from_, wearing.until, [], last_heard=person.last_heard,
              carrier=carrier, feed=named or carrier or DEFAULT_FEED)
    _clip_to_devices(row, person, wearing, clock)
    row.talks = (wearing.device, wearing.from_, "status") in person.body.first_measured
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


def _wearing(person: Person, clock: int) -> Wearing | None:
    """The device that sends positions, where there is exactly one now; of a single one that may be to come."""
    wearings = person.body.wearings
    if len(wearings) == 1:
        return wearings[0]
    now = [w for w in wearings if w.from_ <= clock < w.until and person.body.sends_positions(w, clock)]
    return now[0] if len(now) == 1 else None


def _clip_to_devices(row: Row, person: Person, wearing: Wearing, clock: int) -> None:
    """Only while the same devices are worn; and as long as nobody knew that this one sends positions, what the others
    said may have counted for more."""
    others = [w for w in person.body.wearings if w is not wearing]
    for other in others:
        for edge in (other.from_, other.until):
            _clip(row, *((edge, NEVER) if edge <= clock else (ALWAYS, edge)))
    if others:
        _clip(row, person.body.first_position.get((wearing.device, wearing.from_), clock), NEVER)


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
    if kind == "alcohol":
        return condition.hint.open_from is None  # else anything heard may decide a test that did not come in
    if kind == "device_integrity":
        _clip(row, (ALWAYS if condition.hint.last_event is None else condition.hint.last_event) + 1, NEVER)
        if condition.hint.steady & BATTERY_OPEN:
            row.charged = min(row.charged, BATTERY_CHARGED)
        return not positions_matter(condition.hint)
    if kind == "zone_crossing":
        return True  # the zone itself has a slot, and every slot of a zone where nobody may be looks at paths
    if kind == "motion_without_fix":
        _clip(row, (ALWAYS if condition.hint.last_event is None else condition.hint.last_event) + 1, NEVER)
        return condition.hint.open_from is None
    if kind == "charging_missed":
        since = [worn_since(person.body, w) for w in person.body.wearings if w.device == row.device]
        _clip(row, max((at for at in since if at < NEVER), default=ALWAYS), NEVER)
        return all(at < NEVER for at in since)
    if kind == "attendance":
        _clip(row, decided_until(term, clock), NEVER)
        return condition.due is not None
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
    state = _state(condition, begin, chain_is_kept=knobs(term).confirm >= 2)
    if state is None:
        return False
    supports = IN if term.condition.kind == "exclusion_zone" else OUT
    return _add_slot(row, term, shapes, supports, state, condition, begin, (NEVER, NEVER), condition.ledger)


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
    if state is None or (state != IDLE and term.condition.allowance_s_per_week is not None):
        return False  # while it is used up, time alone may tell something
    buffer_m = piece.condition.buffer_m or 0.0
    shapes = [orders.place_shape(place, buffer_m) for place in places_of(piece)]
    begin = None if now is None else now.from_
    return _add_slot(row, term, shapes, OUT, state, condition, begin, (free_from, free_until))


def _state(condition: Conditioned, begin: int | None, *, chain_is_kept: bool = False) -> int | None:
    """The machine's state in the stretch that begins then; None where something is pending. A chain that
    confirms nothing yet is none where a ledger keeps it."""
    hint = condition.hint
    current = begin is not None and hint.stretch_from == begin
    if current and hint.open_from is not None:
        return (STEADY if hint.steady >= 3 else STEADY_WEAK) if hint.steady else None
    if (current and hint.chain_from is not None and not chain_is_kept) or condition.due is not None:
        return None
    return IDLE


def _add_slot(row: Row, term: Term, shapes: list[Shape], supports: int, state: int, condition: Conditioned,
              begin: int | None, free: tuple[int, int], ledger: Ledger | None = None) -> bool:
    hint = condition.hint
    last = ALWAYS
    if begin is not None and hint.stretch_from == begin and hint.last_event is not None:
        last = hint.last_event
    chain = hint.chain_from if hint.stretch_from == begin else None
    if shapes:
        row.slots.append(Slot(term.key, tuple(shapes), supports, state, condition.quiet,
                             chain_life(term), last, *free, ledger, chain, begin, knobs(term).confirm))
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
    row.contact, row.delay, row.every = term.key, pace.every + pace.hold, pace.every
    row.located_until = person.last_located + pace.every
    row.contact_quiet = condition.quiet
    return True


def note_chain(person: Person, key: tuple[str, str], begin: int | None) -> None:
    """A chain that began in the lane, or ended there."""
    condition = person.conditions[key]
    if condition.hint.stretch_from == begin:
        condition.hint.chain_from = condition.ledger.chain
    if condition.ledger.fors:
        condition.quiet = max(condition.quiet, condition.ledger.fors[-1])


def note_event(person: Person, key: tuple[str, str], last: int) -> None:
    """The newest event that the lane saw."""
    hint = person.conditions[key].hint
    if last > ALWAYS:
        hint.last_event = last if hint.last_event is None else max(hint.last_event, last)


def note_paths(person: Person, device: str, at: int, last: Sequence[float], box: Sequence[float]) -> None:
    """Where the fixes that the lane saw lie."""
    paths = person.paths
    paths.at, paths.device = at, device
    paths.last, paths.box = degrees(last), degrees(box)


def degrees(box: Sequence[float]) -> Degrees:
    """A row of the arrays as a box."""
    west, south, east, north = box
    return west, south, east, north
