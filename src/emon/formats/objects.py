"""One document in, the domain's values, faults and warnings out: the same for files and for HTTP.

Where a document has faults, what is sound in it is still read (`partial`), so that the checks between
documents can list their faults in the same run. Values read from a faulty document are for such checks
alone: nothing may be evaluated or stored from them.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from emon.domain.binding import Binding
from emon.domain.order import Order
from emon.domain.person import Person
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone
from emon.formats import convert, geometry, judge, models
from emon.formats.faults import ObjectFault, faults_of
from emon.formats.lines import PathPart
from emon.formats.suggest import did_you_mean

KNOWN: Final = "order, binding, verdict, person, people or a GeoJSON FeatureCollection of zones"
_KEYS: Final = ("order", "binding", "verdict", "person", "people", "type")
_ROUNDS: Final = 4  # of taking out what is faulty: a key, then the element that cannot do without it
DomainObject = Order | Binding | Verdict | Person | Zone


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where in the document it stands. `paths` leads to its named parts: conditions by index."""

    value: DomainObject
    path: tuple[PathPart, ...] = ()
    indices: dict[str, list[int]] | None = None  # where elements were left out: their indices in the document

    def at(self, *path: PathPart) -> tuple[PathPart, ...]:
        """Path in the document of a path in the value."""
        if len(path) > 1 and isinstance(path[1], int) and self.indices and path[0] in self.indices:
            path = (path[0], self.indices[str(path[0])][path[1]], *path[2:])
        return (*self.path, *path)


@dataclass(frozen=True, slots=True)
class ReadObject:
    """What a document says."""

    found: tuple[Found, ...] = ()
    faults: tuple[ObjectFault, ...] = ()
    warnings: tuple[ObjectFault, ...] = ()


def read_object(value: dict[str, Any]) -> ReadObject:
    """Reads one document of any known type."""
    model = models.type_of(value)
    if model is None:
        keys = ", ".join(list(value)[:8]) or "none"
        hint = next((hint for key in value if (hint := did_you_mean(key, _KEYS))), "")
        return ReadObject(faults=(ObjectFault((), f"not a known document (keys: {keys}); known are "
                                                  f"{KNOWN}{hint}"),))
    try:
        return _read(model.model_validate(value), [], None, ())
    except ValidationError as error:
        faults = faults_of(error, value, model)
    partial = _partial(value, model, faults)
    if partial is None:
        return ReadObject(faults=tuple(faults))
    return _read(partial[0], faults, partial[1], _place_ids(value))


def _read(document: models.AnyDocument, faults: list[ObjectFault], indices: dict[str, list[int]] | None,
          place_ids: Sequence[str]) -> ReadObject:
    warnings: Sequence[ObjectFault] = ()
    match document:
        case models.OrderDocument():
            found = [Found(convert.order(document), (), indices)]
            judged = list(judge.order_faults(document, place_ids))
            warnings = list(judge.order_warnings(document))
        case models.BindingDocument():
            found = [Found(convert.binding(document))]
            judged = list(judge.binding_faults(document))
        case models.VerdictDocument():
            found = [Found(convert.verdict(document))]
            judged = list(judge.verdict_faults(document))
        case models.PersonDocument():
            found = [Found(convert.person(document))]
            judged = list(judge.person_faults(document))
        case models.PeopleDocument():
            found = [Found(convert.person(entry), ("people", at)) for at, entry in enumerate(document.people)]
            judged = [_below(("people", at), fault) for at, entry in enumerate(document.people)
                      for fault in judge.person_faults(entry)]
        case models.ZoneCollection():
            found, judged = _zones(document.features, "features")
            judged.extend(geometry.check_crs(document.crs))
        case models.ZoneFeature():
            found, judged = _zones([document], None)
    mapped = Found(found[0].value, (), indices) if found and indices else None
    place = mapped.at if mapped else lambda *path: path
    placed = [ObjectFault(place(*fault.path), fault.reason) for fault in judged]
    follow = [fault for fault in placed if not _follows(fault, faults)]
    return ReadObject(tuple(found), (*faults, *follow),
                      tuple(ObjectFault(place(*warning.path), warning.reason) for warning in warnings))


def _follows(fault: ObjectFault, faults: Iterable[ObjectFault]) -> bool:
    """Whether a fault is only seen because something faulty was taken out."""
    if not fault.path:
        return any(other.path[:1] == ("participant",) or "mean `participant`" in other.reason for other
                   in faults)
    named = f"mean `{fault.path[0]}`" if len(fault.path) == 1 else None
    return any(other.path[:len(fault.path)] == fault.path or (named is not None and named in other.reason)
               for other in faults)


def _place_ids(value: dict[str, Any]) -> list[str]:
    """Ids of an order's places, faulty or not."""
    places = value.get("places")
    return [place["id"] for place in (places if isinstance(places, list) else [])
            if isinstance(place, dict) and isinstance(place.get("id"), str)]


def _zones(features: Iterable[models.ZoneFeature], holder: str | None) -> tuple[list[Found],
                                                                                list[ObjectFault]]:
    found: list[Found] = []
    faults: list[ObjectFault] = []
    for at, feature in enumerate(features):
        path: tuple[PathPart, ...] = () if holder is None else (holder, at)
        here = [*judge.zone_faults(feature), *geometry.check_shape(feature)]
        faults.extend(_below(path, fault) for fault in here)
        found.append(Found(convert.zone(feature), path))
    return found, faults


def _below(path: tuple[PathPart, ...], fault: ObjectFault) -> ObjectFault:
    return ObjectFault((*path, *fault.path), fault.reason)


def _partial(value: dict[str, Any], model: type[models.AnyDocument],
             faults: list[ObjectFault]) -> tuple[models.AnyDocument, dict[str, list[int]]] | None:
    """The document without its faulty keys, and without list elements that cannot do without them."""
    if model not in (models.OrderDocument, models.VerdictDocument):
        return None
    rest = copy.deepcopy(value)
    indices = {name: list(range(len(inner))) for name, inner in rest.items() if isinstance(inner, list)}
    for _ in range(_ROUNDS):
        _take_out(rest, [fault.path for fault in faults], indices)
        try:
            return model.model_validate(rest), indices
        except ValidationError as error:
            faults = faults_of(error, rest, model)
    return None


def _take_out(rest: dict[str, Any], paths: list[tuple[PathPart, ...]], indices: dict[str, list[int]]) -> None:
    elements: dict[str, set[int]] = {}
    for path in paths:
        match path:
            case (str(name), int(at), str(key), *_) if name in indices and _has(rest[name][at], key):
                del rest[name][at][key]
            case (str(name), int(at), *_) if name in indices and at < len(rest[name]):
                elements.setdefault(name, set()).add(at)
            case (str(name), *_):
                rest.pop(name, None)
    for name, gone in elements.items():
        if name in rest:
            rest[name] = [inner for at, inner in enumerate(rest[name]) if at not in gone]
            indices[name] = [index for at, index in enumerate(indices[name]) if at not in gone]


def _has(holder: object, key: str) -> bool:
    return isinstance(holder, dict) and key in holder
