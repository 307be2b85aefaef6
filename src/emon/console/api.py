"""The alerts API: the queue, one alert, and what operators do.

Who asks is what `X-Emon-Operator` says (percent-encoded) until there is log-in; the console listens on
loopback only. `If-Match` is the version that the operator saw: where it is older than the alert, nothing is
done (412); closing and acknowledging must say it (428), because they judge what was seen. Losing a race
answers 409 with the winner's name. Both name the current version. The same `Idempotency-Key` again gives the
same answer and does nothing.
"""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Header, Path, Query, Response
from sqlalchemy import Connection, Engine

from emon.clock import Clock
from emon.console import models, problems, views
from emon.console.port import Commands
from emon.console.problems import RESPONSES, Refused
from emon.domain.alert import Acknowledge, AddNote, AlertState, Claim, Close, Command, Refusal, Release
from emon.domain.instant import iso
from emon.domain.order import Order
from emon.limits import ALERT_EVENTS_MOST, ALERT_FINDINGS_MOST, EARLIER_ALERTS_MOST, PAGE_MOST
from emon.store import documents, log, queue, reading
from emon.store.queue import Filter

AlertId = Annotated[int, Path(ge=1, lt=1 << 63)]
Priority = Annotated[int, Query(ge=1, le=4)]
OperatorHeader = Annotated[str | None, Header(
    alias="X-Emon-Operator", description="Who asks; percent-encoded. Absent: operator.")]
KeyHeader = Annotated[str | None, Header(
    alias="Idempotency-Key", min_length=1, max_length=200, description="The same key again changes nothing.")]
VersionHeader = Annotated[str | None, Header(
    alias="If-Match", description='The version that was seen: `"3"`, 3 or `*`.')]


def router(store: Engine, commands: Commands, wall: Clock) -> APIRouter:
    """Routes under /v1/alerts, but for the stream."""
    api = APIRouter(prefix="/v1/alerts", tags=["alerts"], responses=RESPONSES)
    _reads(api, store, wall)
    _writes(api, store, commands)
    return api


def _reads(api: APIRouter, store: Engine, wall: Clock) -> None:
    @api.get("", summary="The queue: the most urgent first, among equals the oldest")
    def alerts(
        state: Literal["open", "closed", "all"] = "all",
        priority: Annotated[list[Priority] | None, Query()] = None,
        participant: str | None = None, order: str | None = None, condition: str | None = None,
        kind: str | None = None, family: str | None = None, feed: str | None = None,
        officer: str | None = None, holder: str | None = None,
        q: Annotated[str | None, Query(max_length=100, description="Part of the participant's id.")] = None,
        sort: Literal["queue", "newest"] = "queue",
        limit: Annotated[int, Query(ge=1, le=PAGE_MOST)] = 100,
        cursor: Annotated[str | None, Query(max_length=100)] = None,
    ) -> models.AlertPage:
        wanted = Filter(
            state=state, priorities=tuple(priority or ()), participant=participant, order_id=order,
            condition_id=condition, kind=kind, family=family, feed=feed, officer=officer, holder=holder,
            text=q)
        after = _cursor(cursor, 3 if sort == "queue" else 1)
        with reading(store) as connection:
            end = log.end(connection)  # before the rows: the stream repeats rather than misses
            if sort == "queue":
                found = queue.page(connection, wanted, (after[0], after[1], after[2]) if after else None,
                                   limit + 1)
            else:
                found = queue.newest(connection, wanted, after[0] if after else None, limit + 1)
            shown = found[:limit]
            people = documents.people(connection, [one.participant for one in shown if one.participant])
            totals = queue.counts(connection, wanted)
        last = None if len(found) <= limit else shown[-1]
        return models.AlertPage(
            alerts=[views.summary(one, people) for one in shown], counts=views.counts(totals), last_event=end,
            now=iso(wall.now_us()), next=None if last is None else "_".join(
                str(part) for part in (queue.place(last) if sort == "queue" else (last.alert_id,))))

    @api.get("/{alert_id}", summary="One alert with all that belongs to it")
    def alert(alert_id: AlertId, response: Response) -> models.Alert:
        with reading(store) as connection:
            state = queue.one(connection, alert_id)
            if state is None:
                raise problems.refused(Refusal("unknown_alert", f"There is no alert {alert_id}."))
            response.headers["ETag"] = f'"{state.version}"'
            return _alert(connection, state)


