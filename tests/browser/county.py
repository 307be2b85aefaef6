"""An evening of the simulated county, judged by the real evaluator, as a console finds it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from emon.batch import evaluate_files
from emon.domain.finding import Finding
from emon.domain.instant import DAY, MINUTE
from emon.evaluate.port import Chunk
from emon.formats import native
from emon.formats.check import check
from emon.journal.records import Bound, encode
from simulators import offline
from simulators.score import read_findings
from simulators.world import World, build

MINUTES = 50


class Evening(NamedTuple):
    """Documents, chunks of history and findings; `who`: participant by scenario."""

    documents: list[Any]
    chunks: list[Chunk]
    findings: list[Finding]
    who: dict[str, str]


def evening(folder: Path, seed: int = 11) -> Evening:
    """One of a hundred participants, up to ten minutes before nine."""
    world = build(seed)
    until = world.start_us + MINUTES * MINUTE
    world.write(folder)
    offline.write(world, until, folder / "readings.ndjson")
    evaluate_files([folder / "orders", folder / "bindings"], [folder / "zones"], [folder / "readings.ndjson"],
                   folder / "findings.ndjson", until)
    checked = check([folder / part for part in ("orders", "bindings", "zones", "people")], complete=True)
    return Evening([*checked.people, *checked.zones, *checked.orders, *checked.bindings],
                   _chunks(world, folder / "readings.ndjson"), read_findings(folder / "findings.ndjson"),
                   {plan.scenario: plan.id for plan in world.plans})


def _chunks(world: World, path: Path) -> list[Chunk]:
    """Readings as the history keeps them, each once."""
    owner = {device.id: plan.id for plan in world.plans for device in plan.devices}
    days: dict[tuple[str, int], dict[Any, Bound]] = defaultdict(dict)
    for line in path.read_bytes().splitlines():
        reading = native.decode(line)
        bound = Bound(owner[reading.device], reading.received_at, reading)
        same = (reading.device, reading.kind, reading.observed_at, reading.event)
        days[bound.participant, reading.observed_at // DAY].setdefault(same, bound)
    return [Chunk(participant, day, min(one.reading.observed_at for one in bounds.values()),
                  max(one.reading.observed_at for one in bounds.values()), len(bounds),
                  b"\n".join(encode(one) for one in sorted(bounds.values(), key=lambda b: b.reading.observed_at)))
            for (participant, day), bounds in days.items()]
