"""A request's body, within its bounds: what is let in, and how it is unpacked.

The same bound holds on the wire and after unpacking, so that no small body can turn into a large one.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import islice
from typing import Final

from emon.domain.errors import Fault
from emon.formats.slices import cut
from emon.limits import MAX_BODY_BYTES, MAX_BODY_SLICES

_JSON: Final = frozenset({
    "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl",
    "application/jsonlines", "application/x-jsonlines", "application/json-seq", "text/json"})
_PIECE_BYTES: Final = 4 << 10
_ANY: Final = frozenset({"", "text/plain", "application/octet-stream"})  # senders that do not know better


def check_type(content_type: str, accepted: Sequence[str]) -> None:
    """Raises Fault `unsupported_media_type` for what the adapter does not read. Names of one thing count as
    one, and a body without a type, or with one that says nothing, is let in."""
    media = content_type.partition(";")[0].strip().lower()
    if media in _ANY or media in accepted:
        return
    if not (media in _JSON or media.endswith("+json")) or not _JSON.intersection(accepted):
        raise Fault("unsupported_media_type", f"content type {media!r:.80} is not read here: send "
                    f"{' or '.join(accepted)}")


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its content encoding. Raises Fault `unsupported_encoding`, `body_too_large` and
    `bad_encoding`."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _gunzip(body)
        case other:
            raise Fault("unsupported_encoding", f"content encoding {other!r:.40} is not read here: send gzip "
                        "or none")


def too_large() -> Fault:
    """The fault of a body over the bound."""
    return Fault("body_too_large", f"a body holds at most {MAX_BODY_BYTES} bytes, packed or unpacked: send "
                 "it in parts")


def check_slices(content: bytes) -> None:
    """Raises Fault `body_too_large` for a body of more lines or elements than a body holds readings.

    Each slice is kept with what is said about it, hundreds of times its own size if it is a single letter.
    """
    most = content.count(b"\n")
    if most <= MAX_BODY_SLICES and content.lstrip()[:1] == b"[":
        most = sum(1 for _ in islice(cut([content]), MAX_BODY_SLICES + 1))
    if most > MAX_BODY_SLICES:
        raise Fault("body_too_large", f"a body holds at most {MAX_BODY_SLICES} readings: send it in parts")


def _gunzip(body: bytes) -> bytes:
    """Piece by piece: what stands behind a member's end is copied, and there may be many members."""
    parts: list[bytes] = []
    left = MAX_BODY_BYTES
    unpacker = zlib.decompressobj(wbits=31)
    begun = False
    try:
        for start in range(0, len(body), _PIECE_BYTES):
            piece = body[start : start + _PIECE_BYTES]
            while piece:
                if unpacker.eof:  # several members may follow one another
                    unpacker = zlib.decompressobj(wbits=31)
                part = unpacker.decompress(piece, left + 1)
                left -= len(part)
                if left < 0:
                    raise too_large()
                parts.append(part)
                begun, piece = True, unpacker.unused_data
    except zlib.error as error:
        raise Fault("bad_encoding", f"the body is not gzip: {error}") from None
    if begun and not unpacker.eof:
        raise Fault("bad_encoding", "the gzip body ends in the middle")
    return b"".join(parts)
