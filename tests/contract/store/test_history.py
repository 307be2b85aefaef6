"""The evaluator's history and snapshots, on both databases."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine

from emon import store
from emon.domain.errors import Fenced
from emon.domain.instant import DAY, HOUR, MINUTE
from emon.domain.reading import Reading
from emon.evaluate.port import Chunk
from emon.journal.records import Bound, encode
from emon.limits import HISTORY_PAGE_BYTES
from emon.store.engine import open_history
from emon.store.history import SqlHistory, SqlSnapshots

T0 = 20_000 * DAY


def bound(observed_at: int, *, kind: str = "position", lat: float = 43.0, received_at: int = 0) -> Bound:
    return Bound(participant="P-1", received_at=received_at or observed_at, reading=Reading(
        device="D-1", kind=kind, observed_at=observed_at, lat=lat if kind == "position" else None))


def chunk(*bounds: Bound, participant: str = "P-1") -> Chunk:
    times = [one.reading.observed_at for one in bounds]
    return Chunk(participant, times[0] // DAY, min(times), max(times), len(bounds),
                 b"\n".join(encode(one) for one in bounds))


def test_the_history_has_large_pages_and_a_file_made_with_small_ones_goes_on(tmp_path: Path) -> None:
    large, small = (f"sqlite:///{tmp_path / name}" for name in ("large.sqlite", "small.sqlite"))
    store.upgrade(store.open_engine(small))
    for url, page_bytes in ((large, HISTORY_PAGE_BYTES), (small, 4096)):
        engine = open_history(url)
        store.upgrade(engine)
        SqlHistory(engine).append([chunk(bound(T0))])
        with store.reading(engine) as connection:
            assert connection.exec_driver_sql("PRAGMA page_size").scalar() == page_bytes
        assert len(list(SqlHistory(engine).read("P-1", T0 // DAY, T0 // DAY))) == 1


def test_chunks_come_back_in_the_order_appended(engine: Engine) -> None:
    """Also over more chunks than one page, and only of the days and participant asked for."""
    history = SqlHistory(engine)
    chunks = [Chunk("P-1", 5 + n % 2, 1 << 50, (1 << 50) + n, n, b"\x00\xff" + bytes([n % 251]))
              for n in range(600)]
    history.append([*chunks[:300], Chunk("P-2", 5, 0, 0, 1, b"x")])
    history.append([Chunk("P-1", 7, 0, 0, 1, b"later"), *chunks[300:]])
    history.append([])
    assert list(history.read("P-1", 5, 6)) == chunks
    assert [one.payload for one in history.read("P-2", 0, 9)] == [b"x"]
    assert list(history.read("P-3", 0, 9)) == []


def test_timeline_is_sorted_distinct_and_of_every_kind(engine: Engine) -> None:
    """Readings of overlapping chunks come once, by observed_at, with those of other kinds."""
    history = SqlHistory(engine)
    early, late = bound(T0 + HOUR), bound(T0 + DAY + HOUR)
    status = bound(T0 + 2 * HOUR, kind="status")
    again = bound(T0 + HOUR, received_at=T0 + 5 * HOUR)
    conflict = bound(T0 + HOUR, lat=44.0)
    history.append([chunk(late), chunk(status, early), chunk(again), chunk(conflict)])
    found, more = history.timeline("P-1", T0, T0 + 2 * DAY, 100)
    assert not more
    times = [one.reading.observed_at - T0 for one in found]
    assert times == [HOUR, HOUR, 2 * HOUR, DAY + HOUR]
    assert {one.received_at for one in found[:2]} == {T0 + HOUR}, "the first arrival counts"
    assert {one.reading.lat for one in found[:2]} == {43.0, 44.0}, "a conflict is shown, not hidden"


def test_timeline_is_half_open_and_bounded(engine: Engine) -> None:
    """[from, to), at most `limit`, and it says when there are more."""
    history = SqlHistory(engine)
    history.append([chunk(*[bound(T0 + n * MINUTE) for n in range(10)])])
    found, more = history.timeline("P-1", T0 + MINUTE, T0 + 9 * MINUTE, 3)
    assert [one.reading.observed_at for one in found] == [T0 + n * MINUTE for n in (1, 2, 3)]
    assert more
    rest, more = history.timeline("P-1", T0 + 4 * MINUTE, T0 + 9 * MINUTE, 5)
    assert len(rest) == 5
    assert not more


def test_newest_reading_and_position(engine: Engine) -> None:
    """The last position may lie on an earlier day than the last reading."""
    history = SqlHistory(engine)
    assert history.newest("P-1") == (None, None)
    position, status = bound(T0 + HOUR), bound(T0 + DAY, kind="status")
    history.append([chunk(status), chunk(position, bound(T0))])
    assert history.newest("P-1") == (status, position)


def test_snapshot_keeps_unchanged_participants_and_forgets(engine: Engine) -> None:
    """Only what changed is written; None forgets; partitions do not mix."""
    snapshots = SqlSnapshots(engine)
    assert snapshots.load(0) is None
    snapshots.save(0, 1, 10, b"s1", {f"P-{n}": b"%d" % n for n in range(1200)})
    snapshots.save(1, 1, 99, b"other", {"P-1": b"other"})
    snapshots.save(0, 1, 1 << 40, b"s2", {"P-1": b"new", "P-2": None, "P-x": None})
    found = snapshots.load(0)
    assert found is not None
    assert (found.offset, found.shared, len(found.participants)) == (1 << 40, b"s2", 1199)
    assert found.participants["P-1"] == b"new"
    assert found.participants["P-3"] == b"3"


def test_a_lower_generation_changes_nothing(engine: Engine) -> None:
    """The one that lost the partition is told, and its state does not appear."""
    snapshots = SqlSnapshots(engine)
    snapshots.save(0, 2, 20, b"new", {"P-1": b"new"})
    with pytest.raises(Fenced, match="generation 2"):
        snapshots.save(0, 1, 30, b"old", {"P-1": b"old"})
    found = snapshots.load(0)
    assert found is not None
    assert (found.offset, found.participants["P-1"]) == (20, b"new")
    snapshots.save(0, 2, 21, b"again", {})
    snapshots.save(0, 3, 22, b"next", {})


def test_two_writers_at_once_leave_one_whole_snapshot(engine: Engine) -> None:
    """Whoever wins, head and participants are of the same save."""
    snapshots = SqlSnapshots(engine)

    def save(generation: int) -> None:
        for _ in range(10):
            try:
                snapshots.save(0, generation, generation, b"%d" % generation,
                               {f"P-{n}": b"%d" % generation for n in range(20)})
            except Fenced:
                return

    threads = [threading.Thread(target=save, args=(n,)) for n in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = snapshots.load(0)
    assert found is not None
    assert found.shared == b"3"
    assert set(found.participants.values()) == {b"3"}
