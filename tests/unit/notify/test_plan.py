"""Who is told what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emon.domain.alert import AlertState, blank
from emon.domain.finding import Finding
from emon.domain.instant import HOUR
from emon.domain.person import ContactMethod, Person
from emon.notify import plan
from emon.notify.plan import About, Setting, Told
from tests.unit.alerts.worlds import T0, finding

MAIL_AND_HOOK = Person(
    id="o-1",
    role="officer",
    name="Officer One",
    time_zone="America/Chicago",
    contacts=(
        ContactMethod(channel="email", address="old@example.org"),
        ContactMethod(channel="email", address="one@example.org", verified=True),
        ContactMethod(channel="sms", address="+1", verified=True),
        ContactMethod(channel="webhook", address="https://example.org/hook", verified=True),
    ),
)
ALL = Setting(channels={"email", "webhook", "folder"}, public_url="https://emon.example.org/")
BARE = Setting(channels=(), public_url="https://emon.example.org")


def about(one: Finding | None = None, kind: str = "alert", reason: str = "opened", **fields: Any) -> About:
    alert: AlertState = replace(
        blank(12), participant="P-1", order_id="O-1", condition_id="c1", officer="o-1", priority=2, **fields
    )
    return About(
        notice_id="n1", kind=kind, reason=reason, alert=alert, finding=one or finding(), created_at=T0 + HOUR
    )


def test_verified_methods_that_can_be_served_then_folder_then_console() -> None:
    [message] = plan.tell(about(), [MAIL_AND_HOOK], None, ALL)
    assert message.methods == (
        ("email", "one@example.org"),
        ("webhook", "https://example.org/hook"),
        ("folder", ""),
        ("console", ""),
    )
    assert (message.recipient, message.kind, message.thread) == ("o-1", "alert", message.message_id)


def test_the_words_say_what_when_how_sure_and_where_to_read_on() -> None:
    """Local time of the officer, no verdict, no name of the person."""
    [message] = plan.tell(about(), [MAIL_AND_HOOK], None, ALL)
    assert message.subject == "P2 alert 12: Possible breach: inside an exclusion zone"
    for words in (
        "Possible breach: inside an exclusion zone.",
        "Participant P-1, condition c1 of order O-1.",
        "probable (level 2)",
        "CST",
        "https://emon.example.org/alerts/12\n",
        "You are told as the officer of order O-1.",
        "for a court to say",
    ):
        assert words in message.text
    assert "violation" not in message.text.lower()


def test_updates_say_what_is_new() -> None:
    for kind, reason, words in (
        ("update", "kind", "become more than our message"),
        ("update", "priority P3 to P2", "It got worse: priority P3 to P2."),
        ("alert", "again", "has begun again"),
    ):
        [message] = plan.tell(about(kind=kind, reason=reason), [MAIL_AND_HOOK], "t0", ALL)
        assert words in message.text
        assert message.thread == "t0"


def test_an_officer_nobody_can_reach_is_said_so_and_goes_where_people_look() -> None:
    """Unknown, without a verified contact, or without a channel: never silently nowhere."""
    unverified = Person(id="o-1", role="officer", contacts=(ContactMethod(channel="email", address="x@y.z"),))
    for people, setting, last in (
        ([], ALL, "folder"),
        ([unverified], ALL, "folder"),
        ([MAIL_AND_HOOK], BARE, "console"),
    ):
        [message] = plan.tell(about(), people, None, setting)
        assert (message.kind, message.recipient, message.methods[0][0]) == ("system", "o-1", last)
        assert message.text.startswith("Note of the system: officer o-1 of order O-1")
    orphan = about()
    [message] = plan.tell(replace(orphan, alert=replace(orphan.alert, officer=None)), [], None, ALL)
    assert message.recipient == "nobody"
    assert "no officer is known for order O-1" in message.text


def test_the_folder_stands_in_for_channels_that_are_not_set_up() -> None:
    """A trial without a mail server: addressed to the officer, into the folder, without a note."""
    [message] = plan.tell(about(), [MAIL_AND_HOOK], None, replace(ALL, channels={"folder"}))
    assert (message.kind, message.recipient, message.methods[0]) == ("alert", "o-1", ("folder", ""))
    assert "Note of the system" not in message.text


@pytest.mark.parametrize("kind", ["protected_contact_lost", "protected_battery"])
def test_restricted_kinds_carry_a_reference_only(kind: str) -> None:
    [message] = plan.tell(about(finding(kind)), [MAIL_AND_HOOK], None, ALL)
    assert message.subject == "P2 alert 12"
    assert "P-1" not in message.text
    assert "protected" not in message.text.lower()


def test_ids_are_the_same_whoever_plans() -> None:
    one, again = (plan.tell(about(), [MAIL_AND_HOOK], None, ALL) for _ in range(2))
    assert one == again
    assert plan.message_id("n1", "o-1") != plan.message_id("n1", "o-2") != plan.message_id("n2", "o-2")


def told(**fields: Any) -> Told:
    return replace(
        Told(
            message_id="m1",
            thread="m1",
            recipient="o-1",
            recipient_name="Officer One",
            subject="P2 alert 12: x",
            methods=(("webhook", "w"), ("console", "")),
            said_kind="exclusion_zone",
            said_level=2,
            created_at=T0,
        ),
        **fields,
    )


def test_a_correction_goes_the_way_of_the_original_with_the_reason() -> None:
    withdrawn = finding(revision=2, status="withdrawn", reason="leave")
    [message] = plan.correct(about(withdrawn, "correction", "withdrawn", withdrawn=True), [told()], ALL)
    assert (message.kind, message.corrects, message.thread) == ("correction", "m1", "m1")
    assert message.methods == (("webhook", "w"), ("console", ""))
    assert message.subject == "Correction: P2 alert 12: x"
    assert "is withdrawn: an authorised absence covers it." in message.text
    assert "remains" not in message.text
    [still] = plan.correct(about(withdrawn, "correction", "withdrawn"), [told()], ALL)
    assert "Alert 12 remains" in still.text


def test_losing_level_or_kind_is_said() -> None:
    [kind] = plan.correct(
        about(finding("alcohol_review", reason="slope"), "correction", "kind"), [told()], ALL
    )
    assert "is now: Alcohol readings need review." in kind.text
    assert "Reason: slope." in kind.text
    [level] = plan.correct(about(finding(level=1), "correction", "level"), [told()], ALL)
    assert "not verified (level 1)" in level.text


def test_what_grew_and_shrank_between_messages_is_no_correction() -> None:
    """They were told of level 2; 3 was never said, so 2 again takes nothing back."""
    assert plan.correct(about(finding(level=2), "correction", "level"), [told()], ALL) == []
    assert plan.correct(about(finding(level=1), "correction", "level"), [told()], ALL)


def test_one_correction_a_thread_of_its_newest_message() -> None:
    messages = plan.correct(
        about(finding(level=1), kind="correction", reason="level"),
        [
            told(),
            told(message_id="m2", created_at=T0 + 1),
            told(message_id="m3", thread="m3", recipient="o-2"),
        ],
        ALL,
    )
    assert {(one.corrects, one.recipient) for one in messages} == {("m2", "o-1"), ("m3", "o-2")}
    assert len({one.message_id for one in messages}) == 2
