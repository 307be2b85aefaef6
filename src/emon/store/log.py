"""The alerts' log: append-only, its entries linked by hashes, and yet an entry can be erased.

    entry_hash = SHA-256(salt, canonical entry)
    chain_hash = SHA-256(chain_hash of the entry before, seq, entry_hash)

The chain runs over entry hashes, so that erasing an entry's text and salt leaves a chain that still
verifies; the salt keeps the erased text from being guessed back out of its hash. `seq` counts without gaps
in the order of commits, because every writer holds the chain's row: a reader that has seen `seq` has seen
all before it. That is what the live stream's resume and the audit rely on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from emon.domain.alert import Event
from emon.store import schema
from emon.store.upsert import insert_new

ALERTS = "alerts"
_GENESIS = bytes(32)
_canonical = msgspec.json.Encoder(order="deterministic").encode
_entry = schema.alert_event
_HASHED = ("seq", "alert_id", "version", "kind", "at", "recorded_at", "actor", "via", "data")


@dataclass(slots=True)
class Chain:
    """The end of the log, while its row is locked."""

    seq: int
    hash: bytes
    last_alert_id: int


@dataclass(frozen=True, slots=True)
class Broken:
    """Where the chain does not hold, and how."""

    seq: int
    reason: str


def lock(connection: Connection) -> Chain:
    """Takes the log for this transaction; other writers wait until it ends."""
    chain = schema.chain
    statement = select(chain).where(chain.c.name == ALERTS).with_for_update()
    row = connection.execute(statement).one_or_none()
    if row is None:
        insert_new(connection, chain, [{"name": ALERTS, "seq": 0, "hash": _GENESIS, "last_alert_id": 0}])
        row = connection.execute(statement).one()
    return Chain(row.seq, bytes(row.hash), row.last_alert_id)


def end(connection: Connection) -> int:
    """The newest `seq`; 0 where nothing has happened."""
    chain = schema.chain
    return connection.execute(select(chain.c.seq).where(chain.c.name == ALERTS)).scalar() or 0


def write(connection: Connection, chain: Chain, entries: Sequence[dict[str, Any]]) -> None:
    """Stores entries that `link` made, and the chain's new end."""
    if entries:
        connection.execute(_entry.insert(), entries)
    table = schema.chain
    connection.execute(update(table).where(table.c.name == ALERTS).values(
        seq=chain.seq, hash=chain.hash, last_alert_id=chain.last_alert_id))


def link(chain: Chain, alert_id: int, version: int, event: Event, salt: bytes) -> dict[str, Any]:
    """The row of one more entry; moves the chain's end. `salt`: 16 random bytes."""
    data = _canonical({"changes": event.changes, "facts": event.facts})
    row: dict[str, Any] = {
        "seq": chain.seq + 1, "alert_id": alert_id, "version": version, "kind": event.kind, "at": event.at,
        "recorded_at": event.recorded_at, "actor": event.actor, "via": event.via, "data": data.decode(),
        "salt": salt}
    row["entry_hash"] = _entry_hash(row, salt)
    row["chain_hash"] = _chain_hash(chain.hash, row["seq"], row["entry_hash"])
    chain.seq, chain.hash = row["seq"], row["chain_hash"]
    return row


def _entry_hash(row: Any, salt: bytes) -> bytes:
    return sha256(salt + _canonical([row[name] for name in _HASHED])).digest()


def _chain_hash(before: bytes, seq: int, entry_hash: bytes) -> bytes:
    return sha256(before + seq.to_bytes(8, "big") + entry_hash).digest()


def erase(connection: Connection, seq: int, now: int) -> bool:
    """Erases who did what in an entry; its place in the chain stays. False where there is no such entry."""
    done = connection.execute(update(_entry).where(_entry.c.seq == seq).values(
        data=None, salt=None, actor=None, via=None, erased_at=now))
    return done.rowcount == 1


def verify(connection: Connection) -> Broken | None:
    """The first place where the log does not hold; None where all of it does."""
    before, seq = _GENESIS, 0
    for row in _pages(connection):
        seq += 1
        if row.seq != seq:
            return Broken(seq, "an entry is missing")
        if bytes(row.chain_hash) != _chain_hash(before, seq, bytes(row.entry_hash)):
            return Broken(seq, "the chain was cut")
        if row.erased_at is None and (row.salt is None or bytes(row.entry_hash) != _entry_hash(
                row._mapping, bytes(row.salt))):
            return Broken(seq, "the entry was changed")
        before = bytes(row.chain_hash)
    if end(connection) != seq:
        return Broken(seq + 1, "entries are missing at the end")
    return None


def _pages(connection: Connection) -> Iterator[Any]:
    last = 0
    while True:
        rows = connection.execute(select(_entry).where(_entry.c.seq > last).order_by(_entry.c.seq)
                                  .limit(1000)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].seq


def event_of(row: Any) -> Event:
    """The event of an entry that was not erased."""
    data = msgspec.json.decode(row.data)
    return Event(kind=row.kind, at=row.at, recorded_at=row.recorded_at, actor=row.actor, via=row.via,
                 changes=data["changes"], facts=data["facts"])
