"""Makes the API's shapes out of what the store holds. No query, no clock: rows in, shapes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from emon.console import models
from emon.domain import wording
from emon.domain.alert import AlertState, ConditionState, Work
from emon.domain.binding import Binding
from emon.domain.finding import Finding, to_wire
from emon.domain.instant import HOUR, iso, iso_or_none
from emon.domain.order import Condition, Order, Place
from emon.domain.person import Person
from emon.domain.zone import Zone
from emon.formats.export import condition_document, zone_feature

DISPOSITIONS = ("confirmed", "authorised", "officer_informed", "participant_informed", "equipment_fault",
                "duplicate", "non_actionable:drift", "non_actionable:no_signal", "non_actionable:charging",
                "non_actionable:test")
_TRACK_AROUND = HOUR  # what the page of an alert shows before and after it
_INSTANT_FACTS = ("onset", "ended", "decided_at")
_INSTANT_CHANGES = ("onset", "ended", "seen_until", "opened_at", "cleared_at", "self_clear_at",
                    "waiting_since", "lease_until", "acknowledged_at", "work_due", "closed_at")


def summary(state: AlertState, people: Mapping[str, Person]) -> models.AlertSummary:
    """A row of the queue."""
    return models.AlertSummary(**_summary_fields(state, people))


def _summary_fields(state: AlertState, people: Mapping[str, Person]) -> dict[str, Any]:
    person = people.get(state.participant or "")
    return {
        "id": state.alert_id, "version": state.version, "priority": state.priority,
        "title": wording.title(state.kind, state.event), "status": status(state),
        "condition_state": state.condition_state.value, "work_state": state.work_state.value,
        "participant": state.participant, "participant_name": (person.name or None) if person else None,
        "order": state.order_id, "condition": state.condition_id, "family": state.family, "kind": state.kind,
        "event": state.event, "feed": state.feed, "level": state.level, "latched": state.latched,
        "withdrawn": state.withdrawn, "touched": state.touched,
        "onset": iso(state.onset), "ended": iso_or_none(state.ended),
        "seen_until": iso_or_none(state.seen_until), "opened_at": iso(state.opened_at),
        "changed_at": iso(state.changed_at), "cleared_at": iso_or_none(state.cleared_at),
        "waiting_since": iso_or_none(state.waiting_since), "holder": holder(state),
        "lease_until": iso_or_none(state.lease_until), "acknowledged_at": iso_or_none(state.acknowledged_at),
        "work_due": iso_or_none(state.work_due), "disposition": state.disposition,
        "closed_by": state.closed_by, "closed_at": iso_or_none(state.closed_at),
        "activations": state.activations, "finding_count": state.findings, "previous": state.previous,
        "officer": state.officer, "supervision_level": state.supervision_level,
        "time_zone": state.time_zone, "last_event": state.last_event}


def holder(state: AlertState) -> str | None:
    """Who works on it; nobody once it is closed."""
    return None if state.work_state is Work.CLOSED else state.held_by


def status(state: AlertState) -> str:
    """One word for a screen, from both axes."""
    if state.work_state is Work.CLOSED:
        return state.disposition if state.disposition in models.MACHINE_DISPOSITIONS else "closed"
    if state.withdrawn:
        return "withdrawn"
    if state.work_state is Work.NEW and state.condition_state is ConditionState.CLEARED:
        return "cleared_not_handled"
    return state.work_state.value


def counts(by_priority: Mapping[int, int]) -> models.Counts:
    """Counts with every priority named."""
    return models.Counts(total=sum(by_priority.values()),
                         by_priority={str(number): by_priority.get(number, 0) for number in (1, 2, 3, 4)})


def allowed(state: AlertState, must_clear: bool) -> list[models.CommandName]:
    """The commands that can succeed now, for whoever holds it or may take it."""
    match state.work_state:
        case Work.NEW:
            names: list[models.CommandName] = ["claim", "ack", "note", "close"]
        case Work.CLAIMED | Work.IN_PROGRESS:
            names = ["claim", "release", "ack", "note", "close"]
        case Work.CLOSED:
            names = ["note"]
    return [name for name in names if not (name == "close" and must_clear)]


def alert(state: AlertState, *, people: Mapping[str, Person], order: Order | None, zones: Sequence[Zone],
          revisions: Mapping[str, Sequence[Finding]], events: Iterable[Any],
          notifications: list[models.Notification], earlier: Sequence[AlertState]) -> models.Alert:
    """All that the page of one alert needs."""
    condition = condition_of(order, state.condition_id)
    must_clear = state.family == "tamper" and state.condition_state is ConditionState.ACTIVE \
        and state.work_state is not Work.CLOSED
    return models.Alert(
        **_summary_fields(state, people),
        order_in_force=None if order is None else order_view(order),
        condition_in_force=None if condition is None else condition_document(condition),
        zones={"type": "FeatureCollection",
               "features": [zone_feature(zone) for zone in zones] + _places(order, condition)},
        findings=[finding_view(items, state.time_zone) for items in revisions.values() if items],
        events=[event(row) for row in events], notifications=notifications,
        earlier=[summary(one, people) for one in earlier], track=_track(state, revisions),
        allowed=allowed(state, must_clear), note_required=state.priority <= 2, must_clear=must_clear,
        dispositions=list(DISPOSITIONS))


def condition_of(order: Order | None, condition_id: str | None) -> Condition | None:
    """The order's condition of that id."""
    return next((one for one in order.conditions if one.id == condition_id), None) if order else None


