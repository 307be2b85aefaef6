"""What the journal's port promises, on every driver."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from emon.domain.errors import Fenced
from emon.journal.port import Entry, TopicPartition, partition_of
from tests.contract.journal.drivers import Driver, drain, entries, next_offsets, numbers, read_back, settle


async def test_what_was_appended_is_read_in_order_with_its_keys(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append([Entry(driver.a, f"ключ-{i}", b"%d" % i) for i in range(2500)])
    await journal.append([])
    records = await journal.read(TopicPartition(driver.a, 0), 0, 10_000)
    while len(records) < 2500:
        more = await journal.read(TopicPartition(driver.a, 0), records[-1].offset + 1, 10_000)
        assert more
        records = [*records, *more]
    assert [(r.key, r.value) for r in records] == [(f"ключ-{i}", b"%d" % i) for i in range(2500)]
    assert all(a.offset < b.offset for a, b in pairwise(records))
    assert await journal.read(TopicPartition(driver.a, 0), records[-1].offset + 1, 10) == []


async def test_read_begins_in_the_middle_and_gives_no_more_than_asked(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(1500)))
    records = await journal.read(TopicPartition(driver.a, 0), 700, 40)
    assert numbers(list(records)) == list(range(700, 740))


async def test_offsets_that_an_append_returns_are_those_of_its_entries(driver: Driver) -> None:
    """Of appends that share a transaction, each is told its own; a driver may tell none."""
    journal = await driver.open(partitions=2)
    batches = [[Entry(driver.a, name, b"%s-%d" % (name.encode(), number), number % 2) for number in range(5 + size)]
               for size, name in enumerate("abcdefg")]
    told = await asyncio.gather(*(journal.append(batch) for batch in batches))
    for batch, offsets in zip(batches, told, strict=True):
        for position, written in offsets.items():
            found = await journal.read(position, written.start, len(written))
            assert [record.offset for record in found] == list(written)
            assert [r.value for r in found] == [e.value for e in batch if e.partition == position.partition]
    assert await journal.append([]) == {}


async def test_empty_values_and_keys_survive(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append([Entry(driver.a, "", b""), Entry(driver.a, "k", b"\x00\xff")])
    records = await journal.read(TopicPartition(driver.a, 0), 0, 10)
    assert [(r.key, r.value) for r in records] == [("", b""), ("k", b"\x00\xff")]


async def test_entries_of_one_key_share_the_partition_of_the_port(driver: Driver) -> None:
    journal = await driver.open(partitions=4)
    keys = [f"device-{i}" for i in range(60)]
    await journal.append([Entry(driver.a, key, b"x") for key in keys])
    found = {}
    for index in range(await journal.partitions(driver.a)):
        for record in await journal.read(TopicPartition(driver.a, index), 0, 100):
            found[record.key] = record.partition
    assert found == {key: partition_of(key, 4) for key in keys}
    assert len(set(found.values())) == 4


async def test_an_explicit_partition_overrides_the_key(driver: Driver) -> None:
    journal = await driver.open(partitions=4)
    for index in range(4):
        await journal.append(entries(driver.a, range(1), key="same", partition=index))
    assert await journal.end_offsets(driver.a) == {0: 1, 1: 1, 2: 1, 3: 1}


async def test_an_unknown_topic_or_partition_is_a_mistake_and_writes_nothing(driver: Driver) -> None:
    journal = await driver.open()
    with pytest.raises(ValueError, match="nowhere"):
        await journal.append([Entry(driver.a, "k", b"1"), Entry("nowhere", "k", b"1")])
    with pytest.raises(ValueError, match=driver.a):
        await journal.append([Entry(driver.a, "k", b"1"), Entry(driver.a, "k", b"1", 7)])
    assert await journal.end_offsets(driver.a) == {0: 0}


async def test_concurrent_appends_all_arrive_each_producers_in_order(driver: Driver) -> None:
    journal = await driver.open()

    async def produce(name: str) -> None:
        for i in range(20):
            await journal.append([Entry(driver.a, name, b"%d" % i)])

    await asyncio.gather(*(produce(f"p{i}") for i in range(16)))
    records = await journal.read(TopicPartition(driver.a, 0), 0, 1000)
    assert len(records) == 320
    for name in {record.key for record in records}:
        assert numbers([record for record in records if record.key == name]) == list(range(20))


async def test_another_journal_on_the_same_data_sees_what_was_appended(driver: Driver) -> None:
    writer, reader = await driver.open(), await driver.open()
    await writer.append(entries(driver.a, range(3)))
    assert await reader.end_offsets(driver.a) == {0: 3}
    consumer = await driver.join(reader)
    assert numbers(await drain(consumer, 3)) == [0, 1, 2]
    await writer.append(entries(driver.a, range(3, 5)))
    assert numbers(await drain(consumer, 2)) == [3, 4]


async def test_reopening_keeps_records_partitions_and_commits(driver: Driver) -> None:
    journal = await driver.open(partitions=2)
    await journal.append(entries(driver.a, range(10), partition=1))
    consumer = await driver.join(journal)
    await consumer.commit(next_offsets((await drain(consumer, 10))[:6]))
    await consumer.close()
    await journal.close()
    await journal.close()

    journal = await driver.open(partitions=4)
    assert await journal.partitions(driver.a) == 2
    assert numbers(await drain(await driver.join(journal), 4)) == [6, 7, 8, 9]


async def test_an_empty_poll_returns_in_time_and_a_new_record_wakes_it(driver: Driver) -> None:
    journal = await driver.open()
    consumer = await driver.join(journal)
    await settle(consumer, partitions=1)
    started = time.monotonic()
    assert await consumer.poll(max_records=10, timeout_s=0.2) == {}
    assert 0.15 < time.monotonic() - started < 10

    poll = asyncio.create_task(consumer.poll(max_records=10, timeout_s=60))
    await asyncio.sleep(0.1)
    appended = time.monotonic()
    await journal.append(entries(driver.a, range(1)))
    assert numbers(list((await poll)[TopicPartition(driver.a, 0)])) == [0]
    assert time.monotonic() - appended < 20, "it was not woken"


async def test_poll_gives_at_most_so_many_and_loses_none(driver: Driver) -> None:
    journal = await driver.open(partitions=3)
    await journal.append([Entry(driver.a, f"k{i}", b"%d" % i) for i in range(500)])
    consumer = await driver.join(journal)
    seen: list[int] = []
    while len(seen) < 500:
        batch = await consumer.poll(max_records=7, timeout_s=5)
        got = [record for records in batch.values() for record in records]
        assert 0 < len(got) <= 7 or not batch
        seen += numbers(got)
    assert sorted(seen) == list(range(500))


async def test_no_partition_starves_behind_a_full_one(driver: Driver) -> None:
    journal = await driver.open(partitions=2)
    await journal.append(entries(driver.a, range(3000), partition=0))
    await journal.append(entries(driver.a, range(1), partition=1))
    consumer = await driver.join(journal)
    for _ in range(200):
        if TopicPartition(driver.a, 1) in await consumer.poll(max_records=50, timeout_s=0.5):
            break
    else:
        raise AssertionError("partition 1 was never polled")


async def test_a_group_goes_on_at_its_commit_and_another_group_at_the_beginning(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(10)))
    consumer = await driver.join(journal)
    await consumer.commit(next_offsets((await drain(consumer, 10))[:4]))
    await consumer.close()
    assert numbers(await drain(await driver.join(journal), 6)) == [4, 5, 6, 7, 8, 9]
    other = await journal.consumer(driver.group + ".other", [driver.a])
    assert numbers(await drain(other, 10)) == list(range(10))
    await other.close()


async def test_seek_moves_the_next_poll_of_that_partition(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(20)))
    consumer = await driver.join(journal)
    assert len(await drain(consumer, 20)) == 20
    await consumer.seek(TopicPartition(driver.a, 0), 5)
    assert numbers(await drain(consumer, 15)) == list(range(5, 20))
    with pytest.raises(Fenced):
        await consumer.seek(TopicPartition(driver.b, 0), 0)


async def test_positions_stand_behind_what_was_polled_and_else_at_the_last_commit(driver: Driver) -> None:
    journal = await driver.open(partitions=2)
    for index in range(2):
        await journal.append(entries(driver.a, range(6), partition=index))
    first = await driver.join(journal)
    assert len(await drain(first, 12)) == 12
    await first.commit({TopicPartition(driver.a, 1): 4})
    await first.close()
    second = await driver.join(journal)
    got = await drain(second, 1, max_records=1)
    assert len(got) == 1
    expected = {TopicPartition(driver.a, 0): 0, TopicPartition(driver.a, 1): 4}
    expected[TopicPartition(driver.a, got[0].partition)] += 1
    assert await second.positions() == expected
    await second.close()
    with pytest.raises(Fenced):
        await second.positions()


async def test_two_members_share_the_partitions_and_none_reads_the_others(driver: Driver) -> None:
    journal, second = await driver.open(partitions=4), await driver.open(partitions=4)
    one, two = await driver.join(journal), await driver.join(second)
    await settle(one, two, partitions=4)
    assert not set(one.assignment()) & set(two.assignment())
    for index in range(4):
        await journal.append(entries(driver.a, range(5), partition=index))
    got_one = await drain(one, 5 * len(one.assignment()))
    got_two = await drain(two, 5 * len(two.assignment()))
    assert {(r.partition, r.offset) for r in got_one}.isdisjoint({(r.partition, r.offset) for r in got_two})
    assert len(got_one) + len(got_two) == 20


async def test_a_rebalance_fences_work_in_progress_and_gives_it_again(driver: Driver) -> None:
    journal = await driver.open(partitions=2)
    for index in range(2):
        await journal.append(entries(driver.a, range(5), partition=index))
    one = await driver.join(journal)
    polled = await drain(one, 10)
    before = max(one.assignment().values())

    two = await driver.join(await driver.open(partitions=2))
    for _ in range(100):  # until the group has a new generation: only then is the old work stale
        await two.poll(max_records=1, timeout_s=0.1)
        if two.assignment():
            break
    with pytest.raises(Fenced):
        await one.commit(next_offsets(polled))

    await settle(one, two, partitions=2)
    assert min(one.assignment().values()) > before
    for consumer in (one, two):
        for position in consumer.assignment():
            await consumer.seek(position, 0)
        again = await drain(consumer, 5)
        assert numbers(again) == list(range(5))
        await consumer.commit(next_offsets(again))


async def test_when_a_member_leaves_the_other_goes_on_at_its_commit(driver: Driver) -> None:
    journal = await driver.open(partitions=2)
    one, two = await driver.join(journal), await driver.join(await driver.open(partitions=2))
    await settle(one, two, partitions=2)
    for index in range(2):
        await journal.append(entries(driver.a, range(6), partition=index))
    got = await drain(two, 6)
    (theirs,) = two.assignment()
    await two.commit({theirs: 2})
    await two.close()
    assert len(got) == 6
    records: list[int] = []
    seen = []
    for _ in range(200):
        batch = await one.poll(max_records=100, timeout_s=0.2)
        seen += [record for records in batch.values() for record in records]
        records = numbers([record for record in seen if record.partition == theirs.partition])
        if len(records) >= 4:
            break
    assert records == [2, 3, 4, 5]


async def test_append_and_commit_does_both(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(5)))
    consumer = await driver.join(journal, transactional=True)
    polled = await drain(consumer, 5)
    await consumer.append_and_commit(entries(driver.b, range(100, 103)), next_offsets(polled[:3]))
    await consumer.append_and_commit(entries(driver.b, range(103, 105)), next_offsets(polled))
    await consumer.append_and_commit([], next_offsets(polled))
    assert numbers(await read_back(journal, TopicPartition(driver.b, 0), 5)) == [100, 101, 102, 103, 104]
    await consumer.close()
    await journal.append(entries(driver.a, range(5, 6)))
    assert numbers(await drain(await driver.join(journal, transactional=True), 1)) == [5]


async def test_append_and_commit_of_a_fenced_member_does_neither(driver: Driver) -> None:
    journal = await driver.open(partitions=2)
    for index in range(2):
        await journal.append(entries(driver.a, range(5), partition=index))
    one = await driver.join(journal, transactional=True)
    polled = await drain(one, 10)
    two = await driver.join(await driver.open(partitions=2), transactional=True)
    for _ in range(100):
        await two.poll(max_records=1, timeout_s=0.1)
        if two.assignment():
            break
    with pytest.raises(Fenced):
        await one.append_and_commit(entries(driver.b, range(1)), next_offsets(polled))
    await settle(one, two, partitions=2)
    (mine,) = one.assignment()
    await one.seek(mine, 0)
    assert numbers(await drain(one, 5)) == list(range(5))
    await one.append_and_commit(entries(driver.b, range(7, 8)), {mine: 5})
    written = partition_of(entries(driver.b, range(7, 8))[0].key, 2)
    assert numbers(await read_back(journal, TopicPartition(driver.b, written), 1)) == [7]
    assert await journal.read(TopicPartition(driver.b, 1 - written), 0, 10) == []


async def test_a_closed_consumer_is_fenced(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(1)))
    consumer = await driver.join(journal)
    polled = await drain(consumer, 1)
    await consumer.close()
    await consumer.close()
    with pytest.raises(Fenced):
        await consumer.poll(max_records=1, timeout_s=0)
    with pytest.raises(Fenced):
        await consumer.commit(next_offsets(polled))


async def test_only_a_transactional_consumer_may_append_and_commit(driver: Driver) -> None:
    journal = await driver.open()
    consumer = await driver.join(journal)
    with pytest.raises(ValueError, match="transactional"):
        await consumer.append_and_commit([], {})


async def test_trim_forgets_old_records_and_no_offset_is_given_twice(driver: Driver) -> None:
    journal = await driver.open()
    for begin in range(0, 30, 10):
        await journal.append(entries(driver.a, range(begin, begin + 10)))
    await journal.trim(driver.a, {0: 20})
    records = await journal.read(TopicPartition(driver.a, 0), 0, 100)
    assert numbers(list(records)) == list(range(20, 30))
    await journal.trim(driver.a, await journal.end_offsets(driver.a))
    await journal.append(entries(driver.a, range(30, 31)))
    (record,) = await journal.read(TopicPartition(driver.a, 0), 0, 100)
    assert (record.offset, record.value) == (30, b"30")
    assert numbers(await drain(await driver.join(journal), 1)) == [30]
