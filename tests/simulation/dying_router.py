"""A router in a process of its own that kills itself at a chosen point, as `kill -9` would.

Arguments: journal URL, store URL, point. A point is `before:N`, `during:N` or `after:N` (the N-th transaction:
nothing of it was sent, all of it was sent and nothing committed, the journal has it and nobody was told), or
`until:N`: then it ends in good order when N readings are told.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

from emon.clock import SystemClock
from emon.journal.kafka_consumer import KafkaConsumer
from emon.journal.kafka_fencing import FencedProducer
from emon.journal.open import open_journal
from emon.journal.port import READINGS, Journal, TopicPartition
from emon.journal.records import Bound, decode_input
from emon.journal.sqlite_consumer import SqliteConsumer
from emon.journal.sqlite_file import JournalFile
from emon.route import worker
from emon.store import open_engine
from tests.unit.route.worlds import PARTITIONS

RECORDS = 40  # of a transaction: bodies end in the middle of one


def die() -> None:
    """No cleaning up, no flushing."""
    os.kill(os.getpid(), signal.SIGKILL)


def mortal(point: str, number: int) -> None:
    """Arranges the death."""
    turns = count(1)
    doomed = [False]

    def around(act: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def append_and_commit(self: Any, *arguments: Any) -> None:
            now = next(turns) == number
            if now and point == "before":
                die()
            doomed[0] = now and point == "during"
            await act(self, *arguments)
            if now:
                die()

        return append_and_commit

    for consumer in (SqliteConsumer, KafkaConsumer):
        consumer.append_and_commit = around(consumer.append_and_commit)  # type: ignore[assignment, method-assign]
    for owner, name in ((JournalFile, "commit"), (FencedProducer, "commit_transaction")):
        setattr(owner, name, _dying(getattr(owner, name), doomed))


def _dying(act: Callable[..., Any], doomed: list[bool]) -> Callable[..., Any]:
    def commit(*arguments: Any) -> Any:
        if doomed[0]:
            die()
        return act(*arguments)

    return commit


async def told(journal: Journal, wanted: int) -> None:
    """Returns a while after so many readings were told: more would come by then."""
    found = 0
    while found < wanted:
        await asyncio.sleep(0.3)
        found = 0
        for partition in range(PARTITIONS):
            records = await journal.read(TopicPartition(READINGS, partition), 0, 100_000)
            found += sum(isinstance(decode_input(one.value), Bound) for one in records)
    await asyncio.sleep(1)


async def main(journal_url: str, store_url: str, point: str) -> None:
    kind, _, number = point.partition(":")
    if kind != "until":
        mortal(kind, int(number))
    vars(worker)["ROUTE_RECORDS"] = RECORDS
    journal = open_journal(journal_url, partitions=PARTITIONS)
    await journal.open()
    stop = asyncio.Event()
    if kind != "until":
        await worker.run(journal, open_engine(store_url), SystemClock(), stop)
    routing = asyncio.create_task(worker.run(journal, open_engine(store_url), SystemClock(), stop))
    await told(journal, int(number))
    stop.set()
    await routing
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
