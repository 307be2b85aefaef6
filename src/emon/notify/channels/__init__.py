"""The ways out, one file each. Adding one is a file and a line here."""

from __future__ import annotations

from emon.config import Settings
from emon.notify.channels import email, folder, webhook
from emon.notify.channels.port import Channel

OPENERS = (email.open_channel, webhook.open_channel, folder.open_channel)


def open_channels(settings: Settings) -> tuple[Channel, ...]:
    """Those that are set up."""
    found: list[Channel] = []
    for open_one in OPENERS:
        channel: Channel | None = open_one(settings)
        if channel is not None:
            found.append(channel)
    return tuple(found)
