"""What a snapshot holds of the fast lane: facts in which the arrays are ahead of the people's own parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from emon.domain.versions import NEVER
from emon.evaluate.lane_columns import Columns
from emon.evaluate.lane_rows import SLOTS, note_chain, note_event, note_paths
from emon.evaluate.person import Person


class SavedRow(msgspec.Struct, array_like=True):
    """What a row of the columns is about."""

    name: str
    device: str
    slots: list[tuple[str, str]]
    begins: list[int | None]  # of slots with a ledger
    contact: tuple[str, str] | None


class Saved(msgspec.Struct, array_like=True):
    """What the lane knows better than the people's own parts. `rows`: SavedRow each."""

    rows: list[msgspec.Raw]
    columns: dict[str, bytes]


_SAVED: Final = ("floor", "first_fix", "last_heard", "contact_due", "last_event", "path_at")
_SAVED_DEGREES: Final = ("path_last", "path_box")


def dump(lane: Columns) -> bytes:
    """The lane's part of a snapshot."""
    inside = np.flatnonzero(lane.inside[:len(lane.names)])
    rows = [_saved(lane, p) for p in inside.tolist()]
    return msgspec.msgpack.encode(Saved(rows, {
        name: getattr(lane, name)[inside].tobytes() for name in (*_SAVED, *_SAVED_DEGREES)}))


def load(saved: bytes, people: Mapping[str, Person]) -> list[str]:
    """Brings people up to date who were in the lane when it was dumped; they are out now. Returns them."""
    names = []
    part = msgspec.msgpack.decode(saved, type=Saved)
    columns = {name: np.frombuffer(part.columns[name], dtype=np.int64) for name in _SAVED}
    last, box = (np.frombuffer(part.columns[name], dtype=np.float64).reshape(-1, 4) for name in _SAVED_DEGREES)
    events = columns["last_event"].reshape(-1, SLOTS)
    for p, raw in enumerate(part.rows):
        row = msgspec.msgpack.decode(raw, type=SavedRow)
        person = people[row.name]
        names.append(row.name)
        person.floor = min(person.floor, int(columns["floor"][p]))
        person.last_heard = max(person.last_heard, int(columns["last_heard"][p]))
        if columns["first_fix"][p] < NEVER:
            person.body.note_position(row.device, int(columns["first_fix"][p]))
        note_paths(person, row.device, int(columns["path_at"][p]), last[p].tolist(), box[p].tolist())
        for k, key in enumerate(row.slots):
            note_event(person, key, int(events[p, k]))
            if row.begins[k] is not None:
                note_chain(person, key, row.begins[k])
        if row.contact is not None:
            person.conditions[row.contact].due = int(columns["contact_due"][p])
    return names


def _saved(lane: Columns, p: int) -> msgspec.Raw:
    """What the row of somebody who is in is about, encoded once."""
    row = lane.row(p)
    if row.saved is None:
        row.saved = msgspec.Raw(msgspec.msgpack.encode(SavedRow(
            lane.names[p], row.device, [slot.key for slot in row.slots],
            [slot.begin if slot.ledger is not None else None for slot in row.slots], row.contact)))
    return row.saved
