"""Domain objects back into the documents that people write: what one exports, another emon imports.

Inverse of the parsers in this package: parsing a document made here gives an equal object.
"""

from __future__ import annotations

from typing import Any

from emon.domain.binding import Binding
from emon.domain.instant import iso, iso_or_none
from emon.domain.order import DAYS, Absence, Condition, Order, Place, Window
from emon.domain.person import Person
from emon.domain.reading import Reading
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone

Document = dict[str, Any]

_READING_INSTANTS = ("observed_at", "received_at", "sent_at", "scheduled_at", "reported_at")
_KNOBS = ("zone", "place", "buffer_m", "confirm_fixes", "hold_s", "grace_s", "every_s", "minimum_s",
          "allowance_s_per_week", "protected_device", "protected_person", "distance_m", "mode", "limits",
          "per_month", "charge_every_h")


def reading_document(reading: Reading, received_at: int) -> Document:
    """A native reading, version 1, with its effective arrival."""
    fields: Document = {"v": 1}
    for name in Reading.__struct_fields__:
        value = getattr(reading, name)
        if name != "extra" and value is not None:
            fields[name] = iso(value) if name in _READING_INSTANTS else value
    fields["received_at"] = iso(received_at)
    for name, value in (reading.extra or {}).items():
        fields.setdefault(name, value)
    return _restore_unknown(fields, reading)


def _restore_unknown(fields: Document, reading: Reading) -> Document:
    """What was marked unknown goes out as it came in, so that it comes in again as the same content."""
    for name in ("method", "event"):
        original = (reading.extra or {}).get(name)
        if fields.get(name) == "unknown":
            if original is None:
                del fields[name]
            else:
                fields[name] = original
    return fields


def order_document(order: Order) -> Document:
    """An order as contracts write it; `devices` in the shorthand."""
    return _stated(
        order=order.id, version=order.version, participant=order.participant, time_zone=order.time_zone,
        effective_from=iso_or_none(order.effective_from), effective_until=iso_or_none(order.effective_until),
        void=order.void or None, supervision_level=order.supervision_level, agency=order.agency,
        officer=order.officer, received_at=iso_or_none(order.received_at),
        devices=[_shorthand(binding) for binding in order.devices],
        places=[_place(place) for place in order.places],
        conditions=[condition_document(condition) for condition in order.conditions],
    )


def condition_document(condition: Condition) -> Document:
    """One condition with what it says; what it does not say is left out."""
    document = _stated(
        id=condition.id, kind=condition.kind, places=list(condition.places) or None,
        windows=[_window(w) for w in condition.windows] or None,
        exceptions=[{"date": e.date, "windows": [_window(w, days=False) for w in e.windows]}
                    for e in condition.exceptions] or None,
        leave=[_absence(a) for a in condition.leave] or None,
        suspensions=[_absence(a) for a in condition.suspensions] or None,
        tests=[{"at": clock_time(t.at_s), "days": [DAYS[d] for d in t.days], "window_s": t.window_s}
               for t in condition.tests] or None,
    )
    document.update(_stated(**{name: getattr(condition, name) for name in _KNOBS}))
    return document


def binding_document(binding: Binding) -> Document:
    """A binding of its own."""
    return _stated(
        binding=binding.id, version=binding.version, void=binding.void or None, device=binding.device,
        participant=binding.participant, protected_person=binding.protected_person, role=binding.role,
        place=binding.place, feed=binding.feed, **{"from": iso_or_none(binding.from_)},
        until=iso_or_none(binding.until), effective_from=iso_or_none(binding.effective_from),
        received_at=iso_or_none(binding.received_at),
    )


def verdict_document(verdict: Verdict) -> Document:
    """An analyst's verdict."""
    return _stated(
        verdict=verdict.id, version=verdict.version, void=verdict.void or None,
        participant=verdict.participant or None, order=verdict.order or None, condition=verdict.condition or None,
        at=iso_or_none(verdict.at), result=verdict.result or None, reason=verdict.reason or None,
        analyst=verdict.analyst or None, received_at=iso_or_none(verdict.received_at),
    )


def person_document(person: Person) -> Document:
    """A person's record."""
    return _stated(
        person=person.id, version=person.version, role=person.role, name=person.name or None,
        language=person.language, time_zone=person.time_zone, received_at=iso_or_none(person.received_at),
        contacts=[{"channel": c.channel, "address": c.address, "verified": c.verified}
                  for c in person.contacts] or None,
    )


def zone_feature(zone: Zone) -> Document:
    """A GeoJSON feature; circles are Points with `radius_m`."""
    geometry: Document | None
    if zone.centre is None and not zone.polygons:
        geometry = None  # a void version need not repeat the shape
    elif zone.centre is not None:
        geometry = {"type": "Point", "coordinates": list(zone.centre)}
    elif len(zone.polygons) == 1:
        geometry = {"type": "Polygon", "coordinates": zone.polygons[0]}
    else:
        geometry = {"type": "MultiPolygon", "coordinates": zone.polygons}
    return {"type": "Feature", "geometry": geometry, "properties": _stated(
        id=zone.id, version=zone.version, name=zone.name or None, kind=zone.kind, radius_m=zone.radius_m,
        effective_from=iso_or_none(zone.effective_from), effective_until=iso_or_none(zone.effective_until),
        void=zone.void or None, provenance=zone.provenance, received_at=iso_or_none(zone.received_at))}


def zone_collection(zones: list[Zone]) -> Document:
    """A GeoJSON FeatureCollection."""
    return {"type": "FeatureCollection", "features": [zone_feature(zone) for zone in zones]}


def clock_time(seconds: int) -> str:
    """Seconds after local midnight as HH:MM or HH:MM:SS."""
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours:02d}:{minutes:02d}" + (f":{seconds:02d}" if seconds else "")


def _window(window: Window, *, days: bool = True) -> Document:
    named: Document = {"days": [DAYS[day] for day in window.days]} if days else {}
    return named | {"from": clock_time(window.from_s), "to": clock_time(window.to_s)}


def _absence(absence: Absence) -> Document:
    return {"from": iso(absence.from_), "to": iso(absence.to)} | _stated(reason=absence.reason or None)


def _place(place: Place) -> Document:
    return {"id": place.id, "lat": place.lat, "lon": place.lon, "radius_m": place.radius_m}


def _shorthand(binding: Binding) -> Document:
    return _stated(device=binding.device, role=binding.role, place=binding.place, feed=binding.feed,
                   **{"from": iso_or_none(binding.from_)}, until=iso_or_none(binding.until))


def _stated(**fields: Any) -> Document:
    """Only what is said."""
    return {name: value for name, value in fields.items() if value is not None}
