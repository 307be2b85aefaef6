"""Bindings: which device speaks for which person, from when to when. Versioned like orders."""

from __future__ import annotations

import msgspec


class Binding(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One version of a binding: `device` is the person's during [`from_`, `until`) (microseconds UTC).

    `from_` None: always. A version takes effect from its `effective_from` (None: always), superseding lower
    versions from then on. Shorthands in orders have the id `ORDER:DEVICE` and the order's version.
    """

    id: str
    version: int = 1
    device: str
    participant: str | None = None
    protected_person: str | None = None
    role: str | None = None  # position | home | alcohol | other; None: not said
    place: str | None = None
    feed: str | None = None
    from_: int | None = None
    until: int | None = None
    effective_from: int | None = None
    void: bool = False
    received_at: int | None = None
