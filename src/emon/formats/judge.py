"""What types cannot say about one document: places that do not exist, leave that can never count.

Every function yields faults or warnings of one object, with paths into it; nothing here looks at a second
object (that is `check`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from emon.domain import instant
from emon.formats.conditions import (
    PLACE_KINDS,
    Absence,
    Alcohol,
    Attendance,
    Condition,
    Curfew,
    ExclusionZone,
    InclusionZone,
    KeepAway,
    Window,
)
from emon.formats.faults import ObjectFault
from emon.formats.lines import PathPart
from emon.formats.models import (
    BindingDocument,
    OrderDocument,
    PersonDocument,
    PersonEntry,
    VerdictDocument,
    ZoneFeature,
)
from emon.formats.suggest import did_you_mean
from emon.limits import LIMITS_OF_KIND

_DAY_S: Final = 86_400
_LEVELS: Final = ("low", "medium", "standard", "high")
_Path = tuple[PathPart, ...]


def order_faults(order: OrderDocument, also_known: Sequence[str] = ()) -> Iterator[ObjectFault]:
    """Faults of one version of an order. `also_known`: places that are there, but faulty themselves."""
    if order.participant is None and not order.void:
        yield ObjectFault((), f"`participant` is missing in {order.order}")
    if order.time_zone is not None:
        yield from _zone_name(order.time_zone, ("time_zone",))
    yield from _span(order.effective_from, order.effective_until)
    yield from _twice([place.id for place in order.places], "places", "id", "place")
    yield from _twice([condition.id for condition in order.conditions], "conditions", "id", "condition")
    places = list(dict.fromkeys([*(place.id for place in order.places), *also_known]))
    for at, device in enumerate(order.devices):
        path: _Path = ("devices", at)
        yield from _from_until(device.from_, device.until, path, f"device {device.device}")
        if device.place is not None:
            yield from _place(device.place, places, (*path, "place"))
    yield from _devices_twice(order)
    for at, condition in enumerate(order.conditions):
        yield from _condition_faults(condition, ("conditions", at), places, order)


def order_warnings(order: OrderDocument) -> Iterator[ObjectFault]:
    """What is allowed and probably not meant."""
    kinds = [condition.kind for condition in order.conditions]
    first = next((at for at, kind in enumerate(kinds) if kind in PLACE_KINDS), None)
    if first is not None and "contact" not in kinds:
        yield ObjectFault(("conditions", first), f"order {order.order} has place conditions and no contact "
                          "condition: nobody would notice a silent device")
    if order.time_zone is None and any(getattr(condition, "windows", None)
                                       or getattr(condition, "tests", None)
                                       for condition in order.conditions):
        yield ObjectFault((), f"order {order.order} has times of day and no `time_zone`; they are taken as "
                              f"UTC")
    if order.supervision_level is not None and order.supervision_level not in _LEVELS:
        yield ObjectFault(("supervision_level",), f"supervision level `{order.supervision_level}` changes "
                                                  f"no priority; "
                          f"usual are {', '.join(_LEVELS)}{did_you_mean(order.supervision_level, _LEVELS)}")
    for at, condition in enumerate(order.conditions):
        yield from _condition_warnings(condition, ("conditions", at), order)


def binding_faults(binding: BindingDocument) -> Iterator[ObjectFault]:
    """Faults of one version of a binding."""
    yield from _from_until(binding.from_, binding.until, (), f"binding {binding.binding}")
    if binding.void:
        return
    if binding.device is None:
        yield ObjectFault((), f"`device` is missing in {binding.binding}")
    if (binding.participant is None) == (binding.protected_person is None):
        yield ObjectFault((), f"binding {binding.binding} needs either `participant` or `protected_person`")


def verdict_faults(verdict: VerdictDocument) -> Iterator[ObjectFault]:
    """Faults of one version of a verdict: one that stands needs everything, the analyst's reason above all."""
    if verdict.void:
        return
    for name in ("participant", "order", "condition", "at", "result", "reason", "analyst"):
        if getattr(verdict, name) is None:
            yield ObjectFault((name,), f"`{name}` is missing in {verdict.verdict}")
    if verdict.reason is not None and not verdict.reason.strip():
        yield ObjectFault(("reason",), f"`reason` of {verdict.verdict} is empty: say what the verdict rests on")


def person_faults(person: PersonDocument | PersonEntry) -> Iterator[ObjectFault]:
    """Faults of one person's record."""
    yield from _zone_name(person.time_zone, ("time_zone",))
    for at, method in enumerate(person.contacts):
        fits = {"email": "@" in method.address[1:-1], "sms": method.address.removeprefix("+").isdecimal(),
                "webhook": method.address.startswith(("https://", "http://")), "push": True}[method.channel]
        if not fits:
            yield ObjectFault(("contacts", at, "address"), f"`{method.address:.60}` is no address for "
                                                           f"{method.channel}")


def zone_faults(feature: ZoneFeature) -> Iterator[ObjectFault]:
    """Faults of a zone's times (its shape: `geometry`)."""
    of = feature.properties
    for fault in _span(of.effective_from, of.effective_until):
        yield ObjectFault(("properties", *fault.path), fault.reason)


