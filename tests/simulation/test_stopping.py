"""How processes end: when told to, when something is in their way, when a role dies, when the disk is full."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import msgspec
import pytest

from emon.domain import instant
from emon.serve import ROLES
from simulators.parts import Kafka, free_port
from tests.bench.processes import emon
from tests.simulation.chain import STOP_S, Role

UP = ("up",)


def environment(folder: Path, port: int = 0, more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"EMON_DATA": str(folder / "data"), "EMON_LISTEN_PORT": str(port), **(more or {})}


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Role]:
    """An embedded pipeline that answers."""
    port = free_port()
    role = Role(UP, environment(tmp_path, port), tmp_path / "up.log")
    role.url = f"http://127.0.0.1:{port}"
    role.await_answer(f"{role.url}/readyz")
    yield role
    role.kill()


def refused(folder: Path, port: int = 0, data: Path | None = None) -> tuple[int, list[str]]:
    """The exit code of an `emon up` that cannot begin, and what it says."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("EMON_")}
    done = subprocess.run([sys.executable, "-m", "emon", "up"], env={
        **inherited, **environment(folder, port), **({} if data is None else {"EMON_DATA": str(data)})},
                          capture_output=True, text=True, check=False, timeout=180)
    return done.returncode, done.stderr.strip().splitlines()


def test_what_is_in_the_way_is_named_in_one_line(tmp_path: Path) -> None:
    """A port in use, a data folder that is a file, a store that is a folder."""
    (tmp_path / "data" / "emon.sqlite").mkdir(parents=True)
    code, lines = refused(tmp_path)
    assert (code, len(lines)) == (3, 1), lines
    assert f"{tmp_path}/data/emon.sqlite" in lines[0]
    (tmp_path / "file").write_text("")
    code, lines = refused(tmp_path, data=tmp_path / "file")
    assert (code, len(lines)) == (2, 1), lines
    assert f"{tmp_path}/file" in lines[0]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "journal").write_text("")
    code, lines = refused(tmp_path, data=tmp_path / "other")
    assert (code, len(lines)) == (3, 1), lines
    assert f"{tmp_path}/other/journal" in lines[0]


def test_a_port_in_use_is_named_in_one_line(up: Role, tmp_path: Path) -> None:
    port = int(up.url.rpartition(":")[2])
    code, lines = refused(tmp_path / "second", port)
    assert code == 3
    assert len(lines) == 1
    assert str(port) in lines[0]
    assert "EMON_LISTEN_PORT" in lines[0]


def test_a_full_disk_loses_nothing_and_is_got_over(up: Role, tmp_path: Path) -> None:
    """While nothing can be written vendors get 503 and the process lives; then everything goes on."""
    key = emon(environment(tmp_path), "key", "create", "--feed", "acme", "--adapter", "native")

    def post(number: int) -> int:
        at = instant.iso(time.time_ns() // 1000 // instant.SECOND * instant.SECOND)
        body = msgspec.json.encode({"v": 1, "device": f"D-{number}", "kind": "status", "observed_at": at,
                                    "event": "heartbeat"})
        answer = httpx.post(f"{up.url}/v1/feeds/acme", content=body, timeout=60, headers={
            "authorization": f"Bearer {key}", "content-type": "application/json"})
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0
        return answer.status_code

    assert post(0) == 202
    pid = up._process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, before[1]))
    answers = [post(number) for number in range(1, 4)]
    assert answers == [503] * 3
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    limit = time.monotonic() + 90
    while (last := post(4)) != 202 and time.monotonic() < limit:
        time.sleep(0.2)
    assert last == 202
    assert "Traceback" not in up.said()
    code, took_s = up.end()
    assert code == 0
    assert took_s < STOP_S
    arrived = (tmp_path / "data" / "journal").glob("*")
    assert any(b"D-0" in file.read_bytes() for file in arrived)


def test_a_role_that_dies_takes_the_process_with_it_and_says_so(tmp_path: Path) -> None:
    """A finding that no version of ours has written: the alerts stage must not go on as if it were nothing."""
    port = free_port()
    role = Role(UP, environment(tmp_path, port), tmp_path / "up.log")
    try:
        role.await_answer(f"http://127.0.0.1:{port}/readyz")
        _poison(tmp_path / "data" / "journal")
        assert role._process.wait(20) not in (0, None)
        lines = [line for line in role.said().splitlines() if "role died" in line]
        assert len(lines) == 1
        assert "role=alerts" in lines[0]
    finally:
        role.kill()


def _poison(folder: Path) -> None:
    program = ("import asyncio, pathlib, sys\nfrom emon.journal.sqlite import SqliteJournal\n"
               "from emon.journal.port import FINDINGS, Entry\nasync def main():\n"
               "    journal = SqliteJournal(pathlib.Path(sys.argv[1]))\n    await journal.open()\n"
               "    await journal.append([Entry(FINDINGS, 'x', b'nonsense')])\n    await journal.close()\n"
               "asyncio.run(main())\n")
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, timeout=180)


def test_every_role_stops_in_time(tmp_path: Path, postgres_url: str) -> None:
    """On Kafka and PostgreSQL, each role by itself; and once more while both are away."""
    broker = Kafka(tmp_path / "kafka")
    broker.start()
    settings = {"EMON_JOURNAL": broker.url, "EMON_STORE": postgres_url}
    roles: dict[str, Role] = {}
    try:
        emon(environment(tmp_path, more=settings), "db", "upgrade")
        for name in ROLES:
            port = free_port()
            roles[name] = Role(("run", name), environment(tmp_path, port, {**settings, "EMON_METRICS_PORT": str(port)}),
                               tmp_path / f"{name}.log")
            roles[name].url = f"http://127.0.0.1:{port}"
        for role in roles.values():
            role.await_answer(f"{role.url}/healthz")
        left = ("route", "alerts")
        for name, role in roles.items():
            if name in left:
                continue
            code, took_s = role.end()
            assert code == 0, (name, role.said()[-2000:])
            assert took_s < STOP_S, f"{name} took {took_s:.1f} s"
        broker.kill()
        time.sleep(1)
        for name in left:
            role = roles[name]
            code, took_s = role.end()
            assert code == 0, (name, role.said()[-2000:])
            assert took_s < 15, f"{name} took {took_s:.1f} s without a broker"
    finally:
        for role in roles.values():
            role.kill()
        broker.kill()
