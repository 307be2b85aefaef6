"""History and snapshots in memory: for the batch run, where nothing outlives the process, and for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from emon.domain.errors import Fenced
from emon.evaluate.port import Chunk, Snapshot


class MemoryHistory:
    """Chunks by participant and day."""

    def __init__(self) -> None:
        self._chunks: dict[str, dict[int, list[Chunk]]] = {}

    def append(self, chunks: Sequence[Chunk]) -> None:
        """Keeps the chunks; visible at once."""
        for chunk in chunks:
            self._chunks.setdefault(chunk.participant, {}).setdefault(chunk.day, []).append(chunk)

    def read(self, participant: str, from_day: int, to_day: int) -> Iterable[Chunk]:
        """Chunks of the days, both included, as they were appended within a day."""
        days = self._chunks.get(participant, {})
        if to_day - from_day > len(days):
            wanted = sorted(day for day in days if from_day <= day <= to_day)
        else:
            wanted = [day for day in range(from_day, to_day + 1) if day in days]
        return [chunk for day in wanted for chunk in days[day]]


class MemorySnapshots:
    """Snapshots by partition, fenced by generation as the store's are."""

    def __init__(self) -> None:
        self._saved: dict[int, tuple[int, Snapshot]] = {}

    def save(self, partition: int, generation: int, offset: int, shared: bytes,
             changed: Mapping[str, bytes | None]) -> None:
        """Replaces the shared part and the changed participants. Raises Fenced for an older generation."""
        held, snapshot = self._saved.get(partition, (generation, Snapshot(0, b"", {})))
        if generation < held:
            raise Fenced(f"partition {partition} is held by generation {held}, not {generation}")
        participants = dict(snapshot.participants)
        for participant, state in changed.items():
            if state is None:
                participants.pop(participant, None)
            else:
                participants[participant] = state
        self._saved[partition] = (generation, Snapshot(offset, shared, participants))

    def load(self, partition: int) -> Snapshot | None:
        """The newest snapshot; None where there is none."""
        saved = self._saved.get(partition)
        return saved[1] if saved else None
