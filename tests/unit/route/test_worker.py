"""The router against journals that fail, restart and rebalance; the store is a real SQLite."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine

from emon.clock import SystemClock
from emon.domain.binding_book import BindingBook
from emon.domain.errors import Unavailable
from emon.journal.memory import MemoryJournal
from emon.journal.port import TopicPartition, partition_of
from emon.journal.records import BindingVersion, Bound, OwnOutage, Tick, decode_orders
from emon.limits import CHUNK_READINGS
from emon.route import worker
from emon.store import ingest as store
from emon.store import open_engine, schema, upgrade, writing
from emon.store import reading as store_reading
from emon.store.progress import Progress, all_stages
from emon.store.turns import turns_of
from tests.unit.route.worlds import PARTITIONS, T0, bound, order, raw, reading, ticks, told, told_of


class HistoryClock(SystemClock):
    """An hour after T0: what the tests send lies within HISTORY_DAYS."""

    def now_us(self) -> int:
        return T0 + 3_600_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")
    upgrade(engine)
    return engine


@asynccontextmanager
async def routing(journal: MemoryJournal, engine: Engine) -> AsyncIterator[None]:
    """A router at work; it has to end without an error."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(journal, engine, HistoryClock(), stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


async def until(done: Callable[[], object], patience_s: float = 60) -> None:
    """Waits until something answers with a true value."""
    for _ in range(int(patience_s / 0.01)):
        result = done()
        if await result if asyncio.iscoroutine(result) else result:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen in time")


def lag(journal: MemoryJournal) -> int:
    """Records that the router has not committed; 1 while there is no router."""
    if "route" not in journal._groups:
        return 1
    return sum(journal.end(p) - journal.committed("route", p)
               for topic in ("emon.raw", "emon.orders")
               for p in (TopicPartition(topic, n) for n in range(PARTITIONS)))


async def routed(journal: MemoryJournal, engine: Engine) -> None:
    """Runs a router until it has told everything, then stops it."""
    async with routing(journal, engine):
        await until(lambda: lag(journal) == 0)


async def test_readings_reach_their_participants_partition_in_order(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound(f"D{n}", f"P{n}") for n in range(8)])
    await routed(journal, engine)
    await journal.append([e for at in range(5) for n in range(8) for e in
                          [raw(reading(f"D{n}", at + n / 100))]])
    await routed(journal, engine)
    for n in range(8):
        records = [r for r in await told(journal, partition_of(f"P{n}", PARTITIONS))
                   if isinstance(r, Bound) and r.participant == f"P{n}"]
        assert [r.reading.observed_at for r in records] == [reading(f"D{n}", at + n / 100).observed_at
                                                            for at in range(5)]
    for partition in range(PARTITIONS):
        stamps = [r.received_at for r in await told(journal, partition) if getattr(r, "last", True)]
        assert stamps == sorted(set(stamps))


async def test_a_body_is_one_arrival(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound("D", "P")])
    await routed(journal, engine)
    items = [reading("D", at / 10) for at in range(3)]
    items = [items[0], items[1], items[2]]
    await journal.append([raw(i, batch="x-1", last=i is items[-1]) for i in items])
    await routed(journal, engine)
    records = await told_of(journal, "P")
    assert len({r.received_at for r in records}) == 1
    assert [r.last for r in records] == [False, False, True]


async def test_a_body_whose_end_never_came_is_told_all_the_same(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound("D", "P"), raw(reading("D", 1), batch="x-1", last=False)])
    await routed(journal, engine)
    assert len(await told_of(journal, "P")) == 1


@pytest.mark.parametrize("count", [3, CHUNK_READINGS + 3])
async def test_readings_of_an_unbound_device_are_kept_and_sent_once_it_is_bound(engine: Engine,
                                                                                count: int) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([raw(reading("D", at)) for at in range(count)])
    await routed(journal, engine)
    assert await told_of(journal, "P") == []
    await journal.append([bound("D", "P", at_s=count + 60)])
    await routed(journal, engine)
    records = await told(journal, partition_of("P", PARTITIONS))
    sent = [r for r in records if isinstance(r, Bound)]
    assert [r.reading.observed_at for r in sent] == [reading("D", at).observed_at for at in range(count)]
    version = next(r for r in records if isinstance(r, BindingVersion))
    assert {r.received_at for r in sent} == {version.received_at}, "they are part of the version's arrival"
    assert [r.last for r in records if not isinstance(r, Tick)][-1] is True


async def test_a_binding_changed_back_in_time_sends_the_interval_to_the_new_holder(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound("D", "P-1")])
    await routed(journal, engine)
    await journal.append([raw(reading("D", at)) for at in range(10)])
    await routed(journal, engine)
    await journal.append([bound("D", "P-1", version=2, until_s=4, at_s=60)])
    await routed(journal, engine)
    await journal.append([bound("D", "P-2", from_s=4, name="swap", at_s=61)])
    await routed(journal, engine)
    assert [r.reading.observed_at for r in await told_of(journal, "P-2")] == [
        reading("D", at).observed_at for at in range(4, 10)]
    assert len(await told_of(journal, "P-1")) == 10, "what was told is not told again"


