"""A process of its own for tests that kill it: `python -m ...member ACT URL TOPIC OUT GROUP`.

It says on standard output how far it is, one line at a time, and then waits to be killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import structlog

from emon.domain.errors import Fenced
from emon.journal import kafka_consumer
from emon.journal.open import open_journal
from emon.journal.port import Consumer, Entry, Journal, Record
from tests.contract.journal.drivers import drain, next_offsets

ROOT = Path(__file__).resolve().parents[3]


def start(act: str, *arguments: str) -> subprocess.Popen[str]:
    """The process, for the test; `said` reads what it says."""
    command = [sys.executable, "-m", "tests.contract.journal.member", act, *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    """Its next line; empty where it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def killed(process: subprocess.Popen[str]) -> str:
    """Ends it as a power cut would; what it had said that nobody has read yet."""
    assert process.stdout is not None
    process.kill()
    rest = process.stdout.read()
    process.wait()
    return rest


def say(line: object) -> None:
    print(line, flush=True)


async def append(journal: Journal, topic: str, out: str, group: str) -> None:
    """Appends numbers, many at a time, and says each that was acknowledged."""
    numbers = iter(range(10**9))

    async def produce() -> None:
        for number in numbers:
            await journal.append([Entry(topic, "k", b"%d" % number)])
            say(number)

    await asyncio.gather(*(produce() for _ in range(16)))


async def poll(journal: Journal, topic: str, out: str, group: str) -> None:
    """Polls, says how much it got, and never commits."""
    _, records = await _polled(journal, topic, group)
    say(len(records))
    await asyncio.Event().wait()


async def zombie(journal: Journal, topic: str, out: str, group: str) -> None:
    """Polls, waits for a line, and then tries to write and commit what it has worked out."""
    consumer, records = await _polled(journal, topic, group)
    say(len(records))
    sys.stdin.readline()  # blocks the loop, as a long stop of the process does: no heartbeat goes out
    try:
        await consumer.append_and_commit([Entry(out, "k", b"zombie")], next_offsets(records))
        say("written")
    except Fenced:
        say("fenced")


async def dies_in_transaction(journal: Journal, topic: str, out: str, group: str) -> None:
    """Is killed between writing its outputs and offsets and the end of the transaction."""
    consumer, records = await _polled(journal, topic, group)
    producer = await consumer._producer_of(min(consumer.assignment()))  # type: ignore[attr-defined]
    producer.commit_transaction = _die  # nothing slower hits that instant
    say(len(records))
    await consumer.append_and_commit([Entry(out, "k", b"dead")], next_offsets(records))


async def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _polled(journal: Journal, topic: str, group: str) -> tuple[Consumer, list[Record]]:
    consumer = await journal.consumer(group, [topic], transactional=True)
    return consumer, await drain(consumer, 5)


ACTS = {act.__name__: act for act in (append, poll, zombie, dies_in_transaction)}


async def main(act: str, url: str, topic: str, out: str, group: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for name, seconds in (("KAFKA_SESSION_S", 2.0), ("KAFKA_HEARTBEAT_S", 0.5)):
        setattr(kafka_consumer, name, seconds)  # the same in less of the suite's time
    journal = open_journal(url, topics=(topic, out), partitions=1)
    await journal.open()
    await ACTS[act](journal, topic, out, group)
    await journal.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
