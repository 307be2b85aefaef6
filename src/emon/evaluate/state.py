"""An evaluator's state as bytes: one shared part, and one part a participant, order, zone, binding
and verdict.

Readings are not in it: they lie in the history. Parts other than participants have names that begin with a
unit separator, which no id contains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from emon.domain.binding import Binding
from emon.domain.finding import Finding
from emon.domain.order import Order
from emon.domain.verdict import Verdict
from emon.domain.versions import ALWAYS
from emon.domain.zone import Zone
from emon.evaluate.geo import Degrees
from emon.evaluate.ledger import Ledger
from emon.evaluate.matching import Book, Standing
from emon.evaluate.outages import Feed, Outages
from emon.evaluate.paths import ANYWHERE
from emon.evaluate.person import Conditioned, Person
from emon.evaluate.signals import Outage
from emon.evaluate.stretches import Heard, Spoken, mark_of
from emon.evaluate.verdict import Hint
from emon.journal.records import Bound, HeardElsewhere, InputRecord

ORDER, ZONE, BINDING, VERDICT = "\x1forder\x1f", "\x1fzone\x1f", "\x1fbinding\x1f", "\x1fverdict\x1f"


class SavedBook(msgspec.Struct, array_like=True):
    """Findings of one family and part: standing ones as (finding, onset, ended, settled, seen_until; bytes as in
    matching.Standing once ended), withdrawn ids."""

    family: str
    part: str
    standing: list[tuple[Finding | bytes, int, int | None, int, int | None]]
    withdrawn: dict[int, str]


class SavedLedger(msgspec.Struct, array_like=True):
    """See ledger.Ledger; instants as bytes of 64 bits each."""

    bottom: int
    chain: int | None
    fors: bytes
    seps: bytes
    loud: list[tuple[int, int]]


class SavedCondition(msgspec.Struct, array_like=True):
    """A condition of an order; `hint` as in verdict.Hint."""

    order: str
    condition: str
    hint: tuple[int | None, int | None, int | None, int | None, int]
    due: int | None
    quiet: int
    ledger: SavedLedger
    books: list[SavedBook]


class SavedPerson(msgspec.Struct, array_like=True):
    """A participant. `first_position`: (device, wearing from, instant)."""

    floor: int
    last_heard: int
    first_position: list[tuple[str, int, int]]
    ahead: list[Bound]
    conditions: list[SavedCondition]
    first_measured: list[tuple[str, int, str, int]] = []  # (device, wearing from, kind, instant)
    measured_days: dict[str, list[int]] = {}  # by kind
    paths: tuple[int, str, Degrees, Degrees] = (ALWAYS, "", ANYWHERE, ANYWHERE)  # see paths.Paths


class SavedFeed(msgspec.Struct, array_like=True):
    """A feed; outages as (last, onset, ended, members)."""

    name: str
    heard: list[Heard]
    devices: list[str]
    outages: list[tuple[int, int, int | None, list[str]]]
    book: SavedBook
    news: bool
    checked: int | None
    recheck_at: int | None


class SavedShared(msgspec.Struct, array_like=True):
    """What all participants share, and the arrival that was not whole yet."""

    clock: int
    arrival: list[InputRecord]
    own_outages: list[tuple[int, int]]
    feeds: list[SavedFeed]
    via: dict[str, list[tuple[int, str]]]
    pace: int
    watched: bool
    lane: bytes
    waiting: list[tuple[int, int, str, str, HeardElsewhere]]
    ahead: list[tuple[int, int, str, str, HeardElsewhere]]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode_person: Final = msgspec.msgpack.Decoder(SavedPerson).decode
_decode_shared: Final = msgspec.msgpack.Decoder(SavedShared).decode
_decode_orders: Final = msgspec.msgpack.Decoder(list[Order]).decode
_decode_zones: Final = msgspec.msgpack.Decoder(list[Zone]).decode
_decode_bindings: Final = msgspec.msgpack.Decoder(list[Binding]).decode
_decode_verdicts: Final = msgspec.msgpack.Decoder(list[Verdict]).decode


def dump_person(person: Person) -> bytes:
    """A participant's part."""
    first = [(device, from_, at) for (device, from_), at in sorted(person.body.first_position.items())]
    days = {kind: sorted(of_kind) for kind, of_kind in sorted(person.body.measured_days.items())}
    measured = [(*name, at) for name, at in sorted(person.body.first_measured.items())]
    conditions = []
    for (order, condition), state in sorted(person.conditions.items()):
        hint = state.hint
        books = [_dump_book(family, part, book) for (family, part), book in sorted(state.books.items())]
        conditions.append(SavedCondition(
            order, condition,
            (hint.stretch_from, hint.last_event, hint.chain_from, hint.open_from, hint.steady),
            state.due, state.quiet, _dump_ledger(state.ledger), books))
    paths = (person.paths.at, person.paths.device, person.paths.last, person.paths.box)
    return _encode(SavedPerson(person.floor, person.last_heard, first, person.ahead, conditions, measured, days, paths))


