"""What stands on the topics: one JSON object a record, told apart by `type`. Instants: microseconds UTC.

`emon.raw` (key: device): RawReading, RawRejected, Tick, and Version copies of bindings, so that a binding
and its device's readings have one order.
`emon.orders` (key: type, object id and version; compacted): Version.
`emon.readings` (explicit partition, by participant): the evaluator's only input: Bound, Version, Tick,
OwnOutage. The router stamps `received_at`, strictly increasing between arrivals in a partition; `last`
marks the end of an arrival.
`emon.findings`: findings in their published format (domain.finding). `emon.rejected`: RawRejected.
"""

from __future__ import annotations

import msgspec

from emon.domain.binding import Binding
from emon.domain.order import Order
from emon.domain.person import Person
from emon.domain.reading import Reading
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone


class RawReading(msgspec.Struct, frozen=True, omit_defaults=True, tag="reading", tag_field="type", gc=False):
    """An accepted slice of a vendor's body and what the adapter understood of it.

    `raw`: the slice as text (base64 with `raw_base64` set where it is not UTF-8).
    `batch`: which request it came in; `last` marks the request's last record.
    """

    feed: str
    received_at: int
    reading: Reading
    raw: str
    batch: str = ""
    raw_base64: bool = False
    last: bool = False
    v: int = 1


class RawRejected(msgspec.Struct, frozen=True, omit_defaults=True, tag="rejected", tag_field="type",
                  gc=False):
    """A slice that could not be taken, kept with its reason."""

    feed: str
    received_at: int
    reason: str
    detail: str
    raw: str
    raw_base64: bool = False
    index: int = 0
    v: int = 1


class Bound(msgspec.Struct, frozen=True, omit_defaults=True, tag="bound", tag_field="type", gc=False):
    """A reading given to a participant by the binding in force at its `observed_at`.

    `received_at` is the arrival's effective instant and supersedes the reading's own.
    """

    participant: str
    received_at: int
    reading: Reading
    last: bool = False
    v: int = 1


class HeardElsewhere(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Of a reading that went to other partitions, what a feed's silence and its evidence need.
    `received_at`: the arrival's effective instant."""

    device: str
    kind: str
    observed_at: int
    received_at: int
    seq: int | None = None
    event: str | None = None
    test_id: str | None = None


class Tick(msgspec.Struct, frozen=True, omit_defaults=True, tag="tick", tag_field="type"):
    """A whole second has passed at ingest; an arrival of its own. `heard`: per feed, the readings that the
    router has passed to *other* partitions since the last tick."""

    received_at: int
    heard: dict[str, list[HeardElsewhere]] | None = None
    v: int = 1


class OwnOutage(msgspec.Struct, frozen=True, omit_defaults=True, tag="own_outage", tag_field="type"):
    """emon itself took nothing in during [from_, to): silence in it says nothing about anybody. `heard`: as
    with a tick."""

    received_at: int
    from_: int
    to: int
    last: bool = True
    v: int = 1
    heard: dict[str, list[HeardElsewhere]] | None = None


class OrderVersion(msgspec.Struct, frozen=True, omit_defaults=True, tag="order", tag_field="type"):
    """An order version that arrived at `received_at`."""

    received_at: int
    order: Order
    last: bool = False
    v: int = 1


class ZoneVersion(msgspec.Struct, frozen=True, omit_defaults=True, tag="zone", tag_field="type"):
    """A zone version that arrived at `received_at`."""

    received_at: int
    zone: Zone
    last: bool = False
    v: int = 1


class BindingVersion(msgspec.Struct, frozen=True, omit_defaults=True, tag="binding", tag_field="type"):
    """A binding version that arrived at `received_at` (shorthands in orders come expanded, one each)."""

    received_at: int
    binding: Binding
    last: bool = False
    v: int = 1


class VerdictVersion(msgspec.Struct, frozen=True, omit_defaults=True, tag="verdict", tag_field="type"):
    """A version of an analyst's verdict that arrived at `received_at`."""

    received_at: int
    verdict: Verdict
    last: bool = False
    v: int = 1


class PersonVersion(msgspec.Struct, frozen=True, omit_defaults=True, tag="person", tag_field="type"):
    """A person's record; the evaluator ignores it."""

    received_at: int
    person: Person
    last: bool = False
    v: int = 1


RawRecord = RawReading | RawRejected | Tick | BindingVersion
OrdersRecord = OrderVersion | ZoneVersion | BindingVersion | VerdictVersion | PersonVersion
InputRecord = Bound | Tick | OwnOutage | OrderVersion | ZoneVersion | BindingVersion | VerdictVersion
"""What the evaluator reads."""

_encode = msgspec.json.Encoder().encode
decode_raw = msgspec.json.Decoder(RawRecord).decode
decode_orders = msgspec.json.Decoder(OrdersRecord).decode
decode_input = msgspec.json.Decoder(InputRecord).decode


def encode(record: RawRecord | OrdersRecord | InputRecord) -> bytes:
    """The record's bytes on a topic."""
    return _encode(record)
