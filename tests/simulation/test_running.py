"""The whole chain in real processes: embedded, scaled out on a real Kafka and PostgreSQL, and killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulators.parts import free_port


def demo(data: Path, *more: str) -> dict[str, Any]:
    """Runs `emon demo` for a while; its score."""
    done = subprocess.run(
        [sys.executable, "-m", "emon", "demo", "--data", str(data), "--port", str(free_port()), *more],
        capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "console: http://127.0.0.1:" in done.stderr
    score: dict[str, Any] = json.loads((data / "score.json").read_text())
    return score


def assert_sound(score: dict[str, Any]) -> None:
    """Every clear breach found, nothing false, and all of it recomputed from the recording."""
    assert score["recomputed_equal"] is True
    kinds = score["kinds"]
    assert sum(kind["found"] for kind in kinds.values()) > 10, kinds
    assert {name: kind for name, kind in kinds.items() if kind["missed"] or kind["false"]} == {}


def test_the_demo_finds_what_is_true_and_can_show_how(tmp_path: Path) -> None:
    assert_sound(demo(tmp_path / "demo", "--for", "45", "--speed", "120"))
    messages = list((tmp_path / "demo" / "outbox").glob("*.json"))
    assert messages, "officers were told"


@pytest.mark.timeout(900)
def test_the_same_job_on_kafka_and_postgresql_in_separate_processes(tmp_path_factory: pytest.TempPathFactory) -> None:
    from tests.conftest import open_folder

    with open_folder() as folder:
        assert_sound(demo(folder / "demo", "--scale-out", "--for", "60", "--speed", "90"))
