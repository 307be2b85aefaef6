"""Tables of ingest and route: feeds and their keys, which device is whose feed's, readings by device.

Invariants: a device's feed changes only by a registration; chunks are only ever added, and with them, in one
transaction, the position from which the router must read again; what is written twice after a crash stands
twice in a device's chunks, and readers drop the second.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    Row,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from emon.store.bulk import append
from emon.store.engine import reading, writing
from emon.store.schema import device_chunk, device_feed, feed, feed_key, lease, route_position

_IN_LIST = 500  # SQLite's oldest limit on bound values is 999

# Asked for every body that brings something late: building a statement anew costs more than its answer.
_AROUND = """SELECT c.chunk_id, c.device, c.first_observed_at, c.last_observed_at, c.last_received_at, c.readings,
c.payload FROM {wanted} CROSS JOIN device_chunk AS c WHERE c.device = w.device
AND c.last_observed_at >= w.first AND c.first_observed_at <= w.last AND c.last_received_at >= {since}"""
_AROUND_SQLITE = _AROUND.format(since="?", wanted="""(SELECT json_extract(value, '$[0]') AS device,
json_extract(value, '$[1]') AS first, json_extract(value, '$[2]') AS last FROM json_each(?)) AS w""")
_AROUND_POSTGRES = _AROUND.format(since="%s", wanted="""unnest(CAST(%s AS text[]), CAST(%s AS bigint[]),
CAST(%s AS bigint[])) AS w (device, first, last)""")

_HAVING = """SELECT a.device FROM ({asked}) AS a
WHERE EXISTS (SELECT 1 FROM device_chunk AS c WHERE c.device = a.device)"""
# All in one row: beside a busy event loop each row of many waits for Python's interpreter lock once more.
_FEEDS_SQLITE = """SELECT json_group_object(device, feed) FROM device_feed
WHERE device IN (SELECT value FROM json_each(?))"""
_decode_feeds = msgspec.json.Decoder(dict[str, str]).decode


class Feed(NamedTuple):
    """A vendor's stream and how to understand it."""

    feed: str
    adapter: str
    settings: Mapping[str, Any]
    created_at: int


class FeedKey(NamedTuple):
    """What is kept of a key; never the key itself."""

    key_id: str
    feed: str
    sandbox: bool
    key_digest: bytes
    signing_secret: str
    created_at: int
    revoked_at: int | None


class DeviceChunk(NamedTuple):
    """Some readings of one device, as they arrived."""

    device: str
    first_observed_at: int
    last_observed_at: int
    last_received_at: int
    readings: int
    payload: bytes


def random_hex(count: int) -> str:
    """So many random bytes from the system's generator, in hexadecimal."""
    return secrets.token_hex(count)


