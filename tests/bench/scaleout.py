"""Kafka and PostgreSQL, a router and evaluators as processes, and a kill -9 of an evaluator half-way.

Two figures. *Start*: all order, zone and binding versions stand on emon.orders when the processes start; the
watch stops when the evaluators have committed the last one. *Steady*: the raw topic is filled while nobody
reads it, then the processes start again. The watch runs from the first transaction of the router, whose
readings do not count, to the last finding on emon.findings: meeting everybody for the first time, the kill and
the restart are in it. What was found must equal what the batch run finds in the recording.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import httpx
import msgspec

from emon.batch import evaluate_files
from emon.domain import instant
from emon.ingest.orders import publish
from emon.journal.kafka import KafkaJournal
from emon.journal.port import ORDERS, RAW, READINGS
from emon.recording import export
from simulators.parts import Kafka, Postgres, free_port
from simulators.workload import Workload
from tests.bench import loads, topics
from tests.bench.embedded import document
from tests.bench.processes import Process, emon, family_cpu_s, wait_for

PARTITIONS: Final = 4
EVALUATORS: Final = 1
LIMIT_S: Final = 240.0
ASK_EVERY_S: Final = 0.1
_JUDGED: Final = re.compile(r'^emon_stage_records_total\{stage="evaluate"\} (\S+)$', re.MULTILINE)


class Cost(NamedTuple):
    """Wall seconds, and processor seconds of the router, the evaluators, the broker and the database."""

    wall_s: float
    route_s: float
    evaluate_s: float
    broker_s: float
    store_s: float

    @property
    def emon_s(self) -> float:
        """Of emon's own processes."""
        return self.route_s + self.evaluate_s


class ScaledOut(NamedTuple):
    """`readings`: those that `steady` counts; `found`: revisions; `equal`: whether the batch run agrees."""

    versions: int
    start: Cost
    readings: int
    steady: Cost
    found: int
    equal: bool


def measure(readings: int) -> ScaledOut:
    """The whole of it. Raises NotReady, PartMissing."""
    load = loads.with_visits(loads.usual(readings / loads.PARTICIPANTS))
    with (TemporaryDirectory(prefix="emon-bench-", ignore_cleanup_errors=True) as name,
          _services(Path(name)) as services,
          topics.Progress(services.kafka.bootstrap, PARTITIONS) as progress):
        emon(services.environment, "db", "upgrade")
        versions = asyncio.run(_publish(services.kafka.bootstrap, load))
        start = _take_versions_in(services, progress)
        asyncio.run(_fill(services.kafka.bootstrap, load))
        counted, steady = _judge_readings(services, progress, len(load))
        found, last_us, equal = asyncio.run(_compare(services))
    return ScaledOut(versions, start, counted, steady._replace(wall_s=last_us / 1e6 - steady.wall_s), found, equal)


class _Services(NamedTuple):
    folder: Path
    kafka: Kafka
    postgres: Postgres
    environment: Mapping[str, str]


@contextmanager
def _services(folder: Path) -> Iterator[_Services]:
    """A broker and a server of this run's own, and the environment that names them."""
    folder.chmod(0o755)  # PostgreSQL runs under another user where we are root
    kafka, postgres = Kafka(folder / "kafka"), Postgres(folder / "postgres")
    try:
        kafka.start()
        postgres.start()
        yield _Services(folder, kafka, postgres, {
            "EMON_JOURNAL": kafka.url, "EMON_STORE": postgres.database("bench"), "EMON_DATA": str(folder / "data"),
            "EMON_PARTITIONS": str(PARTITIONS), "EMON_LOG_LEVEL": "info"})
    finally:
        postgres.stop()
        kafka.stop()


async def _publish(bootstrap: str, load: Workload) -> int:
    journal = KafkaJournal(bootstrap, partitions=PARTITIONS)
    await journal.open()
    try:
        versions = load.versions()
        await publish(journal, [document(version) for version in versions], now=load.start_us - instant.DAY)
        return len(versions)
    finally:
        await journal.close()


async def _fill(bootstrap: str, load: Workload) -> None:
    journal = KafkaJournal(bootstrap, partitions=PARTITIONS)
    await journal.open()
    try:
        await topics.fill(journal, load)
    finally:
        await journal.close()


