"""From documents as they are written to the domain's values. Nothing is judged here."""

from __future__ import annotations

from emon.domain import order as domain
from emon.domain.binding import Binding
from emon.domain.order import Order
from emon.domain.person import ContactMethod, Person
from emon.domain.verdict import Verdict
from emon.domain.zone import Ring, Zone
from emon.formats import conditions, models
from emon.formats.bindings import binding_ids

_DIRECT = ("id", "kind", "zone", "place", "buffer_m", "confirm_fixes", "hold_s", "grace_s", "every_s",
           "minimum_s", "allowance_s_per_week", "protected_device", "protected_person", "distance_m", "mode",
           "limits", "per_month", "charge_every_h")


def order(document: models.OrderDocument) -> Order:
    """The order, its shorthand bindings expanded. A void version may have the participant ""."""
    participant = document.participant or ""
    ids = binding_ids(document.order, [device.device for device in document.devices])
    return Order(
        id=document.order, version=document.version, participant=participant, time_zone=document.time_zone
        or "UTC",
        effective_from=document.effective_from, effective_until=document.effective_until, void=document.void,
        supervision_level=document.supervision_level, agency=document.agency, officer=document.officer,
        devices=tuple(Binding(
            id=binding_id, version=document.version, device=device.device, participant=participant,
            role=device.role,
            place=device.place, feed=device.feed, from_=device.from_, until=device.until,
            effective_from=document.effective_from, received_at=document.received_at)
            for binding_id, device in zip(ids, document.devices, strict=True)),
        places=tuple(domain.Place(id=place.id, lat=place.lat, lon=place.lon, radius_m=place.radius_m)
                     for place in document.places),
        conditions=tuple(condition(each) for each in document.conditions), received_at=document.received_at)


def condition(document: conditions.Condition) -> domain.Condition:
    """One condition; what its kind does not have stays unsaid."""
    fields = {name: getattr(document, name) for name in _DIRECT if getattr(document, name, None) is not None}
    return domain.Condition(
        **fields, places=tuple(getattr(document, "places", None) or ()),
        windows=tuple(_window(window) for window in getattr(document, "windows", ())),
        exceptions=tuple(domain.DayException(date=day.date,
                                             windows=tuple(_window(window) for window in day.windows))
                         for day in getattr(document, "exceptions", ())),
        leave=tuple(_absence(absence) for absence in document.leave),
        suspensions=tuple(_absence(absence) for absence in document.suspensions),
        tests=tuple(domain.Test(at_s=test.at, days=_days(test.days), window_s=round(test.window_s))
                    for test in getattr(document, "tests", ())))


def binding(document: models.BindingDocument) -> Binding:
    """The binding. A void version may have the device ""."""
    return Binding(
        id=document.binding, version=document.version, device=document.device or "",
        participant=document.participant, protected_person=document.protected_person, role=document.role,
        place=document.place, feed=document.feed, from_=document.from_, until=document.until,
        effective_from=document.effective_from, void=document.void, received_at=document.received_at)


def verdict(document: models.VerdictDocument) -> Verdict:
    """The verdict. A void version may have the participant ""."""
    return Verdict(
        id=document.verdict, version=document.version, void=document.void, participant=document.participant or "",
        order=document.order or "", condition=document.condition or "", at=document.at, result=document.result or "",
        reason=document.reason or "", analyst=document.analyst or "", received_at=document.received_at)


def person(document: models.PersonDocument | models.PersonEntry) -> Person:
    """One person."""
    person_id = document.person if isinstance(document, models.PersonDocument) else document.id
    return Person(
        id=person_id, version=document.version, role=document.role, name=document.name,
        language=document.language,
        time_zone=document.time_zone, received_at=document.received_at,
        contacts=tuple(ContactMethod(channel=method.channel, address=method.address, verified=method.verified)
                       for method in document.contacts))


def zone(feature: models.ZoneFeature) -> Zone:
    """One zone; altitudes are left out."""
    of, shape = feature.properties, feature.geometry
    centre: tuple[float, float] | None = None
    polygons: tuple[tuple[Ring, ...], ...] = ()
    match shape:
        case models.PointGeometry():
            centre = (shape.coordinates[0], shape.coordinates[1])
        case models.PolygonGeometry():
            polygons = (_rings(shape.coordinates),)
        case models.MultiPolygonGeometry():
            polygons = tuple(_rings(polygon) for polygon in shape.coordinates)
    return Zone(id=of.id, version=of.version, name=of.name, kind=of.kind, polygons=polygons, centre=centre,
                radius_m=of.radius_m, effective_from=of.effective_from, effective_until=of.effective_until,
                void=of.void, provenance=of.provenance, received_at=of.received_at)


def _rings(rings: list[models.Ring]) -> tuple[Ring, ...]:
    return tuple(tuple((position[0], position[1]) for position in ring) for ring in rings)


def _window(window: conditions.Window) -> domain.Window:
    return domain.Window(days=_days(window.days), from_s=window.from_, to_s=window.to)


def _days(days: list[int]) -> tuple[int, ...]:
    return tuple(sorted(set(days)))


def _absence(absence: conditions.Absence) -> domain.Absence:
    return domain.Absence(from_=absence.from_, to=absence.to, reason=absence.reason)
