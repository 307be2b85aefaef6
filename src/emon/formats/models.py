"""Orders, bindings, verdicts, people and zones as they are written: strict types that name every fault at once.

These are the only readers of such documents, from files and over HTTP; `convert` makes the domain's values.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from emon.formats.conditions import Condition, Strict
from emon.formats.fields import Id, Instant, Lat, Lon, PositiveMetres, Text, Version

Role = Literal["position", "home", "alcohol", "other"]


class Device(Strict):
    """Shorthand for a binding of this device to the order's participant."""

    device: Id
    role: Role | None = None
    place: Id | None = None
    feed: Id | None = None
    from_: Instant | None = Field(None, alias="from")
    until: Instant | None = None


class Place(Strict):
    """A circle that conditions name."""

    id: Id
    lat: Lat
    lon: Lon
    radius_m: PositiveMetres


class OrderDocument(Strict):
    """One version of an order. A `void` version needs no content; `participant` may then be left out too."""

    order: Id
    version: Version = 1
    void: bool = False
    participant: Id | None = None
    time_zone: Id | None = None
    effective_from: Instant | None = None
    effective_until: Instant | None = None
    supervision_level: Id | None = None
    agency: Id | None = None
    officer: Id | None = None
    devices: list[Device] = Field(default_factory=list)
    places: list[Place] = Field(default_factory=list)
    conditions: list[Condition] = Field(default_factory=list)
    received_at: Instant | None = None


class BindingDocument(Strict):
    """One version of a binding: a device speaks for a participant or a protected person."""

    binding: Id
    version: Version = 1
    void: bool = False
    device: Id | None = None
    participant: Id | None = None
    protected_person: Id | None = None
    role: Role | None = None
    place: Id | None = None
    feed: Id | None = None
    from_: Instant | None = Field(None, alias="from")
    until: Instant | None = None
    effective_from: Instant | None = None
    received_at: Instant | None = None


class VerdictDocument(Strict):
    """One version of an analyst's verdict on the alcohol episode that contains `at`. A `void` version takes it back
    and needs no content."""

    verdict: Id
    version: Version = 1
    void: bool = False
    participant: Id | None = None
    order: Id | None = None
    condition: Id | None = None
    at: Instant | None = None
    result: Literal["confirmed", "needs_analyst", "interferent", "obstruction"] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    analyst: Id | None = None
    received_at: Instant | None = None


class ContactMethod(Strict):
    """A way to reach somebody; used only once verified."""

    channel: Literal["email", "sms", "webhook", "push"]
    address: Annotated[str, Field(min_length=1, max_length=2000)]
    verified: bool = False


class _Person(Strict):
    version: Version = 1
    role: Literal["officer", "supervisor", "participant", "protected_person"]
    name: Text = ""
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    time_zone: Id = "UTC"
    contacts: list[ContactMethod] = Field(default_factory=list)
    received_at: Instant | None = None


class PersonDocument(_Person):
    """One person, a document of its own."""

    person: Id


class PersonEntry(_Person):
    """One person in a list."""

    id: Id


class PeopleDocument(Strict):
    """Several people in one document."""

    people: Annotated[list[PersonEntry], Field(min_length=1)]


Position = Annotated[list[float], Field(min_length=2, max_length=3)]
Ring = list[Position]


class PointGeometry(Strict):
    """Centre of a circle, [lon, lat]."""

    type: Literal["Point"]
    coordinates: Position
    bbox: list[float] | None = None


class PolygonGeometry(Strict):
    """Shell, then holes."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1)]
    bbox: list[float] | None = None


class MultiPolygonGeometry(Strict):
    """Several polygons."""

    type: Literal["MultiPolygon"]
    coordinates: Annotated[list[Annotated[list[Ring], Field(min_length=1)]], Field(min_length=1)]
    bbox: list[float] | None = None


class ZoneProperties(Strict):
    """What a zone is. `radius_m` goes with a Point only."""

    id: Id
    name: Text = ""
    version: Version = 1
    kind: Literal["exclusion", "inclusion", "neutral"] = "exclusion"
    radius_m: PositiveMetres | None = None
    effective_from: Instant | None = None
    effective_until: Instant | None = None
    void: bool = False
    provenance: Text | None = None
    received_at: Instant | None = None


class ZoneFeature(Strict):
    """One version of a zone. `id` and `bbox` of GeoJSON are accepted and not read; a void
    version needs no geometry."""

    type: Literal["Feature"]
    id: str | int | None = None
    bbox: list[float] | None = None
    properties: ZoneProperties
    geometry: Annotated[PointGeometry | PolygonGeometry | MultiPolygonGeometry,
                        Field(discriminator="type")] | None


class ZoneCollection(Strict):
    """GeoJSON (RFC 7946), WGS84, [lon, lat]. `name`, `bbox` and `crs` are what drawing programs add."""

    type: Literal["FeatureCollection"]
    name: str | None = None
    bbox: list[float] | None = None
    crs: dict[str, Any] | None = None
    features: list[ZoneFeature]


AnyDocument = (OrderDocument | BindingDocument | VerdictDocument | PersonDocument | PeopleDocument | ZoneCollection
               | ZoneFeature)
"""All that documents can be."""


def type_of(value: dict[str, Any]) -> type[AnyDocument] | None:
    """Which document this is, told by its keys; None where it is none that is known."""
    if value.get("type") == "FeatureCollection":
        return ZoneCollection
    if value.get("type") == "Feature":
        return ZoneFeature
    by_key: dict[str, type[AnyDocument]] = {
        "verdict": VerdictDocument,  # before orders: it names one
        "order": OrderDocument, "binding": BindingDocument, "person": PersonDocument, "people": PeopleDocument}
    return next((document for key, document in by_key.items() if key in value), None)
