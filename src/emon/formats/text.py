"""Bytes of files as text: what can be read at all, and what only has a bad line.

A UTF-8 byte-order mark is skipped. A UTF-16 or UTF-32 mark, or no line of UTF-8 at all, makes a file
`Unreadable` (wrong usage, exit 2); a single line that is not UTF-8 is a fault of that line.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from emon.domain.errors import Fault

BOM = codecs.BOM_UTF8
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class Unreadable(Fault):
    """A file that cannot be read as what it should be; nothing of it counts. Ends a command with 2."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__("unreadable", reason, file)


def is_wide(start: bytes) -> bool:
    """Whether the first bytes of a file are a UTF-16 or UTF-32 mark."""
    return start.startswith(_WIDE_MARKS)


def is_utf8(line: bytes) -> bool:
    """Whether the bytes are UTF-8."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_bytes(path: Path, limit: int) -> bytes:
    """A file's bytes without a byte-order mark. Raises Unreadable, also above `limit` bytes."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except OSError as error:
        raise Unreadable(str(path), f"cannot be read: {error.strerror or error}") from None
    if len(data) > limit:
        raise Unreadable(str(path), f"is larger than {limit >> 20} MiB; split it")
    if is_wide(data):
        raise Unreadable(str(path), "is UTF-16 or UTF-32; save it as UTF-8")
    return data.removeprefix(BOM)


def decode(data: bytes, file: str) -> tuple[str, int | None]:
    """Text, and the number of its first line that is not UTF-8 (None: all are; else the text is empty).

    Raises Unreadable where no line is UTF-8.
    """
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        if not any(line.strip() and is_utf8(line) for line in data.split(b"\n")):
            raise Unreadable(file, "no line of it is UTF-8; save it as UTF-8") from None
        return "", data.count(b"\n", 0, error.start) + 1


def shown(raw: bytes) -> str:
    """Raw bytes as text for a rejects file; what is not UTF-8 appears as `\\xNN`."""
    return raw.decode("utf-8", errors="backslashreplace")