def _places(order: Order | None, condition: Condition | None) -> list[dict[str, Any]]:
    """The places that the condition names as circles; a curfew without one means the first."""
    if order is None or condition is None:
        return []
    named = {*condition.places, *([condition.place] if condition.place else [])}
    if not named and condition.kind in ("curfew", "attendance"):
        named = {place.id for place in order.places[:1]}
    return [_place_feature(place) for place in order.places if place.id in named]


def _place_feature(place: Place) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [place.lon, place.lat]},
            "properties": {"id": place.id, "kind": "place", "radius_m": place.radius_m}}


def _track(state: AlertState, revisions: Mapping[str, Sequence[Finding]]) -> models.TrackLink | None:
    if state.participant is None:
        return None
    ends = [items[-1].ended or items[-1].decided_at for items in revisions.values() if items]
    start, end = state.onset - _TRACK_AROUND, max(ends, default=state.changed_at) + _TRACK_AROUND
    query = urlencode({"from": iso(start), "to": iso(end)})
    return models.TrackLink(href=f"/v1/participants/{quote(state.participant, safe='')}/track?{query}",
                            **{"from": iso(start)}, to=iso(end))


def finding_view(revisions: Sequence[Finding], time_zone: str | None) -> models.FindingView:
    """A finding with all its revisions."""
    newest = revisions[-1]
    span = wording.not_observed(newest)
    return models.FindingView(
        finding=to_wire(newest), sentence=wording.sentence(newest, time_zone),
        not_observed=[] if span is None else [models.Span(**{"from": iso(span[0])}, to=iso_or_none(span[1]))],
        revisions=[models.Revision(
            revision=one.revision, status=one.status, kind=one.kind, level=one.level, onset=iso(one.onset),
            ended=iso_or_none(one.ended), decided_at=iso(one.decided_at), reason=one.reason)
            for one in revisions])


def event(row: Any) -> models.Event:
    """An entry of the log; its instants in words that programs read."""
    return models.Event(seq=row.seq, version=row.version, kind=row.kind, at=iso(row.at),
                        recorded_at=iso(row.recorded_at), actor=row.actor, via=row.via,
                        data=None if row.data is None else _event_data(msgspec.json.decode(row.data)))


def _event_data(data: dict[str, Any]) -> dict[str, Any]:
    facts, changes = data["facts"], data["changes"]
    for fields, names in ((facts, _INSTANT_FACTS), (changes, _INSTANT_CHANGES)):
        fields.update({name: iso_or_none(fields[name]) for name in names if name in fields})
    return {**facts, "changes": changes}


def notifications(notices: Iterable[Any], messages: Iterable[Any],
                  attempts: Iterable[Any]) -> list[models.Notification]:
    """Messages with their attempts, and the notices that became none."""
    tries: dict[str, list[models.Attempt]] = {}
    for row in attempts:
        tries.setdefault(row.message_id, []).append(models.Attempt(
            attempt=row.attempt, channel=row.channel, address=row.address, started_at=iso(row.started_at),
            finished_at=iso_or_none(row.finished_at), outcome=row.outcome, detail=row.detail))
    words = {"held": "held", "ready": "waiting", "dropped": "not_sent"}
    found = [models.Notification(
        id=row.notice_id, kind=row.kind, recipient=None, recipient_name=None, subject=None, text=None,
        state=words[row.state], state_reason=row.drop_reason, corrects=None, created_at=iso(row.created_at),
        sent_at=None, attempts=[]) for row in notices if row.state in words]
    found += [models.Notification(
        id=row.message_id, kind=row.kind, recipient=row.recipient, recipient_name=row.recipient_name,
        subject=row.subject, text=row.text, state=row.state, state_reason=row.state_reason,
        corrects=row.corrects, created_at=iso(row.created_at), sent_at=iso_or_none(row.sent_at),
        attempts=tries.get(row.message_id, [])) for row in messages]
    return sorted(found, key=lambda one: (one.created_at, one.id))


def order_view(order: Order) -> models.OrderView:
    """An order version beside an alert."""
    return models.OrderView(
        order=order.id, version=order.version, participant=order.participant, time_zone=order.time_zone,
        agency=order.agency, officer=order.officer, supervision_level=order.supervision_level,
        effective_from=iso_or_none(order.effective_from), effective_until=iso_or_none(order.effective_until),
        void=order.void, conditions=[condition_document(one) for one in order.conditions],
        places=[{"id": one.id, "lat": one.lat, "lon": one.lon, "radius_m": one.radius_m}
                for one in order.places])


def binding_view(binding: Binding) -> models.BindingView:
    """A device of the participant."""
    return models.BindingView(
        binding=binding.id, version=binding.version, device=binding.device, role=binding.role,
        place=binding.place, feed=binding.feed, **{"from": iso_or_none(binding.from_)},
        until=iso_or_none(binding.until), void=binding.void)