def load_person(state: bytes, person: Person) -> None:
    """Fills a participant whose bindings are known already."""
    saved = _decode_person(state)
    person.floor, person.last_heard, person.ahead = saved.floor, saved.last_heard, saved.ahead
    person.body.first_position = {(device, from_): at for device, from_, at in saved.first_position}
    person.body.first_measured = {(device, from_, kind): at for device, from_, kind, at in saved.first_measured}
    person.body.measured_days = {kind: set(days) for kind, days in saved.measured_days.items()}
    person.paths.at, person.paths.device, person.paths.last, person.paths.box = saved.paths
    for condition in saved.conditions:
        books = {(book.family, book.part): _load_book(book) for book in condition.books}
        person.conditions[condition.order, condition.condition] = Conditioned(
            Hint(*condition.hint), condition.due, condition.quiet, _load_ledger(condition.ledger), books)


def dump_shared(clock: int, arrival: list[InputRecord], outages: Outages, lane: bytes) -> bytes:
    """The shared part."""
    feeds = [_dump_feed(feed) for _, feed in sorted(outages.feeds.items())]
    return _encode(SavedShared(clock, arrival, outages.own, feeds, outages.via, outages.pace, outages.watched, lane,
                               _dump_spoken(outages.all_waiting()), _dump_spoken(outages.ahead)))


def _dump_spoken(spoken: list[Spoken]) -> list[tuple[int, int, str, str, HeardElsewhere]]:
    return [(s.received_at, s.observed_at, s.device, s.by, mark_of(s)) for s in spoken]


def _dump_feed(feed: Feed) -> SavedFeed:
    standing = [(o.last, o.onset, o.ended, sorted(o.members)) for o in feed.outages]
    return SavedFeed(feed.name, feed.heard, sorted(feed.devices), standing,
                     _dump_book("feed_outage", "", feed.book), feed.news, feed.checked, feed.recheck_at)


def load_shared(state: bytes, outages: Outages) -> tuple[int, list[InputRecord], bytes]:
    """Fills the outages; returns the clock, the arrival that is not whole, and the lane's part."""
    saved = _decode_shared(state)
    outages.own, outages.via = saved.own_outages, saved.via
    outages.waiting, outages.ahead = [Spoken(*s) for s in saved.waiting], [Spoken(*s) for s in saved.ahead]
    outages.restored()
    outages.pace, outages.watched = saved.pace, saved.watched
    outages.feeds = {
        feed.name: Feed(feed.name, feed.heard, set(feed.devices),
                        [Outage(feed.name, last, onset, ended, frozenset(members))
                         for last, onset, ended, members in feed.outages],
                        _load_book(feed.book), feed.news, feed.checked, feed.recheck_at)
        for feed in saved.feeds}
    return saved.clock, saved.arrival, saved.lane


def dump_versions(versions: list[Order] | list[Zone] | list[Binding] | list[Verdict]) -> bytes:
    """All versions of one order, zone, binding or verdict."""
    return _encode(versions)


class Texts(NamedTuple):
    """All versions that a snapshot holds."""

    orders: list[Order]
    zones: list[Zone]
    bindings: list[Binding]
    verdicts: list[Verdict]


def load_versions(parts: Mapping[str, bytes]) -> Texts:
    """The texts among a snapshot's parts."""
    texts = Texts([], [], [], [])
    for name, state in sorted(parts.items()):
        if name.startswith(ORDER):
            texts.orders.extend(_decode_orders(state))
        elif name.startswith(ZONE):
            texts.zones.extend(_decode_zones(state))
        elif name.startswith(BINDING):
            texts.bindings.extend(_decode_bindings(state))
        elif name.startswith(VERDICT):
            texts.verdicts.extend(_decode_verdicts(state))
    return texts


def _dump_ledger(ledger: Ledger) -> SavedLedger:
    return SavedLedger(ledger.bottom, ledger.chain, ledger.fors.tobytes(), ledger.seps.tobytes(), ledger.loud)


def _load_ledger(saved: SavedLedger) -> Ledger:
    ledger = Ledger(saved.bottom)
    ledger.chain, ledger.loud = saved.chain, saved.loud
    ledger.fors.frombytes(saved.fors)
    ledger.seps.frombytes(saved.seps)
    return ledger


def _dump_book(family: str, part: str, book: Book) -> SavedBook:
    return SavedBook(family, part, [(s.rest(), s.onset, s.ended, s.settled, s.seen_until)
                                    for s in book.standing], book.withdrawn)


def _load_book(saved: SavedBook) -> Book:
    return Book([Standing(*entry) for entry in saved.standing], saved.withdrawn)
