"""Our own outage: while ingest is down nobody's silence counts, and afterwards it counts from its end."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import httpx

from emon.domain import instant
from emon.domain.instant import MINUTE, SECOND
from simulators.world import FEEDS, Feed
from tests.simulation import afterwards
from tests.simulation.chain import Chain

SPEED = 60.0
FEED = next(feed for feed in FEEDS if feed.adapter == "native")
EVERY_S, HOLD_S = 120, 60
START = instant.parse("2026-11-22T02:00:00Z")


@dataclass(frozen=True)
class OneParticipant:
    """Somebody who has to be heard every two minutes, with one bracelet."""

    start_us: int = START
    feeds: tuple[Feed, ...] = (FEED,)

    def write(self, folder: Path) -> None:
        """One order."""
        (folder / "orders").mkdir(parents=True)
        since = instant.iso(START - MINUTE)
        (folder / "orders" / "order.json").write_text(json.dumps({
            "order": "O-1", "version": 1, "participant": "P-1", "time_zone": "America/Chicago",
            "effective_from": since, "devices": [{"device": "D-1", "from": since, "feed": FEED.id}],
            "conditions": [{"id": "c1", "kind": "contact", "every_s": EVERY_S, "hold_s": HOLD_S}]}))


async def test_while_we_are_down_nobody_is_silent(tmp_path: Path) -> None:
    """Ingest is away for five minutes of the pipeline's clock, the evaluator is not. Later the device is."""
    chain = Chain(tmp_path, OneParticipant(), SPEED)
    await chain.prepare(start_up_s=6)
    try:
        ingest = chain.start("ingest", "run", "ingest", port=chain.port)
        chain.start("route", "run", "route", "evaluate", "alerts", "notify")
        await chain.answering()
        await chain.clock.sleep(max(0.0, (START - chain.clock.now_us()) / SECOND))
        for _ in range(3):
            await speak(chain)
            await chain.clock.sleep(40)
        before = chain.clock.now_us()
        ingest.kill()
        await chain.clock.sleep(5 * 60)
        ingest.start()
        await chain.answering()
        back = chain.clock.now_us()
        last = await speak(chain)
        await chain.clock.sleep(EVERY_S + HOLD_S + 60)
        until = await afterwards.settled(chain)
        chain.end()
    finally:
        chain.kill()
    found = await afterwards.left(chain, until)
    afterwards.assert_one_order(found)
    (outage,) = found.outages()
    assert before - 2 * SECOND < outage.from_ < before + 2 * SECOND
    assert before + 5 * MINUTE < outage.to <= back + 2 * SECOND
    silences = [one for one in found.revisions() if one.kind == "contact_lost" and one.onset > before]
    assert [(one.onset, one.revision) for one in silences] == [(last + EVERY_S * SECOND, 1)]
    afterwards.assert_our_outages_accuse_nobody(found)
    afterwards.assert_live_equals_batch(chain.folder, found)


async def speak(chain: Chain) -> int:
    """The bracelet is heard; when that was observed."""
    observed_at = chain.clock.now_us() // SECOND * SECOND
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.post(
            f"{chain.url}/v1/feeds/{FEED.id}",
            headers={"authorization": f"Bearer {chain.keys[FEED.id]}"},
            json={"v": 1, "device": "D-1", "kind": "status", "event": "heartbeat",
                  "observed_at": instant.iso(observed_at)})
    assert answer.status_code == 202, answer.text
    return observed_at
