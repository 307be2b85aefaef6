"""The embedded journal against real kills, a full disk, a held lock and a damaged file."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emon.domain.errors import Unavailable
from emon.journal.port import Entry, Record, TopicPartition
from emon.journal.sqlite import SqliteJournal
from tests.contract.journal import member
from tests.contract.journal.drivers import drain, entries, numbers

A, B = TopicPartition("a", 0), TopicPartition("b", 0)


async def journal_in(folder: Path) -> SqliteJournal:
    journal = SqliteJournal(folder, topics=("a", "b"))
    await journal.open()
    return journal


async def test_kill_9_in_the_middle_of_appends_loses_nothing_acknowledged(tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    for _ in range(3):
        process = member.start("append", f"sqlite:///{tmp_path}", "a", "b", "g")
        mine = {int(await asyncio.to_thread(member.said, process)) for _ in range(300)}
        mine |= {int(line) for line in member.killed(process).split("\n")[:-1]}
        journal = await journal_in(tmp_path)
        records: list[Record] = []
        while found := await journal.read(A, records[-1].offset + 1 if records else 0, 100_000):
            records += found
        await journal.close()
        assert [record.offset for record in records] == list(range(len(records)))
        written = numbers(records[len(acknowledged):])
        assert mine <= set(written)
        assert len(written) - len(mine) <= 16, "at most what was under way was written without an answer"
        acknowledged = set(range(len(records)))


async def test_a_killed_process_gives_its_partition_to_the_other_from_the_last_commit(tmp_path: Path) -> None:
    journal = await journal_in(tmp_path)
    await journal.append(entries("a", range(5)))
    process = member.start("poll", f"sqlite:///{tmp_path}", "a", "b", "g")
    assert await asyncio.to_thread(member.said, process) == "5"
    consumer = await journal.consumer("g", ["a"])
    assert await consumer.poll(max_records=10, timeout_s=0.3) == {}, "the other one holds the only partition"
    member.killed(process)
    started = time.monotonic()
    assert numbers(await drain(consumer, 5)) == [0, 1, 2, 3, 4]
    assert time.monotonic() - started < 20
    await consumer.close()
    await journal.close()


async def test_two_processes_write_at_once_and_offsets_have_no_gap(tmp_path: Path) -> None:
    journal = await journal_in(tmp_path)
    process = member.start("append", f"sqlite:///{tmp_path}", "a", "b", "g")
    assert await asyncio.to_thread(member.said, process) != ""
    for number in range(50):
        await journal.append([Entry("a", "mine", b"%d" % number)])
    member.killed(process)
    records = await journal.read(A, 0, 10**6)
    assert numbers([record for record in records if record.key == "mine"]) == list(range(50))
    assert [record.offset for record in records] == list(range(len(records)))
    assert len(records) > 50
    await journal.close()


FILL = """
import asyncio, sys
from pathlib import Path
from emon.domain.errors import Unavailable
from emon.journal.port import Entry
from emon.journal.sqlite import SqliteJournal

async def main():
    journal = SqliteJournal(Path(sys.argv[1]), topics=("a", "b"))
    await journal.open()
    for number in range(1000):
        try:
            await journal.append([Entry("a", "k", b"%08d" % number + bytes(100_000))])
        except Unavailable as error:
            print(number, error)
            break

asyncio.run(main())
"""


def fill_a_small_disk(folder: Path) -> tuple[int, str]:
    """How many appends were acknowledged, and what the next one was told."""
    process = subprocess.run(
        [sys.executable, "-c", FILL, str(folder)], text=True, capture_output=True, timeout=180, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000)))
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    count, _, words = process.stdout.partition(" ")
    return int(count), words


async def test_a_full_disk_is_said_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    count, words = await asyncio.to_thread(fill_a_small_disk, tmp_path)
    assert str(tmp_path) in words
    assert "disk" in words
    journal = await journal_in(tmp_path)
    records = await journal.read(A, 0, 10_000)
    assert [int(record.value[:8]) for record in records] == list(range(count))
    assert count > 5
    await journal.append([Entry("a", "k", b"goes on")])
    await journal.close()


async def test_a_lock_held_by_another_process_is_unavailable_and_passes(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emon.journal.sqlite_file.SQLITE_BUSY_S", 0.2)
    journal = await journal_in(tmp_path)
    other = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match=r"another process .*: stop"):
        await journal.append(entries("a", range(1)))
    other.execute("ROLLBACK")
    other.close()
    await journal.append(entries("a", range(2)))
    assert numbers(list(await journal.read(A, 0, 10))) == [0, 1]
    await journal.close()


async def test_a_damaged_file_is_unavailable_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"this was a journal once. " * 1000)
    journal = SqliteJournal(tmp_path, topics=("a",))
    with pytest.raises(Unavailable, match=r"damaged.*backup"):
        await journal.open()
    await journal.close()


async def test_a_folder_that_cannot_be_made_is_unavailable_and_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = SqliteJournal(tmp_path / "file" / "journal", topics=("a",))
    with pytest.raises(Unavailable, match=r"journal in .*file/journal"):
        await journal.open()


async def test_a_newer_layout_is_left_alone(tmp_path: Path) -> None:
    await (await journal_in(tmp_path)).close()
    newer = sqlite3.connect(tmp_path / "journal.sqlite")
    newer.execute("PRAGMA user_version=99")
    newer.close()
    with pytest.raises(Unavailable, match="newer emon"):
        await journal_in(tmp_path)


async def test_a_closed_journal_is_unavailable(tmp_path: Path) -> None:
    journal = await journal_in(tmp_path)
    await journal.close()
    with pytest.raises(Unavailable):
        await journal.append(entries("a", range(1)))
    with pytest.raises(Unavailable):
        await journal.read(A, 0, 1)


async def test_the_event_loop_runs_on_while_the_disk_is_busy(tmp_path: Path) -> None:
    journal = await journal_in(tmp_path)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - before)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(journal.append([Entry("a", "k", bytes(200))] * 50) for _ in range(400)))
    watching.cancel()
    assert longest < 2
    await journal.close()


async def test_trim_gives_space_back_for_new_records(tmp_path: Path) -> None:
    sizes = []
    for _ in range(4):
        journal = await journal_in(tmp_path)
        await journal.append([Entry("a", "k", bytes(1000))] * 3000)
        await journal.trim("a", await journal.end_offsets("a"))
        await journal.close()
        sizes.append((tmp_path / "journal.sqlite").stat().st_size)
    assert sizes[3] <= sizes[1] < 3000 * 1000 * 1.5
