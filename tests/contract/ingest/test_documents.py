"""Orders, zones, bindings and people over HTTP, and published from files."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from emon.domain.binding import Binding
from emon.domain.errors import Fault
from emon.domain.order import Order
from emon.ingest.orders import publish
from emon.journal.memory import MemoryJournal
from emon.journal.port import ORDERS, RAW, TopicPartition
from emon.journal.records import BindingVersion, OrderVersion, decode_orders, decode_raw
from tests.contract.ingest.conftest import NOW, Site, serving

ORDER: dict[str, Any] = {
    "order": "O-1", "version": 1, "participant": "P-1", "time_zone": "America/Chicago",
    "effective_from": "2026-11-01T00:00:00-05:00",
    "devices": [{"device": "D-1", "from": "2026-11-01T00:00:00-05:00"}],
    "conditions": [{"id": "c7", "kind": "contact", "every_s": 600}]}
BINDING: dict[str, Any] = {"binding": "b-1", "version": 1, "device": "D-9", "participant": "P-9",
                           "from": "2026-11-01T00:00:00Z"}
ZONE: dict[str, Any] = {"type": "FeatureCollection", "features": [{
    "type": "Feature", "properties": {"id": "z", "kind": "exclusion", "radius_m": 100},
    "geometry": {"type": "Point", "coordinates": [-89.4, 43.07]}}]}


async def records(journal: Any, topic: str) -> list[Any]:
    decode = decode_orders if topic == ORDERS else decode_raw
    return [decode(r.value) for p in range(await journal.partitions(topic))
            for r in await journal.read(TopicPartition(topic, p), 0, 10_000)]


async def post(client: httpx.AsyncClient, path: str, value: Any) -> httpx.Response:
    return await client.post(f"/v1/{path}", json=value)


async def test_an_order_is_durable_with_its_bindings_and_once(small_site: Site) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        first = await post(client, "orders", ORDER)
        assert (first.status_code, first.json()["new"]) == (201, [{"id": "O-1", "version": 1}])
        again = await post(client, "orders", ORDER)
        assert (again.status_code, again.json()["known"]) == (200, 1)
        other = await post(client, "orders", ORDER | {"participant": "P-2"})
        assert (other.status_code, other.json()["error"]) == (409, "version_conflict")
        listed = (await client.get("/v1/orders")).json()["orders"]
        assert [(o["order"], o["version"], o["participant"]) for o in listed] == [("O-1", 1, "P-1")]
    written = await records(site.journal, ORDERS)
    assert sorted(type(r).__name__ for r in written) == ["BindingVersion", "OrderVersion"]
    assert all(r.received_at >= NOW for r in written)
    copies = [r for r in await records(site.journal, RAW) if isinstance(r, BindingVersion)]
    assert [c.binding.device for c in copies] == ["D-1"]


async def test_what_a_later_version_drops_is_unbound_also_when_it_came_first(small_site: Site) -> None:
    site = small_site
    second = ORDER | {"version": 2, "devices": []}
    async with serving(site.journal, site.engine, site.clock) as client:
        await post(client, "orders", second)
        await post(client, "orders", ORDER)
        bindings = (await client.get("/v1/bindings")).json()["bindings"]
    assert [(b["version"], b.get("void", False)) for b in bindings] == [(1, False), (2, True)]


async def test_every_fault_is_named_and_then_nothing_is_taken(small_site: Site) -> None:
    site = small_site
    wrong = ORDER | {"order": "O-2", "conditions": [{"id": "c", "kind": "contact", "grace": 3}]}
    async with serving(site.journal, site.engine, site.clock) as client:
        answer = await post(client, "orders", [ORDER, wrong])
        assert answer.status_code == 422 and "grace" in answer.json()["faults"][0]["reason"]
        assert (await post(client, "orders", BINDING)).status_code == 422
        assert (await client.post("/v1/orders", content=b"\xff\xfe")).status_code == 422
        assert (await client.post("/v1/orders", content=b"{")).status_code == 422
    assert not await records(site.journal, ORDERS)


async def test_yaml_is_read_as_in_files(small_site: Site) -> None:
    site = small_site
    text = "binding: b-2\nversion: 1\ndevice: D-2\nparticipant: P-2\nfrom: 2026-11-01T00:00:00Z\n"
    async with serving(site.journal, site.engine, site.clock) as client:
        answer = await client.post("/v1/bindings", content=text, headers={"content-type": "application/yaml"})
        assert answer.status_code == 201, answer.text


async def test_a_device_for_two_people_is_pending_until_resolved(small_site: Site) -> None:
    site = small_site
    second = BINDING | {"binding": "b-2", "participant": "P-8", "from": "2026-11-05T00:00:00Z"}
    async with serving(site.journal, site.engine, site.clock) as client:
        assert "pending" not in (await post(client, "bindings", BINDING)).json()
        answer = await post(client, "bindings", second)
        assert answer.status_code == 201
        assert answer.json()["pending"] == [{"device": "D-9", "reason": "bound_to_two_people",
                                             "bindings": ["b-1", "b-2"], "from": "2026-11-05T00:00:00Z",
                                             "until": None}]
        ended = BINDING | {"version": 2, "until": "2026-11-05T00:00:00Z"}
        assert "pending" not in (await post(client, "bindings", ended)).json()
        assert "pending" not in (await client.get("/v1/bindings")).json()


async def test_a_void_version_may_leave_out_whom_it_concerns(small_site: Site) -> None:
    site = small_site
    void = {"order": "O-1", "version": 2, "effective_from": "2026-11-09T00:00:00Z", "void": True}
    async with serving(site.journal, site.engine, site.clock) as client:
        assert (await post(client, "orders", void)).status_code == 422
        await post(client, "orders", ORDER)
        assert (await post(client, "orders", void)).status_code == 201
        listed = (await client.get("/v1/orders?participant=P-1")).json()["orders"]
    assert [o["version"] for o in listed] == [1, 2]


async def test_zones_and_people_are_taken_and_listed(small_site: Site) -> None:
    site = small_site
    person = {"person": "o-17", "role": "officer", "name": "N. N.",
              "contacts": [{"channel": "email", "address": "n@example.org", "verified": True}]}
    async with serving(site.journal, site.engine, site.clock) as client:
        assert (await post(client, "zones", ZONE)).status_code == 201
        assert (await client.get("/v1/zones")).json()["features"][0]["properties"]["id"] == "z"
        assert (await post(client, "people", person)).status_code == 201
        assert (await client.get("/v1/people?person=o-17")).json()["people"][0]["name"] == "N. N."


async def test_orders_wait_for_a_journal_that_is_away(small_site: Site) -> None:
    journal = MemoryJournal()
    async with serving(journal, small_site.engine, small_site.clock) as client:
        journal.fail_next_append()
        answer = await post(client, "orders", ORDER)
        assert answer.status_code == 503 and answer.headers["retry-after"]
        assert (await post(client, "orders", ORDER)).status_code == 201


async def test_files_are_published_once_and_before_everything() -> None:
    journal = MemoryJournal(partitions=2)
    order = Order(id="O", participant="P", devices=(Binding(id="O:D", device="D", participant="P"),))
    done = await publish(journal, [order, *order.devices])
    assert (len(done.new), done.known) == (2, 0)
    assert (await publish(journal, [order, *order.devices])).known == 2
    written = await records(journal, ORDERS)
    assert len(written) == 2 and {r.received_at for r in written} == {0}
    assert sum(isinstance(r, OrderVersion) for r in written) == 1


async def test_two_contents_under_one_number_are_refused_together() -> None:
    journal = MemoryJournal()
    with pytest.raises(Fault, match="next number"):
        await publish(journal, [Order(id="O", participant="P"), Order(id="O", participant="Q")])
    assert json.dumps(await records(journal, ORDERS)) == "[]"


LEAVE = {"from": "2026-11-24T18:00:00-06:00", "to": "2026-12-02T00:00:00-06:00", "reason": "hospital"}
CURFEW: dict[str, Any] = ORDER | {
    "places": [{"id": "home", "lat": 43.07, "lon": -89.4, "radius_m": 75}],
    "conditions": [{"id": "c2", "kind": "curfew", "place": "home", "windows": [{"from": "20:00", "to": "06:00"}]},
                   {"id": "c7", "kind": "contact", "every_s": 600}]}
DECEMBER = "2026-12-01T00:00:00-06:00"


async def test_leave_issues_again_what_is_in_force_from_its_start_on(small_site: Site) -> None:
    """In order, under the next numbers, with unchanged times, clipped; what ends the order ends it still."""
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        stored = await post(client, "orders", [
            CURFEW, CURFEW | {"version": 2, "effective_from": "2026-11-20T00:00:00-06:00"},
            CURFEW | {"version": 3, "effective_from": DECEMBER},
            {"order": "O-1", "version": 4, "void": True, "effective_from": "2026-12-24T00:00:00-06:00"}])
        assert stored.status_code == 201, "a void version names nobody: those beside it do"
        first = await post(client, "participants/P-1/leave", LEAVE)
        assert (first.status_code, [each["version"] for each in first.json()["new"]]) == (201, [5, 6, 7])
        again = await post(client, "participants/P-1/leave", LEAVE)
        assert (again.status_code, again.json()["new"]) == (200, [])
        orders = {each["version"]: each for each in (await client.get("/v1/orders")).json()["orders"]}
    curfews = {number: orders[number]["conditions"][0] for number in (1, 2, 3, 5, 6)}
    assert [curfews[number].get("leave") for number in (1, 2, 3)] == [None] * 3
    assert curfews[5]["leave"] == [{"from": "2026-11-25T00:00:00Z", "to": "2026-12-01T06:00:00Z", "reason": "hospital"}]
    assert curfews[6]["leave"] == [{"from": "2026-12-01T06:00:00Z", "to": "2026-12-02T06:00:00Z", "reason": "hospital"}]
    for old, new in ((2, 5), (3, 6), (4, 7)):
        times = ("effective_from", "effective_until", "void", "devices")
        assert [orders[new].get(name) for name in times] == [orders[old].get(name) for name in times]
    assert "leave" not in orders[5]["conditions"][1]


async def test_leave_that_can_mean_nothing_is_refused(small_site: Site) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        await post(client, "orders", CURFEW)
        for path, body, status in (
                ("P-9", LEAVE, 404), ("P-1", LEAVE | {"order": "O-9"}, 404),
                ("P-1", LEAVE | {"to": LEAVE["from"]}, 422),
                ("P-1", LEAVE | {"from": "2026-11-24T18:00:00"}, 422), ("P-1", LEAVE | {"untill": "x"}, 422),
                ("P-1", LEAVE | {"conditions": ["c9"]}, 422),
                ("P-1", {"from": "2026-10-01T00:00:00Z", "to": "2026-10-02T00:00:00Z"}, 422)):
            assert (await post(client, f"participants/{path}/leave", body)).status_code == status, body
        named = await post(client, "participants/P-1/leave", LEAVE | {"conditions": ["c7"]})
        assert named.status_code == 201
        newest = (await client.get("/v1/orders")).json()["orders"][-1]
    assert [("leave" in each) for each in newest["conditions"]] == [False, True]
