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
    """An installed browser; else by apt as root; else Playwright's own download."""
    attempts: list[tuple[str, Callable[[], None]]] = []
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        attempts.append(("Chromium from the system's packages", _apt))
    attempts.append(("Chromium from Playwright", _playwright))
    failures = []
    for name, attempt in attempts:
        if chromium() is not None:
            break
        say(f"{name} (once)")
        try:
            attempt()
        except subprocess.CalledProcessError as error:
            failures.append(f"{name}: {_last_words(error)}")
    found = chromium()
    if found is None:
        raise PartMissing(f"the browser tests need Chromium ({'; '.join(failures)}): install chromium or "
                          "Google Chrome, or name its program in EMON_TEST_BROWSER")
    _check_browser(found)


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


def _check_browser(program: Path) -> None:
    """It may be installed and yet lack a library."""
    try:
        _run([str(program), "--headless", "--no-sandbox", "--version"], dict(os.environ))
    except (OSError, subprocess.CalledProcessError) as error:
        raise PartMissing(f"{program} does not start ({_last_words(error)}): install what it lacks (as root "
                          "`playwright install-deps chromium`), or name another in "
                          "EMON_TEST_BROWSER") from error


def _run(command: Sequence[str], environment: dict[str, str]) -> None:
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True)


def _last_words(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = (error.stderr or error.stdout or "").strip().splitlines()
        return " / ".join(lines[-2:]) or f"exit code {error.returncode}"
    return str(error)


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
