"""Every table of the store, for SQLite and PostgreSQL alike.

Invariants: no key, offset, counter or instant is narrower than 64 bits; instants are microseconds UTC;
documents are JSON text as msgspec writes it, so that both databases hold the same bytes; everything that a
stage may write twice after a crash has a key that makes the second write harmless.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData(naming_convention={
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
})

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""A key that the database counts up: SQLite only counts INTEGER columns, which hold 64 bits there."""

# --- versions of documents, projected from emon.orders (written by alerts, read by everybody) --------------

order_version = Table(
    "order_version", metadata,
    Column("order_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("participant", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("effective_from", BigInteger),
    Column("effective_until", BigInteger),
    Column("void", Boolean, nullable=False),
    Column("supervision_level", Text),
    Column("agency", Text),
    Column("officer", Text),
    Column("document", Text, nullable=False),  # domain.order.Order
    Index(None, "participant", "order_id", "version"),
)

zone_version = Table(
    "zone_version", metadata,
    Column("zone_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("received_at", BigInteger, nullable=False),
    Column("effective_from", BigInteger),
    Column("document", Text, nullable=False),  # domain.zone.Zone
)

binding_version = Table(
    "binding_version", metadata,
    Column("binding_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("device", Text, nullable=False),
    Column("participant", Text),
    Column("received_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),  # domain.binding.Binding
    Index(None, "participant"),
    Index(None, "device"),
)

person_version = Table(
    "person_version", metadata,
    Column("person_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("role", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),  # domain.person.Person
)

projection_position = Table(
    "projection_position", metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", BigInteger, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)

# --- findings and alerts (written by alerts and, through its commands, by operators) -----------------------

finding_revision = Table(
    "finding_revision", metadata,
    Column("finding_id", Text, primary_key=True),
    Column("revision", BigInteger, primary_key=True),
    Column("recorded_at", BigInteger, nullable=False),
    Column("document", Text, nullable=False),  # domain.finding, published format
)

finding = Table(  # the newest revision of each
    "finding", metadata,
    Column("finding_id", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("alert_id", BigInteger, nullable=False),
    Column("participant", Text),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("onset", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("decided_at", BigInteger, nullable=False),
    Column("level", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "alert_id", "onset"),
    Index(None, "participant", "onset"),
)

alert = Table(
    "alert", metadata,
    Column("alert_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", BigInteger, nullable=False),  # grows by one with every event
    Column("key", Text, nullable=False),
    Column("episode", BigInteger, nullable=False),  # 1 for the key's first alert, 2 for the next, ...
    Column("participant", Text),
    Column("order_id", Text),
    Column("condition_id", Text),
    Column("family", Text, nullable=False),
    Column("feed", Text),
    Column("kind", Text, nullable=False),
    Column("event", Text),  # of a tamper: which
    Column("level", BigInteger, nullable=False),
    Column("priority", BigInteger, nullable=False),
    Column("condition_state", Text, nullable=False),
    Column("work_state", Text, nullable=False),
    Column("latched", Boolean, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("touched", Boolean, nullable=False),  # a person has worked on it
    Column("supervision_level", Text),
    Column("officer", Text),
    Column("time_zone", Text),
    Column("onset", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("seen_until", BigInteger),
    Column("opened_at", BigInteger, nullable=False),  # the pipeline's clock
    Column("changed_at", BigInteger, nullable=False),
    Column("cleared_at", BigInteger),
    Column("self_clear_at", BigInteger),
    Column("waiting_since", BigInteger),  # the wall clock, as all work times
    Column("held_by", Text),
    Column("lease_until", BigInteger),
    Column("acknowledged_at", BigInteger),
    Column("work_due", BigInteger),
    Column("disposition", Text),
    Column("closed_by", Text),
    Column("closed_at", BigInteger),
    Column("activations", BigInteger, nullable=False),
    Column("findings", BigInteger, nullable=False),
    Column("previous", BigInteger),
    Column("last_event", BigInteger, nullable=False),
    Column("last_actor", Text, nullable=False),
    Index("uq_alert_key_episode", "key", "episode", unique=True),
    Index("ix_alert_queue", "work_state", "priority", "opened_at", "alert_id"),
    Index("ix_alert_order", "priority", "opened_at", "alert_id"),
    Index("ix_alert_participant", "participant", "opened_at"),
    Index("ix_alert_self_clear_at", "self_clear_at"),
    Index("ix_alert_lease_until", "lease_until"),
    Index("ix_alert_work_due", "work_due"),
)

alert_event = Table(  # append-only; see store.log for the chain
    "alert_event", metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("alert_id", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),  # the pipeline's clock
    Column("recorded_at", BigInteger, nullable=False),  # the wall clock
    Column("actor", Text),
    Column("via", Text),
    Column("data", Text),  # None after an erasure
    Column("salt", LargeBinary),  # None after an erasure
    Column("entry_hash", LargeBinary, nullable=False),
    Column("chain_hash", LargeBinary, nullable=False),
    Column("erased_at", BigInteger),
    Index("uq_alert_event_alert_id_version", "alert_id", "version", unique=True),
)

chain = Table(  # one row a log: its end; locking it orders the writers
    "chain", metadata,
    Column("name", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Column("last_alert_id", BigInteger, nullable=False),
)

command = Table(  # answers to commands, so that a repeated one changes nothing
    "command", metadata,
    Column("idempotency_key", Text, primary_key=True),
    Column("request", Text, nullable=False),  # what was asked: the same key for something else is an error
    Column("recorded_at", BigInteger, nullable=False),
    Column("alert_id", BigInteger, nullable=False),
    Column("response", Text, nullable=False),
    Index(None, "recorded_at"),
)

# --- notifications (notices: written with the alert change that causes them; the rest by notify) -----------

notice = Table(
    "notice", metadata,
    Column("notice_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # alert | update | correction | system
    Column("alert_id", BigInteger, nullable=False),
    Column("finding_id", Text),
    Column("revision", BigInteger),
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),  # held | ready | planned | dropped
    Column("drop_reason", Text),
    Column("partition", BigInteger, nullable=False),  # of emon.findings: who may release it
    Column("priority", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    Index(None, "state", "priority", "created_at"),
    Index(None, "alert_id"),
    Index(None, "finding_id"),
)

message = Table(  # one a recipient
    "message", metadata,
    Column("message_id", Text, primary_key=True),  # the idempotency key towards providers
    Column("notice_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("alert_id", BigInteger, nullable=False),
    Column("finding_id", Text),
    Column("recipient", Text, nullable=False),
    Column("recipient_name", Text, nullable=False),
    Column("methods", Text, nullable=False),  # [[channel, address], ...], best first
    Column("method", BigInteger, nullable=False),  # index of the one in use, which is:
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("said_kind", Text, nullable=False),  # the finding's kind and level as this message says them
    Column("said_level", BigInteger, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("corrects", Text),  # the message that this one corrects
    Column("thread", Text, nullable=False),  # the first message's id
    Column("priority", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),  # pending | sending | sent | failed | cancelled
    Column("state_reason", Text),
    Column("attempts", BigInteger, nullable=False),
    Column("method_attempts", BigInteger, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", BigInteger),
    Column("sent_at", BigInteger),
    Column("provider_reference", Text),
    Index(None, "state", "channel", "priority", "created_at", "message_id"),
    Index(None, "thread"),
    Index(None, "alert_id"),
    Index(None, "finding_id"),
    Index(None, "notice_id"),
)

delivery = Table(  # one an attempt
    "delivery", metadata,
    Column("message_id", Text, primary_key=True),
    Column("attempt", BigInteger, primary_key=True, autoincrement=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("outcome", Text, nullable=False),  # started | accepted | temporary | permanent | unknown
    Column("detail", Text),
)

# --- progress of the stages, for /v1/status and for whoever must wait for a stage --------------------------

progress = Table(
    "progress", metadata,
    Column("stage", Text, primary_key=True),
    Column("partition", BigInteger, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("last_tick", BigInteger),  # received_at of the newest record worked through
    Column("caught_up_at", BigInteger),  # the wall clock
    Column("updated_at", BigInteger, nullable=False),
)

# --- history and snapshots of the evaluator ----------------------------------------------------------------

history_chunk = Table(
    "history_chunk", metadata,
    Column("chunk_id", RowId, primary_key=True),
    Column("participant", Text, nullable=False),
    Column("day", BigInteger, nullable=False),
    Column("first_observed_at", BigInteger, nullable=False),
    Column("last_observed_at", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index(None, "participant", "day", "chunk_id"),
)

snapshot_head = Table(
    "snapshot_head", metadata,
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
    Column("next_offset", BigInteger, nullable=False),
    Column("shared", LargeBinary, nullable=False),
)

snapshot_participant = Table(
    "snapshot_participant", metadata,
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("participant", Text, primary_key=True),
    Column("state", LargeBinary, nullable=False),
)

# --- feeds, keys and devices (written by ingest and `emon key`), readings by device (written by route) ---------

feed = Table(
    "feed", metadata,
    Column("feed", Text, primary_key=True),
    Column("adapter", Text, nullable=False),
    Column("settings", Text, nullable=False),  # JSON object that the adapter reads
    Column("created_at", BigInteger, nullable=False),
)

feed_key = Table(
    "feed_key", metadata,
    Column("key_id", Text, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("sandbox", Boolean, nullable=False),
    Column("key_digest", LargeBinary, nullable=False),  # see ingest.keys for what can be made of these two
    Column("signing_secret", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
    Index(None, "feed"),
)

device_feed = Table(
    "device_feed", metadata,
    Column("device", Text, primary_key=True),
    Column("feed", Text, nullable=False),
    Column("registered", Boolean, nullable=False),  # a binding names the feed; else: who sent first
    Column("since", BigInteger, nullable=False),
)

device_chunk = Table(
    "device_chunk", metadata,
    Column("chunk_id", RowId, primary_key=True),
    Column("device", Text, nullable=False),
    Column("first_observed_at", BigInteger, nullable=False),
    Column("last_observed_at", BigInteger, nullable=False),
    Column("last_received_at", BigInteger, nullable=False),
    Column("readings", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),  # zlib of NDJSON of domain.reading.Reading
    Index(None, "device", "last_observed_at"),
    Index(None, "last_received_at"),
)

route_position = Table(  # from where the router must read again what its tables do not hold yet
    "route_position", metadata,
    Column("topic", Text, primary_key=True),
    Column("partition", BigInteger, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
)

lease = Table(  # who does what only one process may do
    "lease", metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),  # the wall clock
)
