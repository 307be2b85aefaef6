"""Writes that may come twice: the second one changes nothing, on either database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts the rows whose primary key is not there yet."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.execute(sqlite.insert(table).on_conflict_do_nothing(), rows)
    else:
        connection.execute(postgresql.insert(table).on_conflict_do_nothing(), rows)


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts rows, or replaces all their other columns where the primary key is there."""
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    others = [name for name in rows[0] if name not in keys]
    if connection.dialect.name == "sqlite":
        for_sqlite = sqlite.insert(table)
        connection.execute(for_sqlite.on_conflict_do_update(
            index_elements=keys, set_={name: for_sqlite.excluded[name] for name in others}), rows)
    else:
        statement = postgresql.insert(table)
        connection.execute(statement.on_conflict_do_update(
            index_elements=keys, set_={name: statement.excluded[name] for name in others}), rows)
