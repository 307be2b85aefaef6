"""What a process has just written is read from memory, and nothing is missed when others write too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from emon.domain.errors import Unavailable
from emon.journal import sqlite_recent
from emon.journal.port import Consumer, Entry, Fenced, TopicPartition
from emon.journal.sqlite import SqliteJournal
from emon.journal.sqlite_recent import Recent, Written

A = TopicPartition("a", 0)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[SqliteJournal]:
    journal = SqliteJournal(folder, topics=("a", "b"))
    await journal.open()
    yield journal
    await journal.close()


def some(topic: str, *names: str) -> list[Entry]:
    return [Entry(topic, name, name.encode()) for name in names]


async def polled(consumer: Consumer, most: int = 100) -> list[str]:
    batch = await consumer.poll(max_records=most, timeout_s=0)
    return [record.key for records in batch.values() for record in records]


def test_the_newest_stay_and_older_ones_are_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_recent, "RECENT_RECORDS", 3)
    recent = Recent()
    for first in range(0, 10, 2):
        recent.add(Written(first, [str(first), str(first + 1)], [b"", b""]))
    assert recent.read(A, 5, 9) is None
    read = recent.read(A, 7, 2)
    assert read is not None and [(r.offset, r.key) for r in read] == [(7, "7"), (8, "8")]
    assert recent.read(A, 10, 9) == []


async def test_a_stage_reads_what_its_own_process_wrote_without_asking_the_file(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as journal:
        consumer = await journal.consumer("g", ["a", "b"])
        assert await polled(consumer) == []
        await journal.append(some("a", "one"))
        assert await polled(consumer) == ["one"]

        async def refused(_question: object) -> None:
            raise Unavailable("nobody asks")

        monkeypatch.setattr(journal, "look", refused)
        await journal.append(some("a", "two", "three"))
        await journal.append(some("b", "four"))
        found = [*await polled(consumer, 1), *await polled(consumer, 9)]
        assert sorted(found) == ["four", "three", "two"] and found.index("two") < found.index("three")
        assert [record.key for record in await journal.read(A, 1, 9)] == ["two", "three"]
        with pytest.raises(Unavailable):
            await polled(consumer)


async def test_what_others_write_in_between_comes_in_its_place(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal, opened(tmp_path) as other:
        consumer = await journal.consumer("g", ["a"])
        assert await polled(consumer) == []
        found: list[str] = []
        for number in range(20):
            writer = other if number % 3 == 1 else journal
            await writer.append(some("a", f"{number}"))
            if number % 4 == 3:
                found += await polled(consumer)
        assert [*found, *await polled(consumer)] == [str(number) for number in range(20)]


async def test_a_topic_that_another_process_writes_is_not_forgotten_beside_a_busy_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal, opened(tmp_path) as other:
        consumer = await journal.consumer("g", ["a", "b"])
        assert await polled(consumer) == []
        await journal.append(some("a", "busy"))
        await other.append(some("b", "rare"))
        found: list[str] = []
        for _ in range(4):
            await journal.append(some("a", "busy"))
            found += await polled(consumer)
        assert "rare" in found


async def test_what_is_older_than_memory_is_read_although_newer_things_come(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_recent, "RECENT_RECORDS", 2)
    async with opened(tmp_path) as journal:
        consumer = await journal.consumer("g", ["a", "b"])
        assert await polled(consumer) == []
        for number in range(6):
            await journal.append(some("a", f"{number}"))
        found: list[str] = []
        for _ in range(6):
            await journal.append(some("b", "busy"))
            found += await polled(consumer, 3)
        assert [name for name in found if name != "busy"] == [str(number) for number in range(6)]


async def test_a_place_that_was_sought_is_read_anew(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal:
        await journal.append(some("a", "one", "two"))
        consumer = await journal.consumer("g", ["a", "b"])
        assert await polled(consumer) == ["one", "two"] and await polled(consumer) == []
        await consumer.seek(A, 0)
        await journal.append(some("b", "busy"))
        assert sorted(await polled(consumer)) == ["busy", "one", "two"]


async def test_after_a_rebalance_by_another_process_what_was_polled_before_is_polled_again(tmp_path: Path) -> None:
    async with opened(tmp_path) as journal, opened(tmp_path) as other:
        consumer = await journal.consumer("g", ["a"])
        assert await polled(consumer) == []
        await journal.append(some("a", "one"))
        assert await polled(consumer) == ["one"]
        newcomer = await other.consumer("g", ["a"])
        with pytest.raises(Fenced):
            await consumer.commit({A: 1})
        await journal.append(some("a", "two"))
        assert await polled(consumer) == ["one", "two"]
        await consumer.commit({A: 2})
        await newcomer.close()
        await journal.append(some("a", "three"))
        assert await polled(consumer) == ["three"]


async def test_large_records_are_read_a_few_at_once_and_none_is_missing(tmp_path: Path) -> None:
    """Fewer than asked for: decoded all at once, the versions of a first start would fill the memory."""
    large = [Entry("a", f"{number}", bytes(1 << 20)) for number in range(20)]
    async with opened(tmp_path) as writer, opened(tmp_path) as reader:
        for entry in large:
            await writer.append([entry])
        consumer = await reader.consumer("group", ["a"])
        found: list[str] = []
        polls = 0
        while len(found) < len(large):
            records = (await consumer.poll(max_records=1_000, timeout_s=5)).get(A, ())
            found += [record.key for record in records]
            polls += bool(records)
        assert found == [entry.key for entry in large] and polls >= 2
