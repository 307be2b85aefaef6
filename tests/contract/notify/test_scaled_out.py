"""The alerts and notify stages as they run scaled out: Kafka and PostgreSQL, two workers of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from emon import store
from emon.alerts import worker
from emon.journal.kafka import KafkaJournal
from emon.journal.open import open_journal
from emon.store import log, queue, reading
from emon.store.queue import Filter
from simulators import parts
from tests.conftest import MailServer
from tests.contract.notify.delivery import channels, mails, notifying, officer, until
from tests.contract.store.running import Stage
from tests.unit.alerts.worlds import T0, finding


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[parts.Kafka]:
    """A broker of its own: other tests' findings would be alerts here."""
    one = parts.Kafka(tmp_path / "kafka")
    one.start()
    yield one
    one.stop()


async def test_findings_on_kafka_become_alerts_and_mails_once(
    broker: parts.Kafka, postgres_url: str, smtp_server: MailServer
) -> None:
    """Some withdrawn before the stage begins; a worker joins and another leaves; each mail once."""
    engine = store.open_engine(postgres_url)
    store.upgrade(engine)
    journal = open_journal(broker.url, partitions=4)
    assert isinstance(journal, KafkaJournal)
    of = Stage(engine, journal)
    await journal.open()
    await officer(of, ("email", "one@example.org"))
    names = [f"P-{n}" for n in range(30)]
    await of.findings(*(finding("battery", id_=f"f-{name}", participant=name) for name in names))
    await of.findings(
        *(
            finding("battery", id_=f"f-{name}", participant=name, revision=2, status="withdrawn")
            for name in names[:10]
        )
    )
    leaves = asyncio.Event()
    one = asyncio.create_task(worker.run(journal, engine, of.clock, leaves, wall=of.wall))
    two = asyncio.create_task(of.run())
    async with notifying(engine, channels(smtp_server), of.clock, of.wall):
        await until(lambda: len(smtp_server.mails) >= 20, 60)
        leaves.set()
        await one
        await of.findings(finding("panic", id_="f-last", participant="P-last", onset=T0))
        await until(lambda: len(smtp_server.mails) >= 21, 60)
        await asyncio.sleep(1)
    of.stop.set()
    await two
    subjects = [mail["Subject"] for mail in mails(smtp_server)]
    assert len(subjects) == 21
    assert sum("Panic" in subject for subject in subjects) == 1
    assert not any("Correction" in subject for subject in subjects)
    with reading(engine) as connection:
        assert log.verify(connection) is None
        alerts = queue.newest(connection, Filter(), None, 100)
    assert (len(alerts), sum(alert.withdrawn for alert in alerts)) == (31, 10)
    await journal.close()
    engine.dispose()
