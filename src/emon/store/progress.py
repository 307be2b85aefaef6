"""How far each stage is: for `/v1/status`, and for a stage that must not act before another has caught up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from emon.store import schema
from emon.store.upsert import put


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A stage's position in one partition. `last_tick`: received_at of the newest record worked through, by
    the pipeline's clock; `caught_up_at` and `updated_at`: the wall's."""

    stage: str
    partition: int
    position: int
    end: int
    last_tick: int | None = None
    caught_up_at: int | None = None
    updated_at: int


def report(connection: Connection, items: Sequence[Progress]) -> None:
    """Replaces what was known of these partitions."""
    put(connection, schema.progress, [
        {"stage": one.stage, "partition": one.partition, "position": one.position, "end": one.end,
         "last_tick": one.last_tick, "caught_up_at": one.caught_up_at, "updated_at": one.updated_at}
        for one in items])


def all_stages(connection: Connection) -> list[Progress]:
    """Every stage and partition known."""
    table = schema.progress
    rows = connection.execute(select(table).order_by(table.c.stage, table.c.partition))
    return [Progress(**row._mapping) for row in rows]
