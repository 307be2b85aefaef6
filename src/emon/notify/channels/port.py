"""What a channel is: hands one message to a provider, and says whether a failure may pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message on its way to one address. `message_id` never changes between attempts; `references` are the
    ids of earlier messages of its thread, oldest first. Instants: microseconds UTC."""

    message_id: str
    kind: str
    priority: int
    alert_id: int
    recipient: str
    recipient_name: str
    address: str
    subject: str
    text: str
    thread: str
    corrects: str | None
    references: tuple[str, ...]
    created_at: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider has taken it over. `reference`: its own name for it, where it gave one."""

    reference: str | None
    detail: str


class Passing(Exception):
    """Not now: the same method may work later."""


class Permanent(Exception):
    """Never by this method: the person's next one is used."""


class Channel(Protocol):
    """One way out. `send` returns when the provider has the message. Raises Passing, Permanent."""

    name: str

    async def send(self, outgoing: Outgoing) -> Receipt: ...
