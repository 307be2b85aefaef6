"""The alerts API over real HTTP, on both databases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select

from emon.alerts import worker
from emon.domain.alert import fold_all
from emon.domain.instant import DAY, HOUR, MINUTE, SECOND, iso
from emon.domain.reading import Reading
from emon.evaluate.port import Chunk
from emon.journal.port import ALERTS, TopicPartition
from emon.journal.records import Bound, encode
from emon.limits import CLAIM_LEASE
from emon.store import log, queue, reading, schema
from emon.store.history import SqlHistory
from tests.contract.store.running import Stage, console, stage
from tests.unit.alerts.worlds import T0, finding


class Console:
    """An operator's client."""

    def __init__(self, of: Stage, client: httpx.AsyncClient) -> None:
        self.stage, self.client = of, client

    async def see(self, *found: Any) -> None:
        await self.stage.findings(*found)
        await self.stage.settled()

    async def do(self, alert: int, name: str, who: str = "ann", body: Any = None, **headers: str) -> httpx.Response:
        if name in ("ack", "close") and "If-Match" not in headers:
            headers["If-Match"] = (await self.client.get(f"/v1/alerts/{alert}")).headers["ETag"]
        return await self.client.post(
            f"/v1/alerts/{alert}/{name}",
            json=body if body is not None else {},
            headers={"X-Emon-Operator": who} | headers,
        )

    async def alerts(self, **query: Any) -> list[dict[str, Any]]:
        answer = await self.client.get("/v1/alerts", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["alerts"]
        return found


@pytest.fixture
async def desk(engine: Engine) -> AsyncIterator[Console]:
    async with stage(engine) as running, console(running) as client:
        await running.documents()
        yield Console(running, client)


async def test_an_alert_carries_all_that_its_page_needs(desk: Console) -> None:
    """Participant, order and condition in force, zone, evidence sentence, track, spans not observed."""
    await desk.see(
        finding(
            zone_version=1,
            seen_until=T0 + MINUTE,
            ended=T0 + HOUR,
            readings=[{"device": "D-1", "kind": "position", "observed_at": iso(T0)}],
        )
    )
    row = (await desk.alerts())[0]
    assert row["participant_name"] == "Pat One"
    assert row["title"] == "Possible breach: inside an exclusion zone"
    assert (row["priority"], row["officer"], row["time_zone"]) == (2, "o-1", "America/Chicago")
    assert row["status"] == "cleared_not_handled"
    answer = await desk.client.get(f"/v1/alerts/{row['id']}")
    page = answer.json()
    assert answer.headers["ETag"] == f'"{page["version"]}"'
    assert page["order_in_force"]["order"] == "O-1"
    assert page["condition_in_force"] == {
        "id": "c1",
        "kind": "exclusion_zone",
        "zone": "school",
        "buffer_m": 100.0,
    }
    assert page["zones"]["features"][0]["properties"]["version"] == 1
    assert page["findings"][0]["finding"]["finding_id"] == "f1"
    assert "D-1" in page["findings"][0]["sentence"]
    assert "level 2" in page["findings"][0]["sentence"]
    assert page["findings"][0]["not_observed"] == [{"from": iso(T0 + MINUTE), "to": iso(T0 + HOUR)}]
    assert [event["kind"] for event in page["events"]] == ["opened"]
    assert [one["state"] for one in page["notifications"]] == ["waiting"]
    assert page["allowed"] == ["claim", "ack", "note", "close"]
    assert page["note_required"] is True
    track = await desk.client.get(page["track"]["href"])
    assert track.status_code == 200
    assert track.json()["from"] == iso(T0 - HOUR)


async def test_a_place_is_shown_as_a_circle(desk: Console) -> None:
    await desk.see(finding("curfew_left", condition="c2"))
    page = (await desk.client.get("/v1/alerts/1")).json()
    assert page["zones"]["features"] == [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [-89.4, 43.07]},
            "properties": {"id": "home", "kind": "place", "radius_m": 75.0},
        }
    ]


