"""What the vendors' tests share: recorded frames, and readings as short native values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emon.domain.reading import Reading
from emon.formats.export import reading_document
from emon.ingest.adapter import Slice
from emon.ingest.vendors import adapter

FRAMES = Path(__file__).with_name("frames")


def frame(name: str) -> bytes:
    """A recorded body."""
    return (FRAMES / name).read_bytes()


def understand(vendor: str, body: bytes, **settings: Any) -> list[Slice]:
    """The slices of a body."""
    return list(adapter(vendor).understand(body, "", settings))


def readings(slices: list[Slice]) -> list[Mapping[str, Any]]:
    """All readings of the slices as native objects, without what is the same in all."""
    return [native(reading) for piece in slices for reading in piece.readings]


def native(reading: Reading) -> Mapping[str, Any]:
    """A reading as its native object."""
    assert reading.received_at == 0, "adapters do not know when something arrived"
    document = reading_document(reading, 0)
    return {name: value for name, value in document.items() if name not in ("v", "received_at")}


def codes(slices: list[Slice]) -> list[str]:
    """Each slice as `ok`, its note, or the code of its fault."""
    return [piece.fault.code if piece.fault else piece.note or "ok" for piece in slices]
