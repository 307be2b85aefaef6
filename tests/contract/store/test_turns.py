"""Writers of one SQLite file take turns."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from emon import store
from emon.domain.errors import Unavailable
from emon.store import schema, turns
from emon.store.turns import Turns


def test_first_come_first_served() -> None:
    """Whoever has waited longest is next, however often the others ask."""
    queue, order = Turns(), list[int]()

    def write(number: int) -> None:
        with queue.mine():
            order.append(number)

    with queue.mine():
        threads = []
        for number in range(20):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
            while len(queue._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(20))


def test_a_command_waits_for_one_batch_at_most(tmp_path: Path) -> None:
    """A stage writes batch after batch without a pause; a command in between waits for a single one."""
    engine = store.open_engine(f"sqlite:///{tmp_path / 'emon.sqlite'}")
    store.upgrade(engine)
    stop, waits = threading.Event(), list[float]()

    def batches() -> None:
        while not stop.is_set():
            with store.writing(engine) as connection:
                connection.execute(schema.progress.delete())
                time.sleep(0.1)

    stage = threading.Thread(target=batches)
    stage.start()
    for _ in range(10):
        began = time.monotonic()
        with store.writing(engine) as connection:
            connection.execute(schema.progress.delete())
        waits.append(time.monotonic() - began)
    stop.set()
    stage.join()
    engine.dispose()
    assert sorted(waits)[5] < 0.5, "most of them, on a slow machine that has other work too: a turn lasts 0.1 s"


def test_a_turn_that_never_comes_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails in time, and those behind it still get their turn."""
    monkeypatch.setattr(turns, "STORE_BUSY_TIMEOUT_S", 0.05)
    queue, failed = Turns(), list[Unavailable]()

    def write() -> None:
        try:
            with queue.mine():
                pass
        except Unavailable as error:
            failed.append(error)

    with queue.mine():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert len(failed) == 1
    with queue.mine():
        pass


def test_a_failure_gives_the_turn_back() -> None:
    queue = Turns()
    with pytest.raises(ZeroDivisionError), queue.mine():
        raise ZeroDivisionError
    with queue.mine():
        pass
