"""Which fixes speak for a participant: bindings, the deciding device, conflicts between equal instants.

A position device is one whose binding says so, or that has sent a position observed by then in its binding.
While several are bound, the one bound last decides (ties: the smaller id); the others' positions say nothing
about places. Of several positions of one device and instant the better method wins, then the smaller
accuracy; a tie is skipped. Arrival never decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final, NamedTuple

from emon.domain.binding import Binding
from emon.domain.binding_book import BindingBook, holder
from emon.domain.instant import DAY
from emon.domain.reading import METHODS, Reading
from emon.domain.versions import ALWAYS, NEVER, Span
from emon.journal.records import Bound
from emon.limits import UNKNOWN_ACCURACY_M

MEASURING: Final = ("alcohol_breath", "alcohol_transdermal", "lab_result")  # rare kinds: their days are remembered
WORN_OR_HOME: Final = ("status", "alcohol_transdermal", "presence")  # they tell what a device is
LASTING: Final[Mapping[str, str]] = {"motion_start": "motion", "motion_stop": "motion",
                                     "charging_start": "charging", "charging_stop": "charging"}
_RANK: Final = {method: rank for rank, method in enumerate(METHODS)}
_NO_ACCURACY: Final = (None, 0, 2147483647)


class Wearing(NamedTuple):
    """One device's uninterrupted time with the participant, made of bindings that touch."""

    device: str
    from_: int
    until: int
    bindings: tuple[Span[Binding], ...]

    def binding_at(self, instant: int) -> Binding:
        """The binding in force at an instant within."""
        for span in reversed(self.bindings):
            if span.from_ <= instant:
                return span.item
        return self.bindings[0].item


