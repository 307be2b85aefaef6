"""A local folder, for trials and as the last resort: one JSON file a message, whole or not there at all.

The file's name follows from the message: writing it again after a crash gives the same file, not a second.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import msgspec

from emon.config import Settings
from emon.domain.instant import iso, to_datetime
from emon.notify.channels.port import Outgoing, Passing, Receipt


class FolderChannel:
    """Writes into a folder, which it makes."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, outgoing: Outgoing) -> Receipt:
        try:
            path = await asyncio.to_thread(self._write, outgoing)
        except OSError as error:
            raise Passing(f"cannot write to {self._folder}: {error.strerror}") from error
        return Receipt(path.name, f"written to {path}")

    def _write(self, outgoing: Outgoing) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        moment = to_datetime(outgoing.created_at).strftime("%Y%m%dT%H%M%S")
        path = self._folder / f"{moment}-{outgoing.kind}-{outgoing.message_id}.json"
        fields = {
            "message_id": outgoing.message_id, "kind": outgoing.kind, "priority": outgoing.priority,
            "alert": outgoing.alert_id, "recipient": outgoing.recipient,
            "recipient_name": outgoing.recipient_name, "subject": outgoing.subject, "text": outgoing.text,
            "thread": outgoing.thread, "corrects": outgoing.corrects, "created_at": iso(outgoing.created_at)}
        content = msgspec.json.format(msgspec.json.encode(fields))
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        with draft.open("wb") as file:
            file.write(content + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        return path


def open_channel(settings: Settings) -> FolderChannel | None:
    """The channel, where a folder is set."""
    return FolderChannel(settings.outbox_dir) if settings.outbox_dir is not None else None
