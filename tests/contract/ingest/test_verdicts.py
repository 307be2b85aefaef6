"""Analysts' verdicts over HTTP, and on their way through each journal into a finding and out again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from emon import recording
from emon.batch import evaluate_files
from emon.domain import finding as findings
from emon.domain.finding import Finding
from emon.domain.instant import HOUR, iso
from emon.evaluate.evaluator import Evaluator
from emon.evaluate.history import MemoryHistory
from emon.journal.memory import MemoryJournal
from emon.journal.open import open_journal
from emon.journal.port import FINDINGS, READINGS, Entry, Journal, partition_of
from emon.journal.records import InputRecord, VerdictVersion
from tests.contract.ingest.conftest import NOW, Site, serving, site_of
from tests.contract.ingest.test_documents import post
from tests.contract.ingest.test_feeds import send
from tests.contract.ingest.test_whole_way import running, told

ORDER: dict[str, Any] = {
    "order": "O-1", "version": 1, "participant": "P-1", "effective_from": "2026-01-01T00:00:00Z",
    "conditions": [{"id": "c4", "kind": "alcohol"}, {"id": "c7", "kind": "contact"}]}
VERDICT: dict[str, Any] = {
    "verdict": "V-1", "version": 1, "participant": "P-1", "order": "O-1", "condition": "c4",
    "at": "2026-11-22T02:00:00Z", "result": "confirmed", "reason": "rise and fall fit drinking", "analyst": "a.kern"}
CURVE = (0.0, 0.02, 0.05, 0.02, 0.0, 0.0, 0.0)  # falls as fast as the limit: for an analyst
PATIENCE_S = 180


async def test_a_verdict_is_taken_once_and_listed(small_site: Site) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        await post(client, "orders", ORDER)
        first = await post(client, "verdicts", VERDICT)
        assert (first.status_code, first.json()["new"]) == (201, [{"id": "V-1", "version": 1}])
        assert (await post(client, "verdicts", VERDICT)).status_code == 200
        other = await post(client, "verdicts", VERDICT | {"result": "interferent"})
        assert (other.status_code, other.json()["error"]) == (409, "version_conflict")
        void = await post(client, "verdicts", {"verdict": "V-1", "version": 2, "void": True})
        assert void.status_code == 201, void.text
        listed = (await client.get("/v1/verdicts?participant=P-1")).json()["verdicts"]
        assert listed[0] == VERDICT
        assert listed[1] == {"verdict": "V-1", "version": 2, "void": True, "participant": "P-1"}
        assert (await client.get("/v1/verdicts?verdict=V-2")).json()["verdicts"] == []


@pytest.mark.parametrize(("wrong", "said"), [
    ({"order": "O-2"}, "order `O-2` is not known here"),
    ({"participant": "P-2"}, "order O-1 is of P-1 and not of `P-2`; did you mean `P-1`?"),
    ({"condition": "c5"}, "order O-1 has no condition `c5`; known are c4, c7"),
    ({"condition": "c7"}, "is of kind contact: a verdict is on alcohol alone"),
    ({"result": "confirm"}, "did you mean `confirmed`?"),
    ({"reason": " "}, "`reason` of V-1 is empty"),
    ({"reason": None}, "`reason`"),
    ({"at": "2026-11-22T02:00:00"}, "`at`"),
    ({"verdict": "V-9", "void": True, "participant": None}, "no other version has it"),
])
async def test_what_a_verdict_cannot_mean_is_refused(small_site: Site, wrong: dict[str, Any], said: str) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        await post(client, "orders", ORDER)
        answer = await post(client, "verdicts", VERDICT | wrong)
        assert answer.status_code == 422 and said in answer.json()["detail"], answer.text
        assert (await client.get("/v1/verdicts")).json()["verdicts"] == []
        assert (await post(client, "verdicts", ORDER)).status_code == 422


@pytest.fixture(params=["memory", "sqlite", "kafka"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    made: Journal
    if request.param == "memory":
        made = MemoryJournal(partitions=3)
    else:
        made = open_journal(f"sqlite:///{tmp_path / 'journal'}" if request.param == "sqlite"
                            else request.getfixturevalue("kafka").url, partitions=3)
    await made.open()
    yield made
    await made.close()


async def test_every_journal_carries_a_verdict_into_a_finding_and_out_again(
        journal: Journal, sqlite_engine: Engine, tmp_path: Path) -> None:
    """What an analyst posts is told to every partition, revises the finding, and the export gives it again."""
    site, mark = site_of(journal, sqlite_engine), uuid4().hex[:8]
    person, device = f"P-{mark}", f"T-{mark}"
    ordered = ORDER | {"order": f"O-{mark}", "participant": person, "devices": [
        {"device": device, "from": "2026-01-01T00:00:00Z"}]}
    verdict = VERDICT | {"verdict": f"V-{mark}", "participant": person, "order": f"O-{mark}",
                         "at": iso(NOW - 7 * HOUR)}
    partitions = await journal.partitions(READINGS)
    async with serving(journal, site.engine, site.clock) as client, running(journal, site.engine):
        assert (await post(client, "orders", ordered)).status_code == 201
        await send(client, site, *[
            {"v": 1, "device": device, "kind": "alcohol_transdermal", "sensor_family": "scram", "tac_g_dl": value,
             "observed_at": iso(NOW - (8 - index) * HOUR)} for index, value in enumerate(CURVE)])
        mine = partition_of(person, partitions)
        await until(lambda: count(journal, mine, lambda r: getattr(r, "participant", "") == person), len(CURVE))
        assert (await post(client, "verdicts", verdict)).status_code == 201
        for partition in range(partitions):
            await until(lambda: count(journal, partition, lambda r: isinstance(r, VerdictVersion) and  # noqa: B023
                                      r.verdict.participant == person), 1)
    records = await told(journal, mine)
    lines = [line for line in Evaluator(MemoryHistory(), partition=mine, partitions=partitions).step(records)
             if line.participant == person and line.family == "alcohol"]
    assert [(line.kind, line.level, line.reason) for line in lines][-2:] == [
        ("alcohol_review", 2, "slope"), ("alcohol_confirmed", 3, "analyst_confirmed")]
    await exported_again(journal, lines, tmp_path)


async def exported_again(journal: Journal, lines: list[Finding], folder: Path) -> None:
    """The batch run of what is exported says the same, the analyst's part included."""
    await journal.append([Entry(FINDINGS, line.participant or "", findings.encode(line)) for line in lines])
    done = await recording.export(journal, folder / "out")
    assert done["verdict versions"] >= 1
    out = folder / "again.ndjson"
    outcome = evaluate_files([folder / "out" / "orders"], [folder / "out" / "zones.geojson"],
                             [folder / "out" / "readings.ndjson"], out)
    assert not outcome.faulty, outcome.messages
    again = [findings.decode(line) for line in out.read_bytes().splitlines()]
    names = {line.finding_id for line in lines}
    assert [line for line in again if line.finding_id in names] == lines


async def count(journal: Journal, partition: int, fits: Callable[[InputRecord], bool]) -> int:
    return sum(fits(record) for record in await told(journal, partition))


async def until(counted: Callable[[], Any], wanted: int) -> None:
    for _ in range(PATIENCE_S * 5):
        if await counted() >= wanted:
            return
        await asyncio.sleep(0.2)
    raise AssertionError("it did not arrive in time")
