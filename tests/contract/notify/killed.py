"""Runs one stage in a process of its own and kills it at a chosen point, as `kill -9` would.

Arguments: stage, store URL, journal folder, SMTP port, point. A point is `commit:N` (just before the N-th
commit), `send:before` or `send:after` (just before and after the provider has the message), or `never`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from sqlalchemy import Engine, event

from emon import config, store
from emon.alerts import worker as alerts
from emon.clock import SystemClock
from emon.journal.open import open_journal
from emon.notify import worker as notify
from emon.notify.channels.email import EmailChannel
from emon.notify.channels.port import Outgoing, Receipt


def die() -> None:
    """No cleaning up, no flushing."""
    os.kill(os.getpid(), signal.SIGKILL)


class Fragile(EmailChannel):
    """E-mail that dies at a point."""

    point = "never"

    async def send(self, outgoing: Outgoing) -> Receipt:
        if self.point == "send:before":
            die()
        receipt = await super().send(outgoing)
        if self.point == "send:after":
            die()
        return receipt


def dies_at_commit(engine: Engine, number: int) -> None:
    """Kills the process just before that commit."""
    seen = 0

    @event.listens_for(engine, "commit")
    def count(_connection: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            die()


async def main(stage: str, store_url: str, journal_folder: str, smtp_port: str, point: str) -> None:
    engine = store.open_engine(store_url)
    if point.startswith("commit:"):
        dies_at_commit(engine, int(point.removeprefix("commit:")))
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(20, stop.set)
    if stage == "alerts":
        journal = open_journal(f"sqlite:///{journal_folder}")
        await journal.open()
        await alerts.run(journal, engine, SystemClock(), stop)
        await journal.close()
        return
    channel = Fragile(
        config.load({}).model_copy(
            update={"smtp_host": "127.0.0.1", "smtp_port": int(smtp_port), "smtp_starttls": False}
        )
    )
    channel.point = point
    await notify.run(engine, [channel], SystemClock(), stop, public_url="http://127.0.0.1:8800")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
