"""Kafka and PostgreSQL, a router and an evaluator as processes, and a kill -9 of the evaluator half-way.

Orders, zones and bindings are taken in first, then the raw topic is filled while nobody reads it. The watch
runs from the moment at which both processes answer to the moment at which the last reading is judged and the
group has committed it, the restart after the kill included. What was found must then equal what the batch
run finds in the recording.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from emon.batch import evaluate_files
from emon.domain import instant
from emon.domain.reading import Reading
from emon.ingest.orders import publish
from emon.journal.kafka import KafkaJournal
from emon.journal.port import ORDERS, RAW, READINGS, Entry, partition_of
from emon.journal.records import Bound, RawReading, Tick, encode
from emon.recording import export
from simulators.parts import Kafka, Postgres, free_port
from simulators.workload import FEED, Workload
from tests.bench import loads
from tests.bench.embedded import document
from tests.bench.processes import Process, emon, running, wait_for

PARTITIONS: Final = 4
LIMIT_S: Final = 240.0
ASK_EVERY_S: Final = 0.3
_APPEND: Final = 20_000


class ScaledOut(NamedTuple):
    """`route_s`, `evaluate_s`: processor time of the processes; `equal`: whether the batch run agrees."""

    readings: int
    wall_s: float
    route_s: float
    evaluate_s: float
    findings: int
    equal: bool
    rss: int


def measure(readings: int) -> ScaledOut:
    """The whole of it. Raises NotReady, PartMissing."""
    load = loads.with_visits(loads.usual(readings / loads.PARTICIPANTS))
    with TemporaryDirectory(prefix="emon-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with _services(folder) as (kafka, environment):
            emon(environment, "db", "upgrade")
            asyncio.run(_publish(kafka.bootstrap, load))
            _take_orders_in(folder, environment, kafka.bootstrap)
            raw = asyncio.run(_fill(kafka.bootstrap, load))
            wall_s, costs, rss = _run(folder, environment, kafka.bootstrap, raw)
            found, equal = asyncio.run(_compare(kafka.bootstrap, folder))
    return ScaledOut(len(load), wall_s, *costs, found, equal, rss)


@contextmanager
def _services(folder: Path) -> Iterator[tuple[Kafka, Mapping[str, str]]]:
    """A broker and a server of this run's own, and the environment that names them."""
    folder.chmod(0o755)  # PostgreSQL runs under another user where we are root
    kafka, postgres = Kafka(folder / "kafka"), Postgres(folder / "postgres")
    try:
        kafka.start()
        postgres.start()
        yield kafka, {"EMON_JOURNAL": kafka.url, "EMON_STORE": postgres.database("bench"),
                      "EMON_DATA": str(folder / "data"), "EMON_PARTITIONS": str(PARTITIONS),
                      "EMON_LOG_LEVEL": "info"}
    finally:
        postgres.stop()
        kafka.stop()


async def _publish(bootstrap: str, load: Workload) -> None:
    journal = KafkaJournal(bootstrap, partitions=PARTITIONS)
    await journal.open()
    try:
        await publish(journal, [document(version) for version in load.versions()], now=load.start_us - instant.DAY)
    finally:
        await journal.close()


def _take_orders_in(folder: Path, environment: Mapping[str, str], bootstrap: str) -> None:
    """Runs both roles until they know every version."""
    with running(folder / "orders.log", environment, "emon", "run", "route", "evaluate") as process:
        progress = _Progress(bootstrap)
        wait_for(lambda: progress.behind("route", ORDERS) <= 0, [process], LIMIT_S, "routing orders", ASK_EVERY_S)
        wait_for(lambda: progress.behind("evaluate", READINGS) <= PARTITIONS, [process], LIMIT_S,
                 "taking orders in", ASK_EVERY_S)


