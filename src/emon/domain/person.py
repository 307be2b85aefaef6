"""People: officers, participants, protected persons, with verified ways to reach them."""

from __future__ import annotations

import msgspec


class ContactMethod(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One way to reach a person; only verified ones are used. `channel`: email | sms | webhook | push."""

    channel: str
    address: str
    verified: bool = False


class Person(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One version of a person's record."""

    id: str
    version: int = 1
    role: str  # officer | supervisor | participant | protected_person
    name: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    contacts: tuple[ContactMethod, ...] = ()
    received_at: int | None = None
