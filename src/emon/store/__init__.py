"""What is kept for people: documents' versions, findings, alerts, notifications, history.

SQLAlchemy Core, one implementation for SQLite (embedded) and PostgreSQL (scale-out).
"""

from __future__ import annotations

from emon.store.engine import open_engine, reading, writing
from emon.store.upgrade import upgrade

__all__ = ["open_engine", "reading", "upgrade", "writing"]