def _alert(connection: Connection, state: AlertState) -> models.Alert:
    revisions = queue.revisions_of(connection, state.alert_id, ALERT_FINDINGS_MOST)
    newest = max((items[-1] for items in revisions.values() if items),
                 key=lambda one: (one.decided_at, one.finding_id), default=None)
    order = None
    if newest is not None and newest.order is not None:
        order = documents.order(connection, newest.order, newest.order_version) \
            or documents.order(connection, newest.order, None)
    zone_id = _zone_id(order, state)
    versions = {items[-1].zone_version for items in revisions.values() if items} or {None}
    zones = documents.zones_named(connection, [(zone_id, version) for version in sorted(
        versions, key=lambda one: one or 0)]) if zone_id else []
    earlier = [] if state.participant is None else queue.newest(
        connection, Filter(participant=state.participant), state.alert_id, EARLIER_ALERTS_MOST)
    names = [state.participant] if state.participant else []
    messages, attempts = queue.messages_of(connection, state.alert_id)
    return views.alert(
        state, people=documents.people(connection, names), order=order, zones=zones, revisions=revisions,
        events=queue.events_of(connection, state.alert_id, ALERT_EVENTS_MOST),
        notifications=views.notifications(queue.notices_of(connection, state.alert_id), messages, attempts),
        earlier=earlier)


def _zone_id(order: Order | None, state: AlertState) -> str | None:
    condition = views.condition_of(order, state.condition_id)
    return None if condition is None else condition.zone


def _writes(api: APIRouter, store: Engine, commands: Commands) -> None:
    def execute(alert_id: int, command: Command, key: str | None, if_match: str | None,
                response: Response, *, judges: bool = False) -> models.CommandResult:
        if judges and if_match is None:
            raise Refused(428, "version_required", "Say in If-Match which version of the alert you saw.")
        outcome = commands.execute(alert_id, command, key=key, expected=_version(if_match))
        if isinstance(outcome, Refusal):
            raise problems.refused(outcome)
        state = outcome.alert
        response.headers["ETag"] = f'"{state.version}"'
        if outcome.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        with reading(store) as connection:
            people = documents.people(connection, [state.participant] if state.participant else [])
        return models.CommandResult(alert=views.summary(state, people), no_op=outcome.no_op)

    @api.post("/{alert_id}/claim", summary="Take it, or keep it for another lease")
    def claim(alert_id: AlertId, response: Response, body: models.ClaimBody | None = None,
              operator: OperatorHeader = None, key: KeyHeader = None,
              if_match: VersionHeader = None) -> models.CommandResult:
        command = Claim(_operator(operator), body.reason if body else None)
        return execute(alert_id, command, key, if_match, response)

    @api.post("/{alert_id}/release", summary="Give it back to the queue")
    def release(alert_id: AlertId, response: Response, body: models.ReleaseBody | None = None,
                operator: OperatorHeader = None, key: KeyHeader = None,
                if_match: VersionHeader = None) -> models.CommandResult:
        command = Release(_operator(operator), body.reason if body else None)
        return execute(alert_id, command, key, if_match, response)

    @api.post("/{alert_id}/ack", summary="Say that you work on it")
    def ack(alert_id: AlertId, response: Response, body: models.AckBody | None = None,
            operator: OperatorHeader = None, key: KeyHeader = None,
            if_match: VersionHeader = None) -> models.CommandResult:
        command = Acknowledge(_operator(operator), body.note if body else None)
        return execute(alert_id, command, key, if_match, response, judges=True)

    @api.post("/{alert_id}/note", summary="Write something down")
    def note(alert_id: AlertId, body: models.NoteBody, response: Response, operator: OperatorHeader = None,
             key: KeyHeader = None, if_match: VersionHeader = None) -> models.CommandResult:
        return execute(alert_id, AddNote(_operator(operator), body.text), key, if_match, response)

    @api.post("/{alert_id}/close", summary="Say how it ended")
    def close(alert_id: AlertId, body: models.CloseBody, response: Response, operator: OperatorHeader = None,
              key: KeyHeader = None, if_match: VersionHeader = None) -> models.CommandResult:
        command = Close(_operator(operator), body.disposition, body.note)
        return execute(alert_id, command, key, if_match, response, judges=True)


def _operator(header: str | None) -> str:
    """The operator's name as people write it."""
    name = " ".join(unquote(header or "").split())
    if not name.isprintable() or len(name) > 100:
        raise Refused(400, "bad_operator", "X-Emon-Operator: a name of at most 100 printable characters.")
    return name or "operator"


def _version(if_match: str | None) -> int | None:
    """The version of an If-Match header; None where any will do."""
    if if_match is None or if_match.strip() == "*":
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Refused(400, "bad_version", f"If-Match: {if_match!r:.60} is no version: send the alert's ETag.")
    return int(text)


def _cursor(text: str | None, parts: int) -> list[int] | None:
    """The sort key that a page ended with."""
    if text is None:
        return None
    try:
        key = [int(part) for part in text.split("_")]
    except ValueError:
        key = []
    if len(key) != parts or any(abs(part) >> 62 for part in key):
        raise Refused(400, "bad_cursor", "cursor: pass `next` of the page before, with the same sort.")
    return key
