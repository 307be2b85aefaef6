"""How late emon itself is. Every screen shows it: a queue that is empty for lack of news is a danger.

The oldest instant that any stage has worked through counts, so that one that is slow, stopped or dead shows, each
partition by itself. Partitions that no evaluator has ever reported count from their first record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from sqlalchemy import Engine

from emon.clock import Clock
from emon.console.models import Stage
from emon.domain.instant import SECOND, iso, iso_or_none
from emon.journal.port import READINGS, Journal, Record, TopicPartition
from emon.store import progress, reading
from emon.store.progress import Progress

_JUDGES = "evaluate"


class _Stamped(msgspec.Struct):
    """Every record of emon.readings says when it came."""

    received_at: int = 0


class Lateness:
    """Reads the stages' progress, and the newest tick where no stage has reported one."""

    def __init__(self, store: Engine, journal: Journal | None, clock: Clock) -> None:
        self._store, self._journal, self._clock = store, journal, clock
        self._partitions: int | None = None
        self._decode = msgspec.json.Decoder(_Stamped).decode

    async def stages(self) -> list[Progress]:
        """What the stages have reported. Raises Unavailable."""
        return await asyncio.to_thread(self._stages)

    def _stages(self) -> list[Progress]:
        with reading(self._store) as connection:
            return progress.all_stages(connection)

    async def last_tick(self, stages: list[Progress]) -> int | None:
        """The oldest of what the partitions have worked through last; None before the first tick. Raises
        Unavailable."""
        ticks = [one.last_tick for one in stages if one.last_tick is not None]
        judged = {one.partition for one in stages if one.stage == _JUDGES and one.last_tick is not None}
        told = bool(ticks)
        if self._journal is not None:
            for partition, end in (await self._ends(judged)).items():
                where = TopicPartition(READINGS, partition)
                records = await (self._journal.read(where, 0, 1) if told else self._newest(where, end))
                ticks += [self._decode(one.value).received_at for one in records[-1:]]
        return min(ticks, default=None)

    async def _ends(self, judged: set[int]) -> dict[int, int]:
        """Where partitions end of which no evaluator has said anything, empty ones left out."""
        assert self._journal is not None
        if self._partitions is None:
            self._partitions = await self._journal.partitions(READINGS)
        if len(judged) >= self._partitions:
            return {}
        ends = await self._journal.end_offsets(READINGS)
        return {partition: end for partition, end in ends.items() if end > 0 and partition not in judged}

    async def _newest(self, where: TopicPartition, end: int) -> Sequence[Record]:
        """The last records of a partition: what stands right before its end may be no record but the mark of a
        transaction."""
        assert self._journal is not None
        back, found = 1, await self._journal.read(where, end - 1, 1)
        while not found and back < end:
            back = min(4 * back, end)
            found = await self._journal.read(where, end - back, back)
        return found

    def late_s(self, last_tick: int | None) -> float | None:
        """Seconds of the pipeline's clock since the tick."""
        return None if last_tick is None else max(0.0, (self._clock.now_us() - last_tick) / SECOND)


def stage(one: Progress) -> Stage:
    """A stage's progress as JSON."""
    return Stage(stage=one.stage, partition=one.partition, position=one.position, end=one.end,
                 lag=max(0, one.end - one.position), last_tick=iso_or_none(one.last_tick),
                 caught_up_at=iso_or_none(one.caught_up_at), updated_at=iso(one.updated_at))
