"""Batches, snapshots and restarts are invisible; findings tell what happened and why."""

from __future__ import annotations

import random

import pytest

from emon.domain.finding import Finding
from emon.domain.reading import Reading
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory
from emon.evaluate.port import Snapshot
from emon.journal.records import InputRecord, Tick
from tests.unit.evaluate.world import (
    CONTACT,
    CURFEW,
    EXCLUSION,
    at,
    findings,
    fix,
    fixes,
    order,
    records,
    told,
    with_marks,
)


def day() -> list[InputRecord]:
    """Two hours of somebody who moves about, with late, doubled, future and contradicting readings."""
    rng = random.Random(7)
    readings = []
    for minute in range(0, 300, 2):
        where = rng.choice(["home", "home", "school", "fence", "elsewhere"]) if minute % 40 < 24 else "home"
        arrives = minute + rng.choice([0, 0, 0, 0.3, 17, 90, -0.4])
        readings.append(fix(minute, where, arrives, accuracy_m=rng.choice([5.0, 30.0, None])))
        if minute % 26 == 0:
            readings.append(fix(minute, "school", arrives + 1))
    first = order(EXCLUSION, CURFEW, CONTACT)
    second = order(EXCLUSION, CONTACT, version=2, since=150, received_at=at(190))
    return with_marks(records(readings, first, second))


def run(given: list[InputRecord], sizes: list[int]) -> list[Finding]:
    evaluator, written, start = Evaluator(MemoryHistory()), [], 0
    for size in sizes:
        written += evaluator.step(given[start:start + size])
        start += size
    return written + evaluator.step(given[start:]) + evaluator.advance(at(400))


def test_batches_are_invisible() -> None:
    given = day()
    whole = run(given, [])
    assert len(whole) > 10 and {f.status for f in whole} >= {"opened", "closed", "withdrawn"}
    assert run(given, [1] * len(given)) == whole
    assert run(given, [7] * (len(given) // 7)) == whole


@pytest.mark.parametrize("cut_every", [3, 11])
def test_a_restart_from_a_snapshot_goes_on_as_if_nothing_had_happened(cut_every: int) -> None:
    given, history = day(), MemoryHistory()
    evaluator, parts, written = Evaluator(history), {}, []
    for start in range(0, len(given), cut_every):
        written += evaluator.step(given[start:start + cut_every])
        evaluator.flush_history()
        shared, changed = evaluator.snapshot()
        parts.update({name: part for name, part in changed.items() if part is not None})
        evaluator = Evaluator.restore(Snapshot(start, shared, parts), history)
    assert written + evaluator.advance(at(400)) == run(given, [])


def test_ticks_move_the_clock_and_say_nothing_else() -> None:
    given = fixes([0, 1, 2], "home")
    quiet = records(given, order(CONTACT))
    assert told(run(quiet, [])) == ["17 contact_lost opened 12- silence"]
    evaluator = Evaluator(MemoryHistory())
    written = evaluator.step(with_marks(quiet))
    for second in range(3 * 60, 20 * 60):
        written += evaluator.step([Tick(at(second / 60))])
    assert told(written) == ["17 contact_lost opened 12- silence"]


def test_the_newest_revision_says_in_words_what_was_seen() -> None:
    revision = findings(fixes([0, 1], "school"), order(EXCLUSION))[-1]
    assert revision.evidence["sentence"] == (
        "Possibly inside an exclusion zone from 2026-11-22T00:00:00Z, and still so. The first fix was 200.00 m "
        "inside the border, accurate to 8 m (confirmed).")
    assert revision.evidence["readings"] == [
        {"device": "D", "kind": "position", "observed_at": "2026-11-22T00:00:00Z"},
        {"device": "D", "kind": "position", "observed_at": "2026-11-22T00:01:00Z"}]
    assert (revision.order_version, revision.zone_version, revision.rule_version) == (1, 1, 1)


def test_a_reading_older_than_the_history_is_kept_and_not_judged() -> None:
    assert findings([fix(0, "school", 401 * 1440), fix(1, "school", 401 * 1440)],
                    order(EXCLUSION, effective_from=None)) == []


def test_a_silence_that_a_backlog_cuts_short_stays_the_same_finding() -> None:
    """Found from 30 on; then a backlog comes in whose readings lie more than half an hour apart."""
    word = Reading(device="D", kind="status", event="heartbeat", observed_at=at(20), received_at=at(20))
    revisions = findings([fix(0, "home"), word, fix(1, "home", 63), fix(32, "home", 63), fix(63, "home")],
                         order(CONTACT))
    silences = [f for f in revisions if f.kind == "contact_lost"]
    assert told(silences) == ["15 contact_lost opened 10- silence", "20 contact_lost closed 10-20 heard",
                              "35 contact_lost opened 30- silence", "63 contact_lost closed 11-20 heard",
                              "63 contact_lost closed 42-63 heard"]
    assert silences[4].finding_id == silences[2].finding_id
