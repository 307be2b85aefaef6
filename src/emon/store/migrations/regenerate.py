"""Writes revision 0001 from the schema: until the first release the tables have one revision.

Run as `python -m emon.store.migrations.regenerate` after a change of `store.schema`. After a release a new
revision is added instead, and this file goes.
"""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from emon.store.schema import metadata

TARGET = Path(__file__).parent / "versions" / "r0001_first.py"
_HEAD = '''# ruff: noqa: E501
"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
'''


def render() -> str:
    """The revision's text. Types are the same for both databases, so an empty SQLite serves as the base."""
    with create_engine("sqlite://").connect() as connection:
        script = produce_migrations(MigrationContext.configure(connection), metadata)
    assert script.upgrade_ops is not None
    body = render_python_code(script.upgrade_ops)
    return _HEAD + "\n".join("    " + line.strip(" ") if not line.startswith("    ") else line
                             for line in body.splitlines()
                             if not line.strip().startswith("#")) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
