"""Brings the real services that tests and the scale-out demo need: `setup_parts.py [kafka] [chromium]`.

Quick where everything is there. What cannot be brought ends with exit code 3 and a sentence that says what
to do: no test is ever skipped for want of a part.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from simulators.parts import PartMissing, cache_dir, chromium, java, kafka_jars


def say(line: str) -> None:
    """One line of progress."""
    print(f"Setting up: {line}", flush=True)


def bring_kafka() -> None:
    """Java and Kafka's jars."""
    java()
    kafka_jars(say)


def bring_chromium() -> None:
    """A browser that starts: an installed one; else by apt as root; else Playwright's own download."""
    attempts: list[tuple[str, Callable[[], None]]] = []
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        attempts.append(("Chromium from the system's packages", _apt))
    attempts.append(("Chromium from Playwright", _playwright))
    failures = []
    for name, attempt in attempts:
        if chromium() is not None:
            return
        say(f"{name} (once)")
        try:
            attempt()
            failures.append(f"{name}: it does not start")
        except subprocess.CalledProcessError as error:
            failures.append(f"{name}: {_telling(error)}")
    if chromium() is None:
        raise PartMissing(f"the browser tests need Chromium, and none starts ({'; '.join(failures)}): "
                          "install chromium or Google Chrome (as root, `playwright install-deps chromium` "
                          "brings the libraries), or name its program in EMON_TEST_BROWSER")


def _apt() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    try:
        _run(install, environment)
    except subprocess.CalledProcessError:  # package lists that are missing or old
        _run(["apt-get", "update", "-qq"], environment)
        _run(install, environment)


def _playwright() -> None:
    environment = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(cache_dir() / "browsers")}
    _run([sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"], environment)


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True)


def _telling(error: subprocess.CalledProcessError) -> str:
    """The line of a program's output that says what went wrong."""
    lines = [line.strip() for line in (error.stderr or error.stdout or "").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() or line.startswith("E:")]
    return (errors or lines or [f"exit code {error.returncode}"])[0]


PARTS = {"kafka": bring_kafka, "chromium": bring_chromium}


def main(names: Sequence[str]) -> int:
    """0: all there; 2: an unknown part; 3: one could not be brought."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"unknown part {unknown[0]!r}: choose from {', '.join(PARTS)}", file=sys.stderr)
        return 2
    failed = False
    for name in names or PARTS:
        try:
            PARTS[name]()
        except PartMissing as missing:
            print(f"{name}: {missing}", file=sys.stderr)
            failed = True
    return 3 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
