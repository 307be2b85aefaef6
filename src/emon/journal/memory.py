"""A journal in memory, for simulation: the port's contract, and on demand each of its failures.

Nothing is durable: what survives a simulated crash is this object, which plays the broker. Faults are
injected from outside (`fail_next_append`, `lose_next_ack`, `expel`, `crash`, `rebalance`), never at random.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from emon.domain.errors import Unavailable
from emon.journal.groups import assign
from emon.journal.port import TOPICS, Entry, Fenced, Record, TopicPartition, check_size, partition_of


@dataclass(slots=True)
class _Group:
    """What a broker knows of a group."""

    generation: int = 0
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    given: dict[str, list[TopicPartition]] = field(default_factory=dict)
    committed: dict[TopicPartition, int] = field(default_factory=dict)


class MemoryJournal:
    """One broker in memory. All consumers must live on one event loop."""

    def __init__(self, *, partitions: int = 1, topics: Sequence[str] = TOPICS) -> None:
        self._partitions = dict.fromkeys(topics, partitions)
        self._logs: dict[TopicPartition, list[Record]] = {
            TopicPartition(topic, index): [] for topic in topics for index in range(partitions)}
        self._first = dict.fromkeys(self._logs, 0)
        self._groups: dict[str, _Group] = {}
        self._names = count(1)
        self._changed = asyncio.Event()
        self._fail_appends = 0
        self._lose_acks = 0
        self.away = False
        """Set: every append, commit and poll raises Unavailable."""

    async def open(self) -> None:
        """Nothing is missing."""

    async def close(self) -> None:
        """Keeps everything: the next `open` finds it, as with a broker."""

    async def append(self, entries: Sequence[Entry]) -> Mapping[TopicPartition, range]:
        positions = {self._place(entry) for entry in entries}
        begin = {position: self.end(position) for position in positions}
        self.write(entries)
        return {position: range(begin[position], self.end(position)) for position in positions}

    async def consumer(self, group: str, topics: Sequence[str], *,
                       transactional: bool = False) -> MemoryConsumer:
        for topic in topics:
            await self.partitions(topic)
        return MemoryConsumer(self, group, tuple(topics), transactional)

    async def partitions(self, topic: str) -> int:
        if topic not in self._partitions:
            raise ValueError(f"memory journal has no topic {topic!r}")
        return self._partitions[topic]

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        indexes = range(await self.partitions(topic))
        return {index: self.end(TopicPartition(topic, index)) for index in indexes}

    async def read(self, position: TopicPartition, offset: int, max_records: int) -> Sequence[Record]:
        self.check_available()
        return self.slice(position, offset, max_records)

    async def trim(self, topic: str, before: Mapping[int, int]) -> None:
        for index, offset in before.items():
            position = TopicPartition(topic, index)
            gone = min(offset, self.end(position)) - self._first[position]
            if gone > 0:
                del self._logs[position][:gone]
                self._first[position] += gone

    # --- faults ------------------------------------------------------------------------------------------

    def fail_next_append(self, times: int = 1) -> None:
        """The next appends raise Unavailable and write nothing."""
        self._fail_appends += times

    def lose_next_ack(self, times: int = 1) -> None:
        """The next appends write everything and raise Unavailable all the same."""
        self._lose_acks += times

    def rebalance(self, group: str) -> None:
        """Everybody in the group goes back to the last commits, under a new generation."""
        self._reassign(self._groups[group])

    def expel(self, consumer: MemoryConsumer) -> None:
        """Takes the consumer out of its group without its knowledge: its next commit is Fenced, its next
        poll joins again."""
        self.leave(consumer.group, consumer.member)

    def crash(self, consumer: MemoryConsumer) -> None:
        """The consumer's process dies: it leaves, and calling it from now on raises Fenced for good."""
        consumer.dead = True
        self.leave(consumer.group, consumer.member)

    # --- the broker's side, for MemoryConsumer -----------------------------------------------------------

    def check_available(self) -> None:
        """Raises Unavailable while the journal is away."""
        if self.away:
            raise Unavailable("memory journal: away by fault injection")

    def write(self, entries: Sequence[Entry], group: str = "",
              offsets: Mapping[TopicPartition, int] | None = None) -> None:
        """Appends all entries and moves the group's offsets, or neither. The faults strike here."""
        self.check_available()
        placed = [(self._place(entry), entry) for entry in entries]
        if self._fail_appends:
            self._fail_appends -= 1
            raise Unavailable("memory journal: append refused by fault injection")
        for position, entry in placed:
            self._logs[position].append(
                Record(position.topic, position.partition, self.end(position), entry.key, entry.value))
        if offsets:
            self.move(group, offsets)
        self._wake()
        if self._lose_acks:
            self._lose_acks -= 1
            raise Unavailable("memory journal: acknowledgement lost by fault injection")

    def _place(self, entry: Entry) -> TopicPartition:
        check_size(entry.topic, entry.key, entry.value)
        partitions = self._partitions.get(entry.topic)
        if partitions is None:
            raise ValueError(f"memory journal has no topic {entry.topic!r}")
        index = partition_of(entry.key, partitions) if entry.partition is None else entry.partition
        if not 0 <= index < partitions:
            raise ValueError(f"{entry.topic} has no partition {index}")
        return TopicPartition(entry.topic, index)

    def end(self, position: TopicPartition) -> int:
        """The offset that the next record will have."""
        return self._first[position] + len(self._logs[position])

    def slice(self, position: TopicPartition, offset: int, max_records: int) -> list[Record]:
        """Records from `offset` on."""
        begin = max(0, offset - self._first[position])
        return self._logs[position][begin:begin + max_records]

    def join(self, group: str, topics: tuple[str, ...]) -> str:
        """A new member's id."""
        member = f"m{next(self._names):06}"
        known = self._groups.setdefault(group, _Group())
        known.members[member] = topics
        self._reassign(known)
        return member

    def leave(self, group: str, member: str) -> None:
        """Takes a member out; the others get its partitions."""
        known = self._groups[group]
        if known.members.pop(member, None) is not None:
            self._reassign(known)

    def _reassign(self, group: _Group) -> None:
        group.generation += 1
        group.given = assign(group.members, self._partitions)
        self._wake()

    def membership(self, group: str, member: str) -> tuple[int, list[TopicPartition]] | None:
        """Generation and partitions of a member; None for one that is no longer in the group."""
        known = self._groups[group]
        return (known.generation, known.given[member]) if member in known.members else None

    def committed(self, group: str, position: TopicPartition) -> int:
        """Where the group goes on reading."""
        return self._groups[group].committed.get(position, 0)

    def move(self, group: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Commits."""
        self._groups[group].committed.update(offsets)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, timeout_s: float) -> bool:
        """Whether something changed in time."""
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_s)
        except TimeoutError:
            return False
        return True


class MemoryConsumer:
    """One member of a group."""

    def __init__(self, journal: MemoryJournal, group: str, topics: tuple[str, ...],
                 transactional: bool) -> None:
        self._journal, self.group, self._topics, self._transactional = journal, group, topics, transactional
        self.member = journal.join(group, topics)
        self.dead = False
        self._generation = -1
        self._positions: dict[TopicPartition, int] = {}
        self._turn = 0

    async def poll(self, *, max_records: int, timeout_s: float) -> Mapping[TopicPartition, Sequence[Record]]:
        self._check_alive()
        self._journal.check_available()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            self._follow()
            batch = self._take(max_records)
            left = deadline - loop.time()
            if batch or left <= 0 or not await self._journal.wait(left):
                return batch
            self._check_alive()

    def assignment(self) -> Mapping[TopicPartition, int]:
        return dict.fromkeys(self._positions, self._generation)

    async def positions(self) -> dict[TopicPartition, int]:
        self._check_current({})
        return dict(self._positions)

    async def seek(self, position: TopicPartition, offset: int) -> None:
        if position not in self._positions:
            raise Fenced(f"{position.topic}/{position.partition} is not held by this consumer")
        self._positions[position] = offset

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._check_current(offsets)
        self._journal.move(self.group, offsets)

    async def append_and_commit(self, entries: Sequence[Entry],
                                offsets: Mapping[TopicPartition, int]) -> None:
        if not self._transactional:
            raise ValueError("append_and_commit needs a consumer made with transactional=True")
        self._check_current(offsets)
        try:
            self._journal.write(entries, self.group, offsets)
        except Unavailable:
            self._journal.leave(self.group, self.member)
            raise

    async def close(self) -> None:
        self.dead = True
        self._journal.leave(self.group, self.member)

    def _check_alive(self) -> None:
        if self.dead:
            raise Fenced(f"consumer {self.member} of group {self.group} is closed")

    def _follow(self) -> None:
        """Takes over what the group has decided since."""
        current = self._journal.membership(self.group, self.member)
        if current is None:
            self.member = self._journal.join(self.group, self._topics)
            current = self._journal.membership(self.group, self.member)
            assert current is not None
        generation, held = current
        if generation != self._generation:
            self._generation = generation
            self._positions = {position: self._journal.committed(self.group, position) for position in held}

    def _take(self, max_records: int) -> dict[TopicPartition, Sequence[Record]]:
        """Partitions take turns at going first, so that a full one starves nobody."""
        batch: dict[TopicPartition, Sequence[Record]] = {}
        held = list(self._positions)
        self._turn += 1
        for step in range(len(held)):
            position = held[(self._turn + step) % len(held)]
            records = self._journal.slice(position, self._positions[position], max_records)
            if records:
                batch[position] = records
                self._positions[position] = records[-1].offset + 1
                max_records -= len(records)
            if not max_records:
                break
        return batch

    def _check_current(self, offsets: Mapping[TopicPartition, int]) -> None:
        self._check_alive()
        self._journal.check_available()
        current = self._journal.membership(self.group, self.member)
        if current is None or current[0] != self._generation:
            raise Fenced(f"group {self.group} was rebalanced since this consumer's last poll")
        for position in offsets:
            if position not in self._positions:
                raise Fenced(f"{position.topic}/{position.partition} is not held by this consumer")
