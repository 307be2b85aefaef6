"""Which driver stands behind a journal URL."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emon.domain.errors import Fault
from emon.journal.port import TOPICS, Journal


def open_journal(url: str, *, partitions: int | None = None, topics: Sequence[str] = TOPICS,
                 **security: Any) -> Journal:
    """The journal at `url`: `sqlite:///DIR`, `kafka://HOST:PORT[,HOST:PORT...]` or `memory:`.

    Not yet opened: `await journal.open()` connects and creates the topics that are missing, with so many
    `partitions` (default: 1 for SQLite and memory, 4 for Kafka; existing topics keep theirs).
    `security`: `username`, `password`, `mechanism`, `tls`, `ca_file` of `KafkaJournal`. Raises Fault for any
    other URL.
    """
    scheme, _, rest = url.partition(":")
    match scheme:
        case "memory":
            from emon.journal.memory import MemoryJournal

            return MemoryJournal(partitions=partitions or 1, topics=topics)
        case "sqlite" if rest.startswith("///") and len(rest) > 3:
            from emon.journal.sqlite import SqliteJournal

            return SqliteJournal(Path(rest[3:]), partitions=partitions or 1, topics=topics)
        case "kafka" if rest.startswith("//") and len(rest) > 2:
            from emon.journal.kafka import KafkaJournal

            return KafkaJournal(rest[2:].rstrip("/"), partitions=partitions or 4, topics=topics, **security)
    raise Fault("journal_url", f"{url!r} is no journal: use sqlite:///DIR or kafka://HOST:PORT[,HOST:PORT]",
                "EMON_JOURNAL")