async def test_a_new_keep_away_order_brings_the_protected_persons_past(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound("V", None, person="V-9"), raw(reading("V", 1))])
    await routed(journal, engine)
    assert await told_of(journal, "V-9") == []
    await journal.append([order("P", away_from="V-9", at_s=60)])
    await routed(journal, engine)
    sent = [r for r in await told(journal, partition_of("P", PARTITIONS)) if isinstance(r, Bound)]
    assert [(r.participant, r.reading.device) for r in sent] == [("V-9", "V")]


async def test_ticks_and_our_own_outage_stand_in_every_partition(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([*ticks(0), *ticks(1)])
    await routed(journal, engine)
    await journal.append(ticks(100))
    await routed(journal, engine)
    for partition in range(PARTITIONS):
        records = await told(journal, partition)
        assert [type(r) for r in records] == [Tick, Tick, OwnOutage, Tick]
        outage = records[2]
        assert isinstance(outage, OwnOutage)
        assert (outage.from_, outage.to) == (T0 + 1_000_000, T0 + 100_000_000)


async def test_a_restart_goes_on_in_the_same_order_and_remembers_what_was_heard(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound("D", "P"), *ticks(0)])
    await routed(journal, engine)
    await journal.append([raw(reading("D", 0.5))])
    await routed(journal, engine)
    await journal.append(ticks(4))
    await routed(journal, engine)
    home = partition_of("P", PARTITIONS)
    for partition in range(PARTITIONS):
        records = await told(journal, partition)
        assert not any(isinstance(r, OwnOutage) for r in records)
        heard = [r.heard for r in records if isinstance(r, Tick) and r.heard]
        names = [(one.device, one.observed_at) for each in heard for one in each["acme"]]
        assert names == ([] if partition == home else [("D", reading("D", 0.5).observed_at)])
        stamps = [r.received_at for r in records if getattr(r, "last", True)]
        assert stamps == sorted(set(stamps))


@pytest.mark.parametrize("fault", ["fail_next_append", "lose_next_ack"])
async def test_a_journal_that_fails_loses_no_reading_and_repeats_none(engine: Engine, fault: str) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound("D", "P")])
    await routed(journal, engine)
    await journal.append([raw(reading("D", 0))])
    getattr(journal, fault)()
    await routed(journal, engine)
    await journal.append([raw(reading("D", 1))])
    await routed(journal, engine)
    assert [r.reading.observed_at for r in await told_of(journal, "P")] == [
        reading("D", 0).observed_at, reading("D", 1).observed_at]


async def test_a_binding_lost_between_commit_and_store_is_told_again(engine: Engine) -> None:
    """The process died after the version was polled by nobody: it must count, and be told when polled."""
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([raw(reading("D", 0))])
    await routed(journal, engine)
    await journal.append([bound("D", "P", at_s=9)])
    journal.fail_next_append()
    await routed(journal, engine)
    assert len(await told_of(journal, "P")) == 1
    assert any(isinstance(r, BindingVersion) for r in await told(journal, 0))


