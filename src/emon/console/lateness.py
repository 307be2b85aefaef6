"""How late emon itself is. Every screen shows it: a queue that is empty for lack of news is a danger."""

from __future__ import annotations

import asyncio

import msgspec
from sqlalchemy import Engine

from emon.clock import Clock
from emon.console.models import Stage
from emon.domain.instant import SECOND, iso, iso_or_none
from emon.journal.port import READINGS, Journal, TopicPartition
from emon.store import progress, reading
from emon.store.progress import Progress


class _Stamped(msgspec.Struct):
    """Every record of emon.readings says when it came."""

    received_at: int = 0


class Lateness:
    """Reads the stages' progress, and the newest tick where no stage has reported one."""

    def __init__(self, store: Engine, journal: Journal | None, clock: Clock) -> None:
        self._store, self._journal, self._clock = store, journal, clock
        self._decode = msgspec.json.Decoder(_Stamped).decode

    async def stages(self) -> list[Progress]:
        """What the stages have reported. Raises Unavailable."""
        return await asyncio.to_thread(self._stages)

    def _stages(self) -> list[Progress]:
        with reading(self._store) as connection:
            return progress.all_stages(connection)

    async def last_tick(self, stages: list[Progress]) -> int | None:
        """The oldest of what the partitions have worked through last; None before the first tick."""
        ticks = [one.last_tick for one in stages if one.last_tick is not None]
        if ticks:
            return min(ticks)
        return await self._newest_record() if self._journal is not None else None

    async def _newest_record(self) -> int | None:
        assert self._journal is not None
        found = []
        for partition, end in (await self._journal.end_offsets(READINGS)).items():
            if end > 0:
                where = TopicPartition(READINGS, partition)
                found += [self._decode(one.value).received_at
                          for one in await self._journal.read(where, end - 1, 1)]
        return min(found, default=None)

    def late_s(self, last_tick: int | None) -> float | None:
        """Seconds of the pipeline's clock since the tick."""
        return None if last_tick is None else max(0.0, (self._clock.now_us() - last_tick) / SECOND)


def stage(one: Progress) -> Stage:
    """A stage's progress as JSON."""
    return Stage(stage=one.stage, partition=one.partition, position=one.position, end=one.end,
                 lag=max(0, one.end - one.position), last_tick=iso_or_none(one.last_tick),
                 caught_up_at=iso_or_none(one.caught_up_at), updated_at=iso(one.updated_at))
