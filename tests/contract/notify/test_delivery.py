"""From finding to provider and back: real SMTP, real HTTP, both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from emon.domain.instant import HOUR, MINUTE, SECOND
from emon.domain.person import ContactMethod, Person
from emon.journal.records import OrderVersion, PersonVersion
from emon.notify.channels import webhook
from emon.notify.plan import Setting
from emon.notify.worker import plan_once
from emon.store import queue, reading
from tests.conftest import MailServer
from tests.contract.notify.delivery import (
    SECRET,
    channels,
    mails,
    notifying,
    officer,
    receiver,
    stored,
    until,
)
from tests.contract.store.running import ORDER, Stage, console, stage
from tests.unit.alerts.worlds import T0, finding


@pytest.fixture
async def of(engine: Engine) -> AsyncIterator[Stage]:
    async with stage(engine) as running:
        yield running


WITHDRAWN = finding(revision=2, status="withdrawn", reason="leave")


async def test_an_officer_gets_mail_and_its_correction_in_the_thread(of: Stage, smtp_server: MailServer) -> None:
    await officer(of, ("email", "one@example.org"))
    async with notifying(of.store, channels(smtp_server), of.clock, of.wall):
        await of.findings(finding())
        await until(lambda: smtp_server.mails)
        await of.findings(WITHDRAWN)
        await until(lambda: len(smtp_server.mails) == 2)
        await asyncio.sleep(0.5)
    first, second = mails(smtp_server)
    assert smtp_server.mails[0].recipients == ["one@example.org"]
    assert first["Subject"] == "P2 alert 1: Possible breach: inside an exclusion zone"
    assert "Participant P-1" in first.get_content()
    assert "violation" not in first.get_content().lower()
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert second["Subject"].startswith("Correction: P2 alert 1")
    assert "authorised absence" in second.get_content()
    async with console(of) as client:
        page = (await client.get("/v1/alerts/1")).json()
    assert page["status"] == "withdrawn"
    kinds = [(one["kind"], one["state"], one["recipient"]) for one in page["notifications"]]
    assert kinds == [("alert", "sent", "o-1"), ("correction", "sent", "o-1")]
    [attempt] = page["notifications"][0]["attempts"]
    assert (attempt["channel"], attempt["outcome"]) == ("email", "accepted")


async def test_what_is_withdrawn_while_catching_up_is_shown_and_not_sent(
    engine: Engine, smtp_server: MailServer
) -> None:
    """All of it lies in the journal before the stage begins: it reads everything before it tells anybody."""
    of = Stage(engine)
    await of.journal.open()
    await officer(of, ("email", "one@example.org"))
    await of.findings(*(finding(id_=f"f{n}", participant=f"P-{n}") for n in range(700)))
    await of.findings(
        *(
            finding(id_=f"f{n}", participant=f"P-{n}", revision=2, status="withdrawn", reason="leave")
            for n in range(699)
        )
    )
    async with notifying(engine, channels(smtp_server), of.clock, of.wall):
        task = asyncio.create_task(of.run())
        await until(lambda: smtp_server.mails)
        await asyncio.sleep(1)
        of.stop.set()
        await task
    [only] = mails(smtp_server)
    assert "Participant P-699," in only.get_content()
    async with console(of) as client:
        shown = (await client.get("/v1/alerts", params={"participant": "P-3"})).json()["alerts"]
        assert [one["status"] for one in shown] == ["withdrawn"]
        page = (await client.get(f"/v1/alerts/{shown[0]['id']}")).json()
    assert [(one["state"], one["state_reason"]) for one in page["notifications"]] == [("not_sent", "withdrawn")]
    await of.journal.close()


async def test_planned_and_not_sent_is_called_off(of: Stage) -> None:
    """Nobody was asked to take it yet, so nobody needs a correction."""
    await officer(of, ("email", "one@example.org"))
    setting = Setting(channels={"email"}, public_url="http://x")
    await of.findings(finding())
    await of.settled()
    plan_once(of.store, setting, of.clock, of.wall)
    await of.findings(WITHDRAWN)
    await of.settled()
    plan_once(of.store, setting, of.clock, of.wall)
    assert [(one.kind, one.state, one.state_reason) for one in stored(of.store)] == [
        ("alert", "cancelled", "withdrawn")
    ]


async def test_planned_and_weaker_is_said_anew(of: Stage) -> None:
    """A message that is outdated before it went out is replaced, not corrected."""
    await officer(of, ("email", "one@example.org"))
    setting = Setting(channels={"email"}, public_url="http://x")
    await of.findings(finding(level=3))
    await of.settled()
    plan_once(of.store, setting, of.clock, of.wall)
    await of.findings(finding(level=1, revision=2))
    await of.settled()
    plan_once(of.store, setting, of.clock, of.wall)
    assert sorted(one.state for one in stored(of.store)) == ["cancelled", "pending"]
    [new] = [one for one in stored(of.store) if one.state == "pending"]
    assert "not verified (level 1)" in new.text


async def test_weaker_before_planning_says_what_is_known_then(of: Stage) -> None:
    await officer(of, ("email", "one@example.org"))
    await of.findings(finding(level=3), finding(level=1, revision=2))
    await of.settled()
    plan_once(of.store, Setting(channels={"email"}, public_url="http://x"), of.clock, of.wall)
    [only] = stored(of.store)
    assert "not verified (level 1)" in only.text


async def test_a_correction_waits_for_what_it_corrects(of: Stage, smtp_server: MailServer) -> None:
    """The server puts the first off; it is tried again, and only then corrected."""
    smtp_server.refuse = ["451 later"]
    await officer(of, ("email", "one@example.org"))
    async with notifying(of.store, channels(smtp_server), of.clock, of.wall):
        await of.findings(finding())
        await until(lambda: [one for one in stored(of.store) if one.state_reason and "451" in one.state_reason])
        await of.findings(WITHDRAWN)
        await until(lambda: len(stored(of.store)) == 2)
        assert not smtp_server.mails
        of.clock.ahead_us += 10 * SECOND
        await until(lambda: len(smtp_server.mails) == 2)
    first, second = mails(smtp_server)
    assert second["In-Reply-To"] == first["Message-ID"]


async def test_failover_to_the_next_method_and_the_correction_follows_it(of: Stage, smtp_server: MailServer) -> None:
    """The mailbox is gone for good: the webhook gets the alert, and the correction too."""
    smtp_server.refuse = ["550 no such user"]
    with receiver() as hook:
        await officer(of, ("email", "one@example.org"), ("webhook", hook.url))
        async with notifying(of.store, channels(smtp_server), of.clock, of.wall):
            await of.findings(finding())
            await until(lambda: hook.got)
            await of.findings(WITHDRAWN)
            await until(lambda: len(hook.got) == 2)
    assert not smtp_server.mails
    headers, body = hook.got[0]
    signed = webhook.signature(SECRET.encode(), headers["X-Emon-Timestamp"], body)
    assert headers["X-Emon-Signature"] == signed
    first, second = (json.loads(one) for _, one in hook.got)
    assert headers["Idempotency-Key"] == first["message_id"]
    assert (second["kind"], second["corrects"]) == ("correction", first["message_id"])
    async with console(of) as client:
        page = (await client.get("/v1/alerts/1")).json()
    tries = [(one["channel"], one["outcome"]) for one in page["notifications"][0]["attempts"]]
    assert tries == [("email", "permanent"), ("webhook", "accepted")]


async def test_a_receiver_that_is_busy_is_asked_again(of: Stage) -> None:
    with receiver() as hook:
        hook.answers = [503, 429]
        await officer(of, ("webhook", hook.url))
        async with notifying(of.store, channels(), of.clock, of.wall):
            await of.findings(finding())
            await until(lambda: [one for one in stored(of.store) if one.attempts == 1 and one.state == "pending"])
            await asyncio.sleep(0.5)
            assert not hook.got, "it waits"
            for tries in (2, 3):
                of.clock.ahead_us += MINUTE
                await until(lambda tries=tries: stored(of.store)[0].attempts == tries)
            await until(lambda: hook.got)
    assert stored(of.store)[0].state == "sent"


async def test_nobody_known_goes_to_the_folder_with_a_note(of: Stage, tmp_path: Path) -> None:
    """One whole file; the same message written again is the same file."""
    await of.documents(OrderVersion(received_at=T0, order=ORDER))
    folder = tmp_path / "outbox"
    async with notifying(of.store, channels(folder=folder), of.clock, of.wall):
        await of.findings(finding())
        await until(lambda: folder.is_dir() and list(folder.glob("*.json")))
    [path] = folder.iterdir()
    content = json.loads(path.read_text())
    assert (content["kind"], content["recipient"]) == ("system", "o-1")
    assert "Nobody was told" in content["text"]


async def test_without_any_way_the_log_says_that_nobody_was_told(of: Stage) -> None:
    await of.documents(OrderVersion(received_at=T0, order=ORDER))
    async with notifying(of.store, (), of.clock, of.wall):
        await of.findings(finding())
        await until(lambda: [one for one in stored(of.store) if one.state == "failed"])
    with reading(of.store) as connection:
        kinds = [row.kind for row in queue.events_of(connection, 1, 10)]
    assert kinds == ["opened", "nobody_told"]
    async with console(of) as client:
        assert (await client.get("/v1/status")).json()["notifications_failed"] == 1


async def test_a_feed_outage_goes_to_supervisors(of: Stage, smtp_server: MailServer) -> None:
    await of.documents(
        *(
            PersonVersion(
                received_at=T0,
                person=Person(
                    id=f"s-{n}",
                    role="supervisor",
                    contacts=(ContactMethod(channel="email", address=f"s{n}@example.org", verified=True),),
                ),
            )
            for n in (1, 2)
        )
    )
    async with notifying(of.store, channels(smtp_server), of.clock, of.wall):
        await of.findings(
            finding("feed_outage", participant=None, order=None, condition=None, feed="acme", order_version=None)
        )
        await until(lambda: len(smtp_server.mails) == 2)
    assert {one.recipients[0] for one in smtp_server.mails} == {"s1@example.org", "s2@example.org"}


async def test_getting_worse_and_again_stay_in_the_thread(of: Stage, smtp_server: MailServer) -> None:
    await officer(of, ("email", "one@example.org"))
    async with notifying(of.store, channels(smtp_server), of.clock, of.wall):
        await of.findings(finding("curfew_late", condition="c2"))
        await until(lambda: smtp_server.mails)
        await of.findings(finding("curfew_absent", condition="c2", revision=2))
        await until(lambda: len(smtp_server.mails) == 2)
    first, second = mails(smtp_server)
    assert second["In-Reply-To"] == first["Message-ID"]
    assert "It got worse: priority P3 to P2." in second.get_content()
    assert "not at home during curfew" in second["Subject"]


async def test_two_workers_send_each_message_once(of: Stage, smtp_server: MailServer) -> None:
    await officer(of, ("email", "one@example.org"))
    async with (
        notifying(of.store, channels(smtp_server), of.clock, of.wall),
        notifying(of.store, channels(smtp_server), of.clock, of.wall),
    ):
        await of.findings(*(finding(id_=f"f{n}", participant=f"P-{n}", onset=T0 + n * HOUR) for n in range(40)))
        await until(lambda: len(smtp_server.mails) >= 40, 30)
        await asyncio.sleep(0.5)
    ids = [one["Message-ID"] for one in mails(smtp_server)]
    assert len(ids) == len(set(ids)) == 40
