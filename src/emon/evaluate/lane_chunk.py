"""A chunk of readings as columns: every field is read once, and every name becomes a number by one look-up.

Names are compared as numbers afterwards. What nobody in the lane has is ABSENT, which equals nobody's number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from emon.domain.reading import Reading
from emon.journal.records import Bound
from emon.limits import UNKNOWN_ACCURACY_M

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Name = TypeVar("Name")

ABSENT: Final = -1
GNSS, CONTRARY_ONLY, SAYS_NOTHING = 2, 1, 0
_NO_ACCURACY: Final = 2147483647.0
_WORST_M: Final = 1e9  # more than any distance on earth: a larger accuracy says the same, and overflows


class Numbers(dict[Name, int]):
    """Names and their numbers; `default` for a name that has none."""

    def __init__(self, default: int = ABSENT) -> None:
        super().__init__()
        self._default = default

    def __missing__(self, name: Name) -> int:
        return self._default

    def give(self, name: Name) -> int:
        """The name's number, a new one where it has none."""
        return self.setdefault(name, len(self))


class Columns(NamedTuple):
    """By reading: participant, instants, device and feed as numbers, what the position says. `located`: it is a
    position with coordinates; elsewhere `lon` and `lat` may be anything."""

    person: Ints
    at: Ints
    came: Ints
    device: Ints
    carrier: Ints
    located: Flags
    method: Ints
    lon: Floats
    lat: Floats
    accuracy: Floats


def _table(entries: dict[str, int]) -> Numbers[str]:
    numbers: Numbers[str] = Numbers(0)
    numbers.update(entries)
    return numbers


_METHODS: Final = _table({"gnss": GNSS, "wifi": CONTRARY_ONLY, "cell": CONTRARY_ONLY, "rf": CONTRARY_ONLY,
                          "beacon": CONTRARY_ONLY})
_KINDS: Final = _table({"position": 1})
_participant, _received, _reading = map(attrgetter, ("participant", "received_at", "reading"))
_observed, _device, _feed, _kind, _method, _lon, _lat, _accuracy = map(attrgetter, (
    "observed_at", "device", "feed", "kind", "method", "lon", "lat", "accuracy_m"))


def columns_of(bounds: Sequence[Bound], people: Numbers[str], devices: Numbers[str],
               carriers: Numbers[str | None]) -> Columns:
    """The chunk in columns."""
    n = len(bounds)
    readings = list(map(_reading, bounds))
    lon, lat, accuracy = (_floats(field, readings) for field in (_lon, _lat, _accuracy))
    accuracy[np.isnan(accuracy) | (accuracy == 0) | (accuracy == _NO_ACCURACY)] = UNKNOWN_ACCURACY_M
    kinds = np.fromiter(map(_KINDS.__getitem__, map(_kind, readings)), np.int64, n)
    return Columns(
        np.fromiter(map(people.__getitem__, map(_participant, bounds)), np.int64, n),
        np.fromiter(map(_observed, readings), np.int64, n),
        np.fromiter(map(_received, bounds), np.int64, n),
        np.fromiter(map(devices.__getitem__, map(_device, readings)), np.int64, n),
        np.fromiter(map(carriers.__getitem__, map(_feed, readings)), np.int64, n),
        (kinds == 1) & ~np.isnan(lat) & ~np.isnan(lon),
        np.fromiter(map(_METHODS.__getitem__, map(_method, readings)), np.int64, n),
        lon, lat, np.minimum(accuracy, _WORST_M))


def _floats(field: Callable[[Reading], float | None], readings: Sequence[Reading]) -> Floats:
    """A field of all readings; nan where there is none."""
    try:
        return np.fromiter(map(field, readings), np.float64, len(readings))
    except TypeError:  # None somewhere: seldom, and twice as slow
        return np.array(list(map(field, readings)), dtype=np.float64)