async def _fill(bootstrap: str, load: Workload) -> int:
    """The raw topic, as ingest leaves it; how many records it has then."""
    journal = KafkaJournal(bootstrap, partitions=PARTITIONS)
    await journal.open()
    try:
        entries: list[Entry] = []
        for number, arrival in enumerate(load.records(loads.BODY)):
            if isinstance(arrival[0], Tick):
                entries += [Entry(RAW, "tick", encode(arrival[0]), p) for p in range(PARTITIONS)]
            else:
                entries += _body(f"bench-{number}", arrival)
            if len(entries) >= _APPEND:
                await journal.append(entries)
                entries = []
        end = Tick(int(load.received_us[-1]) // instant.SECOND * instant.SECOND + instant.SECOND)
        await journal.append([*entries, *(Entry(RAW, "tick", encode(end), p) for p in range(PARTITIONS))])
        return sum((await journal.end_offsets(RAW)).values())
    finally:
        await journal.close()


def _body(name: str, arrival: Sequence[Bound | Tick]) -> list[Entry]:
    """A body's records; its last one in each partition is marked."""
    entries: list[Entry] = []
    marked: set[int] = set()
    for bound in reversed(arrival):
        assert isinstance(bound, Bound)
        partition = partition_of(bound.reading.device, PARTITIONS)
        reading = msgspec.structs.replace(bound.reading, received_at=bound.received_at)
        raw = encode(RawReading(FEED, bound.received_at, reading, _line(reading), name, False,
                                partition not in marked))
        marked.add(partition)
        entries.append(Entry(RAW, reading.device, raw, partition))
    entries.reverse()
    return entries


def _line(reading: Reading) -> str:
    return (f'{{"v":1,"device":"{reading.device}","kind":"position","observed_at":"'
            f'{instant.iso(reading.observed_at)}","lat":{reading.lat},"lon":{reading.lon},'
            f'"accuracy_m":{reading.accuracy_m},"method":"gnss"}}')


def _run(folder: Path, environment: Mapping[str, str], bootstrap: str,
         raw: int) -> tuple[float, tuple[float, float], int]:
    ports = [free_port(), free_port()]
    processes: list[Process] = []
    try:
        for role, port in zip(("route", "evaluate"), ports, strict=True):
            processes.append(Process(["emon", "run", role], {**environment, "EMON_METRICS_PORT": str(port)},
                                     folder / f"{role}.log"))
        for process, port in zip(processes, ports, strict=True):
            process.await_answer(f"http://127.0.0.1:{port}/readyz")
        started = time.perf_counter()
        evaluator = processes[1]
        progress = _Progress(bootstrap)
        known = progress.committed("evaluate", READINGS)
        wait_for(lambda: progress.committed("evaluate", READINGS) >= known + raw // 2, processes, LIMIT_S,
                 "half of the readings", ASK_EVERY_S)
        before = evaluator.cpu_s()
        evaluator.kill()
        evaluator.start()
        wait_for(lambda: progress.behind("route", RAW) <= 0, processes, LIMIT_S, "routing", ASK_EVERY_S)
        wait_for(lambda: progress.behind("evaluate", READINGS) <= PARTITIONS, processes, LIMIT_S, "evaluating",
                 ASK_EVERY_S)
        wall_s = time.perf_counter() - started
        return wall_s, (processes[0].cpu_s(), before + evaluator.cpu_s()), evaluator.rss()
    finally:
        for process in processes:
            process.stop()


class _Progress:
    """Where groups stand; each question on a connection of its own, which is slow and rarely asked."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def committed(self, group: str, topic: str) -> int:
        """Records that a group has committed."""
        return asyncio.run(self._committed(group, topic))

    def behind(self, group: str, topic: str) -> int:
        """Offsets that a group has not committed. Where a transaction wrote last its marker is one of them,
        which nobody ever reads: one in every partition."""
        return asyncio.run(self._end(topic)) - self.committed(group, topic)

    async def _committed(self, group: str, topic: str) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            try:
                offsets = await admin.list_consumer_group_offsets(group)
            except GroupCoordinatorNotAvailableError:
                return 0  # no group has ever met on this broker yet
            return sum(max(0, at.offset) for where, at in offsets.items() if where.topic == topic)
        finally:
            await admin.close()

    async def _end(self, topic: str) -> int:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap)
        await consumer.start()
        try:
            ends = await consumer.end_offsets([TopicPartition(topic, p) for p in range(PARTITIONS)])
            return sum(ends.values())
        finally:
            await consumer.stop()


async def _compare(bootstrap: str, folder: Path) -> tuple[int, bool]:
    """How many revisions there are, and whether the batch run over the recording gives the same."""
    recording = folder / "recording"
    journal = KafkaJournal(bootstrap, partitions=PARTITIONS)
    await journal.open()
    try:
        await export(journal, recording)
    finally:
        await journal.close()
    until = instant.parse(msgspec.json.decode((recording / "manifest.json").read_bytes())["until"])
    evaluate_files((recording / "orders",), (recording / "zones.geojson",), (recording / "readings.ndjson",),
                   recording / "again.ndjson", until)
    live, again = (_revisions(recording / name) for name in ("findings.ndjson", "again.ndjson"))
    return len(live), live == again


def _revisions(path: Path) -> list[dict[str, object]]:
    lines = [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
    for line in lines:
        line.pop("recorded_at")
    return lines
