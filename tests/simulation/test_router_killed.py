"""A router killed in the middle of its work: nothing is lost, nothing is doubled, the order stays total."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from emon.domain.instant import SECOND
from emon.domain.reading import Reading
from emon.journal.open import open_journal
from emon.journal.port import Entry, Journal
from emon.journal.records import Bound, OwnOutage, Tick
from emon.store import open_engine, upgrade
from simulators.parts import Kafka
from tests.simulation.chain import seed_of_this_run
from tests.unit.route.worlds import PARTITIONS, T0, bound, raw, reading, ticks, told

DEVICES, BODIES, PER_BODY = 12, 40, 9


@pytest.fixture(params=["sqlite", "kafka"])
async def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A journal of the test's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'journal'}"
        return
    broker = Kafka(tmp_path / "kafka")
    await asyncio.to_thread(broker.start)
    yield broker.url
    await asyncio.to_thread(broker.stop)


def body(number: int, readings: list[Reading]) -> list[Entry]:
    """Readings of several devices in one request, its last record in each partition marked."""
    entries: list[Entry] = []
    marked: set[int | None] = set()
    for one in reversed(readings):
        partition = raw(one).partition
        entries.append(raw(one, batch=f"b-{number}", last=partition not in marked))
        marked.add(partition)
    return entries[::-1]


async def fill(journal: Journal, random: Random) -> Counter[tuple[str, int]]:
    """Bindings, bodies and ticks; what has to be told."""
    await journal.append([*(bound(f"D{n}", f"P{n}") for n in range(DEVICES)), *ticks(1)])
    wanted: Counter[tuple[str, int]] = Counter()
    for number in range(BODIES):
        readings = [reading(f"D{random.randrange(DEVICES)}", number + place / 100) for place in range(PER_BODY)]
        wanted.update((one.device, one.observed_at) for one in readings)
        await journal.append([*body(number, readings), *ticks(number + 3)])
    return wanted


async def test_killed_before_during_and_after_a_transaction(tmp_path: Path, journal_url: str) -> None:
    seed = seed_of_this_run()
    print("seed", seed)
    random = Random(seed)
    store_url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    engine = open_engine(store_url)
    upgrade(engine)
    engine.dispose()
    journal = open_journal(journal_url, partitions=PARTITIONS)
    await journal.open()
    wanted = await fill(journal, random)
    points = [f"{kind}:{random.randint(1, 3)}" for kind in ("before", "during", "after")]
    random.shuffle(points)
    for point in [*points, f"until:{wanted.total()}"]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.simulation.dying_router", journal_url, store_url, point,
            cwd=Path(__file__).parents[2])
        async with asyncio.timeout(180):
            assert await process.wait() == (0 if point.startswith("until") else -signal.SIGKILL), point
    partitions = [await told(journal, number) for number in range(await journal.partitions("emon.readings"))]
    await journal.close()
    given = Counter((r.reading.device, r.reading.observed_at) for part in partitions for r in part
                    if isinstance(r, Bound))
    assert given == wanted
    for part in partitions:
        ends = [r.received_at for r in part if isinstance(r, Tick) or r.last]
        assert ends == sorted(set(ends))
        seconds = [(r.received_at - T0) // SECOND for r in part if isinstance(r, Tick)]
        assert seconds == list(range(seconds[0], BODIES + 3))
        assert seconds[0] in (0, 1), "the bindings' own second counts where they were polled first"
        assert not any(isinstance(r, OwnOutage) for r in part)
