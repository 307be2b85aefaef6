"""kill -9 at every step: nothing is lost, and at most one message comes twice."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from emon import store
from emon.alerts import worker
from emon.journal.open import open_journal
from emon.journal.port import Journal
from emon.limits import NOTIFY_CATCH_UP_S
from emon.store import log, queue, reading, schema, writing
from emon.store.progress import Progress, report
from emon.store.queue import Filter
from tests.conftest import MailServer
from tests.contract.notify.delivery import channels, mails, notifying, officer, stored, until
from tests.contract.store.running import MovableClock, Stage, stage
from tests.unit.alerts.worlds import T0, finding

HOUR_US = 3_600_000_000


async def killed(*arguments: str) -> None:
    """Runs the stage until it has killed itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.contract.notify.killed", *arguments, cwd=Path(__file__).parents[3]
    )
    async with asyncio.timeout(180):
        assert await process.wait() == -signal.SIGKILL, "it was to be killed"


def alerts_are_ahead(engine: Engine) -> None:
    """The alerts stage has caught up, also for a worker that starts in a minute."""
    with writing(engine) as connection:
        report(
            connection,
            [Progress(stage="alerts", partition=0, position=1, end=1, updated_at=1 << 61, caught_up_at=1 << 61)],
        )


@pytest.mark.parametrize("point", ["commit:1", "commit:2", "commit:3", "commit:5", "send:before", "send:after"])
async def test_notify_loses_nothing_and_doubles_at_most_one(
    engine: Engine, store_url: str, smtp_server: MailServer, point: str, tmp_path: Path
) -> None:
    """Three alerts to be told; the worker dies; another takes over when the lease has ended."""
    async with stage(engine) as of:
        await officer(of, ("email", "one@example.org"))
        await of.findings(*(finding(id_=f"f{n}", participant=f"P-{n}") for n in range(3)))
        await of.settled()
    with writing(engine) as connection:
        connection.execute(schema.progress.delete())
    alerts_are_ahead(engine)
    await killed("notify", store_url, str(tmp_path), str(smtp_server.port), point)
    before = len(smtp_server.mails)
    late = MovableClock(60_000_000)
    async with notifying(engine, channels(smtp_server), MovableClock(), late):
        await until(lambda: [one.state for one in stored(engine)] == ["sent"] * 3)
    ids = [one["Message-ID"].split("@")[0] for one in mails(smtp_server)]
    assert len(set(ids)) == 3, "none is lost"
    assert len(ids) <= 4, "at most one comes twice"
    assert point != "send:after" or (before, len(ids)) == (1, 4), "the killing was in the middle"


async def feed(journal: Journal) -> None:
    """Documents and findings of a little world on the journal."""
    await journal.open()
    of = Stage.__new__(Stage)
    of.journal = journal
    await officer(of, ("email", "one@example.org"))
    await of.findings(*(finding(id_=f"f{n}", participant=f"P-{n}") for n in range(5)))
    await of.findings(
        finding(id_="f1", participant="P-1", revision=2, ended=T0 + HOUR_US),
        finding(id_="f2", participant="P-2", revision=2, status="withdrawn", reason="leave"),
    )


def believed(engine: Engine) -> list[tuple[object, ...]]:
    """What matters of all alerts and notices."""
    with reading(engine) as connection:
        assert log.verify(connection) is None
        alerts = queue.newest(connection, Filter(), None, 100)
        notices = connection.execute(schema.notice.select().order_by(schema.notice.c.notice_id)).all()
    rows: list[tuple[object, ...]] = [
        (
            one.alert_id,
            one.participant,
            one.version,
            one.work_state,
            one.condition_state,
            one.withdrawn,
            one.findings,
            one.officer,
        )
        for one in alerts
    ]
    return rows + [(one.notice_id, one.state) for one in notices]


async def finished(engine: Engine, journal: Journal) -> list[tuple[object, ...]]:
    """The world once an alerts stage has read all of it."""
    of = Stage(engine, journal)
    await journal.open()
    task = asyncio.create_task(of.run())
    await of.settled()
    of.stop.set()
    await task
    await journal.close()
    return believed(engine)


@pytest.mark.parametrize("point", ["commit:1", "commit:2", "commit:3"])
async def test_alerts_are_the_same_after_a_crash(engine: Engine, store_url: str, point: str, tmp_path: Path) -> None:
    """Killed at a commit and started again: the alerts, the log's chain and the notices of a run without."""
    journal = open_journal(f"sqlite:///{tmp_path / 'journal'}")
    await feed(journal)
    await journal.close()
    await killed("alerts", store_url, str(tmp_path / "journal"), "0", point)
    after = await finished(engine, open_journal(f"sqlite:///{tmp_path / 'journal'}"))
    calm = store.open_engine(f"sqlite:///{tmp_path / 'calm.sqlite'}")
    store.upgrade(calm)
    other = open_journal(f"sqlite:///{tmp_path / 'other'}")
    await feed(other)
    await other.close()
    assert after == await finished(calm, open_journal(f"sqlite:///{tmp_path / 'other'}"))
    calm.dispose()
    assert [one for one in after if one[0] == "f2.1.alert"] == [("f2.1.alert", "dropped")]


async def test_taken_in_and_not_committed_is_taken_in_once(engine: Engine) -> None:
    """The store has the batch, the journal's offset has not moved: it comes again and changes nothing."""
    async with stage(engine) as of:
        await of.findings(finding(), finding(revision=2, ended=T0 + HOUR_US))
        await of.settled()
        first = believed(engine)
    again = Stage(engine)
    await again.journal.open()
    await again.findings(finding(), finding(revision=2, ended=T0 + HOUR_US))
    assert await finished(engine, again.journal) == first


async def test_a_starting_worker_waits_for_the_alerts_stage(
    engine: Engine, smtp_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A notice from before, ready; the withdrawal lies unread in the journal: it is not sent."""
    async with stage(engine) as of:
        await officer(of, ("email", "one@example.org"))
        await of.findings(finding())
        await of.settled()
    later = Stage(engine)
    await later.journal.open()
    await officer(later, ("email", "one@example.org"))
    await later.findings(finding(revision=2, status="withdrawn", reason="leave"))
    async with notifying(engine, channels(smtp_server), later.clock, later.wall):
        await asyncio.sleep(1)
        assert not smtp_server.mails
        task = asyncio.create_task(later.run())
        await later.settled()
        await asyncio.sleep(1)
    later.stop.set()
    await task
    assert not smtp_server.mails
    assert NOTIFY_CATCH_UP_S > 1, "else this test shows nothing"


async def test_the_alerts_stage_waits_while_the_store_is_away(engine: Engine) -> None:
    """Each transaction fails for a while; then the findings are taken in."""
    failures = 3

    @event.listens_for(engine, "before_cursor_execute")
    def fail(*_arguments: object) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise engine.dialect.loaded_dbapi.OperationalError("gone away")

    of = Stage(engine)
    await of.journal.open()
    task = asyncio.create_task(worker.run(of.journal, engine, of.clock, of.stop, wall=of.wall))
    await of.findings(finding())
    await until(lambda: failures == 0)
    await of.settled()
    of.stop.set()
    await task
    assert len(believed(engine)) == 2
