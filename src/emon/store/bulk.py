"""Many rows at once by the driver's own bulk path: SQLAlchemy's costs more than the disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, LargeBinary

from emon.domain.errors import Unavailable


def append(connection: Connection, columns: Sequence[Column[Any]], rows: Iterable[Sequence[Any]]) -> None:
    """Appends rows, one value a column of one table. Raises Unavailable."""
    table, names = columns[0].table.description, ", ".join(column.name for column in columns)
    driver: Any = connection.connection.driver_connection
    try:
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" for _ in columns)
            driver.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
            return
        with driver.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types([_type_of(column) for column in columns])
            for row in rows:
                copy.write_row(row)
    except connection.dialect.loaded_dbapi.OperationalError as error:
        raise Unavailable(f"the store is away: {error}") from error


def _type_of(column: Column[Any]) -> str:
    if isinstance(column.type, BigInteger):
        return "int8"
    return "bytea" if isinstance(column.type, LargeBinary) else "text"
