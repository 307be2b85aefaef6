"""The journal on Kafka against killed brokers, killed and stopped processes, and pending transactions."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from emon.domain.errors import Fenced, Unavailable
from emon.journal.kafka import KafkaJournal
from emon.journal.kafka_consumer import KafkaConsumer
from emon.journal.kafka_fencing import FencedProducer
from emon.journal.open import open_journal
from emon.journal.port import ORDERS, RAW, TOPICS, Entry, Record, TopicPartition
from emon.limits import KAFKA_SESSION_S
from simulators import parts
from tests.contract.journal import drivers, member
from tests.contract.journal.drivers import Driver, drain, entries, next_offsets, numbers, read_back


@pytest.fixture
async def driver(kafka: parts.Kafka) -> AsyncIterator[Driver]:
    async with AsyncExitStack() as stack:
        yield Driver("kafka", drivers.kafka(kafka.bootstrap), stack)


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[parts.Kafka]:
    """One that the test may stop."""
    broker = parts.Kafka(tmp_path / "kafka")
    broker.start()
    yield broker
    broker.stop()


async def test_a_broker_that_is_killed_and_comes_back_loses_nothing(
        own_broker: parts.Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = KafkaJournal(own_broker.bootstrap, partitions=1, topics=("a", "b"))
    await journal.open()
    consumer = await journal.consumer("g", ["a"], transactional=True)
    await journal.append(entries("a", range(10)))
    got = await drain(consumer, 10)
    await consumer.append_and_commit(entries("b", range(5)), next_offsets(got[:5]))

    own_broker.kill()
    with monkeypatch.context() as patched:
        patched.setattr("emon.journal.kafka_client.KAFKA_TIMEOUT_S", 3.0)  # the suite's time is short
        patched.setattr("emon.journal.kafka_client.KAFKA_STOP_S", 0.5)
        with pytest.raises(Unavailable, match=own_broker.bootstrap):
            await journal.append(entries("a", range(100, 101)))
        with pytest.raises(Unavailable):
            await consumer.append_and_commit(entries("b", range(5, 10)), next_offsets(got))
        with pytest.raises(Unavailable):
            await journal.end_offsets("b")
        assert not [task for task in asyncio.all_tasks() if "_to_txn" in repr(task)], \
            "a given-up transaction must not begin when the broker is back"

    await asyncio.to_thread(own_broker.start)
    await journal.append(entries("a", range(10, 12)))
    again: list[Record] = []
    deadline = time.monotonic() + 120
    while not again or again[-1].value != b"11":
        assert time.monotonic() < deadline, numbers(again)
        try:
            batch = await consumer.poll(max_records=100, timeout_s=1)
        except Unavailable:
            continue
        again += [record for records in batch.values() for record in records]
    assert [n for n in numbers(again) if n != 100] == [5, 6, 7, 8, 9, 10, 11]
    await consumer.append_and_commit(entries("b", range(5, 7)), next_offsets(again))
    assert numbers(await read_back(journal, TopicPartition("b", 0), 7)) == list(range(7))
    await consumer.close()
    await journal.close()


async def test_a_process_killed_between_poll_and_commit_loses_nothing(
        kafka: parts.Kafka, driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(5)))
    process = member.start("poll", kafka.url, driver.a, driver.b, driver.group)
    assert await asyncio.to_thread(member.said, process) == "5"
    member.killed(process)
    assert numbers(await drain(await driver.join(journal), 5)) == list(range(5))


async def test_a_killed_process_of_this_machine_is_not_waited_for(kafka: parts.Kafka, driver: Driver) -> None:
    """Whether its parent has seen its end yet or not."""
    journal = await driver.open()
    await journal.append(entries(driver.a, range(5)))
    for reaped in (True, False):
        process = member.start("poll", kafka.url, driver.a, driver.b, driver.group)
        assert await asyncio.to_thread(member.said, process) == "5"
        process.kill()
        await asyncio.to_thread(os.waitid, os.P_PID, process.pid, os.WEXITED | (0 if reaped else os.WNOWAIT))
        started = time.monotonic()
        consumer = await driver.join(journal)
        assert numbers(await drain(consumer, 5)) == list(range(5))
        assert time.monotonic() - started < KAFKA_SESSION_S / 2
        await consumer.close()
        member.killed(process)


async def test_outputs_of_a_process_killed_in_its_transaction_are_never_seen(
        kafka: parts.Kafka, driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(5)))
    process = member.start("dies_in_transaction", kafka.url, driver.a, driver.b, driver.group)
    assert await asyncio.to_thread(member.said, process) == "5"
    assert await asyncio.to_thread(process.wait) == -signal.SIGKILL
    consumer = await driver.join(journal, transactional=True)
    started = time.monotonic()
    got = await drain(consumer, 5)
    assert time.monotonic() - started < 12, "the dead one's transaction was waited for instead of ended"
    assert numbers(got) == list(range(5))
    await consumer.append_and_commit([Entry(driver.b, "k", b"alive")], next_offsets(got))
    found = await read_back(journal, TopicPartition(driver.b, 0), 1)
    assert [record.value for record in found] == [b"alive"]


async def test_a_zombie_is_fenced_and_writes_nothing(kafka: parts.Kafka, driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(5)))
    process = member.start("zombie", kafka.url, driver.a, driver.b, driver.group)
    assert await asyncio.to_thread(member.said, process) == "5"
    consumer = await driver.join(journal, transactional=True)
    got = await drain(consumer, 5)  # when the broker has given the zombie up
    assert numbers(got) == list(range(5))
    await consumer.append_and_commit([Entry(driver.b, "k", b"alive")], next_offsets(got))

    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    assert await asyncio.to_thread(member.said, process) == "fenced"
    member.killed(process)
    found = await read_back(journal, TopicPartition(driver.b, 0), 1)
    assert [record.value for record in found] == [b"alive"]


async def test_whoever_takes_over_waits_for_a_transaction_that_is_being_committed(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(5)))
    one = await journal.consumer(driver.group, [driver.a], transactional=True)
    assert isinstance(one, KafkaConsumer)
    got = await drain(one, 5)
    producer = await one._producer_of(TopicPartition(driver.a, 0))
    let_go, commit = asyncio.Event(), producer.commit_transaction

    async def slow_commit() -> None:
        await let_go.wait()
        await commit()

    producer.commit_transaction = slow_commit
    ending = asyncio.create_task(one.append_and_commit(entries(driver.b, range(5)), next_offsets(got)))
    await asyncio.sleep(1)
    consumer = one._consumer  # leaves the group, as if the broker had given it up, but ends its transaction
    assert consumer is not None
    await consumer._coordinator.close()
    two = await driver.join(await driver.open())
    assert await two.poll(max_records=10, timeout_s=3) == {}, "what is being committed must not come again"
    let_go.set()
    await ending
    await journal.append(entries(driver.a, range(5, 6)))
    assert numbers(await drain(two, 1)) == [5]
    assert numbers(await read_back(journal, TopicPartition(driver.b, 0), 5)) == list(range(5))
    await one.close()


async def test_work_whose_producer_was_fenced_is_given_again(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(5)))
    consumer = await driver.join(journal, transactional=True)
    assert isinstance(consumer, KafkaConsumer)
    got = await drain(consumer, 5)
    producer = await consumer._producer_of(TopicPartition(driver.a, 0))
    zombie = FencedProducer(bootstrap_servers=consumer._connection.bootstrap,
                            transactional_id=producer._txn_manager.transactional_id)
    await zombie.start()  # one that wakes up late and takes the name over
    await zombie.stop()
    with pytest.raises(Fenced):
        await consumer.append_and_commit(entries(driver.b, range(5)), next_offsets(got))
    again = await drain(consumer, 5)
    assert numbers(again) == list(range(5))
    await consumer.append_and_commit(entries(driver.b, range(5)), next_offsets(again))
    assert numbers(await read_back(journal, TopicPartition(driver.b, 0), 5)) == list(range(5))


async def test_a_client_that_was_left_changes_nothing_that_its_successor_was_given(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(5)))
    consumer = await driver.join(journal)
    assert isinstance(consumer, KafkaConsumer)
    await drain(consumer, 5)
    former = consumer._listener
    await consumer._leave()
    got = await drain(consumer, 5)
    assert former is not None
    former.on_partitions_revoked(())
    await consumer.commit(next_offsets(got))
    former.on_partitions_assigned(())
    assert list(consumer.assignment()) == [TopicPartition(driver.a, 0)]
    await consumer.commit(next_offsets(got))


async def test_aborted_outputs_at_the_end_of_the_log_end_a_read(driver: Driver) -> None:
    journal = await driver.open()
    await journal.append(entries(driver.a, range(1)))
    consumer = await driver.join(journal, transactional=True)
    assert isinstance(consumer, KafkaConsumer)
    await drain(consumer, 1)
    producer = await consumer._producer_of(TopicPartition(driver.a, 0))
    await producer.begin_transaction()
    await producer.send_and_wait(driver.b, b"aborted", partition=0)
    await producer.abort_transaction()
    position = TopicPartition(driver.b, 0)
    assert await journal.read(position, 0, 10) == []
    await journal.append(entries(driver.b, range(1)))
    (record,) = await journal.read(position, 0, 10)
    assert record.value == b"0"
    assert await journal.read(position, record.offset + 1, 10) == []


async def test_a_stock_consumer_reads_values_keys_and_the_schema_version(
        kafka: parts.Kafka, driver: Driver) -> None:
    journal = await driver.open()
    await journal.append([Entry(driver.a, "ACME-1", b'{"v":1}')])
    consumer = AIOKafkaConsumer(driver.a, bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    record = await asyncio.wait_for(consumer.getone(), 60)
    await consumer.stop()
    assert (record.key, record.value, record.headers) == (b"ACME-1", b'{"v":1}', (("v", b"1"),))


async def test_topics_are_kept_for_ever_and_orders_compacted(own_broker: parts.Kafka) -> None:
    journal = open_journal(own_broker.url, partitions=3)
    await journal.open()
    assert [await journal.partitions(topic) for topic in TOPICS] == [3] * len(TOPICS)
    await journal.close()
    admin = AIOKafkaAdminClient(bootstrap_servers=own_broker.bootstrap)
    await admin.start()
    found = {}
    for topic in (RAW, ORDERS):
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        found[topic] = {entry[0]: entry[1] for entry in answer.resources[0][4]}
    await admin.close()
    assert [found[topic]["cleanup.policy"] for topic in (RAW, ORDERS)] == ["delete", "compact"]
    assert {found[topic]["retention.ms"] for topic in (RAW, ORDERS)} == {"-1"}


async def test_a_large_record_passes(driver: Driver) -> None:
    journal = await driver.open()
    value = bytes(range(256)) * (11 << 12)  # 11 MiB: a body kept whole in base64
    await journal.append([Entry(driver.a, "k", value)])
    (record,) = await drain(await driver.join(journal), 1)
    assert record.value == value


async def test_login_over_tls_and_a_wrong_password_named(tmp_path: Path) -> None:
    broker = parts.Kafka(tmp_path / "kafka", sasl=True)
    broker.start()
    try:
        login: dict[str, Any] = {"username": parts.SASL_USER, "tls": True, "ca_file": broker.ca_file}
        journal = open_journal(broker.url, topics=("a",), password=parts.SASL_PASSWORD, **login)
        await journal.open()
        await journal.append(entries("a", range(3), partition=0))
        consumer = await journal.consumer("g", ["a"])
        assert numbers(await drain(consumer, 3)) == [0, 1, 2]
        await consumer.close()
        await journal.close()
        with pytest.raises(Unavailable, match=r"refuses the login.*_PASSWORD"):
            await open_journal(broker.url, topics=("a",), password="wrong", **login).open()
    finally:
        broker.stop()
