"""A journal's URL names its driver; any other is refused with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from emon.domain.errors import Fault, Unavailable
from emon.journal.kafka import KafkaJournal
from emon.journal.memory import MemoryJournal
from emon.journal.open import open_journal
from emon.journal.port import READINGS, TOPICS
from emon.journal.sqlite import SqliteJournal


async def test_each_scheme_opens_its_driver(tmp_path: Path) -> None:
    assert isinstance(open_journal("memory:"), MemoryJournal)
    journal = open_journal(f"sqlite:///{tmp_path}/j", partitions=3)
    assert isinstance(journal, SqliteJournal)
    assert journal.folder == tmp_path / "j"
    await journal.open()
    assert [await journal.partitions(topic) for topic in TOPICS] == [3] * len(TOPICS)
    await journal.close()


async def test_embedded_topics_have_one_partition_by_default(tmp_path: Path) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}")
    await journal.open()
    assert await journal.partitions(READINGS) == 1
    await journal.close()


def test_a_relative_folder_has_three_slashes() -> None:
    journal = open_journal("sqlite:///data/journal")
    assert isinstance(journal, SqliteJournal)
    assert journal.folder == Path("data/journal")


async def test_kafka_takes_several_brokers_and_a_login() -> None:
    assert isinstance(open_journal("kafka://one:9092,two:9092/", username="u", password="p", tls=True),
                      KafkaJournal)


async def test_a_broker_that_is_away_is_unavailable_and_named() -> None:
    journal = open_journal("kafka://127.0.0.1:1")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        await journal.open()


@pytest.mark.parametrize("url", ["", "redis://x", "sqlite:///", "sqlite://x", "kafka:", "kafka://", "/var/x"])
def test_other_urls_are_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(Fault, match="sqlite:///DIR") as caught:
        open_journal(url)
    assert caught.value.path == "EMON_JOURNAL"
