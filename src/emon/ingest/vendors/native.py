"""emon's own format: NDJSON or JSON arrays of native readings, version 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from emon.domain.errors import Fault
from emon.formats import native
from emon.formats.slices import RawSlice
from emon.ingest.adapter import Slice, plain_lines, refused, split


class Native:
    """Readings as `formats.native` documents them."""

    name = "native"
    content_types: tuple[str, ...] = ("application/x-ndjson", "application/json")
    answer: Literal["counts", "empty_array"] = "counts"

    def understand(self, body: bytes, content_type: str, settings: Mapping[str, Any]) -> Sequence[Slice]:
        """One reading a slice."""
        lines = plain_lines(body)
        if lines is None:
            return [_slice(piece.raw, piece.line) if piece.fault is None else refused(piece, piece.fault)
                    for piece in split(body)]
        return [_slice(raw, line) for line, raw in enumerate(lines, 1) if raw and not raw.isspace()]


def _slice(raw: bytes, line: int) -> Slice:
    try:
        return Slice(raw, line, (native.decode(raw, received_at=native.UNSTAMPED),))
    except Fault as fault:
        return refused(RawSlice(line, raw), fault)
