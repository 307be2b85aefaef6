"""Answers given to commands, so that a command sent again is answered and not carried out again."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, delete, select

from emon.store import schema
from emon.store.upsert import insert_new

_command = schema.command


class Answer(NamedTuple):
    """What was asked under a key (its hash), and what it came to."""

    request: str
    response: str


def given(connection: Connection, key: str) -> Answer | None:
    """The answer to this key, if it has one."""
    row = connection.execute(select(_command.c.request, _command.c.response).where(
        _command.c.idempotency_key == key)).one_or_none()
    return None if row is None else Answer(row.request, row.response)


def keep(connection: Connection, key: str, answer: Answer, alert_id: int, now: int) -> None:
    """Remembers the answer."""
    insert_new(connection, _command, [{"idempotency_key": key, "request": answer.request, "recorded_at": now,
                                       "alert_id": alert_id, "response": answer.response}])


def forget(connection: Connection, before: int) -> None:
    """Drops answers older than that."""
    connection.execute(delete(_command).where(_command.c.recorded_at < before))
