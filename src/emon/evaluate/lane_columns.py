"""The fast lane's arrays: one row a participant, one column a fact, one slot a condition about a place.

A row is valid while its participant is `inside`. `rows` holds what does not fit into arrays.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.lane_rows import SLOTS, Row

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Columns:
    """All of them. `changed`: participants whose ledgers changed since they were saved last."""

    def __init__(self) -> None:
        self.index: dict[str, int] = {}
        self.names: list[str] = []
        self.rows: list[Row | None] = []
        self.feeds: dict[str, int] = {}
        self.changed: set[int] = set()
        self.size = 0
        self.grow(256)

    def feed_id(self, name: str) -> int:
        """The number of a feed."""
        return self.feeds.setdefault(name, len(self.feeds))

    def row(self, p: int) -> Row:
        """What was compiled of somebody who is in."""
        row = self.rows[p]
        assert row is not None
        return row

    def grow(self, size: int) -> None:
        """Makes room for so many participants."""
        def widen(name: str, shape: tuple[int, ...], fill: Any, dtype: Any) -> None:
            grown = np.full((size, *shape), fill, dtype=dtype)
            if self.size:
                grown[:self.size] = getattr(self, name)
            setattr(self, name, grown)
        for name, shape, fill, dtype in _COLUMNS:
            widen(name, shape, fill, dtype)
        self.size = size

    inside: NDArray[np.bool_]
    device: NDArray[np.object_]
    from_: Ints
    until: Ints
    floor: Ints
    first_fix: Ints
    carrier: NDArray[np.object_]
    feed: Ints
    delay: Ints
    contact_quiet: Ints
    contact_due: Ints
    last_heard: Ints
    count: Ints
    state: Ints
    supports: Ints
    quiet: Ints
    margin: Ints
    last_event: Ints
    free_from: Ints
    free_until: Ints
    kept: NDArray[np.bool_]
    chained: NDArray[np.bool_]
    box: Floats
    east_m: Floats


_COLUMNS: Final = (
    ("inside", (), False, np.bool_), ("device", (), None, object), ("from_", (), NEVER, np.int64),
    ("until", (), ALWAYS, np.int64), ("floor", (), NEVER, np.int64), ("carrier", (), None, object),
    ("feed", (), 0, np.int64), ("first_fix", (), NEVER, np.int64),
    ("delay", (), NEVER, np.int64), ("contact_quiet", (), ALWAYS, np.int64),
    ("contact_due", (), NEVER, np.int64), ("last_heard", (), ALWAYS, np.int64),
    ("count", (), 0, np.int64), ("state", (SLOTS,), 0, np.int64),
    ("supports", (SLOTS,), 0, np.int64), ("quiet", (SLOTS,), ALWAYS, np.int64), ("margin", (SLOTS,), 0, np.int64),
    ("last_event", (SLOTS,), ALWAYS, np.int64), ("free_from", (SLOTS,), NEVER, np.int64),
    ("free_until", (SLOTS,), NEVER, np.int64), ("kept", (SLOTS,), False, np.bool_),
    ("chained", (SLOTS,), False, np.bool_), ("box", (SLOTS, 4), 0.0, np.float64),
    ("east_m", (SLOTS,), 1.0, np.float64),
)
