"""Keys: printed once, kept as a digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from emon.domain.errors import Fault
from emon.ingest import keys
from emon.store import ingest as store
from emon.store import open_engine, reading, upgrade


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'store.sqlite'}")
    upgrade(engine)
    return engine


def test_a_key_opens_and_is_not_kept(engine: Engine) -> None:
    made = keys.create(engine, "acme", "native", {"assume_method": "gnss"}, now=7)
    kept = store.find_key(engine, keys.id_of(made.key) or "")
    assert kept is not None and keys.opens(kept, made.key) and not keys.opens(kept, made.key[:-1] + "x")
    with reading(engine) as connection:
        row = str(connection.execute(text("select * from feed_key")).one())
    assert made.key not in row and made.key.split("_")[2] not in row
    assert store.find_feed(engine, "acme") == store.Feed("acme", "native", {"assume_method": "gnss"}, 7)


def test_a_revoked_key_opens_no_more_and_stays_listed(engine: Engine) -> None:
    made = keys.create(engine, "acme", "native", now=7)
    keys.revoke(engine, made.key_id, now=9)
    keys.revoke(engine, made.key_id, now=11)
    kept = keys.list_keys(engine)[0]
    assert kept.revoked_at == 9 and not keys.opens(kept, made.key)
    with pytest.raises(Fault, match="no key"):
        keys.revoke(engine, "ffff", now=9)


def test_a_second_key_needs_no_adapter_and_may_change_settings(engine: Engine) -> None:
    keys.create(engine, "acme", "native", {"a": 1}, now=7)
    keys.create(engine, "acme", None, now=8)
    assert store.find_feed(engine, "acme").settings == {"a": 1}  # type: ignore[union-attr]
    keys.create(engine, "acme", "native", {"a": 2}, sandbox=True, now=9)
    assert store.find_feed(engine, "acme").settings == {"a": 2}  # type: ignore[union-attr]
    assert [k.sandbox for k in keys.list_keys(engine)] == [False, False, True]


@pytest.mark.parametrize(("feed", "adapter", "code"), [
    ("new", None, "feed_needs_adapter"), ("acme", "traccar", "feed_has_other_adapter"),
    ("a/b", "native", "bad_feed"), ("", "native", "bad_feed"), ("x", "no_such", "unknown_adapter")])
def test_what_cannot_be_created_says_why_and_leaves_nothing(engine: Engine, feed: str, adapter: str | None,
                                                            code: str) -> None:
    keys.create(engine, "acme", "native", now=7)
    with pytest.raises(Fault) as caught:
        keys.create(engine, feed, adapter, now=8)
    assert caught.value.code == code
    assert len(keys.list_keys(engine)) == 1 and len(store.feeds(engine)) == 1


@pytest.mark.parametrize("text", ["", "emon", "emon_", "emon__x", "other_1_2", "emon_1_2_3", "emon_1_"])
def test_what_is_no_key_has_no_id(text: str) -> None:
    assert keys.id_of(text) is None
