"""Brings a store's tables up to this version: what `emon db upgrade` runs."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from emon.store.engine import writing

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Applies what is missing, in one transaction. Safe to call at any time. Raises Unavailable."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":  # two processes that start together take turns
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7263650)")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
