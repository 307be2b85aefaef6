"""Where the total order stands, made anew from the ends of emon.readings."""

from __future__ import annotations

from emon.domain.instant import SECOND
from emon.domain.verdict import Verdict
from emon.journal.memory import MemoryJournal
from emon.journal.port import READINGS, Entry
from emon.journal.records import (
    BindingVersion,
    Bound,
    HeardElsewhere,
    InputRecord,
    OrderVersion,
    OwnOutage,
    Tick,
    VerdictVersion,
    ZoneVersion,
    decode_input,
    encode,
)
from emon.route import restore
from tests.unit.evaluate.test_evaluator import day
from tests.unit.route.worlds import T0, reading


async def journal_of(*partitions: list[InputRecord]) -> MemoryJournal:
    journal = MemoryJournal(partitions=len(partitions))
    await journal.append([Entry(READINGS, "k", encode(record), partition)
                          for partition, records in enumerate(partitions) for record in records])
    return journal


async def test_everything_since_the_last_tick_is_heard_again_however_far_back_it_is() -> None:
    fixes = [Bound("P", T0 + n, reading("D", n, seq=n)) for n in range(1, 1800)]
    early = Bound("P", T0 - 5, reading("D", 0))
    order = await restore.load_sequence(await journal_of([early, Tick(T0), *fixes], [Tick(T0)]), 2)
    assert (order.last, order.tick) == (T0 + 1799, T0)
    told = decode_input(order.ticks_up_to(T0 + SECOND)[1].value)
    assert isinstance(told, Tick)
    assert told.heard == {"acme": [HeardElsewhere("D", "position", each.reading.observed_at, each.received_at,
                                                  each.reading.seq) for each in fixes]}


async def test_without_a_tick_the_whole_log_is_the_end() -> None:
    fixes = [Bound("P", T0 + n, reading("D", n)) for n in range(1, 1800)]
    order = await restore.load_sequence(await journal_of(list(fixes), []), 2)
    assert (order.last, order.tick) == (T0 + 1799, None)
    told = decode_input(order.ticks_up_to(T0 + SECOND)[1].value)
    assert isinstance(told, Tick) and told.heard is not None
    assert len(told.heard["acme"]) == 1799


async def test_an_empty_log_has_no_order_yet() -> None:
    order = await restore.load_sequence(await journal_of([], []), 2)
    assert (order.last, order.tick) == (0, None)


async def test_every_kind_of_record_may_be_the_last() -> None:
    kinds: dict[type, InputRecord] = {type(record): record for record in day()}
    kinds |= {Tick: Tick(T0), OwnOutage: OwnOutage(T0, T0 - 99 * SECOND, T0),
              VerdictVersion: VerdictVersion(T0, Verdict(id="V", participant="P"))}
    assert {OrderVersion, ZoneVersion, BindingVersion, Bound, Tick, OwnOutage} <= kinds.keys()
    for record in kinds.values():
        order = await restore.load_sequence(await journal_of([record]), 1)
        assert order.last == record.received_at
