"""The fast lane's arrays: one row a participant, one column a fact, one slot a condition about a place.

A row is valid while its participant is `inside`. `rows` holds what does not fit into arrays.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate.geo import METRES_PER_DEGREE
from emon.evaluate.lane_chunk import ABSENT, Floats, Ints, Numbers
from emon.evaluate.lane_rows import IDLE, SLOTS, Row, Slot
from emon.evaluate.paths import WALLS, Cells
from emon.evaluate.signals import IN, STRICT_FACTOR
from emon.limits import ACCURACY_FACTOR


class Columns:
    """All of them. `changed`: participants whose ledgers changed since they were saved last. `cells`: see paths.py."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.index: Numbers[str] = Numbers()
        self.names: list[str] = []
        self.rows: list[Row | None] = []
        self.devices: Numbers[str] = Numbers()
        self.carriers: Numbers[str | None] = Numbers()
        self.feeds: Numbers[str] = Numbers()
        self.changed: set[int] = set()
        self.size = 0
        self.grow(256)

    def set_slot(self, p: int, k: int, slot: Slot) -> None:
        """A condition about a place. `reach`: degrees a metre of accuracy, as many accuracies as may matter."""
        self.state[p, k], self.supports[p, k] = slot.state, slot.supports
        self.quiet[p, k], self.last_event[p, k] = slot.quiet, slot.last_event
        self.margin[p, k] = slot.margin
        self.free_from[p, k], self.free_until[p, k] = slot.free_from, slot.free_until
        self.kept[p, k] = slot.ledger is not None
        boxes = [shape.box for shape in slot.shapes]
        self.box[p, k] = (min(b.west for b in boxes), min(b.south for b in boxes),
                          max(b.east for b in boxes), max(b.north for b in boxes))
        decides = ACCURACY_FACTOR if slot.state == IDLE else STRICT_FACTOR
        self.reach[p, k] = decides / min(b.metres_per_degree_east for b in boxes), decides / METRES_PER_DEGREE
        self.note_ledger(p, k, slot)

    def note_ledger(self, p: int, k: int, slot: Slot) -> None:
        """What the ledger would answer without being asked: `easy` is the instant after which a newer contrary
        fix only says again what is known, and outside `busy` and after `bottom` a late one is admitted."""
        ledger = slot.ledger
        chained = ledger is not None and ledger.chain is not None
        self.chained[p, k] = chained
        self.easy[p, k] = slot.quiet if slot.state == IDLE and slot.supports == IN and not chained else NEVER
        if ledger is not None:
            self.bottom[p, k] = ledger.bottom
            self.busy[p, k] = ledger.busy

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
    device: Ints
    from_: Ints
    until: Ints
    floor: Ints
    first_fix: Ints
    carrier: Ints
    feed: Ints
    way: Ints
    delay: Ints
    contact_quiet: Ints
    contact_due: Ints
    every: Ints
    located_until: Ints
    talks: NDArray[np.bool_]
    charged: Floats
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
    easy: Ints
    bottom: Ints
    busy: Ints
    box: Floats
    reach: Floats
    path_at: Ints
    path_last: Floats
    path_box: Floats
    path_row: Ints
    path_walls: Floats
    path_more: NDArray[np.bool_]


_COLUMNS: Final = (
    ("inside", (), False, np.bool_), ("device", (), ABSENT, np.int64), ("from_", (), NEVER, np.int64),
    ("until", (), ALWAYS, np.int64), ("floor", (), NEVER, np.int64), ("carrier", (), ABSENT, np.int64),
    ("feed", (), 0, np.int64), ("way", (), 0, np.int64), ("first_fix", (), NEVER, np.int64),
    ("path_at", (), ALWAYS, np.int64), ("path_last", (4,), 0.0, np.float64), ("path_box", (4,), 0.0, np.float64),
    ("path_row", (), 0, np.int64), ("path_walls", (WALLS, 4), 0.0, np.float64), ("path_more", (), False, np.bool_),
    ("delay", (), NEVER, np.int64), ("contact_quiet", (), ALWAYS, np.int64),
    ("contact_due", (), NEVER, np.int64), ("every", (), NEVER, np.int64), ("located_until", (), NEVER, np.int64),
    ("talks", (), False, np.bool_), ("charged", (), 0.0, np.float64), ("last_heard", (), ALWAYS, np.int64),
    ("count", (), 0, np.int64), ("state", (SLOTS,), 0, np.int64),
    ("supports", (SLOTS,), 0, np.int64), ("quiet", (SLOTS,), ALWAYS, np.int64), ("margin", (SLOTS,), 0, np.int64),
    ("last_event", (SLOTS,), ALWAYS, np.int64), ("free_from", (SLOTS,), NEVER, np.int64),
    ("free_until", (SLOTS,), NEVER, np.int64), ("kept", (SLOTS,), False, np.bool_),
    ("chained", (SLOTS,), False, np.bool_), ("easy", (SLOTS,), NEVER, np.int64),
    ("bottom", (SLOTS,), NEVER, np.int64), ("busy", (SLOTS, 2), ALWAYS, np.int64), ("box", (SLOTS, 4), 0.0, np.float64),
    ("reach", (SLOTS, 2), 0.0, np.float64),
)
