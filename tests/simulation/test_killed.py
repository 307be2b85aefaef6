"""kill -9 of real processes at instants that a seed chooses: nothing is lost, doubled or found differently."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from simulators import world as worlds
from tests.conftest import MailServer
from tests.simulation import afterwards
from tests.simulation.chain import STOP_S, Chain, kills, seed_of_this_run

PARTICIPANTS = 48
SPEED = 120.0


def mail_settings(server: MailServer) -> dict[str, str]:
    return {"EMON_SMTP_HOST": server.host, "EMON_SMTP_PORT": str(server.port), "EMON_SMTP_STARTTLS": "false"}


async def test_the_embedded_pipeline_killed_again_and_again(tmp_path: Path, smtp_server: MailServer) -> None:
    """`emon up`, five times kill -9 while devices speak."""
    await embedded(tmp_path, smtp_server, seed_of_this_run(), 5)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(12))
async def test_the_embedded_pipeline_killed_again_and_again_soak(
    tmp_path: Path, smtp_server: MailServer, seed: int
) -> None:
    """The same with other seeds and twice as many kills."""
    await embedded(tmp_path, smtp_server, seed, 10)


async def embedded(folder: Path, smtp_server: MailServer, seed: int, number: int) -> None:
    print("seed", seed)  # noqa: T201 (shown where the test fails)
    random = Random(seed)
    chain = Chain(folder, worlds.build(seed, PARTICIPANTS), SPEED, mail_settings(smtp_server))
    await chain.prepare(start_up_s=2)
    try:
        chain.start("up", "up", port=chain.port)
        await chain.answering()
        stop = asyncio.Event()
        streaming = asyncio.create_task(chain.stream(stop))
        print(*await kills(chain, ["up"], random, number, alive_s=(1, 6), dead_s=(0, 0.5)), sep="\n")  # noqa: T201
        await chain.answering()
        await asyncio.sleep(2)
        stop.set()
        progress = await streaming
        assert not progress.queued, progress
        assert progress.rejected == progress.refused == 0, progress.last_problem
        until = await afterwards.settled(chain)
        said = chain.roles["up"].said()
        assert_ended_well(chain)
    finally:
        chain.kill()
    await assert_sound(chain, until, progress.simulated_us, smtp_server)
    assert afterwards.twice(smtp_server.mails) <= number
    assert "Traceback" not in said, said[said.index("Traceback") - 500 :][:3000]


def assert_ended_well(chain: Chain) -> None:
    """SIGTERM ends each process in good order and in time."""
    for name, (code, took_s) in chain.end().items():
        assert code == 0, (name, code)
        assert took_s < STOP_S, f"{name} took {took_s:.1f} s to stop"


async def assert_sound(chain: Chain, until: int, last_us: int, smtp_server: MailServer) -> None:
    """All that must hold whatever was killed."""
    found = await afterwards.left(chain, until)
    afterwards.assert_acknowledged_is_kept(chain.world, found, last_us)
    afterwards.assert_one_order(found)
    afterwards.assert_bound_once(chain.world, found)
    afterwards.assert_findings_are_sound(found)
    assert len(found.revisions()) > 10
    afterwards.assert_alerts_follow(chain, found)
    afterwards.assert_everybody_was_told(chain, found, smtp_server.mails)
    afterwards.assert_live_equals_batch(chain.folder, found)
