"""What is known at an instant of the clock: versions and readings received by then, each counted once.

Conflicts (one identity, other content) are kept side by side; each rule picks its own winner.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from emon.domain.binding import Binding
from emon.domain.order import Order
from emon.domain.reading import Reading
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone
from emon.journal.records import (
    BindingVersion,
    Bound,
    InputRecord,
    OrderVersion,
    OwnOutage,
    VerdictVersion,
    ZoneVersion,
)

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND
LONG_AGO: Final = -(10**18)
NEVER: Final = 10**18

V = TypeVar("V", Order, Zone, Binding, Verdict)
_METHODS = ("gnss", "beacon", "rf", "wifi", "cell")
_OPENING = (
    "strap_open",
    "case_open",
    "proximity_lost",
    "shielding_start",
    "jamming_start",
    "motion_start",
    "charging_start",
    "power_off",
)
_CARRIED = ("received_at", "sent_at", "seq", "feed")


@dataclass(frozen=True)
class Heard:
    """One reading as a participant's, with the earliest instant at which this content came."""

    reading: Reading
    received_at: int

    @property
    def at(self) -> int:
        return self.reading.observed_at


@dataclass(frozen=True)
class Sighting:
    """Everything that came under one identity; more than one reading is a conflict."""

    readings: tuple[Heard, ...]

    @property
    def at(self) -> int:
        return self.readings[0].at

    @property
    def device(self) -> str:
        return self.readings[0].reading.device

    @property
    def kind(self) -> str:
        return self.readings[0].reading.kind


@dataclass
class Known:
    """All that had been taken in at `clock`."""

    clock: int
    orders: dict[str, list[Order]] = field(default_factory=dict)
    zones: dict[str, list[Zone]] = field(default_factory=dict)
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    sightings: dict[str, list[Sighting]] = field(default_factory=dict)
    own_outages: list[tuple[int, int]] = field(default_factory=list)
    verdicts: dict[str, list[Verdict]] = field(default_factory=dict)
    awaited: list[int] = field(default_factory=list)  # when readings from the future will be taken in


def content(reading: Reading) -> str:
    """All that was measured, as comparable text."""
    fields = msgspec.to_builtins(reading)
    return repr(sorted((name, repr(value)) for name, value in fields.items() if name not in _CARRIED))


def identity(reading: Reading) -> tuple[object, ...]:
    """What makes two readings the same measurement."""
    if reading.kind in ("alcohol_breath", "lab_result") and reading.test_id is not None:
        return (reading.device, reading.kind, "test", reading.test_id)
    return (reading.device, reading.kind, reading.observed_at, reading.event)


def fold_key(reading: Reading) -> tuple[object, ...]:
    """Order in which readings happened."""
    word = reading.event or reading.test_id or ""
    return (reading.observed_at, reading.device, reading.kind, word not in _OPENING, word, content(reading))


def accuracy_m(reading: Reading) -> float:
    """Accuracy as counted: unknown is 50 m."""
    if reading.accuracy_m is None or reading.accuracy_m in (0, 2147483647):
        return 50.0
    return reading.accuracy_m


def method_known(reading: Reading) -> bool:
    return reading.method in _METHODS


def best_position(sighting: Sighting) -> Heard | None:
    """The position that counts; None where equally good ones disagree."""

    def rank(heard: Heard) -> tuple[int, float]:
        method = heard.reading.method
        return (_METHODS.index(method) if method in _METHODS else len(_METHODS), accuracy_m(heard.reading))

    best = min(rank(heard) for heard in sighting.readings)
    winners = [heard for heard in sighting.readings if rank(heard) == best]
    if len({(heard.reading.lat, heard.reading.lon) for heard in winners}) > 1:
        return None
    return min(winners, key=lambda heard: heard.received_at)


def known(records: Sequence[InputRecord], clock: int) -> Known:
    """What the records say that had arrived at `clock`."""
    result = Known(clock)
    bound: dict[str, list[Bound]] = {}
    for record in records:
        if isinstance(record, OwnOutage):
            # Nothing is read during our own outage, so nothing is ever decided in it without knowing of it.
            if record.from_ <= clock:
                result.own_outages.append((record.from_, record.to))
        elif record.received_at > clock:
            continue
        elif isinstance(record, OrderVersion):
            _take(result.orders.setdefault(record.order.id, []), record.order)
        elif isinstance(record, ZoneVersion):
            _take(result.zones.setdefault(record.zone.id, []), record.zone)
        elif isinstance(record, BindingVersion):
            _take(result.bindings.setdefault(record.binding.id, []), record.binding)
        elif isinstance(record, VerdictVersion):
            _take(result.verdicts.setdefault(record.verdict.id, []), record.verdict)
        elif isinstance(record, Bound):
            if record.reading.observed_at > clock:
                result.awaited.append(record.reading.observed_at)
            elif record.reading.observed_at >= record.received_at - 400 * DAY:
                bound.setdefault(record.participant, []).append(record)
    for participant, records_of in bound.items():
        result.sightings[participant] = _sightings(records_of)
    return result


def _take(versions: list[V], version: V) -> None:
    if all(other.version != version.version for other in versions):
        versions.append(version)


def _sightings(records: Iterable[Bound]) -> list[Sighting]:
    by_identity: dict[tuple[object, ...], dict[str, Heard]] = {}
    for record in records:
        contents = by_identity.setdefault(identity(record.reading), {})
        what = content(record.reading)
        if what not in contents or record.received_at < contents[what].received_at:
            contents[what] = Heard(record.reading, record.received_at)
    found = [
        Sighting(tuple(sorted(group.values(), key=lambda heard: fold_key(heard.reading))))
        for group in by_identity.values()
    ]
    return sorted(found, key=lambda sighting: fold_key(sighting.readings[0].reading))
