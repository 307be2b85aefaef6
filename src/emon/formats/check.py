"""Everything people write, checked together: `emon check` and `emon evaluate` read files through here.

One pass reads each document by itself (`objects`), a second looks between them: zones that no file has, one
version number with two contents, one device on two people. All faults are listed, each with file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from emon.domain.binding import Binding
from emon.domain.binding_book import bindings_of
from emon.domain.order import Order
from emon.domain.person import Person
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone
from emon.formats import documents
from emon.formats.bindings import overlaps
from emon.formats.conflicts import conflicts
from emon.formats.documents import Document
from emon.formats.faults import FileFault
from emon.formats.lines import PathPart
from emon.formats.objects import DomainObject, Found, read_object
from emon.formats.suggest import did_you_mean
from emon.formats.text import Unreadable
from emon.formats.verdicts import Ordered

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """What the files say. `orders` and the rest may be used only where there is no fault. `bindings`: those
    written out and the orders' shorthands, with what later versions drop."""

    orders: tuple[Order, ...] = ()
    zones: tuple[Zone, ...] = ()
    bindings: tuple[Binding, ...] = ()
    people: tuple[Person, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    faults: tuple[FileFault, ...] = ()
    warnings: tuple[FileFault, ...] = ()


@dataclass(frozen=True, slots=True)
class _Placed:
    """A value with its document."""

    value: Any
    found: Found
    document: Document

    def fault(self, reason: str, *path: PathPart) -> FileFault:
        return self.document.fault(reason, self.found.at(*path))


def check(paths: Iterable[Path | str], *, complete: bool = False, contradictions: bool = False,
          set_aside: list[Unreadable] | None = None) -> Checked:
    """Reads and checks files and folders of orders, zones, bindings, verdicts and people.

    `complete`: the files are all there is, so a zone that none of them has is a fault. Else it is one only
    where there are zones among the files; an order looked at by itself gets a warning. `contradictions`: conditions
    that cannot all be kept are warnings too, where there is no fault.
    `set_aside` takes files that cannot be read, so that the others are still checked; without it they raise
    Unreadable, which names all of them.
    """
    files, faults = documents.find([Path(path) for path in paths])
    read: list[Document] = []
    unreadable: list[Unreadable] = [] if set_aside is None else set_aside
    for file in files:
        try:
            loaded, file_faults = documents.load(file)
        except Unreadable as error:
            unreadable.append(error)
            continue
        read.extend(loaded)
        faults.extend(file_faults)
    if unreadable and set_aside is None:
        others = "".join(f"; {error}" for error in unreadable[1:])
        raise Unreadable(unreadable[0].path, unreadable[0].detail + others)
    return _with(check_documents(read, complete=complete, contradictions=contradictions), faults)


def check_documents(read: Iterable[Document], *, complete: bool = False, contradictions: bool = False) -> Checked:
    """As `check`, of documents that are already loaded."""
    placed: list[_Placed] = []
    faults: list[FileFault] = []
    warnings: list[FileFault] = []
    zone_ids: set[str] = set()
    ordered = Ordered()
    zones_given = complete
    for document in read:
        if "type" in document.value:
            zones_given = True
            zone_ids.update(_zone_ids(document.value))
        ordered.add(document.value)
        result = read_object(document.value)
        faults.extend(document.fault(fault.reason, fault.path) for fault in result.faults)
        warnings.extend(document.fault(warning.reason, warning.path) for warning in result.warnings)
        placed.extend(_Placed(found.value, found, document) for found in result.found)
    placed, version_faults = _each_version_once(placed)
    faults.extend(version_faults)
    placed = list(_with_names(placed, faults))
    bindings, binding_faults = _bindings(placed)
    faults.extend(binding_faults)
    (faults if zones_given else warnings).extend(_unknown_zones(placed, zone_ids))
    faults.extend(_unknown_places(placed))
    if complete or ordered.orders:
        faults.extend(each.fault(reason, name) for each in placed if isinstance(each.value, Verdict)
                      for name, reason in ordered.faults(each.value))
    if contradictions and not faults:
        warnings.extend(_contradictions(placed))
    return Checked(orders=_of(placed, Order), zones=_of(placed, Zone), bindings=tuple(bindings),
                   people=_of(placed, Person), verdicts=_of(placed, Verdict), faults=tuple(sorted(set(faults))),
                   warnings=tuple(sorted(set(warnings))))


def _with(checked: Checked, faults: Iterable[FileFault]) -> Checked:
    return replace(checked, faults=tuple(sorted({*checked.faults, *faults})))


def _of(placed: Iterable[_Placed], kind: type[T]) -> tuple[T, ...]:
    return tuple(each.value for each in placed if isinstance(each.value, kind))


def _each_version_once(placed: Iterable[_Placed]) -> tuple[list[_Placed], list[FileFault]]:
    """Equal copies of a version count once; unequal ones are a fault."""
    kept: dict[tuple[type, str, int], _Placed] = {}
    faults: list[FileFault] = []
    for each in placed:
        key = (type(each.value), each.value.id, each.value.version)
        first = kept.setdefault(key, each)
        if _content(first.value) != _content(each.value):
            where = f"{first.document.file}:{first.document.line(first.found.at())}"
            what = type(each.value).__name__.lower()
            faults.append(each.fault(f"{what} {each.value.id} version {each.value.version} stands here with "
                                     f"other content than at {where}; a changed version needs a new number"))
    return list(kept.values()), faults


def _content(value: DomainObject) -> DomainObject:
    """The value without its time of arrival, which is no part of what a version says."""
    bare = msgspec.structs.replace(value, received_at=None)
    if isinstance(bare, Order):
        return msgspec.structs.replace(bare, devices=tuple(
            msgspec.structs.replace(device, received_at=None) for device in bare.devices))
    return bare


def _with_names(placed: Iterable[_Placed], faults: list[FileFault]) -> Iterator[_Placed]:
    """Void versions may leave out whom they concern: the other versions say it."""
    everything = list(placed)
    participants = {(type(each.value), each.value.id): each.value.participant for each in everything
                    if isinstance(each.value, Order | Verdict) and each.value.participant}
    devices = {each.value.id: each.value for each in everything
               if isinstance(each.value, Binding) and not each.value.void}
    for each in everything:
        value = each.value
        if isinstance(value, Order | Verdict) and value.void and not value.participant:
            if (type(value), value.id) not in participants:
                faults.append(each.fault(f"`participant` is missing in {value.id}, and no other version "
                                         f"names it"))
            value = msgspec.structs.replace(value, participant=participants.get((type(value), value.id), ""))
        elif isinstance(value, Binding) and value.void and not value.device:
            if value.id not in devices:
                faults.append(each.fault(f"`device` is missing in {value.id}, and no other version names it"))
            else:
                value = msgspec.structs.replace(value, device=devices[value.id].device)
        yield _Placed(value, each.found, each.document)


def _bindings(placed: list[_Placed]) -> tuple[list[Binding], list[FileFault]]:
    where: dict[tuple[str, int], tuple[_Placed, tuple[PathPart, ...]]] = {}
    faults: list[FileFault] = []
    for each in placed:
        if isinstance(each.value, Order):
            for at, device in enumerate(each.value.devices):
                where[device.id, device.version] = (each, ("devices", at))
    bindings = bindings_of(_of(placed, Order))
    for each in placed:
        if isinstance(each.value, Binding):
            if (each.value.id, each.value.version) in where:
                faults.append(each.fault(f"binding {each.value.id} version {each.value.version} also stands "
                                         "as shorthand in an order"))
            where[each.value.id, each.value.version] = (each, ())
            bindings.append(each.value)
    for overlap in overlaps(binding for binding in bindings if binding.participant
                            or binding.protected_person):
        holder, path = where[overlap.second.id, overlap.second.version]
        faults.append(holder.fault(str(overlap), *path))
    return bindings, faults


def _zone_ids(value: dict[str, Any]) -> Iterator[str]:
    """Ids that a GeoJSON value names, faulty or not: a zone with a fault is not also an unknown one."""
    features = value.get("features", [value])
    for feature in features if isinstance(features, list) else []:
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if isinstance(properties, dict) and isinstance(properties.get("id"), str):
            yield properties["id"]


def _unknown_zones(placed: list[_Placed], known: set[str]) -> Iterator[FileFault]:
    for each in placed:
        if isinstance(each.value, Order):
            for at, condition in enumerate(each.value.conditions):
                if condition.zone is not None and condition.zone not in known:
                    yield each.fault(f"zone `{condition.zone}` stands in none of the files"
                                     f"{did_you_mean(condition.zone, known)}", "conditions", at, "zone")


def _contradictions(placed: list[_Placed]) -> Iterator[FileFault]:
    where = {(each.value.id, each.value.version): each for each in placed if isinstance(each.value, Order)}
    for conflict in conflicts(_of(placed, Order), _of(placed, Zone)):
        yield where[conflict.order.id, conflict.order.version].fault(conflict.reason, "conditions", conflict.condition)


def _unknown_places(placed: list[_Placed]) -> Iterator[FileFault]:
    """Places of bindings in files of their own: some order of the participant must know them."""
    places: dict[str, set[str]] = {}
    for order in _of(placed, Order):
        places.setdefault(order.participant, set()).update(place.id for place in order.places)
    for each in placed:
        if isinstance(each.value, Binding) and each.value.place is not None:
            known = places.get(each.value.participant or "")
            if known is not None and each.value.place not in known:
                yield each.fault(f"place `{each.value.place}` stands in no order of {each.value.participant}"
                                 f"{did_you_mean(each.value.place, known)}", "place")
