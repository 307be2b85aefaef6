"""Which members of a group are alive: each holds a lock on a file of its own in the journal's folder.

The kernel drops the lock with the process, however it dies, so that neither heartbeats nor clocks are
needed and a restarted emon gets its partitions back at once. A stopped process keeps its partitions.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path


class MemberLock:
    """Held while the member is in its group."""

    def __init__(self, folder: Path, member: str) -> None:
        self._path = _path(folder, member)
        self._path.parent.mkdir(exist_ok=True)
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def release(self) -> None:
        """The member has left."""
        if self._handle >= 0:
            self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = -1


def dead(folder: Path, members: Iterable[str]) -> list[str]:
    """Those whose process is gone. Their lock files are deleted."""
    return [member for member in members if _is_dead(_path(folder, member))]


def _is_dead(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        path.unlink(missing_ok=True)
        return True
    finally:
        os.close(handle)


def _path(folder: Path, member: str) -> Path:
    return folder / "members" / f"{member}.lock"
