"""The drivers under test: the contract is the same for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.contract.journal import drivers


@pytest.fixture(params=["memory", "sqlite", "kafka"])
async def driver(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[drivers.Driver]:
    async with AsyncExitStack() as stack:
        match request.param:
            case "memory":
                make = drivers.memory()
            case "sqlite":
                make = drivers.sqlite(tmp_path / "journal")
            case _:
                make = drivers.kafka(request.getfixturevalue("kafka").bootstrap)
        yield drivers.Driver(request.param, make, stack)
