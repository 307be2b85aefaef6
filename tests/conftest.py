"""The real services that tests run against. A part that is missing fails the test: nothing is skipped.

Each is started at the first test that asks for it and ends with the run. Under pytest-xdist every worker
has its own.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller

from simulators import parts


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[parts.Kafka]:
    """A broker without authentication. A test that stops it must start it again."""
    broker = parts.Kafka(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[parts.Postgres]:
    """A server. A test that stops it must start it again."""
    with open_folder() as folder:
        server = parts.Postgres(folder / "data")
        server.start()
        yield server
        server.stop()


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder for PostgreSQL, which as root runs under another user: pytest closes its own folders to
    others, and again whenever another run begins."""
    with tempfile.TemporaryDirectory(prefix="emon-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def postgres_url(postgres: parts.Postgres) -> str:
    """A database of the test's own."""
    return postgres.database(f"t_{uuid4().hex}")


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """The browser's program."""
    found = parts.chromium()
    if found is None:
        pytest.fail("no Chromium on this machine: run `make setup-test`, or name one in EMON_TEST_BROWSER")
    return found


class Mail(NamedTuple):
    """One message that the SMTP server has accepted."""

    sender: str
    recipients: list[str]
    content: bytes


class MailServer:
    """A real SMTP server on a loopback port. `refuse` makes it answer the next messages with that line."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refuse: list[str] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=parts.free_port())
        self.host, self.port = self._controller.hostname, self._controller.port

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        """Keeps the message, or refuses it."""
        if self.refuse:
            return self.refuse.pop(0)
        self.mails.append(Mail(envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return "250 OK"

    def start(self) -> None:
        """Listens, on a thread of its own."""
        self._controller.start()

    def stop(self) -> None:
        """Ends."""
        self._controller.stop()


@pytest.fixture
def smtp_server() -> Iterator[MailServer]:
    """An SMTP server that keeps what it is given."""
    server = MailServer()
    server.start()
    yield server
    server.stop()
