"""The real services: they keep their data through kills, and none outlives the run that started it."""

from __future__ import annotations

import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from simulators import parts
from tests.conftest import MailServer, open_folder

ROOT = Path(__file__).resolve().parents[2]

STARTER = """
import sys, time
from pathlib import Path
from simulators import parts
part = getattr(parts, sys.argv[1])(Path(sys.argv[2]))
part.start()
print(part.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that PostgreSQL may use as root, too."""
    with open_folder() as found:
        yield found


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")  # a process that has ended and was not yet waited for counts as ended
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.parametrize("part", ["Kafka", "Postgres"])
def test_a_part_ends_with_the_process_that_started_it_however_that_ends(part: str, folder: Path) -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER, part, str(folder / "part")], cwd=ROOT,
                               stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    assert running(pid)
    starter.kill()
    starter.wait()
    deadline = time.monotonic() + 60
    while running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(pid)


def test_databases_are_empty_separate_and_without_the_jit(
        postgres: parts.Postgres, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as link:
        link.execute("CREATE TABLE t (x integer)")
        assert link.execute("SHOW jit").fetchone() == ("off",)
    with psycopg.connect(postgres.database("another_one")) as link:
        assert link.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_postgres_keeps_what_was_committed_before_a_kill(folder: Path) -> None:
    server = parts.Postgres(folder / "data")
    server.start()
    url = server.database("d")
    with psycopg.connect(url, autocommit=True) as link:
        link.execute("CREATE TABLE t AS SELECT 7 AS x")
    server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    server.start()
    with psycopg.connect(url) as link:
        assert link.execute("SELECT x FROM t").fetchone() == (7,)
    server.stop()


def test_the_mail_server_takes_mail_and_refuses_it_on_demand(smtp_server: MailServer) -> None:
    with smtplib.SMTP(smtp_server.host, smtp_server.port) as client:
        client.sendmail("emon@localhost", ["officer@example.org"], "Subject: x\r\n\r\nbody")
        smtp_server.refuse.append("451 try again later")
        with pytest.raises(smtplib.SMTPDataError):
            client.sendmail("emon@localhost", ["officer@example.org"], "Subject: y\r\n\r\nbody")
    (mail,) = smtp_server.mails
    assert mail.recipients == ["officer@example.org"]
    assert b"Subject: x" in mail.content


def test_the_browser_starts(chromium_path: Path) -> None:
    said = subprocess.run([str(chromium_path), "--version"], capture_output=True, text=True, check=True)
    assert "Chrom" in said.stdout


def test_an_unknown_part_is_wrong_usage() -> None:
    said = subprocess.run([sys.executable, "scripts/setup_parts.py", "abacus"], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    assert said.returncode == 2
    assert "abacus" in said.stderr
