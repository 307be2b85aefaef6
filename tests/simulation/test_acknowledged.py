"""Invariant 5: acknowledged means durable. A vendor who sends until told 2xx has every reading in the log."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from emon.clock import SystemClock
from emon.domain.errors import Unavailable
from emon.domain.reading import Reading
from emon.ingest.bodies import Body, Understood
from emon.ingest.intake import Intake
from emon.journal.memory import MemoryJournal
from emon.journal.port import RAW, TopicPartition
from emon.journal.records import RawReading, decode_raw
from emon.store import open_engine, upgrade

BODIES, PER_BODY = 30, 3


@pytest.mark.parametrize("seed", range(4))
async def test_acknowledged_means_durable(tmp_path: Path, seed: int) -> None:
    """Appends fail, acknowledgements get lost, the process is replaced: nothing acknowledged is missing, and
    nothing is refused for good."""
    random = Random(seed)
    journal = MemoryJournal(partitions=2)
    engine = open_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")
    upgrade(engine)
    clock = SystemClock()
    intake = Intake(journal, engine, clock)
    await intake.start()
    acknowledged: set[tuple[str, int]] = set()
    failures = 0
    for number in range(BODIES):
        observed_at = clock.now_us() - number
        readings = [
            Reading(device=f"D{n}", kind="status", event="heartbeat", observed_at=observed_at)
            for n in range(PER_BODY)
        ]
        for _ in range(20):
            fault = random.choice(["none", "none", "refuse", "lose", "restart"])
            if fault == "refuse":
                journal.fail_next_append()
            elif fault == "lose":
                journal.lose_next_ack()
            elif fault == "restart":
                await intake.stop()
                intake = Intake(journal, engine, clock)
                await intake.start()
            body = Body(
                "acme", clock.now_us(), [Understood(i, b"{}", [r]) for i, r in enumerate(readings)], []
            )
            try:
                await asyncio.wait_for(intake.take(body), 60)
            except Unavailable:
                failures += 1
                continue
            assert body.refused == []
            assert _in_log(journal) >= {(r.device, r.observed_at) for r in readings}, "said 2xx too early"
            acknowledged |= {(r.device, r.observed_at) for r in readings}
            break
    await intake.stop()
    assert failures > 0
    assert len(acknowledged) == BODIES * PER_BODY
    assert _in_log(journal) >= acknowledged


def _in_log(journal: MemoryJournal) -> set[tuple[str, int]]:
    records = [
        record
        for partition in range(2)
        for record in journal.slice(TopicPartition(RAW, partition), 0, 100_000)
    ]
    readings = [
        raw.reading for raw in map(decode_raw, (r.value for r in records)) if isinstance(raw, RawReading)
    ]
    return {(reading.device, reading.observed_at) for reading in readings}
