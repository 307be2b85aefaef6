"""The one thread that writes the embedded journal, so that an fsync never blocks the event loop.

Group commit: everything queued while one transaction was under way goes into the next, with one fsync.
Each job is done completely or, where it raises Fenced, not at all; where the transaction fails, all its
jobs are Unavailable and nothing of them is written.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from emon.domain.errors import Unavailable
from emon.journal.port import Fenced
from emon.journal.sqlite_file import JournalFile, Pairs, explained
from emon.journal.sqlite_recent import Written
from emon.limits import GROUP_COMMIT_JOBS

Act = Callable[[JournalFile], object]
Outcome = Exception | Mapping[int, range]


class _Job(NamedTuple):
    """`act` runs first, may raise Fenced; `appends` are written afterwards, together with other jobs'."""

    act: Act | None
    appends: Mapping[int, Pairs]
    done: asyncio.Future[Mapping[int, range]]


class Committed(NamedTuple):
    """What a transaction made durable, by table. `alone`: no other process has committed since the one before,
    and no group has changed."""

    written: Mapping[int, Written]
    alone: bool


class Writer:
    """A thread with the writing connection. Made on the event loop that awaits its results."""

    def __init__(self, folder: Path, after_commit: Callable[[Committed], None]) -> None:
        """`after_commit` is called on the event loop, before whoever waits for the transaction goes on."""
        self._folder, self._after_commit = folder, after_commit
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._file = JournalFile(folder)
        self._version = -1  # of the file, as others have left it
        self._thread = threading.Thread(target=self._run, name="emon-journal-writer", daemon=True)
        self._thread.start()

    async def do(self, act: Act | None = None, appends: Mapping[int, Pairs] | None = None) -> Mapping[int, range]:
        """The offsets of what was appended, by table, once the transaction is durable. Raises Fenced, Unavailable."""
        if self._closed:
            raise Unavailable(f"journal in {self._folder} is closed")
        done: asyncio.Future[Mapping[int, range]] = self._loop.create_future()
        self._jobs.put(_Job(act, appends or {}, done))
        return await done

    async def close(self) -> None:
        """Finishes what is queued."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        for batch in self._batches():
            outcomes, committed = self._transact(batch)
            self._loop.call_soon_threadsafe(self._settle, batch, outcomes, committed)
        self._file.close()

    def _batches(self) -> Iterator[list[_Job]]:
        while True:
            job = self._jobs.get()
            batch: list[_Job] = []
            while job is not None:
                batch.append(job)
                if self._jobs.empty() or len(batch) >= GROUP_COMMIT_JOBS:
                    break
                job = self._jobs.get()
            if batch:
                yield batch
            if job is None:
                return

    def _transact(self, batch: Sequence[_Job]) -> tuple[Sequence[Outcome], Committed]:
        try:
            with explained(self._folder):
                self._file.begin()
                before, self._version = self._version, self._file.version()
                fenced = [self._act(job) for job in batch]
                appends = dict[int, Pairs]()
                places = [_gather(appends, {} if fault else job.appends)
                          for job, fault in zip(batch, fenced, strict=True)]
                written = {table: Written(self._file.append(table, pairs), *pairs) for table, pairs in appends.items()}
                outcomes = [fault or {table: range(first + place.start, first + place.stop)
                                      for table, place in placed.items() for first in (written[table].first,)}
                            for fault, placed in zip(fenced, places, strict=True)]
                self._file.commit()
                alone, self._file.regrouped = before == self._version and not self._file.regrouped, False
                return outcomes, Committed(written, alone)
        except Exception as error:  # Unavailable, or a bug: all awaiters hear of it, this thread lives on
            with suppress(sqlite3.Error):  # the next `begin` tells what is wrong
                self._file.rollback()
            self._version = -1
            return [error] * len(batch), Committed({}, False)

    def _act(self, job: _Job) -> Fenced | None:
        try:
            if job.act:
                job.act(self._file)
        except Fenced as fenced:
            return fenced
        return None

    def _settle(self, batch: Sequence[_Job], outcomes: Sequence[Outcome], committed: Committed) -> None:
        self._after_commit(committed)
        for job, outcome in zip(batch, outcomes, strict=True):
            if job.done.done():  # its awaiter was cancelled; what it wrote stays
                continue
            if isinstance(outcome, Exception):
                job.done.set_exception(outcome)
            else:
                job.done.set_result(outcome)


def _gather(into: dict[int, Pairs], appends: Mapping[int, Pairs]) -> dict[int, range]:
    """Where what is appended stands in what was gathered, by table."""
    places: dict[int, range] = {}
    for table, (keys, values) in appends.items():
        begin = 0
        if table in into:
            begin = len(into[table][0])
            into[table][0].extend(keys)
            into[table][1].extend(values)
        else:
            into[table] = (keys, values)
        places[table] = range(begin, begin + len(keys))
    return places
