"""What a chain has left behind, and what must be true of it whatever was killed on the way.

Judged up to an instant by which everybody had finished: ticks go on while processes are told to stop.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, select

from emon import config
from emon.batch import evaluate_files
from emon.domain import finding as findings
from emon.domain import instant, reading
from emon.domain.finding import Finding
from emon.domain.instant import SECOND
from emon.journal.port import FINDINGS, RAW, READINGS, Journal, TopicPartition, partition_of
from emon.journal.records import Bound, InputRecord, OwnOutage, RawReading, RawRecord, Tick, decode_input, decode_raw
from emon.limits import OWN_OUTAGE_GAP
from emon.recording import export
from emon.store import log, open_engine, schema
from emon.store import reading as reading_from
from simulators.devices import Emission
from simulators.world import World
from tests.conftest import Mail
from tests.simulation.chain import Chain

SETTLED_S: Final = 240.0  # a message in hand of a killed worker is sent again half a minute later
_BLOCK: Final = 5_000

Identity = tuple[str, str, int | str, str]


@dataclass(slots=True)
class Left:
    """`raw`, `inputs`, `found`: by partition, in order. `until`: where everybody had finished."""

    until: int
    raw: list[list[RawRecord]] = field(default_factory=list)
    inputs: list[list[InputRecord]] = field(default_factory=list)
    found: list[list[Finding]] = field(default_factory=list)

    def accepted(self) -> list[RawReading]:
        """All readings in the raw log."""
        return [record for part in self.raw for record in part if isinstance(record, RawReading)]

    def outages(self) -> list[OwnOutage]:
        """When nothing was taken in."""
        return [record for record in self.inputs[0] if isinstance(record, OwnOutage)]

    def revisions(self) -> list[Finding]:
        """Each once, decided by `until`, in the published order."""
        each = {(one.finding_id, one.revision): one for part in self.found for one in part}
        return sorted((one for one in each.values() if one.decided_at <= self.until), key=findings.publication_key)


async def settled(chain: Chain) -> int:
    """Waits until every stage has worked through all that was received by now; that instant.

    Ticks must go on meanwhile: they carry the clock.
    """
    until = chain.clock.now_us()
    store, history = (open_engine(url(chain.settings)) for url in (config.store_url, config.history_url))
    try:
        async with chain.journal() as journal:
            ends = await _until("the router", lambda: _reached(journal, until))
            await _until("the evaluators", lambda: _in_thread(lambda: _judged(history, ends)))
            decided = await journal.end_offsets(FINDINGS)
            await _until("the alerts", lambda: _in_thread(lambda: _taken(store, decided)))
            await _until("notifications", lambda: _in_thread(lambda: _told(store, until)))
    finally:
        store.dispose()
        history.dispose()
    return until


async def _until(who: str, done: Callable[[], Any]) -> Any:
    limit = time.monotonic() + SETTLED_S
    while not (found := await done()):
        assert time.monotonic() < limit, f"{who} did not finish in {SETTLED_S:g} s"
        await asyncio.sleep(0.1)
    return found


async def _in_thread(ask: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(ask)


async def _reached(journal: Journal, until: int) -> dict[int, int] | None:
    """Where each partition of emon.readings ends, once time has passed `until` in all."""
    ends = {}
    for partition, end in (await journal.end_offsets(READINGS)).items():
        records = await journal.read(TopicPartition(READINGS, partition), max(0, end - 64), 64)
        if not records or decode_input(records[-1].value).received_at <= until:
            return None
        ends[partition] = records[-1].offset + 1
    return ends


def _judged(history: Engine, ends: Mapping[int, int]) -> bool:
    table = schema.snapshot_head
    with reading_from(history) as connection:
        offsets = {row.partition: row.next_offset for row in connection.execute(select(table))}
    return all(offsets.get(partition, 0) >= end for partition, end in ends.items())


def _taken(store: Engine, ends: Mapping[int, int]) -> bool:
    """A Kafka transaction's marker is no record: findings are not written in one, so ends are exact."""
    table = schema.progress
    with reading_from(store) as connection:
        positions = {row.partition: row.position
                     for row in connection.execute(select(table).where(table.c.stage == "alerts"))}
    return all(positions.get(partition, 0) >= end for partition, end in ends.items())


def _told(store: Engine, until: int) -> bool:
    notice, message = schema.notice, schema.message
    with reading_from(store) as connection:
        waiting = connection.execute(select(notice.c.notice_id).where(
            notice.c.state.in_(("held", "ready")), notice.c.created_at <= until).limit(1)).first()
        sending = connection.execute(select(message.c.message_id).where(
            message.c.state.in_(("pending", "sending")), message.c.created_at <= until).limit(1)).first()
    return waiting is None and sending is None


async def left(chain: Chain, until: int) -> Left:
    """Reads everything. No process writes any more."""
    found = Left(until)
    async with chain.journal() as journal:
        found.raw = [[decode_raw(value) for value in part] for part in await _values(journal, RAW)]
        found.inputs = [[decode_input(value) for value in part] for part in await _values(journal, READINGS)]
        found.found = [[findings.decode(value) for value in part] for part in await _values(journal, FINDINGS)]
        await export(journal, chain.folder / "recording")
    return found