async def test_what_the_first_poll_leaves_out_is_to_come_and_not_history(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Polls that bring one record each: a reading that stands unread behind a binding is told once, at its own
    instant, and not beforehand as something that had arrived earlier."""
    monkeypatch.setattr(worker, "ROUTE_RECORDS", 1)
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound(f"D{n}", f"P{n}", at_s=0) for n in range(6)])
    await journal.append([raw(reading(f"D{n}", 5)) for n in range(6)])
    await routed(journal, engine)
    for n in range(6):
        told_once = [r for r in await told_of(journal, f"P{n}") if r.reading.device == f"D{n}"]
        assert len(told_once) == 1
        assert told_once[0].received_at >= reading(f"D{n}", 5).observed_at


async def test_a_version_told_before_the_store_heard_of_it_is_told_once(engine: Engine) -> None:
    """The process died between the journal's transaction and the store's: the transaction is what counts, and
    whose the device is gets into the store all the same."""
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([raw(reading("D", 0)), bound("D", "P", feed="acme")])
    await routed(journal, engine)
    with writing(engine) as connection:
        connection.execute(schema.route_position.delete())
        connection.execute(schema.device_feed.delete())
    await routed(journal, engine)
    async with routing(journal, engine):
        await until(lambda: store.device_feeds(engine) == {"D": "acme"})
    assert len(await told_of(journal, "P")) == 1
    assert len([r for r in await told(journal, 0) if isinstance(r, BindingVersion)]) == 1


async def test_only_one_of_two_routers_works_and_the_other_takes_over(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound("D", "P")])
    first_stop, second_stop = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(worker.run(journal, engine, HistoryClock(), first_stop))
    await until(lambda: lag(journal) == 0)
    second = asyncio.create_task(worker.run(journal, engine, HistoryClock(), second_stop))
    await asyncio.sleep(0.5)
    assert len(journal._groups["route"].members) == 1
    first_stop.set()
    await first
    await journal.append([raw(reading("D", 1))])
    await until(lambda: lag(journal) == 0)
    assert len(await told_of(journal, "P")) == 1
    second_stop.set()
    await second


async def test_chunks_hold_what_left_memory_and_the_position_what_did_not(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([raw(reading("D", at)) for at in range(CHUNK_READINGS + 5)] + [raw(reading("E", 0))])
    await routed(journal, engine)
    async with routing(journal, engine):
        await until(lambda: store.device_chunks(engine, ["D"], 0, 1 << 62))
    chunks = store.device_chunks(engine, ["D"], 0, 1 << 62)
    assert sum(chunk.readings for chunk in chunks) >= CHUNK_READINGS
    position = store.route_positions(engine)[("emon.raw", partition_of("E", PARTITIONS))]
    records = await journal.read(TopicPartition("emon.raw", partition_of("E", PARTITIONS)), position, 9999)
    assert "E" in {record.key for record in records}, "E waits in memory: a restart must read it again"


async def test_routing_goes_on_while_others_write_to_the_store(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "OWN_LEASE_S", 60)
    journal = MemoryJournal(partitions=PARTITIONS)
    async with routing(journal, engine):
        await journal.append([bound("D", "P")])
        await until(lambda: lag(journal) == 0)
        with turns_of(str(engine.url.database)).mine():
            await journal.append([bound("E", "P")])  # has to be put on record there; readings must not wait for it
            await until(lambda: lag(journal) == 0)
            await journal.append([raw(reading("D", at)) for at in range(CHUNK_READINGS + 5)])
            await until(lambda: lag(journal) == 0)
    assert len(await told_of(journal, "P")) == CHUNK_READINGS + 5


async def test_a_binding_that_names_a_feed_moves_the_device_there(engine: Engine) -> None:
    store.claim_devices(engine, {"D": "squatter", "E": "other"}, 1)
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([bound("D", "P", feed="acme"), bound("E", "P")])
    await routed(journal, engine)
    assert store.device_feeds(engine) == {"D": "acme", "E": "other"}
    assert store.claim_devices(engine, {"D": "squatter"}, 2) == {"D": "acme"}


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_fails_every_reading_reaches_who_holds_its_device_in_the_end(engine: Engine,
                                                                                  seed: int) -> None:
    """Random readings and binding versions, late and reordered; appends fail, acknowledgements get lost,
    groups rebalance, routers stop and start. In the end nothing is missing and the order is total."""
    dice = random.Random(seed)
    journal = MemoryJournal(partitions=PARTITIONS)
    devices, people = [f"D{n}" for n in range(4)], [f"P{n}" for n in range(5)]
    sent: list[tuple[str, int]] = []
    versions: dict[str, int] = {}
    book = BindingBook()
    for step in range(8):
        entries = []
        for _ in range(dice.randrange(40)):
            item = reading(dice.choice(devices), dice.randrange(1_000))
            sent.append((item.device, item.observed_at))
            entries.append(raw(item, batch=f"b{step}-{dice.randrange(3)}", last=dice.random() < 0.5))
        for _ in range(dice.randrange(4)):
            device = dice.choice(devices)
            name = f"{device}-{dice.randrange(2)}"
            versions[name] = versions.get(name, 0) + 1
            from_s = dice.randrange(900)
            entries.append(bound(device, dice.choice(people), version=versions[name], name=name,
                                 from_s=from_s, until_s=from_s + dice.randrange(1, 600), at_s=step))
            version = decode_orders(entries[-1].value)
            assert isinstance(version, BindingVersion)
            book.add(version.binding)
        dice.shuffle(entries)
        with contextlib.suppress(Unavailable):  # a fault that no router met: ingest sends again
            await journal.append(ticks(step * 10))
        await journal.append([*entries, *ticks(step * 10)])
        if dice.random() < 0.6:
            getattr(journal, dice.choice(["fail_next_append", "lose_next_ack"]))()
        async with routing(journal, engine):
            if dice.random() < 0.5:
                await until(lambda: lag(journal) == 0)
            elif "route" in journal._groups:
                journal.rebalance("route")
    await routed(journal, engine)
    got = {(r.participant, r.reading.device, r.reading.observed_at)
           for person in people for r in await told_of(journal, person)}
    for device, observed_at in sent:
        owner = book.owner(device, observed_at)
        if owner is not None:
            assert (owner.participant, device, observed_at) in got
    for partition in range(PARTITIONS):
        stamps = [r.received_at for r in await told(journal, partition)]
        assert stamps == sorted(stamps)
        ends = [r.received_at for r in await told(journal, partition) if getattr(r, "last", True)]
        assert ends == sorted(set(ends))


async def test_how_far_the_router_is_stands_in_the_store(engine: Engine) -> None:
    journal = MemoryJournal(partitions=PARTITIONS)
    await journal.append([*ticks(0), raw(reading("D", 1))])

    def reported() -> list[Progress]:
        with store_reading(engine) as connection:
            return [one for one in all_stages(connection) if one.stage == "route" and one.caught_up_at]

    async with routing(journal, engine):
        await until(lambda: len(reported()) == PARTITIONS)
    assert {one.last_tick for one in reported()} == {T0 + 3_000_000}, "the second of the newest arrival"
    assert sum(one.position for one in reported()) == PARTITIONS + 1
