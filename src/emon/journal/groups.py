"""Who of a group reads which partition: the arithmetic that the memory and SQLite drivers share.

Partition i of every topic goes to the same member when all members read the same topics (ranges over the
sorted member ids, as Kafka's range assignor does it), so that a stage can join two topics of equal count.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from emon.journal.port import TopicPartition


def assign(members: Mapping[str, Collection[str]],
           partitions: Mapping[str, int]) -> dict[str, list[TopicPartition]]:
    """Partitions per member. `members`: topics by member id; `partitions`: count by topic."""
    given: dict[str, list[TopicPartition]] = {member: [] for member in members}
    for topic in sorted({topic for topics in members.values() for topic in topics}):
        readers = sorted(member for member, topics in members.items() if topic in topics)
        for partition in range(partitions[topic]):
            reader = readers[partition * len(readers) // partitions[topic]]
            given[reader].append(TopicPartition(topic, partition))
    return given