def _condition_faults(condition: Condition, path: _Path, places: Sequence[str],
                      order: OrderDocument) -> Iterator[ObjectFault]:
    if isinstance(condition, Curfew | Attendance):
        yield from _where_and_when(condition, path, places)
    if isinstance(condition, KeepAway):
        named = (condition.protected_device is not None) + (condition.protected_person is not None)
        if named != 1:
            yield ObjectFault(path, f"{condition.id} (keep_away) needs either `protected_device` or "
                              "`protected_person`")
    if isinstance(condition, ExclusionZone | InclusionZone | Curfew | Attendance | KeepAway):
        dates = _twice([day.date for day in condition.exceptions], "exceptions", "date", "exception for")
        yield from (ObjectFault((*path, *fault.path), fault.reason) for fault in dates)
    yield from _limit_names(condition, path)
    for name, absences in (("leave", condition.leave), ("suspensions", condition.suspensions)):
        for at, absence in enumerate(absences):
            if absence.from_ >= absence.to:
                yield ObjectFault((*path, name, at, "from"), f"{name} of {condition.id}: `from` must lie "
                                                             f"before `to`")
    for at, absence in enumerate(condition.leave):
        if absence.from_ < absence.to and not _touches(absence, order):
            yield ObjectFault((*path, "leave", at), f"leave of {condition.id} lies outside its version's "
                              f"time, {_time_of(order)}: it would never count")


def _limit_names(condition: Condition, path: _Path) -> Iterator[ObjectFault]:
    known = LIMITS_OF_KIND.get(condition.kind)
    for name in getattr(condition, "limits", None) or ():
        if known is None:
            continue
        if name not in known:
            hint = did_you_mean(name, known) or f"; known are {', '.join(known) or 'none'}"
            yield ObjectFault((*path, "limits", name), f"{condition.id}: {condition.kind} has no limit `{name}`{hint}")


def _condition_warnings(condition: Condition, path: _Path, order: OrderDocument) -> Iterator[ObjectFault]:
    for at, absence in enumerate(condition.leave):
        if _touches(absence, order) and not _within(absence, order):
            yield ObjectFault((*path, "leave", at), f"leave of {condition.id} lies partly outside its "
                              f"version's time, {_time_of(order)}: only what lies inside counts")
    for at, absence in enumerate(condition.suspensions):
        if not _touches(absence, order):
            yield ObjectFault((*path, "suspensions", at), f"suspension of {condition.id} lies outside its "
                              f"version's time, {_time_of(order)}: it never counts")
    if isinstance(condition, Alcohol) and condition.mode not in (None, "abstinence"):
        yield ObjectFault((*path, "mode"), f"{condition.id}: mode `{condition.mode}` changes no limit; it is judged as "
                                           "abstinence, under `limits` where there are any")
    if isinstance(condition, Attendance):
        for at, window in enumerate(condition.windows):
            if condition.minimum_s > _length(window):
                yield ObjectFault((*path, "windows", at), f"{condition.id}: the window is shorter than "
                                                          f"`minimum_s`")


def _where_and_when(condition: Curfew | Attendance, path: _Path,
                    places: Sequence[str]) -> Iterator[ObjectFault]:
    if (condition.place is None) == (condition.places is None):
        yield ObjectFault(path, f"{condition.id} ({condition.kind}) needs either `place` or `places`")
    if condition.place is not None:
        yield from _place(condition.place, places, (*path, "place"))
    for at, place in enumerate(condition.places or ()):
        yield from _place(place, places, (*path, "places", at))
    if not condition.windows and not any(day.windows for day in condition.exceptions):
        yield ObjectFault(path, f"{condition.id} ({condition.kind}) needs `windows`")


def _place(place: str, places: Sequence[str], path: _Path) -> Iterator[ObjectFault]:
    if place not in places:
        known = f"; known are {', '.join(places)}" if places else "; the order has no `places`"
        yield ObjectFault(path, f"place `{place}` is not known{did_you_mean(place, places) or known}")


def _zone_name(name: str, path: _Path) -> Iterator[ObjectFault]:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        yield ObjectFault(path, f"time zone `{name:.60}` is not known; write one like America/Chicago")


def _span(start: int | None, end: int | None) -> Iterator[ObjectFault]:
    if start is not None and end is not None and end < start:
        yield ObjectFault(("effective_until",), "`effective_until` lies before `effective_from`")


def _from_until(start: int | None, end: int | None, path: _Path, what: str) -> Iterator[ObjectFault]:
    if start is not None and end is not None and start >= end:
        yield ObjectFault((*path, "from"), f"{what}: `from` must lie before `until`")


def _twice(names: Sequence[str], holder: str, key: str, what: str) -> Iterator[ObjectFault]:
    for at, name in enumerate(names):
        if name in names[:at]:
            yield ObjectFault((holder, at, key), f"{what} `{name}` stands twice")


def _devices_twice(order: OrderDocument) -> Iterator[ObjectFault]:
    far = 1 << 62
    for at, device in enumerate(order.devices):
        for other in order.devices[:at]:
            starts_in = (device.from_ or -far) < (other.until or far)
            ends_in = (other.from_ or -far) < (device.until or far)
            if device.device == other.device and starts_in and ends_in:
                yield ObjectFault(("devices", at, "device"), f"device {device.device} is listed twice for "
                                                             f"the same time")


def _bounds(order: OrderDocument) -> tuple[int, int]:
    far = 1 << 62
    return (-far if order.effective_from is None else order.effective_from,
            far if order.effective_until is None else order.effective_until)


def _touches(absence: Absence, order: OrderDocument) -> bool:
    start, end = _bounds(order)
    return end < start or (absence.from_ < end and absence.to > start)  # the former is a fault of its own


def _within(absence: Absence, order: OrderDocument) -> bool:
    start, end = _bounds(order)
    return start <= absence.from_ and absence.to <= end


def _time_of(order: OrderDocument) -> str:
    start = "always" if order.effective_from is None else instant.iso(order.effective_from)
    end = "open" if order.effective_until is None else instant.iso(order.effective_until)
    return f"{start} to {end}"


def _length(window: Window) -> int:
    length = window.to - window.from_
    return length if length > 0 else length + _DAY_S
