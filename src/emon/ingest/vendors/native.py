"""emon's own format: NDJSON or JSON arrays of native readings, version 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from emon.domain.errors import Fault
from emon.formats import native
from emon.ingest.adapter import Slice, refused, split


class Native:
    """Readings as `formats.native` documents them."""

    name = "native"
    content_types: tuple[str, ...] = ("application/x-ndjson", "application/json")
    answer: Literal["counts", "empty_array"] = "counts"

    def understand(self, body: bytes, content_type: str, settings: Mapping[str, Any]) -> Sequence[Slice]:
        """One reading a slice."""
        understood = []
        for piece in split(body):
            if piece.fault is not None:
                understood.append(refused(piece, piece.fault))
                continue
            try:
                reading = native.decode(piece.raw, received_at=native.UNSTAMPED)
            except Fault as fault:
                understood.append(refused(piece, fault))
            else:
                understood.append(Slice(piece.raw, piece.line, (reading,)))
        return understood
