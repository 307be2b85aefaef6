"""Findings in plain words: never a verdict, always how sure."""

from __future__ import annotations

import pytest

from emon.domain import wording
from emon.domain.finding import FAMILY_OF_KIND
from emon.domain.instant import HOUR, MINUTE, parse
from tests.unit.alerts.worlds import T0, finding


def test_every_kind_of_the_published_format_has_words() -> None:
    """No kind is shown as a code."""
    published = [
                 "exclusion_zone",         "inclusion_zone",         "zone_crossing",
        "curfew_absent",         "curfew_left",         "curfew_late",
        "curfew_accumulated",         "attendance_missed",         "attendance_late",
        "attendance_left",         "keep_away",         "protected_contact_lost",
        "protected_battery",         "alcohol_possible",         "alcohol_confirmed",
        "alcohol_review",         "alcohol_no_upload",         "breath_failed",
        "breath_missed",         "breath_incomplete",         "breath_refused",
        "breath_not_received",         "test_failed",         "test_missed",         "tamper",
        "panic",         "battery",         "charging_missed",         "motion_without_fix",
        "contact_lost",         "location_lost",         "implausible_movement",
        "feed_outage",
    ]
    assert set(published) == wording.KINDS
    assert set(FAMILY_OF_KIND) <= wording.KINDS
    assert not any("violat" in wording.title(kind).lower() for kind in published)
    assert wording.title("something_new") == "Something new"


@pytest.mark.parametrize(
    ("instant", "zone", "expected"),
    [
        ("2026-11-22T08:42:49Z", "America/Chicago", "Sun 22 Nov 2026, 02:42:49 CST"),
        ("2026-07-01T00:00:00Z", "America/Chicago", "Tue 30 Jun 2026, 19:00:00 CDT"),
        ("2026-11-22T08:42:49Z", None, "Sun 22 Nov 2026, 08:42:49 UTC"),
    ],
)
def test_moments_are_local_and_name_their_zone(instant: str, zone: str | None, expected: str) -> None:
    assert wording.moment(parse(instant), zone) == expected


def test_a_sentence_says_what_when_by_what_and_how_sure() -> None:
    one = finding(level=3, ended=T0 + HOUR, readings=[{"device": "D-2"}, {"device": "D-1"}, {"device": "D-1"}])
    text = wording.sentence(one, None)
    for words in (
        "Possible breach",
        "confirmed (level 3)",
        "from ",
        " to ",
        "order O-1 version 1",
        "3 readings of D-1, D-2",
    ):
        assert words in text
    assert "at " in wording.sentence(finding("panic", ended=T0), None)
    assert "last seen" in wording.sentence(finding(seen_until=T0 + MINUTE), None)


def test_the_rules_own_sentence_goes_first() -> None:
    assert wording.sentence(finding(sentence="Seen inside."), None) == "Seen inside."


@pytest.mark.parametrize(
    ("reason", "merged_into", "words"),
    [
        ("leave", None, "authorised absence"),
        ("", "f0", "earlier finding"),
        ("new_reason", None, "new reason"),
        ("", None, "came in later"),
    ],
)
def test_withdrawals_say_why(reason: str, merged_into: str | None, words: str) -> None:
    one = finding(status="withdrawn", reason=reason, merged_into=merged_into)
    assert words in wording.why_withdrawn(one)
    assert wording.sentence(one, None).startswith("Withdrawn: ")


def test_what_was_not_observed_at_the_end() -> None:
    """From the last supporting fix to the end; nothing where it was seen to the end, or withdrawn."""
    assert wording.not_observed(finding(seen_until=T0 + 1, ended=T0 + 5)) == (T0 + 1, T0 + 5)
    assert wording.not_observed(finding(seen_until=T0 + 1)) == (T0 + 1, None)
    assert wording.not_observed(finding(seen_until=T0 + 5, ended=T0 + 5)) is None
    assert wording.not_observed(finding(ended=T0 + 5)) is None
    assert wording.not_observed(finding(seen_until=T0 + 1, status="withdrawn")) is None
