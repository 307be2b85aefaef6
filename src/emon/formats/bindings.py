"""Shorthand bindings of orders, and which device speaks for whom at which time.

`devices:` of an order's version is one binding a device, id `ORDER:DEVICE` (`#2` and so on where a device is
listed again for another time), with the order's version and `effective_from`. A device that a lower version
lists and this one does not is unbound from this one's `effective_from` on: a void version of its binding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from emon.domain import instant
from emon.domain.binding import Binding
from emon.domain.order import Order

_ALWAYS = -(1 << 62)
_NEVER = 1 << 62


class Overlap(NamedTuple):
    """Two bindings that give one device to two people at `at` (microseconds UTC)."""

    first: Binding
    second: Binding
    at: int

    def __str__(self) -> str:
        since = "from the beginning" if self.at <= _ALWAYS else f"at {instant.iso(self.at)}"
        return (f"device {self.first.device} is bound to two people {since}: {person(self.first)} "
                f"(binding {self.first.id} version {self.first.version}) and {person(self.second)} "
                f"(binding {self.second.id} version {self.second.version})")


def person(binding: Binding) -> str:
    """Whom the device speaks for, in words."""
    if binding.participant is not None:
        return f"participant {binding.participant}"
    return f"protected person {binding.protected_person}"


def binding_ids(order_id: str, devices: Iterable[str]) -> list[str]:
    """Ids of an order's shorthand bindings, in the order listed."""
    seen: dict[str, int] = defaultdict(int)
    ids = []
    for device in devices:
        seen[device] += 1
        ids.append(f"{order_id}:{device}" + ("" if seen[device] == 1 else f"#{seen[device]}"))
    return ids


def bindings_of_version(order: Order, others: Iterable[Order]) -> list[Binding]:
    """What a version of an order says about devices: those it lists, and those it drops, judged by the
    lower versions of the same order among `others`."""
    listed = {binding.id for binding in order.devices}
    dropped = {binding.id: binding for other in sorted(others, key=lambda o: o.version)
               if other.id == order.id and other.version < order.version
               for binding in other.devices if binding.id not in listed}
    return [*order.devices, *(Binding(
        id=binding.id, version=order.version, device=binding.device, participant=order.participant, void=True,
        effective_from=order.effective_from, received_at=order.received_at) for binding in dropped.values())]


def bindings_of(orders: Iterable[Order]) -> list[Binding]:
    """The shorthand bindings of all versions, expanded."""
    by_id: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        by_id[order.id].append(order)
    return [binding for versions in by_id.values() for order in versions
            for binding in bindings_of_version(order, versions)]


def overlaps(bindings: Iterable[Binding]) -> list[Overlap]:
    """Where one device speaks for two people at one instant; for each pair of bindings the first instant."""
    by_id: dict[str, list[Binding]] = defaultdict(list)
    for binding in bindings:
        by_id[binding.id].append(binding)
    by_device: dict[str, list[tuple[int, int, Binding]]] = defaultdict(list)
    for versions in by_id.values():
        for start, end, binding in _in_force(versions):
            by_device[binding.device].append((start, end, binding))
    return [overlap for stretches in by_device.values() for overlap in _overlaps(stretches)]


def _in_force(versions: Sequence[Binding]) -> list[tuple[int, int, Binding]]:
    """When each version of one binding is in force: from its start until a higher version takes effect."""
    stretches = []
    superseded = _NEVER
    for binding in sorted(versions, key=lambda b: b.version, reverse=True):
        effective = _ALWAYS if binding.effective_from is None else binding.effective_from
        start = max(effective, _ALWAYS if binding.from_ is None else binding.from_)
        end = min(superseded, _NEVER if binding.until is None else binding.until)
        superseded = min(superseded, effective)
        if start < end and not binding.void:
            stretches.append((start, end, binding))
    return stretches


def _overlaps(stretches: list[tuple[int, int, Binding]]) -> list[Overlap]:
    stretches.sort(key=lambda stretch: (stretch[0], stretch[2].id, stretch[2].version))
    found: dict[tuple[str, str], Overlap] = {}
    running: list[tuple[int, Binding]] = []
    for start, end, binding in stretches:
        running = [(until, other) for until, other in running if until > start]
        for _, other in running:
            if person(other) != person(binding):
                found.setdefault((other.id, binding.id), Overlap(other, binding, start))
        running.append((end, binding))
    return list(found.values())
