"""A running notify stage, an HTTP receiver, and what an SMTP server was given, for tests."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Engine, select

from emon import config
from emon.domain.person import ContactMethod, Person
from emon.journal.records import OrderVersion, PersonVersion
from emon.notify import worker
from emon.notify.channels import open_channels
from emon.notify.channels.port import Channel
from emon.store import reading, schema
from tests.conftest import MailServer
from tests.contract.store.running import ORDER, MovableClock, Stage
from tests.unit.alerts.worlds import T0

SECRET = "s3cret"


@dataclass
class Receiver:
    """A real HTTP server that keeps what it is given, and answers with the next of `answers` or 200."""

    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a loopback port."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = kept.answers.pop(0) if kept.answers else 200
            if status == 200:
                kept.got.append((dict(self.headers.items()), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing on the terminal."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()


def settings(smtp: MailServer | None = None, folder: Path | None = None) -> config.Settings:
    """Settings with these channels and webhooks."""
    return config.load({}).model_copy(
        update={
            "smtp_host": smtp.host if smtp else "",
            "smtp_port": smtp.port if smtp else 25,
            "smtp_starttls": False,
            "smtp_from": "emon@court.example",
            "webhook_secret": SecretStr(SECRET),
            "outbox_dir": folder,
        }
    )


def mails(server: MailServer) -> list[EmailMessage]:
    """What the server accepted."""
    found = [message_from_bytes(one.content, policy=policy.default) for one in server.mails]
    assert all(isinstance(one, EmailMessage) for one in found)
    return [one for one in found if isinstance(one, EmailMessage)]


async def officer(of: Stage, *contacts: tuple[str, str]) -> None:
    """The order, and its officer with verified contacts."""
    person = Person(
        id="o-1",
        role="officer",
        name="Officer One",
        time_zone="America/Chicago",
        contacts=tuple(ContactMethod(channel=name, address=at, verified=True) for name, at in contacts),
    )
    await of.documents(OrderVersion(received_at=T0, order=ORDER), PersonVersion(received_at=T0, person=person))


@contextlib.asynccontextmanager
async def notifying(
    store: Engine, channels: Sequence[Channel], clock: MovableClock, wall: MovableClock
) -> AsyncIterator[None]:
    """A running notify stage."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(store, channels, clock, stop, wall=wall, public_url="http://127.0.0.1:8800"))
    try:
        yield
    finally:
        stop.set()
        await task


def channels(smtp: MailServer | None = None, folder: Path | None = None) -> tuple[Channel, ...]:
    """The real channels."""
    return open_channels(settings(smtp, folder))


def stored(store: Engine) -> list[Any]:
    """All messages, oldest first."""
    table = schema.message
    with reading(store) as connection:
        return list(connection.execute(select(table).order_by(table.c.created_at, table.c.kind)))


async def until(condition: Any, seconds: float = 15) -> None:
    """Waits for a condition."""
    for _ in range(int(seconds / 0.03)):
        if await asyncio.to_thread(condition):
            return
        await asyncio.sleep(0.03)
    raise AssertionError("it did not happen in time")
