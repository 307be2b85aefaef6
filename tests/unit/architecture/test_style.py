"""Style, types and layers are tests: what they forbid cannot land."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "src" / "emon"

STAGES = ("ingest", "route", "evaluate", "alerts", "notify", "console")
MAY_WIRE = {"cli.py", "serve.py"}

SHELL_SIGNS = re.compile(
    r"^\s*async def |^\s*(import|from) (asyncio|logging|structlog|random|secrets|httpx|aiokafka|sqlalchemy)\b"
    r"|\btime\.(time|monotonic)|datetime\.now|\bos\.environ|\bopen_engine\(",
    re.MULTILINE,
)
SHELL = {
    "cli.py", "serve.py", "process.py", "demo.py", "recording.py", "clock.py", "config.py", "telemetry.py",
    "journal/port.py",  # names the drivers' coroutines, does nothing
    # ingest's doors and what they hold open; route's way back after a restart
    "ingest/documents.py", "ingest/front.py", "ingest/intake.py", "ingest/keys.py", "ingest/orders.py",
    "ingest/seen.py", "ingest/ticks.py", "route/restore.py",
}
SHELL_FOLDERS = ("store/", "console/", "notify/channels/", "journal/kafka", "journal/sqlite")
SHELL_NAMES = {"worker.py", "endpoint.py", "sqlite.py", "kafka.py", "memory.py", "open.py"}


def run(*command: str) -> str:
    """Output of a tool that must succeed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_ruff_finds_nothing() -> None:
    run(sys.executable, "-m", "ruff", "check", ".")


def test_types_are_strict() -> None:
    run(sys.executable, "-m", "mypy")


def sources() -> list[Path]:
    return sorted(p for p in SOURCE.rglob("*.py") if "ui" not in p.relative_to(SOURCE).parts)


def test_stages_never_import_each_other() -> None:
    faults = []
    for path in sources():
        name = path.relative_to(SOURCE)
        stage = name.parts[0]
        if stage not in STAGES:
            continue
        for other in STAGES:
            if other != stage and re.search(rf"^\s*(from|import) emon\.{other}\b", path.read_text(), re.MULTILINE):
                faults.append(f"{name} imports emon.{other}")
    assert not faults, "\n".join(faults)


def test_domain_imports_nothing_of_emon() -> None:
    for path in (SOURCE / "domain").rglob("*.py"):
        for line in path.read_text().splitlines():
            match = re.match(r"\s*(?:from|import) (emon[.\w]*)", line)
            assert not match or match[1].startswith("emon.domain"), f"{path.name}: {line.strip()}"


def test_drivers_know_only_their_own_port() -> None:
    for path in (SOURCE / "journal").glob("*.py"):
        for line in path.read_text().splitlines():
            match = re.match(r"\s*(?:from|import) (emon[.\w]*)", line)
            allowed = ("emon.journal", "emon.domain", "emon.limits", "emon.config", "emon.clock")
            assert not match or match[1].startswith(allowed), f"journal/{path.name}: {line.strip()}"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_core_has_no_clock_io_or_randomness(path: Path) -> None:
    """A file is shell by its name or place; every other file is core: values in, values out."""
    name = path.relative_to(SOURCE).as_posix()
    if name in SHELL or path.name in SHELL_NAMES or name.startswith(SHELL_FOLDERS):
        return
    found = SHELL_SIGNS.search(path.read_text())
    assert not found, f"{name} is core but has {found[0].strip()!r}: move it to the stage's worker"


def test_only_the_clock_asks_the_time() -> None:
    asks = re.compile(r"\btime\.(time|time_ns|monotonic|monotonic_ns|perf_counter)\(|datetime\.now\(|\.utcnow\(")
    faults = [str(p.relative_to(SOURCE)) for p in sources() if p.name != "clock.py" and asks.search(p.read_text())]
    assert not faults, f"ask clock.py instead: {faults}"


def test_every_setting_and_metric_is_documented() -> None:
    from emon import metrics
    from emon.config import Settings

    readme = (ROOT / "README.md").read_text() + (ROOT / "deploy" / "settings.md").read_text()
    for name, field in Settings.model_fields.items():
        assert field.description and field.description.endswith("."), name
        assert f"EMON_{name.upper()}" in readme, f"EMON_{name.upper()} is in no document"
    for name, metric in vars(metrics).items():
        if name.isupper() and not name.startswith("_"):
            assert ". " in metric._documentation, f"{name}: say what to do about it"


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of a machine and no registry's address in any tracked file."""
    tracked = run("git", "ls-files", "-z").split("\0")
    bad = re.compile(r"(?<![\w.])/(home|root|work)/\w|\"resolved\": *\"http|--(extra-)?index-url|registry *= *\"http")
    faults = []
    for name in filter(None, tracked):
        path = ROOT / name
        if path == Path(__file__) or not path.exists() or path.suffix in {".png", ".svg", ".bin"}:
            continue
        found = bad.search(path.read_text(encoding="utf-8", errors="replace"))
        if found:
            faults.append(f"{name}: {found[0]}")
    assert not faults, "\n".join(faults)
