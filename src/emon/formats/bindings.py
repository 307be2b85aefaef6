"""Ids of orders' shorthand bindings, and faults where one device is bound to two people at one instant.

What is in force when, and what shorthands say, is `domain.binding_book`'s to tell; here stand the ids of
shorthands and the words of the fault.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from emon.domain import instant
from emon.domain.binding import Binding
from emon.domain.binding_book import BindingBook, Conflict, holder
from emon.domain.versions import ALWAYS, Entry, at, in_force, since, until


class Overlap(NamedTuple):
    """Two bindings that give one device to two people at `at` (microseconds UTC)."""

    first: Binding
    second: Binding
    at: int

    def __str__(self) -> str:
        when = "from the beginning" if self.at <= ALWAYS else f"at {instant.iso(self.at)}"
        return (f"device {self.first.device} is bound to two people {when}: {_said(self.first)} and "
                f"{_said(self.second)}")


def binding_ids(order_id: str, devices: Iterable[str]) -> list[str]:
    """Ids of an order's shorthand bindings, in the order listed: `ORDER:DEVICE`, and `#2` and so on where a
    device is listed again for another time."""
    seen: dict[str, int] = defaultdict(int)
    ids = []
    for device in devices:
        seen[device] += 1
        ids.append(f"{order_id}:{device}" + ("" if seen[device] == 1 else f"#{seen[device]}"))
    return ids


def overlaps(bindings: Iterable[Binding]) -> list[Overlap]:
    """Where one device speaks for two people; for each pair of bindings the first instant."""
    book = BindingBook()
    by_id: dict[str, list[Binding]] = defaultdict(list)
    for binding in bindings:
        book.add(binding)
        by_id[binding.id].append(binding)
    found: dict[tuple[str, str], Overlap] = {}
    for conflict in book.conflicts:
        first, second = _two(conflict, by_id)
        found.setdefault((first.id, second.id), Overlap(first, second, conflict.from_))
    return list(found.values())


def _two(conflict: Conflict, by_id: dict[str, list[Binding]]) -> tuple[Binding, Binding]:
    """Two bindings of different people in force where the conflict begins, the later begun second."""
    ruling = sorted((binding for name in conflict.bindings
                     if (binding := _in_force(by_id[name], conflict.from_)) is not None),
                    key=lambda binding: (since(binding.from_), since(binding.effective_from), binding.id))
    first = ruling[0]
    return first, next(binding for binding in ruling if holder(binding) != holder(first))


def _in_force(versions: Iterable[Binding], moment: int) -> Binding | None:
    return at(in_force(Entry(b.version, since(b.effective_from), since(b.from_), until(b.until), b.void, b)
                       for b in versions), moment)


def _said(binding: Binding) -> str:
    kind, name = holder(binding)
    return f"{kind.replace('_', ' ')} {name} (binding {binding.id} version {binding.version})"
