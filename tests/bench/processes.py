"""emon's own processes, as a user starts them, and what they cost: processor time and memory.

Neither outlives the bench, however it ends. Reads `/proc`: the bench measures on Linux.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from simulators.parts import Lifeline

READY_S: Final = 90.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class NotReady(Exception):
    """A process did not come up, or ended by itself; the message has the end of its log."""


class Process:
    """One running process. `cpu_s` and `rss` are read from the kernel."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        inherited = _inherited()
        self._log = log
        self._arguments, self._environment = list(arguments), {**inherited, **environment}
        self.start()

    def start(self) -> None:
        """Again, after `kill`."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._arguments], env=self._environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True)
        self._lifeline = Lifeline(self._process.pid, "KILL")

    def cpu_s(self) -> float:
        """Seconds of processor time so far, of all its threads."""
        return sum(_stat(self._process.pid)[1:3]) / _TICKS

    def rss(self) -> int:
        """Bytes of memory held now."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE

    def check(self) -> None:
        """Raises NotReady where it has ended."""
        if self._process.poll() is not None:
            raise NotReady(f"{' '.join(self._arguments)} ended: {self._said()}")

    def await_answer(self, url: str) -> None:
        """Returns when `url` answers 200. Raises NotReady."""
        limit = time.monotonic() + READY_S
        while time.monotonic() < limit:
            self.check()
            try:
                if httpx.get(url, timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise NotReady(f"{url} did not answer in {READY_S:g} s: {self._said()}")

    def kill(self) -> None:
        """Ends it as a power cut would."""
        self._process.kill()
        self._process.wait()
        self._lifeline.cut()

    def stop(self) -> None:
        """Ends it in an orderly way, by force after ten seconds."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._lifeline.cut()

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-1500:]


@contextmanager
def running(log: Path, environment: Mapping[str, str], *arguments: str) -> Iterator[Process]:
    """`python -m ARGUMENTS` for as long as the block lasts."""
    process = Process(arguments, environment, log)
    try:
        yield process
    finally:
        process.stop()


def emon(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command of emon prints. Raises NotReady where it fails."""
    done = subprocess.run([sys.executable, "-m", "emon", *arguments], env={**_inherited(), **environment}, text=True,
                          check=False, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise NotReady(f"emon {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout.strip()


def _inherited() -> dict[str, str]:
    """Without what would make emon another one, and with compiled modules kept, as a user has it."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith("EMON_") and name != "PYTHONDONTWRITEBYTECODE"}


def wait_for(done: Callable[[], bool], processes: Iterable[Process], timeout_s: float, what: str,
             every_s: float = 0.1) -> None:
    """Returns when `done` says so. Raises NotReady where a process ends or the time is over."""
    limit = time.monotonic() + timeout_s
    while not done():
        for process in processes:
            process.check()
        if time.monotonic() > limit:
            raise NotReady(f"{what} took longer than {timeout_s:g} s")
        time.sleep(every_s)


def family_cpu_s(pid: int) -> float:
    """Seconds of processor time so far, of a process and its children, those that have ended included."""
    total = sum(_stat(pid)[1:])
    for other in Path("/proc").iterdir():
        if other.name.isdigit():
            with contextlib.suppress(OSError):  # ended meanwhile
                parent, *ticks = _stat(int(other.name))
                total += sum(ticks) if parent == pid else 0
    return total / _TICKS


def _stat(pid: int) -> tuple[int, int, int, int, int]:
    """Parent, and processor time in ticks: user and system, of its own and of children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return int(fields[1]), int(fields[11]), int(fields[12]), int(fields[13]), int(fields[14])


def status(url: str) -> dict[str, Any]:
    """/v1/status; empty while it does not answer."""
    try:
        answer = httpx.get(f"{url}/v1/status", timeout=5)
    except httpx.TransportError:
        return {}
    found: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
    return found
