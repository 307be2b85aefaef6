"""Batches and restarts are invisible in a world like the demo's, where most readings take the fast lane."""

from __future__ import annotations

from pathlib import Path

import pytest

from emon.domain import instant
from emon.domain.finding import Finding
from emon.domain.reading import Reading
from emon.evaluate import batch
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory, MemorySnapshots
from emon.formats import readings as files
from emon.formats.check import check
from emon.journal.records import InputRecord, OwnOutage
from simulators import offline
from simulators.world import build

MINUTES = 40
PARTICIPANTS = 60


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[InputRecord], int]:
    """An evening as the evaluator reads it, in which we ourselves took nothing in for a while."""
    folder = tmp_path_factory.mktemp("world")
    one = build(902, PARTICIPANTS)
    until = one.start_us + MINUTES * instant.MINUTE
    one.write(folder)
    offline.write(one, until, folder / "readings.ndjson")
    return records(folder, one.start_us + 20 * instant.MINUTE), until


def records(folder: Path, deaf_at: int) -> list[InputRecord]:
    """The files of a world merged."""
    checked = check([folder / "orders", folder / "bindings", folder / "zones"], complete=True)
    assert not checked.faults
    readings = [r for r in files.read([folder / "readings.ndjson"]) if isinstance(r, Reading)]
    deaf = OwnOutage(deaf_at + 50 * instant.SECOND, deaf_at, deaf_at + 45 * instant.SECOND)
    return list(batch.merge(readings, checked.orders, checked.zones, checked.bindings, [deaf]))


def run(given: list[InputRecord], until: int, size: int, *, restart: bool) -> tuple[list[Finding], int]:
    """Revisions, and how many participants the lane has ever held."""
    history, snapshots = MemoryHistory(), MemorySnapshots()
    judge = Evaluator(history)
    written: list[Finding] = []
    met: set[str] = set()
    for batch_no, begin in enumerate(range(0, len(given), size)):
        written += judge.step(given[begin:begin + size])
        met.update(judge._lane.names)
        if restart and batch_no % max(1, 500 // size) == 0:
            judge.flush_history()
            snapshots.save(0, 1, begin + size, *judge.snapshot())
            saved = snapshots.load(0)
            assert saved is not None
            judge = Evaluator.restore(saved, history)
    return written + judge.advance(until), len(met)


def test_batches_and_restarts_are_invisible(world: tuple[list[InputRecord], int]) -> None:
    given, until = world
    whole, met = run(given, until, len(given), restart=False)
    assert met > PARTICIPANTS / 2, "the lane was hardly used"
    assert {f.status for f in whole} >= {"opened", "closed"} and len(whole) > 20
    for size in (1, 7, 100, len(given)):
        for restart in (False, True):
            again, _ = run(given, until, size, restart=restart)
            assert again == whole, f"batches of {size}, restarts: {restart}"
