"""Makes the stores' fixtures known here."""

from __future__ import annotations

from tests.contract.store.fixtures import empty_engine, engine, store_url

__all__ = ["empty_engine", "engine", "store_url"]
