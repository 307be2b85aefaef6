"""The score tells found from missed and true from false."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Console

from emon.domain.finding import FAMILY_OF_KIND, Finding
from emon.domain.instant import MINUTE, SECOND
from simulators.score import Row, score
from simulators.truth import KINDS, Breach, LookAlike, Truth

UNTIL = 120 * MINUTE


def _truth(*breaches: Breach, innocents: tuple[LookAlike, ...] = ()) -> Truth:
    return Truth(seed=1, start=0, until=UNTIL, kinds=tuple(sorted(KINDS)), breaches=breaches,
                 innocents=innocents)


def _breach(kind: str = "exclusion_zone", from_min: int = 10, to_min: int | None = 30, *,
            participant: str | None = "P-1", clear: bool = True, findable_min: int = 12,
            feed: str | None = None) -> Breach:
    return Breach(participant=participant, order="O-1", condition=None if feed else "c1", kind=kind,
                  from_=from_min * MINUTE, to=None if to_min is None else to_min * MINUTE, clear=clear,
                  findable_at=findable_min * MINUTE if clear else None, feed=feed)


def _finding(kind: str = "exclusion_zone", onset_min: float = 11, ended_min: float | None = 30,
             **changes: Any) -> Finding:
    finding = Finding(
        finding_id="f1", revision=1, participant="P-1", order="O-1", condition="c1",
        family=FAMILY_OF_KIND.get(kind, kind), kind=kind, status="opened", onset=int(onset_min * MINUTE),
        ended=None if ended_min is None else int(ended_min * MINUTE),
        decided_at=int((onset_min + 2) * MINUTE), received_at=None, late=False, level=2, reason="inside",
        rule_version=1, evidence={})
    return msgspec.structs.replace(finding, **changes)


def test_a_found_breach_counts_with_its_delay() -> None:
    """Found and borne out; the delay runs from the breach to the first revision."""
    closed = _finding(revision=2, decided_at=40 * MINUTE, status="closed")
    result = score([_finding(), closed], _truth(_breach()))
    row = result.kinds["exclusion_zone"]
    assert result.ok
    assert (row.clear, row.found, row.in_force, row.borne_out, row.false) == (1, 1, 1, 1, 0)
    assert row.delay_p50_s == 180.0
    assert row.own_p95_s == 60.0


def test_a_clear_breach_without_a_finding_is_missed_unless_it_is_too_recent() -> None:
    """Missed once it could be known and had time to settle, pending before."""
    recent = _breach(participant="P-2", from_min=110, to_min=None, findable_min=118)
    result = score([], _truth(_breach(), recent))
    row = result.kinds["exclusion_zone"]
    assert not result.ok
    assert (row.missed, row.pending) == (1, 1)
    assert [b.participant for b in result.missed] == ["P-1"]


def test_a_breach_that_is_not_clear_may_be_found_or_not() -> None:
    """Neither outcome is wrong."""
    unclear = _truth(_breach(clear=False))
    assert score([], unclear).ok
    found = score([_finding()], unclear)
    assert found.ok and found.kinds["exclusion_zone"].other_found == 1


def test_a_finding_about_somebody_else_another_time_or_another_kind_is_false() -> None:
    """Participant, condition, family and time must agree."""
    for wrong in ({"participant": "P-9"}, {"condition": "c9"}, {"onset_min": 40, "ended_min": 50},
                  {"kind": "curfew_left"}):
        result = score([_finding(**wrong)], _truth(_breach()))
        assert len(result.false) == 1, wrong
        assert not result.ok


def test_a_kind_of_the_same_family_is_borne_out() -> None:
    """Late or left is one curfew run; a crossing is a way of being in the zone."""
    assert score([_finding("curfew_left")], _truth(_breach("curfew_late"))).ok
    assert score([_finding("zone_crossing")], _truth(_breach())).ok


def test_a_withdrawn_finding_is_neither_true_nor_false() -> None:
    """Only what is in force counts."""
    result = score([_finding(participant="P-9"), _finding(participant="P-9", revision=2, status="withdrawn")],
                   _truth())
    assert result.ok
    assert result.withdrawn == 1


def test_what_nobody_could_know_yet_is_open_until_it_is_told() -> None:
    """Before the hospital's letter arrives the finding stands rightly; long after it, it is false."""
    look = LookAlike(participant="P-1", why="hospital", family="curfew", from_=0, to=UNTIL,
                     settles_at=90 * MINUTE)
    finding = _finding("curfew_late", 60, None)
    early = score([finding], _truth(innocents=(look,)), until=80 * MINUTE)
    late = score([finding], _truth(innocents=(look,)), until=100 * MINUTE)
    assert (early.kinds["curfew_late"].open, early.ok) == (1, True)
    assert (late.kinds["curfew_late"].false, late.ok) == (1, False)


def test_an_outage_is_known_by_its_feed() -> None:
    """Participant and condition are empty; the feed must agree."""
    truth = _truth(_breach("feed_outage", participant=None, feed="north"))
    outage = _finding("feed_outage", participant=None, order=None, condition=None, feed="north")
    assert score([outage], truth).ok
    assert not score([_finding("feed_outage", participant=None, order=None, condition=None, feed="south")],
                     truth).ok


def test_kinds_that_the_truth_does_not_know_are_not_judged() -> None:
    """They are counted and nothing more."""
    result = score([_finding("implausible_movement")], _truth())
    assert result.ok and result.unjudged == 1


def test_findings_decided_after_the_end_do_not_count() -> None:
    """The score is that of an instant."""
    result = score([_finding(decided_at=UNTIL + SECOND)], _truth(_breach()))
    assert result.kinds["exclusion_zone"].found == 0


def test_the_score_is_printed_and_machine_readable() -> None:
    """One row a kind; JSON names what was missed and what was false."""
    result = score([_finding(participant="P-9")], _truth(_breach()))
    table = result.table()
    assert table.row_count == 1
    result.kinds["protected_contact_lost"] = Row(clear=100, found=100, delay_p50_s=86_399.0)
    assert Console(width=80).measure(result.table()).maximum <= 80
    told = result.to_json()
    assert told["ok"] is False
    assert told["missed"] == [{"participant": "P-1", "condition": "c1", "kind": "exclusion_zone"}]
    assert told["false"][0]["finding_id"] == "f1"