async def test_many_operators_claim_at_once_and_one_wins(desk: Console) -> None:
    """Everybody else gets 409 with the winner's name and the version that there is now."""
    await desk.see(finding())
    answers = await asyncio.gather(*(desk.do(1, "claim", f"op-{n}", **{"If-Match": '"1"'}) for n in range(12)))
    won = [one for one in answers if one.status_code == 200]
    lost = [one for one in answers if one.status_code == 409]
    assert (len(won), len(lost)) == (1, 11)
    winner = won[0].json()["alert"]["holder"]
    for one in lost:
        assert one.json()["holder"] == winner
        assert winner in one.json()["detail"]
        assert one.json()["version"] == 2
        assert one.json()["lease_until"] is not None


async def test_a_lease_is_renewed_by_its_holder_and_lapses_otherwise(desk: Console) -> None:
    await desk.see(finding())
    first = (await desk.do(1, "claim")).json()["alert"]
    desk.stage.wall.ahead_us += 60 * SECOND
    again = (await desk.do(1, "claim")).json()["alert"]
    assert again["version"] == first["version"], "renewing makes no new version"
    assert again["lease_until"] > first["lease_until"]
    desk.stage.wall.ahead_us += CLAIM_LEASE
    for _ in range(100):
        row = (await desk.alerts())[0]
        if row["work_state"] == "new":
            break
        await asyncio.sleep(0.05)
    assert row["holder"] is None
    assert row["waiting_since"] is not None


async def test_the_usual_way_and_the_log_of_it(desk: Console) -> None:
    await desk.see(finding())
    for name, body in (
        ("claim", {}),
        ("ack", {}),
        ("note", {"text": "called him"}),
        ("close", {"disposition": "confirmed", "note": "officer informed"}),
    ):
        answer = await desk.do(1, name, "Ann%20B", body)
        assert answer.status_code == 200, answer.text
    page = (await desk.client.get("/v1/alerts/1")).json()
    assert (page["status"], page["closed_by"], page["holder"]) == ("closed", "Ann B", None)
    kinds = [(event["kind"], event["actor"]) for event in page["events"]]
    assert kinds == [
        ("opened", None),
        ("claimed", "Ann B"),
        ("acknowledged", "Ann B"),
        ("noted", "Ann B"),
        ("closed", "Ann B"),
    ]
    assert page["events"][3]["data"]["note"] == "called him"