class _Roles:
    """The router and the evaluators, running and answering."""

    def __init__(self, services: _Services, stack: ExitStack) -> None:
        self._services = services
        self._ports = [free_port() for _ in range(1 + EVALUATORS)]
        self._gone_s = 0.0
        self.all: list[Process] = []
        for number, port in enumerate(self._ports):
            name = f"evaluate-{number}" if number else "route"
            process = Process(["emon", "run", name.partition("-")[0]],
                              {**services.environment, "EMON_METRICS_PORT": str(port)},
                              services.folder / f"{name}.log")
            stack.callback(process.stop)
            self.all.append(process)
        self._began = self._costs()
        self._began_at = time.perf_counter()

    def await_answers(self) -> None:
        """Returns when all of them are ready."""
        for process, port in zip(self.all, self._ports, strict=True):
            process.await_answer(f"http://127.0.0.1:{port}/readyz")

    def judged(self) -> int:
        """Records that the evaluators have worked through since they were started."""
        return sum(_judged(port) for port in self._ports[1:])

    def kill_evaluator(self) -> None:
        """Ends the first evaluator as a power cut would, and starts it again."""
        self._gone_s += self.all[1].cpu_s()
        self.all[1].kill()
        self.all[1].start()

    def cost(self) -> Cost:
        """Since the processes were started."""
        return Cost(time.perf_counter() - self._began_at,
                    *(now - then for now, then in zip(self._costs(), self._began, strict=True)))

    def _costs(self) -> tuple[float, float, float, float]:
        return (self.all[0].cpu_s(), self._gone_s + sum(process.cpu_s() for process in self.all[1:]),
                family_cpu_s(self._services.kafka.pid), family_cpu_s(self._services.postgres.pid))


def _judged(port: int) -> int:
    try:
        said = _JUDGED.search(httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text)
    except httpx.TransportError:
        return 0
    return 0 if said is None else int(float(said[1]))


def _take_versions_in(services: _Services, progress: topics.Progress) -> Cost:
    """Runs all roles until they know every version."""
    with ExitStack() as stack:
        roles = _Roles(services, stack)
        wait_for(lambda: progress.behind("route", ORDERS) <= 0, roles.all, LIMIT_S, "routing versions", ASK_EVERY_S)
        wait_for(lambda: progress.behind("evaluate", READINGS) <= PARTITIONS, roles.all, LIMIT_S,
                 "taking versions in", ASK_EVERY_S)
        return roles.cost()


def _judge_readings(services: _Services, progress: topics.Progress, readings: int) -> tuple[int, Cost]:
    """Runs all roles until the last reading is judged and committed, with a kill -9 half-way. The cost's wall
    time is the instant at which the watch began, in seconds since 1970."""
    routed = progress.committed("route", RAW)
    with ExitStack() as stack:
        roles = _Roles(services, stack)
        roles.await_answers()
        wait_for(lambda: progress.committed("route", RAW) > routed, roles.all, LIMIT_S, "the first readings",
                 ASK_EVERY_S / 4)
        began_s, to_come = time.time(), progress.behind("route", RAW)
        raw = progress.committed("route", RAW) - routed + to_come
        wait_for(lambda: roles.judged() >= readings // 2, roles.all, LIMIT_S, "half of the readings", ASK_EVERY_S)
        roles.kill_evaluator()
        wait_for(lambda: progress.behind("route", RAW) <= 0, roles.all, LIMIT_S, "routing", ASK_EVERY_S)
        wait_for(lambda: progress.behind("evaluate", READINGS) <= PARTITIONS, roles.all, LIMIT_S, "judging",
                 ASK_EVERY_S)
        return readings * to_come // raw, roles.cost()._replace(wall_s=began_s)


async def _compare(services: _Services) -> tuple[int, int, bool]:
    """How many revisions there are, when the last was recorded, and whether the batch run over the recording
    gives the same."""
    recording = services.folder / "recording"
    journal = KafkaJournal(services.kafka.bootstrap, partitions=PARTITIONS)
    await journal.open()
    try:
        await export(journal, recording)
    finally:
        await journal.close()
    until = instant.parse(msgspec.json.decode((recording / "manifest.json").read_bytes())["until"])
    evaluate_files((recording / "orders",), (recording / "zones.geojson",), (recording / "readings.ndjson",),
                   recording / "again.ndjson", until)
    live, again = (_revisions(recording / name) for name in ("findings.ndjson", "again.ndjson"))
    last_us = max((instant.parse(str(one.pop("recorded_at"))) for one in live), default=0)
    for one in again:
        one.pop("recorded_at")
    return len(live), last_us, live == again


def _revisions(path: Path) -> list[dict[str, object]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]
