"""One `emon up` under load over HTTP: how fast, how late, and how large it grows.

Everything is real: its process, its files, a feed's key, bodies over loopback. A figure ends when the last
reading's findings are stored and the alerts stage has read them.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
import msgspec

from emon.domain import finding as findings
from emon.domain.finding import Finding
from emon.ingest.orders import Document, publish
from emon.journal.port import FINDINGS, RAW, READINGS, TopicPartition
from emon.journal.records import BindingVersion, OrderVersion, ZoneVersion
from emon.journal.sqlite import SqliteJournal
from simulators.parts import free_port
from simulators.workload import FEED, Workload
from tests.bench.load import Answered
from tests.bench.processes import NotReady, Process, emon, running, status, wait_for

DRAIN_S: Final = 120.0
_READ: Final = 5_000


@dataclass(slots=True)
class Run:
    """What a load came to. `wall_s`: from the first byte to the last finding stored; `cpu_s` of emon alone."""

    answered: Answered
    wall_s: float
    cpu_s: float
    rss: list[int] = field(default_factory=list)


class Embedded:
    """A running `emon up`."""

    def __init__(self, folder: Path, port: int, key: str, process: Process) -> None:
        self.folder, self.port, self.key, self.process = folder, port, key, process
        self.url = f"http://127.0.0.1:{port}"

    def load(self, bodies: list[tuple[int, bytes]], connections: int) -> Run:
        """Sends bodies and waits until emon is done with them. Raises NotReady."""
        file = self.folder / "bodies"
        file.write_bytes(msgspec.msgpack.encode(bodies))
        cpu = self.process.cpu_s()
        said = self.folder / "answered"
        rss = [self.process.rss()]
        with said.open("wb") as out:
            load = subprocess.Popen([sys.executable, "-m", "tests.bench.load", str(self.port), FEED, self.key,
                                     str(file), str(connections)], stdout=out, stdin=subprocess.DEVNULL)
            try:
                while load.poll() is None:
                    self.process.check()
                    rss.append(self.process.rss())
                    time.sleep(0.05)
            finally:
                load.kill()
                load.wait()
        if load.returncode:
            raise NotReady(f"the load ended with {load.returncode}")
        answered = msgspec.json.decode(said.read_bytes(), type=Answered)
        ended = time.perf_counter()
        self.wait_until_done(rss)
        wall_s = answered.wall_s + time.perf_counter() - ended
        return Run(answered, wall_s, self.process.cpu_s() - cpu, rss)

    def wait_until_done(self, rss: list[int] | None = None) -> None:
        """Returns when every stage has worked through what is there now. Raises NotReady."""
        raw = self._ends()[RAW]
        wait_for(lambda: self._sampled(rss) and self._committed("route", RAW) >= raw, [self.process], DRAIN_S,
                 "routing")
        readings = self._ends()[READINGS]
        wait_for(lambda: self._sampled(rss) and self._worked("evaluate") >= readings, [self.process], DRAIN_S,
                 "evaluating")
        decided = self._ends()[FINDINGS]
        wait_for(lambda: self._sampled(rss) and self._committed("alerts", FINDINGS) >= decided, [self.process],
                 DRAIN_S, "raising alerts")

    def _sampled(self, rss: list[int] | None) -> bool:
        if rss is not None:
            rss.append(self.process.rss())
        return True

    def _worked(self, stage: str) -> float:
        """Records that a stage has worked through since the process began."""
        try:
            text = httpx.get(f"{self.url}/metrics", timeout=30).text
        except httpx.TransportError:
            return 0.0
        wanted = f'emon_stage_records_total{{stage="{stage}"}} '
        return next((float(line.removeprefix(wanted)) for line in text.splitlines() if line.startswith(wanted)), 0.0)

    def _ends(self) -> dict[str, int]:
        return dict(self._ask("SELECT topic, sum(next_offset) FROM topic_partition GROUP BY topic"))

    def _committed(self, group: str, topic: str) -> int:
        rows = self._ask("SELECT topic, sum(next_offset) FROM committed WHERE consumer_group=? GROUP BY topic",
                         group)
        return dict(rows).get(topic, 0)

    def _ask(self, question: str, *values: str) -> list[tuple[str, int]]:
        file = self.folder / "data" / "journal" / "journal.sqlite"
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)) as database:
            return database.execute(question, values).fetchall()

    def status(self) -> dict[str, object]:
        """/v1/status."""
        return status(self.url)


@contextmanager
def embedded(folder: Path, load: Workload | None) -> Iterator[Embedded]:
    """`emon up` with the load's orders, zones and bindings taken in; None: with nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = {"EMON_DATA": str(folder / "data"), "EMON_LISTEN_PORT": str(port), "EMON_LOG_LEVEL": "warning"}
    key = emon(environment, "key", "create", "--feed", FEED, "--adapter", "native")
    if load is not None:
        asyncio.run(_publish(folder / "data" / "journal", load))
    with running(folder / "up.log", environment, "emon", "up") as process:
        process.await_answer(f"http://127.0.0.1:{port}/readyz")
        running_emon = Embedded(folder, port, key, process)
        wait_for(lambda: running_emon._committed("route", "emon.orders") >= running_emon._ends()["emon.orders"],
                 [process], DRAIN_S, "taking orders in")
        running_emon.wait_until_done()
        yield running_emon


async def _publish(folder: Path, load: Workload) -> None:
    journal = SqliteJournal(folder)
    await journal.open()
    try:
        await publish(journal, [document(version) for version in load.versions()])
    finally:
        await journal.close()


def document(version: OrderVersion | ZoneVersion | BindingVersion) -> Document:
    """The version without its arrival."""
    match version:
        case OrderVersion():
            return version.order
        case ZoneVersion():
            return version.zone
        case BindingVersion():
            return version.binding


def stored_findings(folder: Path) -> list[Finding]:
    """What stands on emon.findings, after the process has ended or while it runs."""
    return asyncio.run(_stored_findings(folder / "data" / "journal"))


async def _stored_findings(folder: Path) -> list[Finding]:
    journal = SqliteJournal(folder)
    await journal.open()
    found: list[Finding] = []
    try:
        offset = 0
        while block := await journal.read(TopicPartition(FINDINGS, 0), offset, _READ):
            found += [findings.decode(record.value) for record in block]
            offset = block[-1].offset + 1
    finally:
        await journal.close()
    return found