async def test_versions_are_compared(desk: Console) -> None:
    """412 names who changed it; ack and close must say what they saw; any form of the tag will do."""
    await desk.see(finding("battery"))
    assert (await desk.do(1, "note", "bob", {"text": "hm"})).status_code == 200
    stale = await desk.do(1, "ack", **{"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (stale.json()["version"], stale.json()["changed_by"]) == (2, "bob")
    bare = await desk.client.post("/v1/alerts/1/ack", json={})
    assert (bare.status_code, bare.json()["error"]) == (428, "version_required")
    assert (await desk.do(1, "ack", **{"If-Match": "x"})).status_code == 400
    assert (await desk.do(1, "ack", **{"If-Match": 'W/"2"'})).status_code == 200
    assert (await desk.do(1, "close", body={"disposition": "confirmed"}, **{"If-Match": "*"})).status_code == 200


async def test_the_same_key_again_changes_nothing(desk: Console) -> None:
    """Also when it is sent many times at once; the key cannot answer for another command."""
    await desk.see(finding())
    answers = await asyncio.gather(
        *(desk.do(1, "note", body={"text": "once"}, **{"Idempotency-Key": "k1"}) for _ in range(8))
    )
    assert {one.status_code for one in answers} == {200}
    assert sum("Idempotent-Replayed" in one.headers for one in answers) == 7
    page = (await desk.client.get("/v1/alerts/1")).json()
    assert [event["kind"] for event in page["events"]] == ["opened", "noted"]
    other = await desk.do(1, "note", body={"text": "other"}, **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["error"]) == (422, "key_reused")


async def test_the_queue_names_a_tamper_by_its_event(desk: Console) -> None:
    """An operator sees in the row whether it is the strap or the signal."""
    await desk.see(finding("tamper", event="jamming_start"))
    row = (await desk.client.get("/v1/alerts")).json()["alerts"][0]
    assert (row["title"], row["event"]) == ("Device tamper: signal jammed", "jamming_start")


async def test_closing_is_refused_with_its_reason(desk: Console) -> None:
    await desk.see(finding("tamper", event="strap_open"))
    note = await desk.do(1, "close", body={"disposition": "confirmed", "note": "fixed"})
    assert (note.status_code, note.json()["error"]) == (409, "not_clear")
    page = (await desk.client.get("/v1/alerts/1")).json()
    assert page["must_clear"] is True
    assert "close" not in page["allowed"]
    await desk.see(finding("tamper", event="strap_open", revision=2, ended=T0 + MINUTE))
    bare = await desk.do(1, "close", body={"disposition": "confirmed"})
    assert (bare.status_code, bare.json()["error"]) == (422, "note_required")
    for body in ({}, {"disposition": "Not A Word"}, {"disposition": "ok", "surprise": 1},
                 {"disposition": "self_cleared", "note": "x"}, {"disposition": "withdrawn", "note": "x"},
                 {"disposition": "confirmed", "note": " \u200b\n"}):
        wrong = await desk.do(1, "close", body=body)
        assert wrong.status_code == 422
        assert set(wrong.json()) >= {"error", "detail"}
    done = await desk.do(1, "close", body={"disposition": "non_actionable:strap was loose", "note": "fixed"})
    assert done.status_code == 200
    late = await desk.do(1, "ack", "bob")
    assert (late.status_code, late.json()["no_op"]) == (200, True)
    assert late.json()["alert"]["status"] == "closed"
    claim = await desk.do(1, "claim", "bob")
    assert (claim.status_code, claim.json()["error"]) == (409, "closed")


async def test_taking_over_is_told_in_the_log(desk: Console) -> None:
    await desk.see(finding())
    await desk.do(1, "claim", "ann")
    assert (await desk.do(1, "claim", "bob")).status_code == 409
    over = await desk.do(1, "claim", "bob", {"reason": "shift change"})
    assert over.json()["alert"]["holder"] == "bob"
    last = (await desk.client.get("/v1/alerts/1")).json()["events"][-1]
    assert (last["kind"], last["data"]["from"], last["data"]["reason"]) == (
        "taken_over",
        "ann",
        "shift change",
    )


async def test_the_queue_has_pages_filters_and_counts(desk: Console) -> None:
    """The most urgent first, then the oldest; a cursor neither skips nor repeats."""
    kinds = ["battery", "exclusion_zone", "panic", "curfew_left"]
    await desk.see(
        *(finding(kinds[n % 4], id_=f"f{n}", participant=f"P-{n}", decided_at=T0 + n * SECOND) for n in range(40))
    )
    seen, cursor = [], None
    while True:
        answer = (
            await desk.client.get("/v1/alerts", params={"limit": 7} | ({"cursor": cursor} if cursor else {}))
        ).json()
        assert answer["counts"] == {"total": 40, "by_priority": {"1": 10, "2": 10, "3": 10, "4": 10}}
        seen += answer["alerts"]
        cursor = answer["next"]
        if cursor is None:
            break
    assert len({one["id"] for one in seen}) == 40
    assert [one["priority"] for one in seen] == sorted(one["priority"] for one in seen)
    assert {one["kind"] for one in await desk.alerts(priority=1)} == {"panic"}
    assert len(await desk.alerts(kind="battery", participant="P-4")) == 1
    assert len(await desk.alerts(q="p-1")) == 11
    assert [one["id"] for one in await desk.alerts(sort="newest", limit=2)] == [40, 39]
    await desk.do(1, "close", body={"disposition": "confirmed", "note": "x"})
    assert len(await desk.alerts(state="open")) == 39
    assert [one["id"] for one in await desk.alerts(state="closed")] == [1]
    assert (await desk.client.get("/v1/alerts?cursor=1_x_2")).status_code == 400


async def test_unknown_things_are_404_with_words(desk: Console) -> None:
    for path in ("/v1/alerts/99", "/v1/participants/P-9", "/v1/orders/O-9", "/v1/zones/nowhere"):
        answer = await desk.client.get(path)
        assert answer.status_code == 404
        assert answer.json()["detail"]
    assert (await desk.do(99, "claim")).status_code == 404
    assert (await desk.client.get(f"/v1/alerts/{1 << 70}")).status_code == 422


async def test_what_no_database_can_hold_is_asked_of_none(desk: Console) -> None:
    """A NUL in a path or query is the caller's fault, on every database."""
    for path in ("/v1/alerts?participant=%00", "/v1/alerts?q=a%00", "/v1/orders/%00", "/v1/participants/P%00"):
        answer = await desk.client.get(path)
        assert (answer.status_code, answer.json()["error"]) == (400, "bad_request"), path


async def test_taking_over_needs_a_reason_that_can_be_read(desk: Console) -> None:
    await desk.see(finding())
    await desk.do(1, "claim", "ann")
    assert (await desk.do(1, "claim", "bob", {"reason": "  "})).status_code == 422
    assert (await desk.do(1, "note", "bob", {"text": "\u200b"})).status_code == 422
    assert (await desk.client.get("/v1/alerts/1")).json()["holder"] == "ann"
    assert (await desk.do(1, "claim", "bob", {"reason": " shift ends "})).json()["alert"]["holder"] == "bob"


async def test_findings_that_come_again_change_nothing(desk: Console) -> None:
    """At least once is enough: the same revisions give the same alerts and log."""
    revisions = [finding(), finding(revision=2, ended=T0 + HOUR)]
    await desk.see(*revisions)
    before = (await desk.client.get("/v1/alerts/1")).json()
    await desk.see(*revisions, *revisions)
    assert (await desk.client.get("/v1/alerts/1")).json() == before
    assert len(await desk.alerts()) == 1


async def test_rows_are_the_fold_of_a_log_that_verifies(desk: Console, engine: Engine) -> None:
    """Also after an erasure; a change of anything is found."""
    await desk.see(finding(), finding("battery", id_="f2", participant="P-2"), finding(revision=2, ended=T0 + HOUR))
    await desk.do(1, "close", body={"disposition": "confirmed", "note": "secret words"})
    with reading(engine) as connection:
        assert log.verify(connection) is None
        for number in (1, 2):
            rows = queue.events_of(connection, number, 100)
            state = queue.one(connection, number)
            assert state is not None
            assert fold_all(number, ((row.seq, log.event_of(row)) for row in rows)) == state
    with engine.begin() as connection:
        assert log.erase(connection, log.end(connection), T0)
    with reading(engine) as connection:
        assert log.verify(connection) is None
        assert not any("secret" in str(row) for row in queue.events_of(connection, 1, 100))
    event = schema.alert_event
    for damage in ({"actor": "mallory"}, {"data": "{}"}, {"at": 1}):
        with engine.begin() as connection, connection.begin_nested() as nested:
            connection.execute(event.update().where(event.c.seq == 2).values(damage))
            broken = log.verify(connection)
            assert broken is not None
            assert broken.seq == 2
            nested.rollback()
    with engine.begin() as connection:
        connection.execute(
            event.delete().where(
                event.c.seq
                == connection.execute(select(event.c.seq).order_by(event.c.seq.desc()).limit(1)).scalar_one()
            )
        )
        assert log.verify(connection) is not None, "cut at the end"


async def test_orders_zones_and_people_are_read(desk: Console) -> None:
    await desk.see(finding())
    orders = (await desk.client.get("/v1/orders")).json()
    assert [(one["order"], one["version"]) for one in orders["orders"]] == [("O-1", 1)]
    zones = (await desk.client.get("/v1/zones")).json()
    assert zones["features"][0]["geometry"]["type"] == "Polygon"
    person = (await desk.client.get("/v1/participants/P-1")).json()
    assert (person["name"], len(person["orders"]), len(person["alerts"])) == ("Pat One", 1, 1)


async def test_status_says_how_late_emon_is(desk: Console) -> None:
    await desk.see(finding())
    status = (await desk.client.get("/v1/status")).json()
    assert {one["stage"] for one in status["stages"]} == {"alerts"}
    assert sum(one["lag"] for one in status["stages"]) == 0
    assert status["notifications_waiting"] == 1
    assert status["open_alerts"]["total"] == 1


async def test_the_log_goes_to_a_topic_without_peoples_words(desk: Console) -> None:
    """Every entry once or more, told apart by seq."""
    await desk.see(finding())
    await desk.do(1, "note", body={"text": "secret words"})
    journal, seen = desk.stage.journal, dict[int, Any]()
    for _ in range(100):
        for partition, end in (await journal.end_offsets(ALERTS)).items():
            for record in await journal.read(TopicPartition(ALERTS, partition), 0, end):
                assert b"secret" not in record.value
                entry = json.loads(record.value)
                seen[entry["seq"]] = entry
        if len(seen) == 2:
            break
        await asyncio.sleep(0.05)
    assert [(seen[n]["event"], seen[n]["participant"]) for n in (1, 2)] == [("opened", "P-1"), ("noted", "P-1")]


async def test_contact_that_is_back_closes_itself_after_a_hold_off(desk: Console) -> None:
    """By the pipeline's clock; the log says that nobody did it."""
    now = desk.stage.clock.now_us()
    await desk.see(finding("contact_lost", onset=now - HOUR, ended=now, decided_at=now))
    assert (await desk.alerts())[0]["status"] == "cleared_not_handled"
    desk.stage.clock.ahead_us += 5 * MINUTE
    for _ in range(100):
        row = (await desk.alerts())[0]
        if row["work_state"] == "closed":
            break
        await asyncio.sleep(0.05)
    assert (row["status"], row["closed_by"]) == ("self_cleared", None)
    assert (await desk.client.get("/v1/alerts/1")).json()["events"][-1]["actor"] is None


async def test_tracks_are_of_participants_only(desk: Console, engine: Engine) -> None:
    """A protected person's readings, and those of nobody's device, lie in the same history: not shown."""
    await desk.see(finding())
    bounds = [
        Bound(
            participant=who,
            received_at=T0,
            reading=Reading(
                device="D-1", kind="position", observed_at=T0 + n, lat=43.0, lon=-89.0, accuracy_m=5.0, method="gnss"
            ),
        )
        for n, who in enumerate(("P-1", "V-1", "D-9"))
    ]
    SqlHistory(engine).append([Chunk(one.participant, T0 // DAY, T0, T0, 1, encode(one)) for one in bounds])
    span = {"from": iso(T0 - MINUTE), "to": iso(T0 + MINUTE)}
    track = (await desk.client.get("/v1/participants/P-1/track", params=span)).json()
    assert [one["lat"] for one in track["readings"]] == [43.0]
    assert track["truncated"] is False
    person = (await desk.client.get("/v1/participants/P-1")).json()
    assert person["last_position"]["accuracy_m"] == 5.0
    for who in ("V-1", "D-9"):
        for path in (f"/v1/participants/{who}", f"/v1/participants/{who}/track"):
            assert (await desk.client.get(path, params=span)).status_code == 404
    assert (await desk.client.get("/v1/participants/P-1/track", params={"from": "yesterday"})).status_code == 400


async def test_two_stages_share_the_work_and_give_the_same_alerts(desk: Console, engine: Engine) -> None:
    """A second worker joins and leaves in the middle; everything is taken in once."""
    other = asyncio.Event()
    second = asyncio.create_task(worker.run(desk.stage.journal, engine, desk.stage.clock, other, wall=desk.stage.wall))
    for n in range(60):
        await desk.stage.findings(finding(id_=f"f{n}", participant=f"P-{n}"))
        await desk.stage.findings(finding(id_=f"f{n}", participant=f"P-{n}", revision=2, ended=T0 + HOUR))
        if n == 30:
            other.set()
            await second
    await desk.stage.settled()
    rows = await desk.alerts(limit=500)
    assert len(rows) == 60
    for _ in range(100):
        rows = await desk.alerts(limit=500)
        if all(row["condition_state"] == "cleared" for row in rows):
            break
        await asyncio.sleep(0.05)
    assert {(row["finding_count"], row["version"], row["condition_state"]) for row in rows} == {(1, 2, "cleared")}
    with reading(engine) as connection:
        assert log.verify(connection) is None