async def _values(journal: Journal, topic: str) -> list[list[bytes]]:
    """What stands on the partitions of a topic."""
    parts = []
    for partition in range(await journal.partitions(topic)):
        values, offset = [], 0
        while block := await journal.read(TopicPartition(topic, partition), offset, _BLOCK):
            values += [record.value for record in block]
            offset = block[-1].offset + 1
        parts.append(values)
    return parts


# --- what must be true -------------------------------------------------------------------------------------


def assert_acknowledged_is_kept(world: World, found: Left, last_us: int) -> None:
    """Every reading sent up to `last_us` (and so acknowledged: vendors do not give up) stands in the raw log."""
    last_s = (last_us - world.start_us) / 1e6
    sent = {_measured(one) for one in world.source().until(last_s) if one.send_s <= last_s and _has_a_format(one)}
    kept = {(one.reading.device, one.reading.kind, one.reading.observed_at) for one in found.accepted()}
    assert sent
    missing = {one for one in sent if one not in kept}
    assert not missing, f"{len(missing)} of {len(sent)} acknowledged readings are lost: {sorted(missing)[:5]}"


def _has_a_format(one: Emission) -> bool:
    """A telephone's app speaks of positions alone, a gateway's heartbeat repeats the last position."""
    return one.reading["kind"] == "position" if one.feed in ("pocket", "fleetgate") else True


def _measured(one: Emission) -> tuple[str, str, int]:
    observed_at = one.reading["observed_at"]
    if one.feed == "pocket":
        observed_at = observed_at // SECOND * SECOND
    elif one.feed == "fleetgate":
        observed_at = observed_at // 1000 * 1000
    return one.reading["device"], one.reading["kind"], observed_at


def assert_bound_once(world: World, found: Left) -> None:
    """What stands in the raw log was given to the evaluators of whom it concerns: as often, never more. What a
    protected person's device says is needed where the participant is judged."""
    spans = defaultdict(list)
    watched = {condition["protected_person"]: partition_of(order["participant"], len(found.inputs))
               for order in world.orders() for condition in order["conditions"] if condition["kind"] == "keep_away"}
    for document in world.bindings():
        until = document["until"] and instant.parse(document["until"])
        person = document.get("participant") or document["protected_person"]
        spans[document["device"]].append((instant.parse(document["from"]), until, person))
    wanted: Counter[tuple[str, bytes]] = Counter()
    for raw in found.accepted():
        at = raw.reading.observed_at
        for from_, until, participant in spans[raw.reading.device]:
            if from_ <= at and (until is None or at < until):
                wanted[participant, reading.content(raw.reading)] += 1
    given = Counter((one.participant, reading.content(one.reading)) for part, records in enumerate(found.inputs)
                    for one in records if isinstance(one, Bound) and watched.get(one.participant, part) == part)
    assert wanted
    assert not wanted - given, f"{(wanted - given).total()} readings never reached an evaluator"
    assert not given - wanted, f"{(given - wanted).total()} readings reached an evaluator twice"


def assert_one_order(found: Left) -> None:
    """Effective instants strictly increase between arrivals; ticks are whole seconds and stand everywhere."""
    for partition, records in enumerate(found.inputs):
        before, last = 0, True
        for place, record in enumerate(records):
            where = f"partition {partition}, record {place}: {record}"
            assert record.received_at > before if last else record.received_at == before, where
            before, last = record.received_at, isinstance(record, Tick) or record.last
            assert not isinstance(record, Tick) or record.received_at % SECOND == 0, where
    ticks = [[r.received_at for r in part if isinstance(r, Tick) and r.received_at <= found.until]
             for part in found.inputs]
    assert ticks[0]
    assert all(part == ticks[0] for part in ticks), "a tick is missing in a partition"
    outages = [[(r.from_, r.to) for r in part if isinstance(r, OwnOutage)] for part in found.inputs]
    assert all(part == outages[0] for part in outages), "an outage of ours is missing in a partition"
    gaps = [(a, b) for a, b in zip(ticks[0], ticks[0][1:], strict=False) if b - a > OWN_OUTAGE_GAP]
    assert gaps == [one for one in outages[0] if one[1] <= found.until], "gaps without ticks and outages told differ"


def assert_our_outages_accuse_nobody(found: Left) -> None:
    """A silence was found before an outage of ours began, or counts from its end."""
    for one in found.revisions():
        if one.revision == 1 and one.kind in ("contact_lost", "location_lost"):
            numbers = one.evidence["parameters"]
            silent_from = one.onset - round(numbers["every_s"] * SECOND)
            due = one.onset + round(numbers["hold_s"] * SECOND)
            for outage in found.outages():
                assert silent_from >= outage.to or due <= outage.from_, f"{_line(one)} during {outage}"


