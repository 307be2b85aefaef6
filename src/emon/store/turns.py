"""Turns at writing to one SQLite file, first come, first served.

SQLite lets one writer in at a time, and whoever waits sleeps and looks again: a stage that writes batch
after batch would keep an operator's command waiting for many of them. Inside a process writers queue here
instead, so that a command waits for one batch at most.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from emon.domain.errors import Unavailable
from emon.limits import STORE_BUSY_TIMEOUT_S


class Turns:
    """A lock that is handed to whoever has waited longest. Not for the same thread twice."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._busy = False
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def mine(self) -> Iterator[None]:
        """Holds the turn for the block. Raises Unavailable when it does not come in time."""
        self._wait()
        try:
            yield
        finally:
            self._pass_on()

    def _wait(self) -> None:
        with self._guard:
            if not self._busy:
                self._busy = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(STORE_BUSY_TIMEOUT_S):
            return
        with self._guard:
            if not turn.is_set():
                self._waiting.remove(turn)
                raise Unavailable("the store is away: others have been writing to it for too long")

    def _pass_on(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._busy = False


_of_file: dict[str, Turns] = {}
_files = threading.Lock()


def turns_of(database: str) -> Turns:
    """The queue of a database file, the same for all engines of this process."""
    with _files:
        return _of_file.setdefault(database, Turns())
