"""The simulated journal fails on demand, in each way that a real one can."""

from __future__ import annotations

import pytest

from emon.domain.errors import Fenced, Unavailable
from emon.journal.memory import MemoryConsumer, MemoryJournal
from emon.journal.port import ALERTS, RAW, Entry, TopicPartition

FIRST = TopicPartition(RAW, 0)


async def poll(consumer: MemoryConsumer) -> list[bytes]:
    batch = await consumer.poll(max_records=100, timeout_s=0)
    return [record.value for records in batch.values() for record in records]


async def test_a_refused_append_writes_nothing() -> None:
    journal = MemoryJournal()
    journal.fail_next_append()
    with pytest.raises(Unavailable):
        await journal.append([Entry(RAW, "k", b"1")])
    await journal.append([Entry(RAW, "k", b"2")])
    assert [record.value for record in await journal.read(FIRST, 0, 10)] == [b"2"]


async def test_a_lost_acknowledgement_has_written_everything() -> None:
    journal = MemoryJournal()
    journal.lose_next_ack()
    with pytest.raises(Unavailable):
        await journal.append([Entry(RAW, "k", b"1")])
    assert await journal.end_offsets(RAW) == {0: 1}


@pytest.mark.parametrize(("fault", "written"), [("fail_next_append", 0), ("lose_next_ack", 1)])
async def test_after_an_unknown_transaction_the_consumer_goes_on_at_what_is_on_record(
        fault: str, written: int) -> None:
    journal = MemoryJournal()
    await journal.append([Entry(RAW, "k", b"1"), Entry(RAW, "k", b"2")])
    consumer = await journal.consumer("g", [RAW], transactional=True)
    assert await poll(consumer) == [b"1", b"2"]
    generation = consumer.assignment()[FIRST]
    getattr(journal, fault)()
    with pytest.raises(Unavailable):
        await consumer.append_and_commit([Entry(ALERTS, "k", b"out")], {FIRST: 2})
    assert await journal.end_offsets(ALERTS) == {0: written}
    assert await poll(consumer) == ([] if written else [b"1", b"2"])
    assert consumer.assignment()[FIRST] > generation


async def test_an_expelled_consumer_is_fenced_and_joins_again() -> None:
    journal = MemoryJournal()
    await journal.append([Entry(RAW, "k", b"1")])
    consumer = await journal.consumer("g", [RAW])
    assert await poll(consumer) == [b"1"]
    journal.expel(consumer)
    with pytest.raises(Fenced):
        await consumer.commit({FIRST: 1})
    assert await poll(consumer) == [b"1"]
    await consumer.commit({FIRST: 1})


async def test_a_rebalance_gives_uncommitted_records_again() -> None:
    journal = MemoryJournal()
    await journal.append([Entry(RAW, "k", b"1"), Entry(RAW, "k", b"2")])
    consumer = await journal.consumer("g", [RAW])
    await poll(consumer)
    await consumer.commit({FIRST: 1})
    journal.rebalance("g")
    assert await poll(consumer) == [b"2"]


async def test_a_crashed_consumers_partitions_go_to_the_other_and_it_stays_dead() -> None:
    journal = MemoryJournal(partitions=2)
    one, two = await journal.consumer("g", [RAW]), await journal.consumer("g", [RAW])
    await poll(one)
    await poll(two)
    journal.crash(one)
    await poll(two)
    assert len(two.assignment()) == 2
    with pytest.raises(Fenced):
        await poll(one)


async def test_a_journal_that_is_away_refuses_everything_until_it_is_back() -> None:
    journal = MemoryJournal()
    consumer = await journal.consumer("g", [RAW])
    await poll(consumer)
    journal.away = True
    with pytest.raises(Unavailable):
        await journal.append([Entry(RAW, "k", b"1")])
    with pytest.raises(Unavailable):
        await poll(consumer)
    with pytest.raises(Unavailable):
        await consumer.commit({FIRST: 0})
    journal.away = False
    await journal.append([Entry(RAW, "k", b"1")])
    assert await poll(consumer) == [b"1"]
