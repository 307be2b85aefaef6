"""Results of single tests, of breath or of the laboratory: which of several under one identity counts.

A final result beats one that is incomplete or pending, which beats a missed one, whatever came first. Final
results that differ in what the rules read are a tie: the test says nothing. Results that share a test id
belong together while no more than TEST_SPAN lies between neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from emon.domain.reading import Reading, identity
from emon.evaluate.verdict import arrived
from emon.journal.records import Bound
from emon.limits import TEST_SPAN

_MISSED, _UNFINISHED, _FINAL = range(3)
_RANK: Final = {"ok": _FINAL, "refused": _FINAL, "negative": _FINAL, "positive": _FINAL, "dilute": _FINAL,
                "incomplete": _UNFINISHED, "pending": _UNFINISHED, "missed": _MISSED}


class Tested(NamedTuple):
    """One test: its best results, more than one only in a tie or of equal meaning, in fold order."""

    part: str
    best: tuple[Bound, ...]

    @property
    def agreed(self) -> Bound | None:
        """The result that counts, of equal ones what came in first; None in a tie."""
        if len({_read(b.reading) for b in self.best}) > 1:
            return None
        return min(self.best, key=arrived)


def is_final(reading: Reading) -> bool:
    """Whether nothing is left to wait for."""
    return _RANK.get(reading.result or "", _MISSED) == _FINAL


def tests_of(bounds: Iterable[Bound]) -> list[Tested]:
    """The tests that readings in fold order, all of one kind, belong to, by their first result."""
    groups: dict[object, list[list[Bound]]] = {}
    for bound in bounds:
        of_identity = groups.setdefault(identity(bound.reading), [])
        if of_identity and bound.reading.observed_at - of_identity[-1][-1].reading.observed_at <= TEST_SPAN:
            of_identity[-1].append(bound)
        else:
            of_identity.append([bound])
    return [_test(group) for of_identity in groups.values() for group in of_identity]


def _test(group: list[Bound]) -> Tested:
    best = max(_RANK.get(b.reading.result or "", _MISSED) for b in group)
    first = group[0].reading
    name = first.test_id if first.test_id is not None else str(first.observed_at)
    return Tested(f"{first.device} {name}",
                  tuple(b for b in group if _RANK.get(b.reading.result or "", _MISSED) == best))


def _read(reading: Reading) -> tuple[object, ...]:
    """What the rules read of a result."""
    of_breath = reading.kind == "alcohol_breath"
    at = scheduled_at(reading) if of_breath and reading.result == "missed" else None
    confirms = of_breath and reading.purpose == "confirmation"
    value = reading.brac_g_210l if reading.result == "ok" else None
    return reading.result, reading.observed_at, value, confirms, at


def scheduled_at(reading: Reading) -> int:
    """When a test that was missed should have been; a date far from the result's own is none."""
    if reading.scheduled_at is None or abs(reading.scheduled_at - reading.observed_at) > TEST_SPAN:
        return reading.observed_at
    return reading.scheduled_at
