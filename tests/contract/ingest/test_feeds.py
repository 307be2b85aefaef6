"""POST /v1/feeds/{feed}: what vendors hold on to."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine

from emon.domain.instant import DAY, SECOND
from emon.ingest import keys, signature, ticks
from emon.journal.memory import MemoryJournal
from emon.limits import MAX_BODY_BYTES
from tests.contract.ingest.conftest import NOW, Site, fix, serving, site_of


def ndjson(*readings: dict[str, Any]) -> bytes:
    return b"\n".join(json.dumps(r).encode() for r in readings) + b"\n"


async def send(client: httpx.AsyncClient, site: Site, *readings: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post("/v1/feeds/acme", content=ndjson(*readings),
                               headers=site.bearer() | {"content-type": "application/x-ndjson"})
    assert answer.status_code == 202, answer.text
    result: dict[str, Any] = answer.json()
    return result


async def test_good_readings_of_a_bad_batch_count_and_the_bad_ones_are_kept(site: Site) -> None:
    async with serving(site.journal, site.engine, site.clock) as client:
        body = ndjson(fix("A", 9), fix("A", 8, accuracy_m=-1)) + b"{oops\n" + ndjson(fix("B", 7))
        answer = await client.post("/v1/feeds/acme", content=body, headers=site.bearer())
        assert answer.status_code == 202
        counts = answer.json()
    assert (counts["accepted"], counts["duplicates"]) == (2, 0)
    assert [(r["index"], r["reason"]) for r in counts["rejected"]] == [
        (1, "negative_accuracy"), (2, "not_json")]
    raw = await site.raw()
    assert sorted(r.reading.device for r in raw) == ["A", "B"]
    assert json.loads(raw[0].raw) == fix(raw[0].reading.device, 9 if raw[0].reading.device == "A" else 7)
    assert all(r.reading.feed == "acme" and r.reading.received_at == r.received_at >= NOW for r in raw)
    assert [r.raw for r in await site.rejected()] == [json.dumps(fix("A", 8, accuracy_m=-1)), "{oops"]


async def test_the_last_reading_of_a_body_is_marked_in_each_partition(small_site: Site) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        await send(client, site, *[fix(f"D{n}", 60 - n) for n in range(20)])
    raw = await site.raw()
    assert len({r.batch for r in raw}) == 1 and sum(r.last for r in raw) == 2


async def test_resent_readings_are_duplicates_and_conflicts_are_not(site: Site) -> None:
    async with serving(site.journal, site.engine, site.clock) as client:
        first = await send(client, site, fix("A", 9, 1), fix("A", 8, 2), fix("A", 8, 2))
        assert (first["accepted"], first["duplicates"]) == (2, 1)
        again = await send(client, site, fix("A", 9, 77, sent_at="2026-01-01T00:00:00Z"), fix("A", 8, 2))
        assert (again["accepted"], again["duplicates"]) == (0, 2), "seq and sent_at are no content"
        other = await send(client, site, fix("A", 9, 1, lat=43.08))
        assert (other["accepted"], other["duplicates"]) == (1, 0), "same identity, other content: a conflict"
    assert len(await site.raw()) == 3


async def test_duplicates_are_told_after_a_restart(site: Site) -> None:
    async with serving(site.journal, site.engine, site.clock) as client:
        await send(client, site, fix("A", 9, 1))
    async with serving(site.journal, site.engine, site.clock) as client:
        again = await send(client, site, fix("A", 9, 1), fix("A", 5, 2))
        assert (again["accepted"], again["duplicates"]) == (1, 1)


async def test_another_process_knows_what_this_one_took_in(small_site: Site) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as one, \
            serving(site.journal, site.engine, site.clock) as two:
        await send(one, site, fix("A", 9, 1))
        for _ in range(300):
            await asyncio.sleep(0.1)
            seen = await two.get("/v1/feeds/acme/received?device=A", headers=site.bearer())
            if seen.json()["count"]:
                break
        again = await send(two, site, fix("A", 9, 1))
    assert (again["accepted"], again["duplicates"]) == (0, 1)


async def test_processes_that_take_turns_know_what_each_other_took_in(small_site: Site) -> None:
    """What a process wrote itself it passes over in the log; what stands before, between and behind it not."""
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as one, \
            serving(site.journal, site.engine, site.clock) as two:
        for number in range(12):
            await send((one, two)[number % 3 > 0], site, fix("A", 60 - number, number))
            await asyncio.sleep(0.1)
        for client in (one, two):
            for _ in range(300):
                seen = await client.get("/v1/feeds/acme/received?device=A", headers=site.bearer())
                if seen.json()["count"] >= 12:
                    break
                await asyncio.sleep(0.1)
            again = await send(client, site, *(fix("A", 60 - number, number) for number in range(12)))
            assert (again["accepted"], again["duplicates"]) == (0, 12)


async def test_after_a_day_a_resend_is_taken_again(small_site: Site) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        await send(client, site, fix("A", 9, 1))
        site.clock.ahead_us = DAY - 60 * SECOND
        assert (await send(client, site, fix("A", 9, 1)))["duplicates"] == 1
        site.clock.ahead_us = DAY + 60 * SECOND
        assert (await send(client, site, fix("A", 9, 1)))["accepted"] == 1


async def test_a_device_belongs_to_the_feed_that_sent_it_first(site: Site) -> None:
    other = keys.create(site.engine, "other", "native", now=NOW)
    async with serving(site.journal, site.engine, site.clock) as client:
        await send(client, site, fix("A", 9))
        answer = await client.post("/v1/feeds/other", content=ndjson(fix("A", 8), fix("B", 8)),
                                   headers={"authorization": f"Bearer {other.key}"})
        counts = answer.json()
        assert counts["accepted"] == 1
        assert [(r["index"], r["reason"]) for r in counts["rejected"]] == [(0, "device_of_another_feed")]
    assert [r.reason for r in await site.rejected()] == ["device_of_another_feed"]


async def test_a_clock_a_day_ahead_is_taken_and_one_further_is_rejected(small_site: Site) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        counts = await send(client, site, fix("A", -86_000), fix("A", -90_000))
    assert counts["accepted"] == 1
    assert [(r["index"], r["reason"]) for r in counts["rejected"]] == [(1, "observed_ahead")]


# --- who asks ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic YTpi", "Bearer emon_0_0"])
async def test_without_a_key_nobody_gets_in(small_site: Site, authorization: str) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        headers = {"authorization": authorization} if authorization else {}
        answer = await client.post("/v1/feeds/acme", content=ndjson(fix("A", 1)), headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"].startswith("Bearer")
        assert (await client.get("/v1/feeds/acme/received?device=A", headers=headers)).status_code == 401
    assert not await site.raw()


async def test_a_key_opens_its_own_feed_alone(small_site: Site) -> None:
    site = small_site
    other = keys.create(site.engine, "other", "native", now=NOW)
    async with serving(site.journal, site.engine, site.clock) as client:
        answer = await client.post("/v1/feeds/acme", content=ndjson(fix("A", 1)),
                                   headers={"authorization": f"Bearer {other.key}"})
        assert answer.status_code == 403


async def test_a_revoked_key_opens_nothing(site: Site) -> None:
    keys.revoke(site.engine, site.key_id, now=NOW)
    async with serving(site.journal, site.engine, site.clock) as client:
        answer = await client.post("/v1/feeds/acme", content=ndjson(fix("A", 1)), headers=site.bearer())
        assert answer.status_code == 401


async def test_a_signed_body_is_taken_and_a_changed_or_stale_one_is_not(small_site: Site) -> None:
    site = small_site
    body = ndjson(fix("A", 1))
    stamp = site.clock.now_us() // SECOND

    def signed(at: int, of: bytes) -> dict[str, str]:
        return {"x-emon-key": site.key_id, "x-emon-timestamp": str(at),
                "x-emon-signature": signature.sign(site.signing_secret, at, of)}

    async with serving(site.journal, site.engine, site.clock) as client:
        good = await client.post("/v1/feeds/acme", content=body, headers=signed(stamp, body))
        assert good.status_code == 202 and good.json()["accepted"] == 1
        changed = await client.post("/v1/feeds/acme", content=body + b" ", headers=signed(stamp, body))
        assert changed.status_code == 401
        for at in (stamp - 301, stamp + 302):
            stale = await client.post("/v1/feeds/acme", content=body, headers=signed(at, body))
            assert stale.status_code == 401
        for header in ("x-emon-key", "x-emon-timestamp"):
            spoilt = signed(stamp, body) | {header: "nonsense"}
            assert (await client.post("/v1/feeds/acme", content=body, headers=spoilt)).status_code == 401
        packed = gzip.compress(ndjson(fix("A", 2)))
        answer = await client.post("/v1/feeds/acme", content=packed,
                                   headers=signed(stamp, packed) | {"content-encoding": "gzip"})
        assert answer.json()["accepted"] == 1
        asked = await client.get("/v1/feeds/acme/received?device=A", headers=signed(stamp, b""))
        assert asked.json()["count"] == 2


async def test_a_sandbox_key_is_answered_and_leaves_no_trace(site: Site) -> None:
    sandbox = keys.create(site.engine, "acme", None, sandbox=True, now=NOW)
    async with serving(site.journal, site.engine, site.clock) as client:
        headers = {"authorization": f"Bearer {sandbox.key}"}
        body = ndjson(fix("A", 9), fix("A", 9))
        answer = await client.post("/v1/feeds/acme", content=body, headers=headers)
        assert answer.json() == {"accepted": 1, "duplicates": 1, "rejected": [], "sandbox": True}
        assert (await send(client, site, fix("A", 9)))["accepted"] == 1
    assert len(await site.raw()) == 1


# --- bounds ------------------------------------------------------------------------------------------------

async def test_bodies_over_the_bound_are_refused_packed_or_not(small_site: Site) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        big = b" " * (MAX_BODY_BYTES + 1)

        async def chunks() -> Any:
            for start in range(0, len(big), 1 << 20):
                yield big[start:start + (1 << 20)]

        for content, more in ((big, {}), (chunks(), {}), (gzip.compress(big), {"content-encoding": "gzip"})):
            answer = await client.post("/v1/feeds/acme", content=content, headers=site.bearer() | more)
            assert answer.status_code == 413, more


@pytest.mark.parametrize(("headers", "status"), [
    ({"content-type": "text/html"}, 415), ({"content-type": "image/png"}, 415),
    ({"content-type": "text/csv"}, 415), ({"content-encoding": "br"}, 415),
    ({"content-encoding": "gzip"}, 400), ({"content-type": "application/json; charset=utf-8"}, 202),
    ({"content-type": "application/jsonl"}, 202), ({"content-type": "text/plain"}, 202)])
async def test_kinds_of_bodies(small_site: Site, headers: dict[str, str], status: int) -> None:
    site = small_site
    async with serving(site.journal, site.engine, site.clock) as client:
        answer = await client.post("/v1/feeds/acme", content=ndjson(fix("A", 1)),
                                   headers=site.bearer() | headers)
        assert answer.status_code == status, answer.text


async def test_gzip_in_several_members_is_read_and_a_truncated_one_refused(small_site: Site) -> None:
    site = small_site
    headers = site.bearer() | {"content-encoding": "gzip"}
    packed = gzip.compress(ndjson(fix("A", 1))) + gzip.compress(ndjson(fix("A", 2)))
    async with serving(site.journal, site.engine, site.clock) as client:
        answer = await client.post("/v1/feeds/acme", content=packed, headers=headers)
        assert answer.json()["accepted"] == 2
        assert (await client.post("/v1/feeds/acme", content=packed[:-9], headers=headers)).status_code == 400


async def test_a_feed_that_sends_too_much_waits_and_others_do_not(small_site: Site) -> None:
    site = small_site
    other = keys.create(site.engine, "other", "native", now=NOW)
    async with serving(site.journal, site.engine, site.clock, readings_per_s=1) as client:
        await send(client, site, *[fix("A", n) for n in range(25)])
        answer = await client.post("/v1/feeds/acme", content=ndjson(fix("A", 99)), headers=site.bearer())
        assert answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1
        free = await client.post("/v1/feeds/other", content=ndjson(fix("B", 1)),
                                 headers={"authorization": f"Bearer {other.key}"})
        assert free.status_code == 202
        site.clock.ahead_us = 60 * SECOND
        await send(client, site, fix("A", 99))


async def test_owntracks_reads_an_array(small_site: Site) -> None:
    site = small_site
    phone = keys.create(site.engine, "phones", "owntracks", now=NOW)
    message = {"_type": "location", "tst": NOW // SECOND - 5, "lat": 43.0, "lon": -89.0, "acc": 12,
               "topic": "owntracks/user/phone", "tid": "AB"}
    async with serving(site.journal, site.engine, site.clock) as client:
        answer = await client.post("/v1/feeds/phones", json=message,
                                   headers={"authorization": f"Bearer {phone.key}"})
        assert (answer.status_code, answer.json()) == (202, [])
    assert len(await site.raw()) == 1


# --- the journal is away -----------------------------------------------------------------------------------

@pytest.mark.parametrize("fault", ["fail_next_append", "lose_next_ack"])
async def test_a_journal_that_is_away_costs_a_retry_and_nothing_else(sqlite_engine: Engine,
                                                                     fault: str) -> None:
    journal = MemoryJournal(partitions=2)
    site = site_of(journal, sqlite_engine)
    async with serving(journal, site.engine, site.clock) as client:
        getattr(journal, fault)()
        body = ndjson(fix("A", 9), fix("B", 8))
        answer = await client.post("/v1/feeds/acme", content=body, headers=site.bearer())
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
        again = await send(client, site, fix("A", 9), fix("B", 8))
        assert (again["accepted"], again["duplicates"]) == (2, 0)
        assert (await send(client, site, fix("A", 9), fix("B", 8)))["duplicates"] == 2
    devices = sorted(r.reading.device for r in await site.raw())
    assert devices == (["A", "B"] if fault == "fail_next_append" else ["A", "A", "B", "B"])


async def test_bodies_of_many_clients_share_appends(sqlite_engine: Engine) -> None:
    journal = MemoryJournal(partitions=2)
    appends = 0
    append = journal.append

    async def slow(entries: Any) -> Any:
        nonlocal appends
        appends += 1
        await asyncio.sleep(0.05)
        return await append(entries)

    journal.append = slow  # type: ignore[method-assign]
    site = site_of(journal, sqlite_engine)
    async with serving(journal, site.engine, site.clock) as client:
        counts = await asyncio.gather(*(send(client, site, fix(f"D{n}", 9)) for n in range(60)))
    assert sum(c["accepted"] for c in counts) == 60
    assert appends < 20


async def test_a_process_that_finds_no_journal_answers_503_until_there_is_one(
        sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emon.ingest.seen.RETRY_AFTER_S", 0.2)
    journal = MemoryJournal(partitions=2)
    site = site_of(journal, sqlite_engine)
    await journal.append(ticks.tick_entries([NOW], 2))  # there is something that it must read first
    journal.away = True
    async with serving(journal, site.engine, site.clock) as client:
        answer = await client.post("/v1/feeds/acme", content=ndjson(fix("A", 9)), headers=site.bearer())
        assert answer.status_code == 503
        assert (await client.get("/v1/feeds/acme/received?device=A", headers=site.bearer())).status_code == 503
        journal.away = False
        await asyncio.sleep(0.7)
        assert (await send(client, site, fix("A", 9)))["accepted"] == 1
