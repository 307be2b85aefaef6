"""Webhooks: the message as JSON, signed.

`X-Emon-Signature: v1=` HMAC-SHA256 in hex, under the webhook secret, over the bytes of `X-Emon-Timestamp`
(seconds), a full stop and the body. A receiver checks it and refuses timestamps that are minutes old.
`Idempotency-Key` is the message's id: the same one again is the same message.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

import httpx
import msgspec

from emon.clock import Clock, SystemClock
from emon.config import Settings
from emon.domain.instant import SECOND, iso
from emon.limits import SEND_TIMEOUT_S
from emon.notify.channels.port import Outgoing, Passing, Permanent, Receipt

_PASSING = frozenset({408, 425, 429})


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    """The value of X-Emon-Signature."""
    return "v1=" + hmac.new(secret, timestamp.encode() + b"." + body, sha256).hexdigest()


class WebhookChannel:
    """One request a message; redirects are not followed."""

    name = "webhook"

    def __init__(self, secret: bytes, wall: Clock) -> None:
        self._secret, self._wall = secret, wall

    async def send(self, outgoing: Outgoing) -> Receipt:
        body = msgspec.json.encode({
            "v": 1, "message_id": outgoing.message_id, "kind": outgoing.kind, "alert": outgoing.alert_id,
            "priority": outgoing.priority, "recipient": outgoing.recipient, "subject": outgoing.subject,
            "text": outgoing.text, "thread": outgoing.thread, "corrects": outgoing.corrects,
            "created_at": iso(outgoing.created_at)})
        timestamp = str(self._wall.now_us() // SECOND)
        headers = {
            "Content-Type": "application/json", "Idempotency-Key": outgoing.message_id,
            "X-Emon-Timestamp": timestamp, "X-Emon-Signature": signature(self._secret, timestamp, body)}
        try:
            async with httpx.AsyncClient(timeout=SEND_TIMEOUT_S) as client:
                answer = await client.post(outgoing.address, content=body, headers=headers)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Permanent(f"{outgoing.address!r:.200} is no address: {error}") from error
        except httpx.TransportError as error:
            raise Passing(f"the receiver is away: {type(error).__name__} {error}") from error
        if answer.is_success:
            return Receipt(None, str(answer.status_code))
        passing = answer.status_code in _PASSING or answer.is_server_error
        raise (Passing if passing else Permanent)(f"the receiver answered {answer.status_code}")


def open_channel(settings: Settings) -> WebhookChannel | None:
    """The channel, where a secret is set: nothing leaves unsigned."""
    secret = settings.webhook_secret.get_secret_value()
    return WebhookChannel(secret.encode(), SystemClock()) if secret else None
