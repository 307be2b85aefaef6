"""Versions of orders, zones, bindings and people, as they were issued: a projection of emon.orders.

Invariant: a version that is here never changes; taking the same record in again does nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeVar, assert_never

import msgspec
from sqlalchemy import Connection, Table, and_, func, select

from emon.domain.binding import Binding
from emon.domain.order import Order
from emon.domain.person import Person
from emon.domain.zone import Zone
from emon.journal.records import BindingVersion, OrdersRecord, OrderVersion, PersonVersion, VerdictVersion, ZoneVersion
from emon.store import schema
from emon.store.upsert import insert_new, put

_order, _zone, _binding, _person = (schema.order_version, schema.zone_version, schema.binding_version,
                                    schema.person_version)
_position = schema.projection_position
_T = TypeVar("_T")


def _json(document: Any) -> str:
    return msgspec.json.encode(document).decode()


def project(connection: Connection, records: Iterable[OrdersRecord]) -> None:
    """Takes records of emon.orders in; those that are here already change nothing."""
    rows: dict[Table, list[dict[str, Any]]] = {}
    for record in records:
        for table, row in _rows(record):
            rows.setdefault(table, []).append(row)
    for table, new in rows.items():
        insert_new(connection, table, new)


def _rows(record: OrdersRecord) -> Iterable[tuple[Table, dict[str, Any]]]:
    match record:
        case OrderVersion(received_at=received_at, order=order):
            yield _order, {
                "order_id": order.id, "version": order.version, "participant": order.participant,
                "received_at": received_at, "effective_from": order.effective_from,
                "effective_until": order.effective_until, "void": order.void,
                "supervision_level": order.supervision_level, "agency": order.agency,
                "officer": order.officer, "document": _json(order)}
            for binding in order.devices:
                yield _binding_row(binding, received_at)
        case ZoneVersion(received_at=received_at, zone=zone):
            yield _zone, {"zone_id": zone.id, "version": zone.version, "received_at": received_at,
                          "effective_from": zone.effective_from, "document": _json(zone)}
        case BindingVersion(received_at=received_at, binding=binding):
            yield _binding_row(binding, received_at)
        case PersonVersion(received_at=received_at, person=person):
            yield _person, {"person_id": person.id, "version": person.version, "role": person.role,
                            "received_at": received_at, "document": _json(person)}
        case VerdictVersion():
            pass  # what it did stands in the findings; who lists verdicts reads the log itself
        case _:
            assert_never(record)


def _binding_row(binding: Binding, received_at: int) -> tuple[Table, dict[str, Any]]:
    return _binding, {"binding_id": binding.id, "version": binding.version, "device": binding.device,
                      "participant": binding.participant, "received_at": received_at,
                      "document": _json(binding)}


def positions(connection: Connection, topic: str) -> dict[int, int]:
    """Per partition the next offset to project."""
    rows = connection.execute(select(_position.c.partition, _position.c.next_offset)
                              .where(_position.c.topic == topic))
    return {row[0]: row[1] for row in rows}


def move(connection: Connection, topic: str, partition: int, next_offset: int) -> None:
    """The projection has taken in all before `next_offset`."""
    put(connection, _position, [{"topic": topic, "partition": partition, "next_offset": next_offset}])


def order(connection: Connection, order_id: str, version: int | None) -> Order | None:
    """A version of an order; None as version: the newest."""
    return _one(connection, _order, _order.c.order_id, order_id, version, Order)


def some_orders(connection: Connection, wanted: Collection[tuple[str, int]]) -> dict[tuple[str, int], Order]:
    """Those of these versions that there are, by order and version."""
    rows = connection.execute(select(_order.c.order_id, _order.c.version, _order.c.document).where(
        _order.c.order_id.in_(list({order_id for order_id, _ in wanted}))))
    return {(order_id, version): msgspec.json.decode(document, type=Order)
            for order_id, version, document in rows if (order_id, version) in wanted}


def zone(connection: Connection, zone_id: str, version: int | None) -> Zone | None:
    """A version of a zone; None as version: the newest."""
    return _one(connection, _zone, _zone.c.zone_id, zone_id, version, Zone)


def person(connection: Connection, person_id: str) -> Person | None:
    """The newest version of a person's record."""
    return _one(connection, _person, _person.c.person_id, person_id, None, Person)


