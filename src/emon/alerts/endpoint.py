"""Where operators' commands come in: one transaction a command, compare-and-set, idempotent by key.

Who holds an alert is decided first, so that the loser of a race learns the winner's name; then the version
that the operator saw. A lease that is renewed is no event and makes no new version.
"""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256

import msgspec
from sqlalchemy import Engine

from emon.alerts import lifecycle
from emon.clock import Clock
from emon.domain.alert import AddNote, AlertState, Claim, Command, Done, Refusal, Work
from emon.limits import CLAIM_LEASE
from emon.store import answers, writing
from emon.store.alert_book import AlertBook
from emon.store.answers import Answer


class Commands:
    """Operators' commands on the store's alerts. Safe to call from several threads."""

    def __init__(self, engine: Engine, clock: Clock, wall: Clock) -> None:
        self._engine, self._clock, self._wall = engine, clock, wall

    def execute(self, alert_id: int, command: Command, *, key: str | None = None,
                expected: int | None = None) -> Done | Refusal:
        """Carries the command out. `key`: the caller's idempotency key; `expected`: the version it saw.

        Raises Unavailable.
        """
        # what the operator saw is no part of the question: a retry after a change is still a retry
        asked = msgspec.json.encode([alert_id, type(command).__name__, asdict(command)])
        request = sha256(asked).hexdigest()  # people's words are kept in the log only, where they can be erased
        with writing(self._engine) as connection:
            book = AlertBook(connection)
            state = book.get(alert_id)
            if state is None:
                return Refusal("unknown_alert", f"There is no alert {alert_id}.")
            if key is not None and (earlier := answers.given(connection, key)) is not None:
                return _again(earlier, request, state)
            answer = self._carry_out(book, state, command, expected)
            if isinstance(answer, Done) and key is not None:
                kept = Answer(request, "no_op" if answer.no_op else "done")
                answers.keep(connection, key, kept, alert_id, self._wall.now_us())
            return answer

    def _carry_out(self, book: AlertBook, state: AlertState, command: Command,
                   expected: int | None) -> Done | Refusal:
        wall = self._wall.now_us()
        events = lifecycle.decide(state, command, self._clock.now_us(), wall)
        if isinstance(events, Refusal) and events.code == "held_by_other":
            return events
        if _outdated(state, command, expected):
            return Refusal("stale_version", f"{state.last_actor} has changed it since: it is at version "
                           f"{state.version} now, not {expected}.", state)
        if isinstance(events, Refusal):
            return events
        after = book.record(state.alert_id, events) if events else state
        book.flush()
        if isinstance(command, Claim) and after.work_state is Work.CLAIMED and not events:
            after = book.renew(state.alert_id, wall + CLAIM_LEASE)
        return Done(after, no_op=bool(events) and events[-1].kind == "no_op")


def _outdated(state: AlertState, command: Command, expected: int | None) -> bool:
    """Whether the operator decided on something older. A closed alert takes late commands as no-ops, a note
    is right at any version, and whoever holds an alert may keep it."""
    if expected is None or expected == state.version or state.work_state is Work.CLOSED:
        return False
    renews = isinstance(command, Claim) and state.held_by == command.operator
    return not (renews or isinstance(command, AddNote))


def _again(earlier: Answer, request: str, state: AlertState) -> Done | Refusal:
    """The answer to a key that was used before."""
    if earlier.request != request:
        return Refusal("key_reused", "This Idempotency-Key has answered another command: use a new one.",
                       state)
    return Done(state, no_op=earlier.response == "no_op", replayed=True)
