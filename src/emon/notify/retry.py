"""What happens to a message after a failed attempt. Pure.

A passing failure waits longer each time; after some the person's next method is tried, if there is another
one of theirs. The last of them is tried for a day before the folder or the console get it: a mail server
that is down overnight must not turn an officer's mail into a file. A permanent failure goes on at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emon.limits import SEND_GIVE_UP, SEND_RETRY_FIRST, SEND_RETRY_MOST, SEND_TRIES_A_METHOD
from emon.notify.plan import CONSOLE, FOLDER, Method


@dataclass(frozen=True, slots=True)
class Next:
    """Where to go on: index of the method, and not before when."""

    method: int
    next_at: int
    method_attempts: int


def after_failure(methods: Sequence[Method], method: int, tries: int, created_at: int, now: int, *,
                  permanent: bool) -> Next:
    """`tries`: attempts by this method so far, the failed one included. Instants: the pipeline's clock."""
    another = methods[method + 1][0] not in (FOLDER, CONSOLE)
    spent = tries >= SEND_TRIES_A_METHOD if another else now - created_at >= SEND_GIVE_UP
    if permanent or spent:
        return Next(method + 1, now, 0)
    return Next(method, now + min(SEND_RETRY_MOST, SEND_RETRY_FIRST << min(tries - 1, 20)), tries)
