"""Every partition has exactly one reader, and equal topics are shared equally."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emon.journal.groups import assign
from emon.journal.port import TopicPartition

TOPICS = {"a": 5, "b": 5, "c": 3}


@given(st.dictionaries(st.text("mnop", min_size=1, max_size=3),
                       st.sets(st.sampled_from(sorted(TOPICS)), min_size=1), min_size=1))
def test_each_partition_of_a_read_topic_has_one_reader_who_asked_for_it(members: dict[str, set[str]]) -> None:
    given_ = assign(members, TOPICS)
    held = [position for positions in given_.values() for position in positions]
    wanted = {topic for topics in members.values() for topic in topics}
    assert sorted(held) == [TopicPartition(t, i) for t in sorted(wanted) for i in range(TOPICS[t])]
    assert set(given_) == set(members)
    for member, positions in given_.items():
        assert {position.topic for position in positions} <= members[member]


def test_one_member_has_the_same_partitions_of_topics_of_one_size() -> None:
    given_ = assign({"m1": ["a", "b"], "m2": ["a", "b"], "m3": ["b", "a"]}, TOPICS)
    for positions in given_.values():
        assert {p.partition for p in positions if p.topic == "a"} == {
            p.partition for p in positions if p.topic == "b"}
    assert sorted(len(positions) for positions in given_.values()) == [2, 4, 4]
