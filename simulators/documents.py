"""The world's orders, zones, bindings and people as documents in the published file formats."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from emon.domain import instant
from simulators.ground import to_degrees
from simulators.plan import Document, Plan

TIME_ZONE: Final = "America/Chicago"
OFFICERS: Final = 6
_GIVEN = ("Alma", "Bertil", "Cora", "Dario", "Edda", "Farid", "Gwen", "Hanno", "Ilse", "Jonas", "Kaya",
          "Lars", "Mina", "Nils", "Olga", "Pavel", "Quinn", "Rosa", "Sami", "Tilda", "Udo", "Vera", "Wim",
          "Yara")
_FAMILY = ("Abend", "Birke", "Castle", "Dorn", "Eich", "Fields", "Garten", "Hollow", "Imker", "Jarrow",
           "Kessel", "Linde", "Marsh", "Nebel", "Oakes", "Pfau", "Quarry", "Rain", "Stern", "Thorn",
           "Ufer", "Vale", "Winter")


def name(index: int) -> str:
    """An invented name."""
    return f"{_GIVEN[index % len(_GIVEN)]} {_FAMILY[(index * 7 + index // len(_GIVEN)) % len(_FAMILY)]}"


def officer(plan: Plan) -> str:
    """The officer whose caseload the participant is in."""
    return f"o-{plan.index % OFFICERS + 1}"


def orders(plan: Plan, start_us: int) -> list[Document]:
    """Every version of the participant's order; amendments keep all times and carry `received_at`. A protected
    person has none."""
    if plan.protected:
        return []
    at = _instants(start_us)
    lat, lon = to_degrees(*plan.home)
    first: Document = {
        "order": plan.order, "version": 1, "participant": plan.id, "time_zone": TIME_ZONE,
        "effective_from": at(plan.effective_s), "effective_until": None,
        "supervision_level": plan.supervision, "agency": "dane", "officer": officer(plan),
        "places": [{"id": "home", "lat": lat, "lon": lon, "radius_m": plan.home_radius_m}, *plan.places],
        "conditions": [_condition(c, start_us) for c in plan.conditions],
    }
    versions = [first]
    for number, amendment in enumerate(plan.amendments, start=2):
        changed = [{**c, **amendment.changes.get(c["id"], {})} for c in plan.conditions]
        versions.append({**first, "version": number, "conditions": [_condition(c, start_us) for c in changed],
                         "received_at": at(amendment.received_s)})
    return versions


def bindings(plan: Plan, start_us: int) -> list[Document]:
    """One binding a device."""
    at = _instants(start_us)
    found = []
    for device in plan.devices:
        document: Document = {
            "binding": f"{plan.id}:{device.id}", "version": 1, "device": device.id,
            "protected_person" if plan.protected else "participant": plan.id, "role": device.role, "feed": device.feed,
            "from": at(plan.effective_s if device.from_s is None else device.from_s),
            "until": None if device.until_s is None else at(device.until_s)}
        if device.role == "home":
            document["place"] = "home"
        found.append(document)
    return found


def people(plans: Iterable[Plan]) -> list[Document]:
    """Officers and a supervisor with verified e-mail addresses, and the participants."""
    staff = [(f"o-{n}", "officer", f"Officer {n}") for n in range(1, OFFICERS + 1)]
    staff.append(("s-1", "supervisor", "Duty supervisor"))
    found: list[Document] = [{
        "person": who, "version": 1, "role": role, "name": called, "language": "en", "time_zone": TIME_ZONE,
        "contacts": [{"channel": "email", "address": f"{who}@agency.example", "verified": True}],
    } for who, role, called in staff]
    found += [{"person": p.id, "version": 1, "role": "protected_person" if p.protected else "participant",
               "name": p.name, "language": "en", "time_zone": TIME_ZONE,
               "contacts": [{"channel": "sms", "address": f"+1608555{p.index % 10_000:04d}",
                             "verified": True}]} for p in plans]
    return found


def write(folder: Path, order_documents: Sequence[Document], zones: Document, persons: Sequence[Document],
          binding_documents: Sequence[Document]) -> None:
    """orders/ORDER-vN.json, bindings/bindings.json, people/people.json, zones/zones.geojson."""
    for part in ("orders", "zones", "people", "bindings"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for document in order_documents:
        target = folder / "orders" / f"{document['order']}-v{document['version']}.json"
        target.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    lines = {"zones/zones.geojson": zones, "people/people.json": list(persons),
             "bindings/bindings.json": list(binding_documents)}
    for place, value in lines.items():
        (folder / place).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _condition(fields: Document, start_us: int) -> Document:
    at = _instants(start_us)
    found = dict(fields)
    for key in ("leave", "suspensions"):
        if key in found:
            found[key] = [{**span, "from": at(span["from"]), "to": at(span["to"])} for span in found[key]]
    return found


def _instants(start_us: int) -> Callable[[float], str]:
    """Turns seconds after the start into RFC 3339."""
    return lambda seconds: instant.iso(start_us + round(seconds * 1_000_000))