def people(connection: Connection, ids: Iterable[str]) -> dict[str, Person]:
    """The newest versions of the records that there are."""
    found: dict[str, Person] = {}
    rows = connection.execute(select(_person.c.document).where(_person.c.person_id.in_(list(set(ids))))
                              .order_by(_person.c.version))
    for (document,) in rows:
        one = msgspec.json.decode(document, type=Person)
        found[one.id] = one
    return found


def people_of_role(connection: Connection, role: str) -> list[Person]:
    """Everybody whose newest record has the role."""
    newest = _newest(_person, _person.c.person_id)
    rows = connection.execute(select(_person.c.document).join(newest, and_(
        _person.c.person_id == newest.c.id, _person.c.version == newest.c.version))
        .where(_person.c.role == role).order_by(_person.c.person_id))
    return [msgspec.json.decode(document, type=Person) for (document,) in rows]


def orders_of(connection: Connection, participant: str) -> list[Order]:
    """The newest version of each of the participant's orders."""
    newest = _newest(_order, _order.c.order_id)
    rows = connection.execute(select(_order.c.document).join(newest, and_(
        _order.c.order_id == newest.c.id, _order.c.version == newest.c.version))
        .where(_order.c.participant == participant).order_by(_order.c.order_id))
    return [msgspec.json.decode(document, type=Order) for (document,) in rows]


def orders(connection: Connection, after: str, limit: int) -> list[Order]:
    """The newest version of each order whose id comes after `after`, by id."""
    ids = connection.execute(select(_order.c.order_id, func.max(_order.c.version))
                             .where(_order.c.order_id > after).group_by(_order.c.order_id)
                             .order_by(_order.c.order_id).limit(limit)).all()
    found = (order(connection, order_id, version) for order_id, version in ids)
    return [one for one in found if one is not None]


def order_versions(connection: Connection, order_id: str) -> list[Order]:
    """All versions of an order, oldest first."""
    rows = connection.execute(select(_order.c.document).where(_order.c.order_id == order_id)
                              .order_by(_order.c.version))
    return [msgspec.json.decode(document, type=Order) for (document,) in rows]


def zones(connection: Connection) -> list[Zone]:
    """The newest version of each zone, by id."""
    newest = _newest(_zone, _zone.c.zone_id)
    rows = connection.execute(select(_zone.c.document).join(newest, and_(
        _zone.c.zone_id == newest.c.id, _zone.c.version == newest.c.version)).order_by(_zone.c.zone_id))
    return [msgspec.json.decode(document, type=Zone) for (document,) in rows]


def bindings_of(connection: Connection, participant: str) -> list[Binding]:
    """The newest version of each binding that ever was the participant's."""
    ids = select(_binding.c.binding_id).where(_binding.c.participant == participant)
    rows = connection.execute(select(_binding.c.document).where(_binding.c.binding_id.in_(ids))
                              .order_by(_binding.c.binding_id, _binding.c.version))
    found: dict[str, Binding] = {}
    for (document,) in rows:
        one = msgspec.json.decode(document, type=Binding)
        found[one.id] = one
    return list(found.values())


def is_participant(connection: Connection, id_: str) -> bool:
    """Whether an order or a binding makes this person a participant. Protected persons and devices that are
    nobody's have readings too, and those are not for everybody's eyes."""
    return any(connection.execute(select(column).where(column == id_).limit(1)).first() is not None
               for column in (_order.c.participant, _binding.c.participant))


def zones_named(connection: Connection, names: Sequence[tuple[str, int | None]]) -> list[Zone]:
    """The zone versions that findings name, each once."""
    found = (zone(connection, zone_id, version) for zone_id, version in dict.fromkeys(names))
    return [one for one in found if one is not None]


def _newest(table: Table, id_: Any) -> Any:
    return select(id_.label("id"), func.max(table.c.version).label("version")).group_by(id_).subquery()


def _one(connection: Connection, table: Table, id_: Any, wanted: str, version: int | None,
         type_: type[_T]) -> _T | None:
    statement = select(table.c.document).where(id_ == wanted).order_by(table.c.version.desc()).limit(1)
    if version is not None:
        statement = statement.where(table.c.version == version)
    document = connection.execute(statement).scalar()
    return None if document is None else msgspec.json.decode(document, type=type_)