class Body:
    """All devices that a participant wears or has at home, over time.

    `first_position`: the earliest position observed in a wearing, by (device, its start). `alone`: the name is that
    of a device to be kept away from, which stands for its bearer as long as nobody is known to hold it.
    """

    def __init__(self, participant: str, book: BindingBook, *, alone: bool = False) -> None:
        self.participant = participant
        self.wearings = tuple(w for device in book.devices_of(participant)
                              for w in _wearings(participant, device, book))
        if alone and not book.spans(participant):
            self.wearings = (Wearing(participant, ALWAYS, NEVER, ()),)
        self.first_position: dict[tuple[str, int], int] = {}
        self.first_measured: dict[tuple[str, int, str], int] = {}  # the same by kind, of other readings
        self.measured_days: dict[str, set[int]] = {}  # days (since 1970, UTC) on which such readings were observed
        self._by_device: dict[str, list[Wearing]] = {}
        for wearing in self.wearings:
            self._by_device.setdefault(wearing.device, []).append(wearing)

    @property
    def bound_from(self) -> int | None:
        """The start of the first binding."""
        return min((w.from_ for w in self.wearings), default=None)

    def wearing(self, device: str, instant: int) -> Wearing | None:
        """The device's time with the participant around the instant."""
        for wearing in self._by_device.get(device, ()):
            if wearing.from_ <= instant < wearing.until:
                return wearing
        return None

    def note_position(self, device: str, observed_at: int) -> int | None:
        """Learns that a device sends positions; returns the instant up to which that was unknown before."""
        wearing = self.wearing(device, observed_at)
        if wearing is None:
            return None
        known = self.first_position.get((device, wearing.from_), NEVER)
        if observed_at >= known:
            return None
        self.first_position[device, wearing.from_] = observed_at
        return min(known, wearing.until)

    def note_measurement(self, device: str, kind: str, observed_at: int) -> int | None:
        """As `note_position`, for the measurements of a kind."""
        self.measured_days.setdefault(kind, set()).add(observed_at // DAY)
        wearing = self.wearing(device, observed_at)
        if wearing is None:
            return None
        name = (device, wearing.from_, kind)
        known = self.first_measured.get(name, NEVER)
        if observed_at >= known:
            return None
        self.first_measured[name] = observed_at
        return min(known, wearing.until)

    def note_word(self, reading: Reading) -> None:
        """Remembers when a device first spoke of itself or of who is at home, and on which days motion or charging
        began or ended."""
        at, what = reading.observed_at, LASTING.get(reading.event or "")
        if what is not None:
            self.measured_days.setdefault(what, set()).add(at // DAY)
        wearing = self.wearing(reading.device, at)
        if wearing is not None:
            name = (reading.device, wearing.from_, reading.kind)
            self.first_measured[name] = min(at, self.first_measured.get(name, NEVER))

    @property
    def tracked(self) -> bool:
        """Whether a position device was ever worn."""
        return bool(self.first_position) or any(
            span.item.role == "position" for w in self.wearings for span in w.bindings)

    def deciding(self, instant: int) -> str | None:
        """The device whose positions count at the instant; None without a position device."""
        best: Wearing | None = None
        for wearing in self.wearings:
            bound = wearing.from_ <= instant < wearing.until
            if bound and self.sends_positions(wearing, instant) and (
                    best is None or (-wearing.from_, wearing.device) < (-best.from_, best.device)):
                best = wearing
        return best.device if best else None

    def sends_positions(self, wearing: Wearing, instant: int) -> bool:
        """Whether the device is known to send positions at an instant: told by then, or seen by then."""
        if self.first_position.get((wearing.device, wearing.from_), NEVER) <= instant:
            return True
        return any(span.item.role == "position" for span in wearing.bindings if span.from_ <= instant)


def accuracy_m(reading: Reading) -> float:
    """The accuracy to count with."""
    return UNKNOWN_ACCURACY_M if reading.accuracy_m in _NO_ACCURACY else reading.accuracy_m or 0.0


def place_readings(bounds: Iterable[Bound], body: Body, book: BindingBook) -> list[Bound]:
    """Positions and presence that count, in fold order, one an instant and device."""
    rows = [b for b in bounds if b.reading.kind in ("position", "presence")]
    if len(rows) == 1:
        return _counting(rows, body, book)
    return [chosen for _, group in groupby(rows, key=_identity) for chosen in _counting(list(group), body, book)]


def _counting(group: list[Bound], body: Body, book: BindingBook) -> list[Bound]:
    """Of readings of one instant, device and kind the one that counts, if any does."""
    reading = group[0].reading
    if reading.kind == "position":
        chosen = _best_position(group) if body.deciding(reading.observed_at) == reading.device else None
    else:
        chosen = _agreed_presence([b for b in group if counts(b.reading, body.participant, book)])
    return [] if chosen is None else [chosen]


def paired_positions(bounds: Iterable[Bound], body: Body) -> list[Bound]:
    """Positions of the deciding device in fold order, one an instant. Their speeds are read too, so that readings
    that agree on the place only are a tie."""
    chosen: list[Bound] = []
    rows = [b for b in bounds if b.reading.kind == "position" and b.reading.lat is not None
            and b.reading.lon is not None]
    for (at, device, _), group in groupby(rows, key=_identity):
        best = _best_position(list(group), speed=True) if body.deciding(at) == device else None
        chosen += [] if best is None else [best]
    return chosen


def located(bounds: Iterable[Bound], participant: str, book: BindingBook) -> set[int]:
    """Instants at which a reading says where its wearer was: positions of a known method (of any device,
    also in a tie), presence that is not contradicted at the same instant by the same home unit."""
    instants: set[int] = set()
    for (at, _, kind), group in groupby(
            (b for b in bounds if b.reading.kind in ("position", "presence")), key=_identity):
        if kind == "position":
            best = min(group, key=_rank).reading
            if best.method in METHODS and best.method != "unknown":
                instants.add(at)
        else:
            agreed = _agreed_presence([b for b in group if counts(b.reading, participant, book)])
            if agreed is not None and agreed.reading.present:
                instants.add(at)
    return instants


def counts(presence: Reading, participant: str, book: BindingBook) -> bool:
    """False where the beacon that was heard belongs to somebody else."""
    if presence.beacon is None:
        return True
    owner = book.owner(presence.beacon, presence.observed_at)
    return owner is None or owner.participant in (None, participant)


def _identity(bound: Bound) -> tuple[int, str, str]:
    return bound.reading.observed_at, bound.reading.device, bound.reading.kind


def _rank(bound: Bound) -> tuple[int, float]:
    """Better method first, then the smaller accuracy."""
    return _RANK.get(bound.reading.method, len(_RANK)), accuracy_m(bound.reading)


def _best_position(group: list[Bound], *, speed: bool = False) -> Bound | None:
    if len(group) == 1:
        return group[0]
    best = min(map(_rank, group))
    chosen = [b for b in group if _rank(b) == best]
    said = {(b.reading.lat, b.reading.lon, b.reading.speed_mps if speed else None) for b in chosen}
    return chosen[0] if len(said) == 1 else None


def _agreed_presence(group: list[Bound]) -> Bound | None:
    return group[0] if len({b.reading.present for b in group}) == 1 else None


def _wearings(participant: str, device: str, book: BindingBook) -> list[Wearing]:
    out: list[Wearing] = []
    for span in book.spans(device):
        if holder(span.item)[1] != participant:
            continue
        if out and out[-1].until == span.from_:
            last = out.pop()
            out.append(Wearing(device, last.from_, span.until, (*last.bindings, span)))
        else:
            out.append(Wearing(device, span.from_, span.until, (span,)))
    return out
