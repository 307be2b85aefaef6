"""What an evaluator needs kept outside its memory: each participant's readings, and its own snapshots.

Synchronous: the evaluator's worker calls it on its own thread, one call in flight per partition.
Implemented in `store` on SQLite (embedded) and PostgreSQL (scale-out).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol


class Chunk(NamedTuple):
    """Some readings of one participant observed on one UTC day, as they arrived.

    `payload`: NDJSON of `journal.records.Bound`. Chunks of a day may overlap in time and may hold a reading
    twice (a crash between chunk and snapshot): whoever reads them removes duplicates.
    """

    participant: str
    day: int  # days since 1970-01-01 UTC of observed_at
    first_observed_at: int
    last_observed_at: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody calls
    payload: bytes


class Snapshot(NamedTuple):
    """State of one partition after the record before `offset`."""

    offset: int
    shared: bytes
    participants: Mapping[str, bytes]


class History(Protocol):
    """Readings on disk. `append` is durable no later than the next `Snapshots.save` returns."""

    def append(self, chunks: Sequence[Chunk]) -> None: ...

    def read(self, participant: str, from_day: int, to_day: int) -> Iterable[Chunk]:
        """Chunks of the days from..to, both included, in the order they were appended."""


class Snapshots(Protocol):
    """Snapshots by partition; `save` is one transaction."""

    def save(self, partition: int, generation: int, offset: int, shared: bytes,
             changed: Mapping[str, bytes | None]) -> None:
        """Replaces the shared part and the changed participants (None: forget one). Raises domain.errors
        Fenced where a higher generation has saved before."""

    def load(self, partition: int) -> Snapshot | None:
        """The newest snapshot; None where there is none."""
