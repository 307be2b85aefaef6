"""The read side beside alerts: participants with their tracks, orders, zones, and how late emon is.

Tracks are shown of participants only: where a protected person was is nobody's business here, though their
readings lie in the same history.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Engine

import emon
from emon.clock import Clock
from emon.console import lateness, models, views
from emon.console.lateness import Lateness
from emon.console.problems import RESPONSES, Refused
from emon.domain import instant
from emon.domain.errors import Fault
from emon.domain.instant import DAY, iso
from emon.domain.zone import Zone
from emon.formats.export import reading_document, zone_collection
from emon.journal.records import Bound
from emon.limits import PAGE_MOST, PARTICIPANT_ALERTS_MOST, TRACK_MOST
from emon.store import documents, log, queue, reading
from emon.store.history import SqlHistory
from emon.store.queue import Filter


def router(store: Engine, history: SqlHistory, clock: Clock, wall: Clock, late: Lateness, *,
           lists: bool = True) -> APIRouter:
    """Routes under /v1 that read. `lists`: with those of all orders and zones, which ingest answers too where it
    runs in this process, from the log and thus at once; two answers to one question would be one too many."""
    api = APIRouter(prefix="/v1", tags=["records"], responses=RESPONSES)
    _participants(api, store, history, clock, wall)
    if lists:
        _lists(api, store)
    _documents(api, store)
    _status(api, store, clock, wall, late)
    return api


def _participants(api: APIRouter, store: Engine, history: SqlHistory, clock: Clock, wall: Clock) -> None:
    @api.get("/participants/{participant}", summary="Orders, devices, alerts and last readings of a person")
    def person(participant: str) -> models.Participant:
        with reading(store) as connection:
            known = documents.is_participant(connection, participant)
            found = documents.person(connection, participant)
            orders = documents.orders_of(connection, participant)
            bindings = documents.bindings_of(connection, participant)
            alerts = queue.newest(connection, Filter(participant=participant), None, PARTICIPANT_ALERTS_MOST)
        if not known and not alerts:
            raise _unknown(participant)
        newest, position = history.newest(participant) if known else (None, None)
        people = {} if found is None else {found.id: found}
        return models.Participant(
            id=participant, name=(found.name or None) if found else None,
            language=found.language if found else None, time_zone=found.time_zone if found else None,
            orders=[views.order_view(one) for one in orders],
            bindings=[views.binding_view(one) for one in bindings],
            alerts=[views.summary(one, people) for one in alerts], last_reading=_reading(newest),
            last_position=_reading(position), now=iso(wall.now_us()))

    @api.get("/participants/{participant}/track", summary="A person's readings of every kind in a time span")
    def track(
        participant: str,
        from_: Annotated[str | None, Query(alias="from", description="Default: a day before `to`.")] = None,
        to: Annotated[str | None, Query(description="Not included. Default: now.")] = None,
        limit: Annotated[int, Query(ge=1, le=TRACK_MOST)] = TRACK_MOST,
    ) -> models.Track:
        end = clock.now_us() if to is None else _instant("to", to)
        start = end - DAY if from_ is None else _instant("from", from_)
        if start > end:
            raise Refused(400, "bad_span", "from: must not come after to.")
        with reading(store) as connection:
            if not documents.is_participant(connection, participant):
                raise _unknown(participant)
        bounds, more = history.timeline(participant, start, end, limit)
        return models.Track(participant=participant, **{"from": iso(start)}, to=iso(end), truncated=more,
                            readings=[reading_document(one.reading, one.received_at) for one in bounds])


def _unknown(participant: str) -> Refused:
    return Refused(404, "unknown_participant", f"There is no participant {participant!r:.80}.")


def _reading(bound: Bound | None) -> dict[str, Any] | None:
    return None if bound is None else reading_document(bound.reading, bound.received_at)


def _instant(name: str, text: str) -> int:
    try:
        return instant.parse(text)
    except Fault as fault:
        raise Refused(400, fault.code, f"{name}: {fault.detail}") from None


def _lists(api: APIRouter, store: Engine) -> None:
    @api.get("/orders", summary="The newest version of each order, by id")
    def orders(participant: str | None = None,
               limit: Annotated[int, Query(ge=1, le=PAGE_MOST)] = 100,
               cursor: Annotated[str, Query(max_length=500)] = "") -> models.Orders:
        with reading(store) as connection:
            if participant is not None:
                found, last = documents.orders_of(connection, participant), None
            else:
                found = documents.orders(connection, cursor, limit + 1)
                last = found[limit - 1].id if len(found) > limit else None
                found = found[:limit]
        return models.Orders(orders=[views.order_view(one) for one in found], next=last)

    @api.get("/zones", summary="The newest version of each zone, as GeoJSON")
    def zones() -> dict[str, Any]:
        with reading(store) as connection:
            return zone_collection(documents.zones(connection))


def _documents(api: APIRouter, store: Engine) -> None:
    @api.get("/orders/{order}", summary="All versions of an order, oldest first")
    def order(order: str) -> models.Orders:
        with reading(store) as connection:
            found = documents.order_versions(connection, order)
        if not found:
            raise Refused(404, "unknown_order", f"There is no order {order!r:.80}.")
        return models.Orders(orders=[views.order_view(one) for one in found], next=None)

    @api.get("/zones/{zone}", summary="A version of a zone, as a GeoJSON feature; without one the newest")
    def zone(zone: str, version: Annotated[int | None, Query(ge=0, lt=1 << 63)] = None) -> dict[str, Any]:
        with reading(store) as connection:
            found: Zone | None = documents.zone(connection, zone, version)
        if found is None:
            raise Refused(404, "unknown_zone", f"There is no such zone or version: {zone!r:.80}.")
        feature: dict[str, Any] = zone_collection([found])["features"][0]
        return feature


def _status(api: APIRouter, store: Engine, clock: Clock, wall: Clock, late: Lateness) -> None:
    def counts() -> tuple[models.Counts, dict[str, int], int]:
        with reading(store) as connection:
            return (views.counts(queue.counts(connection, Filter(state="open"))),
                    queue.message_counts(connection), log.end(connection))

    @api.get("/status", summary="How late emon itself is")
    async def status() -> models.Status:
        stages = await late.stages()
        tick = await late.last_tick(stages)
        alerts, messages, end = await asyncio.to_thread(counts)
        return models.Status(
            version=emon.__version__, now=iso(wall.now_us()), pipeline_now=iso(clock.now_us()),
            last_tick=instant.iso_or_none(tick), late_s=late.late_s(tick),
            stages=[lateness.stage(one) for one in stages], notifications_waiting=messages["waiting"],
            notifications_failed=messages["failed"], open_alerts=alerts, last_event=end)
