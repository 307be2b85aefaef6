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
    """By reading: participant, instants, device and feed as numbers, what the position says. `came`: when it counts
    from: what is observed in the future counts from then on. `located`: it is a position with coordinates; elsewhere
    `lon` and `lat` may be anything. `lives`: the device says no more than that, and its `charge`."""

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
    lives: Flags
    charge: Floats


def _table(entries: dict[str, int]) -> Numbers[str]:
    numbers: Numbers[str] = Numbers(0)
    numbers.update(entries)
    return numbers


_METHODS: Final = _table({"gnss": GNSS, "wifi": CONTRARY_ONLY, "cell": CONTRARY_ONLY, "rf": CONTRARY_ONLY,
                          "beacon": CONTRARY_ONLY})
_PORTION: Final = 2_000  # readings whose fields are read one after the other while the processor still has them at hand
_participant, _received, _reading = map(attrgetter, ("participant", "received_at", "reading"))
_observed, _device, _lon, _lat, _accuracy = map(attrgetter, ("observed_at", "device", "lon", "lat", "accuracy_m"))
_words = attrgetter("kind", "method", "feed", "event")
_LIVING: Final = ("heartbeat", "battery")


def columns_of(bounds: Sequence[Bound], people: Numbers[str], devices: Numbers[str],
               carriers: Numbers[str | None]) -> Columns:
    """The chunk in columns."""
    portions = [_portion(bounds[begin:begin + _PORTION], people, devices, carriers)
                for begin in range(0, max(1, len(bounds)), _PORTION)]
    return Columns(*map(np.concatenate, zip(*portions, strict=True)))


def _portion(bounds: Sequence[Bound], people: Numbers[str], devices: Numbers[str],
             carriers: Numbers[str | None]) -> Columns:
    n = len(bounds)
    readings = list(map(_reading, bounds))
    person = np.fromiter(map(people.__getitem__, map(_participant, bounds)), np.int64, n)
    at = np.fromiter(map(_observed, readings), np.int64, n)
    came = np.fromiter(map(_received, bounds), np.int64, n)
    device = np.fromiter(map(devices.__getitem__, map(_device, readings)), np.int64, n)
    lon, lat, accuracy = (_floats(field, readings) for field in (_lon, _lat, _accuracy))
    accuracy[np.isnan(accuracy) | (accuracy == 0) | (accuracy == _NO_ACCURACY)] = UNKNOWN_ACCURACY_M
    carrier, position, method, lives = _spelt(readings, carriers)
    charge = np.full(n, np.nan)
    for i in np.flatnonzero(lives).tolist():
        charge[i] = readings[i].battery_fraction  # nan where there is none
    located = position & ~np.isnan(lat) & ~np.isnan(lon)
    return Columns(person, at, np.maximum(came, at), device, carrier, located, method, lon, lat,
                   np.minimum(accuracy, _WORST_M), lives, charge)


def _spelt(readings: Sequence[Reading], carriers: Numbers[str | None]) -> tuple[Ints, Flags, Ints, Flags]:
    """By reading: the feed as a number, whether it is a position, what its method may say, and whether a device says
    that it lives. Most readings have these words in common."""
    words = dict.fromkeys(map(_words, readings))
    said = {each: number for number, each in enumerate(words)}
    meant = np.array([(carriers[feed], kind == "position", _METHODS[method], kind == "status" and event in _LIVING)
                      for kind, method, feed, event in words], dtype=np.int64).reshape(-1, 4)
    if len(said) == 1:
        each = np.repeat(meant, len(readings), axis=0)
    else:
        each = meant[np.fromiter(map(said.__getitem__, map(_words, readings)), np.int64, len(readings))]
    return each[:, 0], each[:, 1] == 1, each[:, 2], each[:, 3] == 1


def _floats(field: Callable[[Reading], float | None], readings: Sequence[Reading]) -> Floats:
    """A field of all readings; nan where there is none."""
    try:
        return np.fromiter(map(field, readings), np.float64, len(readings))
    except TypeError:  # None somewhere: seldom, and twice as slow
        return np.array(list(map(field, readings)), dtype=np.float64)
