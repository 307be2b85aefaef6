"""The fast lane: readings that cannot change anything, told apart for all participants at once.

Most readings support no finding of anybody whose conditions are at rest. For a participant in simple
circumstances what matters is compiled into one row of arrays (lane_rows.py); a chunk of readings is then
sorted out with numpy (lane_sorting.py says why that is exact), and only participants of whom one reading may
matter are judged, with all their readings of the chunk, by the exact machine.

A participant is *in* the lane (the arrays are right) or *out* (the `Person` is right): `leave` copies back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from emon.domain.versions import NEVER
from emon.evaluate.calm import Calm, Picked, Way, Ways
from emon.evaluate.geo import NOWHERE
from emon.evaluate.lane_columns import Columns
from emon.evaluate.lane_pending import Waiting
from emon.evaluate.lane_rows import Row, degrees, note_chain, note_event, note_paths
from emon.evaluate.lane_sorting import Idle, Sorting
from emon.evaluate.paths import WALLS, Cells
from emon.evaluate.person import Person
from emon.evaluate.port import Chunk
from emon.evaluate.signals import IN
from emon.journal.records import Bound
from emon.limits import DEFAULT_FEED


class Lane(Columns):
    """Arrays over all participants that were ever in the lane."""

    def __init__(self, ways: Ways, cells: Cells) -> None:
        super().__init__(cells)
        self._ways = ways
        self.waiting = Waiting()
        self._sorting = Sorting(self)
        self._none_before = NEVER
        self._taken: list[int] = []  # per participant, how many chunks of `waiting` were taken back already

    def enter(self, person: Person, row: Row) -> None:
        """The participant's arrays are right from now on."""
        p = self.index.get(person.participant)
        if p is None:
            p = self.index[person.participant] = len(self.names)
            self.names.append(person.participant)
            self.rows.append(None)
            self._taken.append(0)
            if p >= self.size:
                self.grow(self.size + max(256, self.size // 8))  # little more than is used
        self.rows[p] = row
        self._taken[p] = len(self.waiting)
        self.inside[p] = True
        self.device[p], self.carrier[p] = self.devices.give(row.device), self.carriers.give(row.carrier)
        self.from_[p], self.until[p] = row.from_, row.until
        self.floor[p], self.first_fix[p] = person.floor, NEVER
        self.delay[p], self.contact_quiet[p] = row.delay, row.contact_quiet
        self.last_heard[p], self.feed[p] = row.last_heard, self.feeds.give(row.feed)
        self.way[p] = self._ways.number(Way(row.device, row.carrier or DEFAULT_FEED, row.feed))
        self.every[p], self.located_until[p] = row.every, row.located_until
        self.talks[p], self.charged[p] = row.talks, row.charged
        self.contact_due[p] = NEVER
        if row.contact is not None:
            self.contact_due[p] = row.last_heard + row.delay
            self._none_before = min(self._none_before, row.last_heard + row.delay)
            person.conditions[row.contact].due = None  # kept in the lane meanwhile
        self.path_at[p], self.path_last[p] = person.paths.at, person.paths.before(row.device)
        self.path_box[p], self.path_row[p] = person.paths.box, person.paths.row
        self.count[p] = len(row.slots)
        for k, slot in enumerate(row.slots):
            if slot.ledger is not None and slot.ledger.chain != slot.chain:
                slot.ledger.chain = slot.chain
                self.changed.add(p)
            self.set_slot(p, k, slot)
        self._look_at_zones(person, p)

    def _look_at_zones(self, person: Person, p: int) -> None:
        """Where the person may not be."""
        zones = [degrees(self.box[p, k].tolist()) for k, slot in enumerate(self.row(p).slots) if slot.supports == IN]
        if person.paths.device not in ("", self.row(p).device):
            person.paths.doubt()
        person.paths.look_at(tuple(zones[:WALLS]))
        self.path_walls[p] = (*zones, *[NOWHERE] * WALLS)[:WALLS]
        self.path_more[p] = len(zones) > WALLS

    def leave(self, person: Person) -> None:
        """The person is right from now on; does nothing for who is out."""
        p = self.index.get(person.participant)
        if p is None or not self.inside[p]:
            return
        row = self.row(p)
        self.inside[p] = False
        self.take_back(person, p)
        person.floor = min(person.floor, int(self.floor[p]))
        person.last_heard = max(person.last_heard, int(self.last_heard[p]))
        if row.every < NEVER:
            person.last_located = max(person.last_located, int(self.located_until[p]) - row.every)
        if self.first_fix[p] < NEVER:
            person.body.note_position(row.device, int(self.first_fix[p]))
        note_paths(person, row.device, int(self.path_at[p]), self.path_last[p].tolist(), self.path_box[p].tolist())
        for k, slot in enumerate(row.slots):
            note_event(person, slot.key, int(self.last_event[p, k]))
            if slot.ledger is not None:
                note_chain(person, slot.key, slot.begin)
        if row.contact is not None:
            person.conditions[row.contact].due = int(self.contact_due[p])
        self.contact_due[p] = NEVER

    def take_back(self, person: Person, p: int) -> None:
        """Gives the person readings that wait for the history."""
        person.track.note(self.waiting.of(p, self._taken[p]))
        self._taken[p] = len(self.waiting)

    def due_by(self, clock: int) -> list[str]:
        """Participants in the lane whose silence falls due up to the clock."""
        if clock < self._none_before:
            return []
        dues = self.contact_due[:len(self.names)]
        due = np.flatnonzero(dues <= clock)
        self._none_before = int(dues[dues > clock].min(initial=NEVER))
        return [self.names[p] for p in due.tolist()]

    def next_due(self) -> int | None:
        """No silence of anybody in the lane falls due before then."""
        return None if self._none_before >= NEVER else self._none_before

    def flush(self, people: Mapping[str, Person]) -> list[Chunk]:
        """What waits for the history. Who has days in memory must not miss there what is written."""
        written = self.waiting.take(self.names)
        self._taken = [0] * len(self.names)
        for chunk in written:
            track = people[chunk.participant].track
            if track.holds(chunk.day) and self.inside[self.index[chunk.participant]]:
                track.written(chunk)
        return written

    def idle(self, bounds: Sequence[Bound], lines: Sequence[bytes], last_clock: int,
             calm_from: Mapping[str, int], apart: Collection[str] = ()) -> Idle:
        """Which readings of a chunk change nothing; the lane has then taken them in. All readings of a
        participant are idle, or none is. `lines`: the readings as JSON. `last_clock`: the chunk's last arrival.
        `calm_from`, `apart`: see Outages."""
        idle = self._sorting.idle(bounds, last_clock, calm_from, apart)
        if idle.rows.size:
            self.waiting.add(idle.people, idle.at, idle.rows, lines)
        return idle

    def calm(self, idle: Idle, bounds: Sequence[Bound]) -> Calm:
        """Idle readings of a chunk as feeds see them."""
        people = idle.people
        begins = np.flatnonzero(np.r_[True, people[1:] != people[:-1]]) if people.size else people
        return Calm(self.way[people[begins]], np.append(begins, people.size), Picked(bounds, idle.rows), idle.at,
                    idle.came)
