"""A world's readings without HTTP, in arrival order: for `emon evaluate` and for tests.

`received_at` is what ingest would have stamped: when the reading was sent, never going back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from emon.domain import instant
from simulators.world import World


def readings(world: World, until_us: int) -> Iterator[dict[str, Any]]:
    """Native readings received up to `until_us`, with `feed` and `received_at`, in order of arrival."""
    limit_s = (until_us - world.start_us) / 1e6
    arrived = 0
    for emission in world.source().until(limit_s):
        if emission.send_s > limit_s:
            continue
        received = max(0.0, emission.send_s)  # nothing is taken in before the start
        arrived = max(arrived, world.start_us + int(received) * instant.SECOND)
        yield {**emission.reading, "observed_at": instant.iso(emission.reading["observed_at"]),
               "feed": emission.feed, "received_at": instant.iso(arrived)}


def write(world: World, until_us: int, path: Path) -> int:
    """The readings as NDJSON; how many."""
    count = 0
    with path.open("wb") as file:
        for reading in readings(world, until_us):
            file.write(msgspec.json.encode(reading) + b"\n")
            count += 1
    return count
