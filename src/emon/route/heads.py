"""Raw records as the router reads them: only what binding needs, the rest stays bytes.

A reading goes on as the bytes that it came in; taking it apart and putting it together again would cost more
than everything else that the router does with it.
"""

from __future__ import annotations

import msgspec

from emon.journal.records import BindingVersion, RawRejected, Tick


class RawHead(msgspec.Struct, tag="reading", tag_field="type", gc=False):
    """`journal.records.RawReading` with its reading unread."""

    feed: str
    received_at: int
    reading: msgspec.Raw
    batch: str = ""
    last: bool = False


class BoundHead(msgspec.Struct, omit_defaults=True, tag="bound", tag_field="type", gc=False):
    """`journal.records.Bound` with its reading unread."""

    participant: str
    received_at: int
    reading: msgspec.Raw
    last: bool = False
    v: int = 1


class ArrivedHead(msgspec.Struct, gc=False):
    """Of a record on emon.readings, when it arrived."""

    received_at: int


class TickHead(ArrivedHead, tag="tick", tag_field="type", gc=False):
    """A tick; what was heard stays unread."""


class OutageHead(ArrivedHead, tag="own_outage", tag_field="type", gc=False):
    """emon's own outage."""


class OrderHead(ArrivedHead, tag="order", tag_field="type", gc=False):
    """An order version."""


class ZoneHead(ArrivedHead, tag="zone", tag_field="type", gc=False):
    """A zone version."""


class BindingHead(ArrivedHead, tag="binding", tag_field="type", gc=False):
    """A binding version."""


class VerdictHead(ArrivedHead, tag="verdict", tag_field="type", gc=False):
    """An analyst's verdict."""


class ReadingHead(msgspec.Struct, gc=False):
    """Of a reading, what decides whose it is, by which feed it came, and how evidence names it."""

    device: str
    observed_at: int
    received_at: int = 0
    feed: str = ""
    kind: str = ""
    seq: int | None = None
    event: str | None = None
    test_id: str | None = None


class Reading(msgspec.Struct, gc=False):
    """A reading on its way: its head and its bytes. `offset`, `partition`: where it stands in the raw log."""

    device: str
    observed_at: int
    received_at: int
    feed: str
    line: msgspec.Raw
    offset: int = 0
    partition: int = 0
    kind: str = ""
    seq: int | None = None
    event: str | None = None
    test_id: str | None = None


decode_raw = msgspec.json.Decoder(RawHead | RawRejected | Tick | BindingVersion).decode
ToldHead = BoundHead | TickHead | OutageHead | OrderHead | ZoneHead | BindingHead | VerdictHead
"""What stands on emon.readings."""
decode_told = msgspec.json.Decoder(ToldHead).decode
decode_head = msgspec.json.Decoder(ReadingHead).decode
encode = msgspec.json.Encoder().encode


def reading_of(line: bytes | msgspec.Raw) -> Reading:
    """A reading's bytes with their head."""
    head = decode_head(line)
    return on_its_way(head, head.received_at, head.feed, msgspec.Raw(line))


def on_its_way(head: ReadingHead, received_at: int, feed: str, line: msgspec.Raw, offset: int = 0,
               partition: int = 0) -> Reading:
    """A reading of the raw log, or of a chunk."""
    return Reading(head.device, head.observed_at, received_at, feed, line, offset, partition, head.kind, head.seq,
                   head.event, head.test_id)
