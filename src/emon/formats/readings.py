"""Files of readings as a stream of arrivals: what `emon evaluate` folds, in the order it came in.

File order is arrival order: `received_at` never goes back, over all files together. A bad line is a `Reject`
and costs nothing else; a file that is no UTF-8 text at all is `Unreadable`. Memory does not grow with files
or lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from emon.domain.errors import Fault
from emon.domain.reading import Reading
from emon.formats import native
from emon.formats.slices import RawSlice, cut
from emon.formats.text import Unreadable, is_utf8, is_wide, shown
from emon.journal.records import OwnOutage
from emon.limits import MAX_KEPT_RAW_BYTES

_CHUNK_BYTES: Final = 1 << 18


class Reject(msgspec.Struct, frozen=True):
    """A line, or an element of an array, that is no reading. `line` is where it starts."""

    file: str
    line: int
    reason: str
    raw: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"

    def encode(self) -> bytes:
        """One line of a rejects file, without the line feed."""
        return msgspec.json.encode(self)


def read(paths: Sequence[Path | str]) -> Iterator[Reading | OwnOutage | Reject]:
    """Readings of all files with their effective `received_at`, outages of emon itself, and rejects.

    Raises Unreadable before anything where a file cannot be opened, and at the end of a file of which no
    line was UTF-8.
    """
    files = [Path(path) for path in paths]
    for file in files:
        _require(file)
    clock = 0
    for file in files:
        for each in read_stream(_chunks(file), str(file), not_before=clock):
            if not isinstance(each, Reject):
                clock = each.received_at
            yield each


def read_stream(chunks: Iterable[bytes], file: str, *,
                not_before: int = 0) -> Iterator[Reading | OwnOutage | Reject]:
    """As `read`, from the bytes of one file; nothing is received earlier than `not_before`."""
    clock = not_before
    some_line, some_utf8 = False, False
    for piece in cut(chunks):
        some_line = True
        try:
            if piece.fault is not None:
                raise piece.fault
            each = _arrival(piece.raw, clock)
        except Fault as fault:
            some_utf8 = some_utf8 or piece.fault is not None or is_utf8(piece.raw)
            yield _reject(file, piece, fault)
            continue
        some_utf8 = True
        clock = each.received_at
        yield each
    if some_line and not some_utf8:
        raise Unreadable(file, "no line of it is UTF-8; save it as UTF-8")


def _arrival(line: bytes, clock: int) -> Reading | OwnOutage:
    try:
        return native.decode(line, not_before=clock)
    except Fault:
        outage = native.decode_own_outage(line)
        if outage is None:
            raise
    from_, to, received_at = outage
    return OwnOutage(received_at=max(received_at, clock), from_=from_, to=to)


def _reject(file: str, piece: RawSlice, fault: Fault) -> Reject:
    return Reject(file=file, line=piece.line, reason=f"{fault.code}: {fault.detail}",
                  raw=shown(piece.raw[:MAX_KEPT_RAW_BYTES].rstrip(b"\r")))


def _require(file: Path) -> None:
    if file.is_dir():
        raise Unreadable(str(file), "is a folder; name the files of readings in it, in order of arrival")
    try:
        if not file.is_file():
            file.stat()
            return
        with file.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise Unreadable(str(file), f"cannot be read: {error.strerror or error}") from None
    _require_utf8(start, str(file))


def _require_utf8(start: bytes, file: str) -> None:
    if is_wide(start):
        raise Unreadable(file, "is UTF-16 or UTF-32; save it as UTF-8")


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            first = stream.read(_CHUNK_BYTES)
            _require_utf8(first, str(file))
            yield first
            while chunk := stream.read(_CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise Unreadable(str(file), f"cannot be read: {error.strerror or error}") from None