def _upsert(connection: Connection, table: Any) -> Any:
    """An INSERT of the connection's own dialect, the only one that knows ON CONFLICT."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


# --- feeds and keys ----------------------------------------------------------------------------------------

def add_key(engine: Engine, adapter: str | None, settings: Mapping[str, Any] | None,
            key: FeedKey) -> Feed | None:
    """Stores a key, and its feed where it is new. `settings` replace the feed's where given.

    Returns the feed as it stands; None, with nothing stored, where it exists with another adapter or is new
    and no adapter is named.
    """
    with writing(engine) as connection:
        known = _feed(connection, key.feed)
        if known is None:
            if adapter is None:
                return None
            known = Feed(key.feed, adapter, dict(settings or {}), key.created_at)
            connection.execute(insert(feed).values({**known._asdict(), "settings": _json(known.settings)}))
        elif adapter not in (None, known.adapter):
            return None
        elif settings is not None:
            known = known._replace(settings=dict(settings))
            connection.execute(update(feed).where(feed.c.feed == key.feed).values(settings=_json(settings)))
        connection.execute(insert(feed_key).values(key._asdict()))
        return known


def find_key(engine: Engine, key_id: str) -> FeedKey | None:
    """A key by its id, revoked or not."""
    with reading(engine) as connection:
        row = connection.execute(select(feed_key).where(feed_key.c.key_id == key_id)).first()
        return None if row is None else FeedKey(*row)


def keys(engine: Engine) -> list[FeedKey]:
    """All keys, by feed and age."""
    with reading(engine) as connection:
        rows = connection.execute(select(feed_key).order_by(feed_key.c.feed, feed_key.c.created_at)).all()
        return [FeedKey(*row) for row in rows]


def revoke_key(engine: Engine, key_id: str, now: int) -> bool:
    """Whether there is such a key; it counts no more from now on."""
    with writing(engine) as connection:
        done = connection.execute(update(feed_key).where(feed_key.c.key_id == key_id)
                                  .values(revoked_at=func.coalesce(feed_key.c.revoked_at, now)))
        return done.rowcount > 0


def find_feed(engine: Engine, name: str) -> Feed | None:
    """A feed by its name."""
    with reading(engine) as connection:
        return _feed(connection, name)


def feeds(engine: Engine) -> list[Feed]:
    """All feeds by name."""
    with reading(engine) as connection:
        return [_read_feed(row) for row in connection.execute(select(feed).order_by(feed.c.feed))]


def _feed(connection: Connection, name: str) -> Feed | None:
    row = connection.execute(select(feed).where(feed.c.feed == name)).first()
    return None if row is None else _read_feed(row)


def _read_feed(row: Row[Any]) -> Feed:
    return Feed(row.feed, row.adapter, msgspec.json.decode(row.settings), row.created_at)


def _json(settings: Mapping[str, Any]) -> str:
    return msgspec.json.encode(settings).decode()


# --- whose device ------------------------------------------------------------------------------------------

def device_feeds(engine: Engine, devices: Collection[str] | None = None) -> dict[str, str]:
    """The feed of each device that has one; of all devices by default."""
    wanted = select(device_feed.c.device, device_feed.c.feed)
    with reading(engine) as connection:
        if devices is None:
            return {row.device: row.feed for row in connection.execute(wanted)}
        if connection.dialect.name == "sqlite":
            asked = msgspec.json.encode(list(devices)).decode()
            return _decode_feeds(connection.exec_driver_sql(_FEEDS_SQLITE, (asked,)).scalar_one())
        return {row.device: row.feed for part in _parts(devices)
                for row in connection.execute(wanted.where(device_feed.c.device.in_(part)))}


def claim_devices(engine: Engine, claims: Mapping[str, str], now: int) -> dict[str, str]:
    """Gives each device that has no feed yet to the feed that claims it. Returns each device's feed then."""
    rows = [{"device": device, "feed": name, "registered": False, "since": now}
            for device, name in sorted(claims.items())]
    with writing(engine) as connection:
        if rows:
            connection.execute(_upsert(connection, device_feed).on_conflict_do_nothing(), rows)
    return device_feeds(engine, claims)


def register_devices(engine: Engine, owners: Mapping[str, str], now: int) -> None:
    """Gives devices to feeds, whoever sent first: a binding says so."""
    rows = [{"device": device, "feed": name, "registered": True, "since": now}
            for device, name in sorted(owners.items())]
    if not rows:
        return
    with writing(engine) as connection:
        statement = _upsert(connection, device_feed)
        connection.execute(statement.on_conflict_do_update(index_elements=["device"], set_={
            name: statement.excluded[name] for name in ("feed", "registered", "since")}), rows)


# --- readings by device ------------------------------------------------------------------------------------

def add_device_chunks(engine: Engine, chunks: Sequence[DeviceChunk],
                      positions: Mapping[tuple[str, int], int]) -> None:
    """Adds chunks, and moves positions (by topic and partition), both or neither."""
    with writing(engine) as connection:
        if chunks:
            append(connection, [device_chunk.c[name] for name in DeviceChunk._fields], chunks)
        rows = [{"topic": topic, "partition": partition, "next_offset": offset}
                for (topic, partition), offset in sorted(positions.items())]
        if rows:
            statement = _upsert(connection, route_position)
            connection.execute(statement.on_conflict_do_update(
                index_elements=["topic", "partition"],
                set_={"next_offset": statement.excluded.next_offset}), rows)