def assert_findings_are_sound(found: Left) -> None:
    """Revisions count from 1 without gaps; a revision told again says the same."""
    told: dict[tuple[str, int], Finding] = {}
    for part in found.found:
        for one in part:
            one = msgspec.structs.replace(one, recorded_at=None)
            assert told.setdefault((one.finding_id, one.revision), one) == one, "told again in other words"
    numbers = defaultdict(set)
    for finding_id, revision in told:
        numbers[finding_id].add(revision)
    for finding_id, revisions in numbers.items():
        assert revisions == set(range(1, len(revisions) + 1)), f"{finding_id}: {sorted(revisions)}"


def assert_live_equals_batch(folder: Path, found: Left) -> None:
    """`emon evaluate` on the export gives what was found live, revision for revision."""
    recording = folder / "recording"
    evaluate_files((recording / "orders",), (recording / "zones.geojson",), (recording / "readings.ndjson",),
                   recording / "again.ndjson", found.until)
    again = [findings.decode(line) for line in (recording / "again.ndjson").read_bytes().splitlines()]
    again = [one for one in again if one.decided_at <= found.until]
    live = [msgspec.structs.replace(one, recorded_at=None) for one in found.revisions()]
    again = [msgspec.structs.replace(one, recorded_at=None) for one in again]
    assert live == again, _difference(live, again)


def _difference(live: Sequence[Finding], again: Sequence[Finding]) -> str:
    a, b = ({(one.finding_id, one.revision): one for one in each} for each in (live, again))
    lines = [f"{len(live)} live, {len(again)} in batch"]
    lines += [f"only live: {_line(a[key])}" for key in a if key not in b]
    lines += [f"only batch: {_line(b[key])}" for key in b if key not in a]
    for key in a.keys() & b.keys():
        live_, batch = (msgspec.to_builtins(each[key]) for each in (a, b))
        lines += [f"{key} {live_['kind']} {name}: live {live_[name]}, batch {batch[name]}"
                  for name in live_ if live_[name] != batch[name]]
    return "\n".join(lines[:40])


def _line(one: Finding) -> str:
    return (f"{one.finding_id} r{one.revision} {one.participant or one.feed} {one.condition} {one.kind} {one.status} "
            f"{one.reason} {instant.iso(one.onset)}..{instant.iso_or_none(one.ended)} "
            f"decided {instant.iso(one.decided_at)}")


def assert_alerts_follow(chain: Chain, found: Left) -> None:
    """Every finding is on an alert that there is, and the alerts' log holds."""
    engine = open_engine(config.store_url(chain.settings))
    try:
        with reading_from(engine) as connection:
            _assert_alerts(connection, found.revisions())
    finally:
        engine.dispose()


def _assert_alerts(connection: Connection, revisions: Iterable[Finding]) -> None:
    assert log.verify(connection) is None
    revision, finding, alert = schema.finding_revision, schema.finding, schema.alert
    stored = {(row.finding_id, row.revision)
              for row in connection.execute(select(revision.c.finding_id, revision.c.revision))}
    alerts = {row.alert_id for row in connection.execute(select(alert.c.alert_id))}
    on_alert = {row.finding_id: row.alert_id for row in connection.execute(select(finding))}
    events = Counter((data["facts"]["finding_id"], data["facts"]["revision"]) for data in (
        msgspec.json.decode(row.data) for row in connection.execute(select(schema.alert_event)))
        if "finding_id" in data["facts"])
    for one in revisions:
        assert (one.finding_id, one.revision) in stored, f"{one.finding_id} r{one.revision} is in no table"
        assert on_alert[one.finding_id] in alerts, f"{one.finding_id} is on no alert"
        assert events[one.finding_id, one.revision] == 1, f"{one.finding_id} r{one.revision} is not told once"


def assert_everybody_was_told(chain: Chain, found: Left, mails: Sequence[Mail]) -> None:
    """A mail a message that was sent; at most one message a killed worker twice, none three times."""
    arrived = Counter(_message_id(mail) for mail in mails)
    engine = open_engine(config.store_url(chain.settings))
    try:
        with reading_from(engine) as connection:
            rows = [row for row in connection.execute(select(schema.message)) if row.created_at <= found.until]
    finally:
        engine.dispose()
    sent = {row.message_id for row in rows if row.state == "sent"}
    assert sent, "nobody was told anything"
    assert {row.state for row in rows} <= {"sent", "cancelled"}, Counter(row.state for row in rows)
    assert not sent - set(arrived), f"{len(sent - set(arrived))} messages never arrived"
    cancelled = {row.message_id for row in rows if row.state == "cancelled"}
    assert not cancelled & set(arrived), "a message that was called off arrived"
    assert max(arrived.values()) <= 2, "a message came three times"


def twice(mails: Sequence[Mail]) -> int:
    """How many messages came more than once."""
    return sum(1 for number in Counter(map(_message_id, mails)).values() if number > 1)


def _message_id(mail: Mail) -> str:
    line = next(line for line in mail.content.splitlines() if line.lower().startswith(b"message-id:"))
    return line.split(b":", 1)[1].strip(b" <>").split(b"@")[0].decode()
