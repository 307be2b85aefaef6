"""Keys of feeds: what is printed once, what is kept, and how a request proves that it has one.

A key is `emon_<key id>_<64 hex digits>`: 256 random bits. Nobody can guess or tabulate those, so a plain
SHA-256 of the key is kept, and no slow password hash, which would only cost us a core under load. Digests
are compared in constant time, so that an answer's delay tells nothing of how much of a guess was right.

A signature can only be checked by whoever has the signing secret, so that one must be kept readable. It is
derived from the key (HMAC-SHA256 under the key of a fixed text): a thief of the store could sign requests
until the key is revoked, but cannot recover the key. Deriving secrets from a master key of the installation
was rejected: it must be kept somewhere too, and losing it would silence every vendor at once.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Engine

from emon.domain.errors import Fault
from emon.ingest import vendors
from emon.store import ingest as store

_PREFIX = "emon"
_SIGNING = b"emon signing secret v1"


class NewKey(NamedTuple):
    """Printed once and never again."""

    key_id: str
    feed: str
    adapter: str
    sandbox: bool
    key: str
    signing_secret: str


def create(engine: Engine, feed: str, adapter: str | None, settings: Mapping[str, Any] | None = None, *,
           sandbox: bool = False, now: int) -> NewKey:
    """Makes a key, and the feed where it is new; `settings` replace those of a known feed where given.

    Raises Fault `bad_feed`, `unknown_adapter`, `bad_settings`, `feed_needs_adapter`,
    `feed_has_other_adapter`; Unavailable.
    """
    if not feed or len(feed) > 100 or not all(c.isalnum() or c in "._-" for c in feed):
        raise Fault("bad_feed", f"{feed!r:.120} is no name for a feed: use up to 100 letters, digits, . _ -")
    if adapter is not None:
        vendors.adapter(adapter).understand(b"", "", settings or {})  # says now what is wrong with settings
    key_id = store.random_hex(8)
    key = f"{_PREFIX}_{key_id}_{store.random_hex(32)}"
    known = store.add_key(engine, adapter, settings, store.FeedKey(
        key_id, feed, sandbox, digest(key), signing_secret(key), now, None))
    if known is None and adapter is None:
        raise Fault("feed_needs_adapter", f"feed {feed!r} is new: name the adapter that understands it")
    if known is None:
        raise Fault("feed_has_other_adapter", f"feed {feed!r} exists with another adapter than {adapter!r}: "
                    "leave the adapter out for a further key, or choose another name for the feed")
    return NewKey(key_id, feed, known.adapter, sandbox, key, signing_secret(key))


def list_keys(engine: Engine) -> list[store.FeedKey]:
    """All keys, by feed and age. Raises Unavailable."""
    return store.keys(engine)


def revoke(engine: Engine, key_id: str, *, now: int) -> None:
    """The key opens nothing from now on (running processes: within `limits.KEY_CACHE_S`).

    Raises Fault `unknown_key`; Unavailable.
    """
    if not store.revoke_key(engine, key_id, now):
        raise Fault("unknown_key", f"there is no key {key_id!r:.60}: `emon key list` shows all")


def id_of(key: str) -> str | None:
    """The id within a key; None for a text that is no key."""
    parts = key.split("_")
    return parts[1] if len(parts) == 3 and parts[0] == _PREFIX and parts[1] and parts[2] else None


def digest(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode()).digest()


def signing_secret(key: str) -> str:
    """The secret of a key's signatures, in hexadecimal."""
    return hmac.new(key.encode(), _SIGNING, hashlib.sha256).hexdigest()


def opens(kept: store.FeedKey, key: str) -> bool:
    """Whether this is the key, and it is not revoked."""
    return hmac.compare_digest(kept.key_digest, digest(key)) and kept.revoked_at is None