def route_positions(engine: Engine) -> dict[tuple[str, int], int]:
    """By topic and partition, from where the router must read again."""
    with reading(engine) as connection:
        rows = connection.execute(select(route_position))
        return {(row.topic, row.partition): row.next_offset for row in rows}


def device_chunks(engine: Engine, devices: Collection[str], first_observed_at: int, last_observed_at: int,
                  received_since: int = 0) -> list[DeviceChunk]:
    """Chunks that may hold readings of these devices observed in [first, last], in the order added."""
    columns = [device_chunk.c[name] for name in DeviceChunk._fields]
    wanted = select(*columns).order_by(device_chunk.c.chunk_id).where(
        device_chunk.c.last_observed_at >= first_observed_at,
        device_chunk.c.first_observed_at <= last_observed_at,
        device_chunk.c.last_received_at >= received_since)
    with reading(engine) as connection:
        return [DeviceChunk(*row) for part in _parts(devices)
                for row in connection.execute(wanted.where(device_chunk.c.device.in_(part)))]


def devices_with_chunks(engine: Engine, devices: Collection[str]) -> set[str]:
    """Which of these devices have any chunk."""
    asked = sorted(devices)
    with reading(engine) as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(_HAVING.format(asked="SELECT value AS device FROM json_each(?)"),
                                              (msgspec.json.encode(asked).decode(),))
        else:
            rows = connection.exec_driver_sql(_HAVING.format(asked="SELECT unnest(CAST(%s AS text[])) AS device"),
                                              (asked,))
        return {device for device, in rows}


def chunks_around(engine: Engine, spans: Sequence[tuple[str, int, int]], received_since: int) -> list[DeviceChunk]:
    """Chunks that may hold readings of a device observed in one of its spans (device, first, last)."""
    with reading(engine) as connection:
        if connection.dialect.name == "sqlite":
            rows = connection.exec_driver_sql(_AROUND_SQLITE, (msgspec.json.encode(spans).decode(), received_since))
        else:
            wanted = [list(part) for part in zip(*spans, strict=True)] or [[], [], []]
            rows = connection.exec_driver_sql(_AROUND_POSTGRES, (*wanted, received_since))
        return list({row[0]: DeviceChunk._make(row[1:]) for row in rows}.values())


def newest_of_devices(engine: Engine, received_since: int) -> dict[str, tuple[int, int]]:
    """Per device with a chunk received since then: newest (observed_at, received_at) in chunks."""
    with reading(engine) as connection:
        rows = connection.execute(select(
            device_chunk.c.device, func.max(device_chunk.c.last_observed_at),
            func.max(device_chunk.c.last_received_at),
        ).where(device_chunk.c.last_received_at >= received_since).group_by(device_chunk.c.device))
        return {device: (observed_at, received_at) for device, observed_at, received_at in rows}


def forget_device_chunks(engine: Engine, observed_before: int) -> int:
    """Deletes chunks wholly observed before; how many."""
    with writing(engine) as connection:
        return connection.execute(delete(device_chunk)
                                  .where(device_chunk.c.last_observed_at < observed_before)).rowcount


# --- leases ------------------------------------------------------------------------------------------------

def take_lease(engine: Engine, name: str, holder: str, now: int, until: int) -> str:
    """Takes or renews a lease unless somebody else holds it. Returns who holds it then. `now`, `until`: the
    wall clock."""
    with writing(engine) as connection:
        statement = _upsert(connection, lease).values(name=name, holder=holder, until=until)
        connection.execute(statement.on_conflict_do_update(
            index_elements=["name"], set_={"holder": holder, "until": until},
            where=or_(lease.c.holder == holder, lease.c.until <= now)))
        return str(connection.execute(select(lease.c.holder).where(lease.c.name == name)).scalar_one())


def drop_lease(engine: Engine, name: str, holder: str) -> None:
    """Gives a lease back, if it is still held."""
    with writing(engine) as connection:
        connection.execute(delete(lease).where(lease.c.name == name, lease.c.holder == holder))


def _parts(devices: Collection[str]) -> Iterable[list[str]]:
    ordered = sorted(devices)
    return (ordered[start:start + _IN_LIST] for start in range(0, len(ordered), _IN_LIST))
