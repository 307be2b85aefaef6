"""kill -9 of real processes at instants that a seed chooses: nothing is lost, doubled or found differently."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from simulators import world as worlds
from simulators.parts import Kafka, free_port
from tests.conftest import MailServer
from tests.simulation import afterwards
from tests.simulation.chain import STOP_S, Chain, Mortal, kills, seed_of_this_run

PARTICIPANTS = 48
SPEED, SCALED_OUT_SPEED = 120.0, 90.0


def mail_settings(server: MailServer) -> dict[str, str]:
    return {"EMON_SMTP_HOST": server.host, "EMON_SMTP_PORT": str(server.port), "EMON_SMTP_STARTTLS": "false"}


async def test_the_embedded_pipeline_killed_again_and_again(tmp_path: Path, smtp_server: MailServer) -> None:
    """`emon up`, five times kill -9 while devices speak."""
    await embedded(tmp_path, smtp_server, seed_of_this_run(), 5)


PROCESSES = {
    "ingest": ("run", "ingest", "route"),
    "evaluate-1": ("run", "evaluate"),
    "evaluate-2": ("run", "evaluate"),
    "alerts": ("run", "alerts", "notify"),
    "console": ("run", "console"),
}


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
async def test_the_embedded_pipeline_killed_again_and_again_soak(
    tmp_path: Path, smtp_server: MailServer, seed: int
) -> None:
    """The same with other seeds and twice as many kills."""
    await embedded(tmp_path, smtp_server, seed, 10)


async def embedded(folder: Path, smtp_server: MailServer, seed: int, number: int) -> None:
    """`number` kills under way; then everything that must be true."""
    print("seed", seed)
    chain = Chain(folder, worlds.build(seed, PARTICIPANTS), SPEED, mail_settings(smtp_server))
    await chain.prepare(start_up_s=2)
    try:
        process = chain.start("up", "up", port=chain.port)
        await chain.answering()
        await lived_through(chain, [process] * number, Random(seed), smtp_server)
    finally:
        chain.kill()


async def test_every_process_and_the_broker_killed(
    tmp_path: Path, postgres_url: str, smtp_server: MailServer
) -> None:
    """On Kafka and PostgreSQL: each process once in an order that the seed chooses, and the broker."""
    await scaled_out(tmp_path, postgres_url, smtp_server, seed_of_this_run(), 1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
async def test_every_process_and_the_broker_killed_soak(
    tmp_path: Path, postgres_url: str, smtp_server: MailServer, seed: int
) -> None:
    """The same with other seeds, twice over."""
    await scaled_out(tmp_path, postgres_url, smtp_server, seed, 2)


async def scaled_out(folder: Path, postgres_url: str, smtp_server: MailServer, seed: int, rounds: int) -> None:
    """Everything is killed `rounds` times."""
    print("seed", seed)
    random = Random(seed)
    broker = Kafka(folder / "kafka")
    chain = Chain(folder, worlds.build(seed, PARTICIPANTS), SCALED_OUT_SPEED, {
        **mail_settings(smtp_server), "EMON_JOURNAL": broker.url, "EMON_STORE": postgres_url})
    try:
        await asyncio.to_thread(broker.start)
        await chain.prepare(start_up_s=8)
        ports = {"ingest": chain.port, "console": free_port()}
        for name, arguments in PROCESSES.items():
            chain.start(name, *arguments, port=ports.get(name, 0))
        await chain.answering()
        targets: list[Mortal] = [*chain.roles.values(), broker] * rounds
        random.shuffle(targets)
        await lived_through(chain, targets, random, smtp_server)
    finally:
        chain.kill()
        broker.kill()


async def lived_through(chain: Chain, targets: Sequence[Mortal], random: Random, smtp_server: MailServer) -> None:
    """Devices speak while the targets are killed; then everything that must be true."""
    stop = asyncio.Event()
    async with chain.supervised():
        streaming = asyncio.create_task(chain.stream(stop))
        await kills(targets, random, alive_s=(1, 6), dead_s=(0, 0.5))
        await chain.answering()
        await asyncio.sleep(2)
        stop.set()
        progress = await streaming
        until = await afterwards.settled(chain)
    assert not progress.queued, progress
    assert progress.rejected == progress.refused == 0, progress.last_problem
    for name, role in chain.roles.items():
        assert "Traceback" not in role.said(), f"{name}: {role.said().partition('Traceback')[2][:3000]}"
    assert_ended_well(chain)
    await assert_sound(chain, until, progress.simulated_us, smtp_server)
    assert afterwards.twice(smtp_server.mails) <= len(targets)


def assert_ended_well(chain: Chain) -> None:
    """SIGTERM ends each process in good order and in time."""
    for name, (code, took_s) in chain.end().items():
        assert code == 0, (name, code)
        assert took_s < STOP_S, f"{name} took {took_s:.1f} s to stop"


async def assert_sound(chain: Chain, until: int, last_us: int, smtp_server: MailServer) -> None:
    """All that must hold whatever was killed."""
    assert isinstance(chain.world, worlds.World)
    found = await afterwards.left(chain, until)
    afterwards.assert_acknowledged_is_kept(chain.world, found, last_us)
    afterwards.assert_one_order(found)
    afterwards.assert_bound_once(chain.world, found)
    afterwards.assert_findings_are_sound(found)
    afterwards.assert_our_outages_accuse_nobody(found)
    assert len(found.revisions()) > 10
    afterwards.assert_alerts_follow(chain, found)
    afterwards.assert_everybody_was_told(chain, found, smtp_server.mails)
    afterwards.assert_live_equals_batch(chain.folder, found)
