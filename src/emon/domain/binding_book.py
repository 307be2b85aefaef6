"""Whose device was it then? A reading joins to a person through the binding in force when it was observed.

Pure state, shared by the router (which sends readings to people) and the evaluator (which checks them).
The answer depends on the set of versions taken in, never on their order. A device that two people hold at
one instant is nobody's for as long as that lasts: the overlap is pending and accuses no one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from emon.domain.binding import Binding
from emon.domain.order import Order
from emon.domain.versions import NEVER, Entry, Span, in_force, since, until

Interval = tuple[str, int, int]
"""(device, from, until), microseconds UTC; versions.ALWAYS and versions.NEVER where open."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class Conflict(NamedTuple):
    """Several people hold `device` during [`from_`, `until`) by these binding ids."""

    device: str
    from_: int
    until: int
    bindings: tuple[str, ...]


def holder(binding: Binding) -> tuple[str, str]:
    """Who holds the device: ("participant" or "protected_person", id)."""
    if binding.participant is not None:
        return ("participant", binding.participant)
    return ("protected_person", binding.protected_person or "")


def preferred(old: Binding | None, new: Binding) -> Binding:
    """Of two different texts with one id and version the same one, whichever came first."""
    if old is None:
        return new
    return max(old, new, key=lambda b: _encode(msgspec.structs.replace(b, received_at=None)))


class BindingBook:
    """All binding versions known so far."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[int, Binding]] = {}
        self._ids: dict[str, set[str]] = {}  # device -> ids that ever named it
        self._spans: dict[str, list[Span[Binding]]] = {}
        self._conflicts: dict[str, list[Conflict]] = {}
        self._devices: dict[tuple[str, str], set[str]] = {}  # holder -> devices that any version gave them

    def add(self, version: Binding) -> list[Interval]:
        """Takes a version in; returns the intervals whose holder changed (they need re-binding)."""
        versions = self._versions.setdefault(version.id, {})
        kept = preferred(versions.get(version.version), version)
        if versions.get(version.version) is kept:
            return []
        devices = {b.device for b in versions.values()} | {kept.device}
        versions[version.version] = kept
        self._ids.setdefault(kept.device, set()).add(version.id)
        self._devices.setdefault(holder(kept), set()).add(kept.device)
        changed: list[Interval] = []
        for device in sorted(devices):
            before = self._spans.get(device, [])
            self._resolve(device)
            changed += [(device, a, b) for a, b in _differing(before, self._spans[device])]
        return changed

    def owner(self, device: str, observed_at: int) -> Binding | None:
        """The binding in force; None where there is none or where several people hold the device."""
        spans = self._spans.get(device)
        if not spans:
            return None
        if observed_at >= spans[-1].from_:  # nearly all
            return spans[-1].item if observed_at < spans[-1].until else None
        for span in reversed(spans):
            if span.from_ <= observed_at:
                return span.item if observed_at < span.until else None
        return None

    @property
    def conflicts(self) -> list[Conflict]:
        """Overlaps that stand now, by device and time."""
        return [c for device in sorted(self._conflicts) for c in self._conflicts[device]]

    def spans(self, device: str) -> list[Span[Binding]]:
        """Undisputed bindings of the device in order of time."""
        return self._spans.get(device, [])

    def devices_of(self, person: str) -> list[str]:
        """Devices that any version ever gave to the participant or protected person."""
        return sorted({device for kind in ("participant", "protected_person")
                       for device in self._devices.get((kind, person), ())})

    def holders(self, device: str) -> set[str]:
        """Whoever any version ever gave the device."""
        return {holder(binding)[1] for binding_id in self._ids.get(device, ())
                for binding in self._versions[binding_id].values() if binding.device == device}

    def devices_named(self, version: Binding) -> list[str]:
        """Devices that the binding's versions name, this one included."""
        return sorted({b.device for b in self._versions.get(version.id, {}).values()} | {version.device})

    def devices(self) -> list[str]:
        """Devices that any version names."""
        return sorted(self._ids)

    def versions(self, binding_id: str) -> list[Binding]:
        """Every version of a binding taken in."""
        return [binding for _, binding in sorted(self._versions.get(binding_id, {}).items())]

    def _resolve(self, device: str) -> None:
        claims = [span for binding_id in sorted(self._ids.get(device, ()))
                  for span in _of_id(self._versions[binding_id]) if span.item.device == device]
        edges = sorted({edge for claim in claims for edge in (claim.from_, claim.until)})
        spans: list[Span[Binding]] = []
        conflicts: list[Conflict] = []
        for begin, end in pairwise(edges):
            here = [c for c in claims if c.from_ <= begin and end <= c.until]
            if len({holder(c.item) for c in here}) > 1:
                conflicts.append(Conflict(device, begin, end, tuple(c.item.id for c in here)))
            elif here:
                best = max(here, key=lambda c: c.from_).item  # bound last; ties: smaller id
                if spans and spans[-1].until == begin and spans[-1].item is best:
                    begin = spans.pop().from_
                spans.append(Span(begin, end, best))
        self._spans[device] = spans
        if conflicts:
            self._conflicts[device] = conflicts
        else:
            self._conflicts.pop(device, None)


