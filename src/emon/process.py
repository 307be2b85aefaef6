"""How the interpreter and the C library are set for a process that serves for months.

Threads that wait for Python's interpreter lock are given it after SWITCH_S: a bulk step of one role must not
hold up the short turns of all others, of which an answer needs a dozen one after the other. One arena for all
threads: each of their own keeps what it once needed, and that is a tenth of the whole process.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from typing import Final

from emon.limits import SWITCH_S

_ARENA_MAX: Final = -8  # M_ARENA_MAX of glibc's malloc.h


def prepare() -> None:
    """Call before any thread is started. Where the C library is another one, its ways are left alone."""
    sys.setswitchinterval(SWITCH_S)
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