class _Lent(msgspec.Struct, frozen=True, gc=False):
    """What an order version says about devices. The rest of it is not kept: an order's conditions weigh more."""

    version: int
    effective_from: int | None
    void: bool
    received_at: int | None
    devices: Sequence[Binding]


class Shorthand:
    """Expands `devices:` of orders into binding versions, also for what a later version drops.

    A binding that some version of an order lists and another does not, or that a void version lists, is void
    in that version: the device is unbound from its `effective_from` on.
    """

    def __init__(self) -> None:
        self._orders: dict[str, dict[int, _Lent]] = {}

    def add(self, order: Order) -> list[Binding]:
        """Takes an order version in; returns the binding versions that it makes known, in a fixed order."""
        known = self._orders.setdefault(order.id, {})
        before = {b.id: b for o in known.values() for b in o.devices}
        mine = {b.id: b for b in order.devices}
        lent = known[order.version] = _Lent(order.version, order.effective_from, order.void, order.received_at,
                                            order.devices)
        bindings = [_of_order(lent, b) for _, b in sorted((before | mine).items())]
        bindings += [_of_order(other, b) for _, other in sorted(known.items()) if other is not lent
                     for name, b in sorted(mine.items()) if name not in before]
        return bindings


def bindings_of(orders: Iterable[Order]) -> list[Binding]:
    """What all these versions say about devices, also which ones later versions drop."""
    shorthand = Shorthand()
    return [binding for order in orders for binding in shorthand.add(order)]


def _of_order(order: _Lent, binding: Binding) -> Binding:
    """What one order version says about a binding that some version lists."""
    listed = next((b for b in order.devices if b.id == binding.id), None)
    if listed is None or order.void:
        return Binding(id=binding.id, version=order.version, device=binding.device,
                       participant=binding.participant, protected_person=binding.protected_person,
                       effective_from=order.effective_from, void=True, received_at=order.received_at)
    return listed


def _of_id(versions: dict[int, Binding]) -> list[Span[Binding]]:
    return in_force(Entry(b.version, since(b.effective_from), since(b.from_), until(b.until), b.void, b)
                    for b in versions.values())


def _differing(before: list[Span[Binding]], after: list[Span[Binding]]) -> list[tuple[int, int]]:
    edges = sorted({edge for span in (*before, *after) for edge in (span.from_, span.until)})
    out: list[tuple[int, int]] = []
    for begin, end in pairwise(edges):
        if _holder_at(before, begin) == _holder_at(after, begin):
            continue
        if out and out[-1][1] == begin:
            begin = out.pop()[0]
        out.append((begin, min(end, NEVER)))
    return out


def _holder_at(spans: list[Span[Binding]], instant: int) -> tuple[str, str] | None:
    for span in spans:
        if span.from_ <= instant < span.until:
            return holder(span.item)
    return None
