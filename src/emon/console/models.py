"""The shapes of the alerts API: what its answers and commands look like as JSON.

Instants are RFC 3339 in UTC. Two clocks: times of what devices and rules say (`onset`, `opened_at`, ...) are
the pipeline's; times of people's work (`waiting_since`, `lease_until`, `work_due`, `recorded_at`) are the
wall's. They differ only in a demo that runs faster than life. Fields are added, never renamed or removed.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field

Instant = str
ConditionState = Literal["active", "cleared"]
WorkState = Literal["new", "claimed", "in_progress", "closed"]
MACHINE_DISPOSITIONS: Final = ("self_cleared", "withdrawn")
CommandName = Literal["claim", "release", "ack", "note", "close"]


class Shape(BaseModel):
    """Answers name every field, null where nothing is known; commands refuse fields they do not know."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Span(Shape):
    """From an instant to another; `to` null: still going on."""

    from_: Instant = Field(alias="from")
    to: Instant | None


class AlertSummary(Shape):
    """One row of the queue."""

    id: int
    version: int = Field(description="Send it back as `If-Match`.")
    priority: int = Field(ge=1, le=4)
    title: str = Field(description="What may have happened, in plain words.")
    status: str = Field(description="Derived from both axes, for a screen: new, cleared_not_handled, "
                                    "claimed, in_progress, closed, self_cleared, withdrawn.")
    condition_state: ConditionState
    work_state: WorkState
    participant: str | None
    participant_name: str | None
    order: str | None
    condition: str | None
    family: str
    kind: str
    event: str | None = Field(description="Of a tamper: what the device reported.")
    feed: str | None
    level: int
    latched: bool
    withdrawn: bool
    touched: bool = Field(description="A person has worked on it.")
    onset: Instant
    ended: Instant | None
    seen_until: Instant | None
    opened_at: Instant
    changed_at: Instant
    cleared_at: Instant | None
    waiting_since: Instant | None = Field(description="Since when nobody works on it; null: somebody does.")
    holder: str | None
    lease_until: Instant | None
    acknowledged_at: Instant | None
    work_due: Instant | None = Field(description="Without further work it returns to the queue then.")
    disposition: str | None
    closed_by: str | None
    closed_at: Instant | None
    activations: int = Field(description="How often the condition became active.")
    finding_count: int
    previous: int | None = Field(description="The same key's alert before this one.")
    officer: str | None
    supervision_level: str | None
    time_zone: str | None = Field(description="The order's.")
    last_event: int


class Counts(Shape):
    """Alerts matching the filter, whatever the page."""

    total: int
    by_priority: dict[str, int] = Field(description='Keys "1" to "4", all present.')


class AlertPage(Shape):
    """A page of the queue."""

    alerts: list[AlertSummary]
    next: str | None = Field(description="Pass it as `cursor` for the page after this one.")
    counts: Counts
    last_event: int = Field(description="Open the stream with `?after=` this: nothing is missed between.")
    now: Instant


class Revision(Shape):
    """What was believed when."""

    revision: int
    status: str
    kind: str
    level: int
    onset: Instant
    ended: Instant | None
    decided_at: Instant
    reason: str


class FindingView(Shape):
    """A finding of an alert with all its revisions."""

    finding: dict[str, Any] = Field(description="The newest revision in the published format of findings.")
    sentence: str = Field(description="What was observed and how sure it is, in one sentence.")
    not_observed: list[Span]
    revisions: list[Revision]


class Event(Shape):
    """An entry of the alert's log. `data` is null where the entry was erased."""

    seq: int
    version: int
    kind: str
    at: Instant
    recorded_at: Instant
    actor: str | None
    via: str | None
    data: dict[str, Any] | None


class Attempt(Shape):
    """One attempt to hand a message to a provider."""

    attempt: int
    channel: str
    address: str
    started_at: Instant
    finished_at: Instant | None
    outcome: Literal["started", "accepted", "temporary", "permanent", "unknown"]
    detail: str | None


class Notification(Shape):
    """A message to one recipient, or the notice of one that nobody was sent."""

    id: str
    kind: Literal["alert", "update", "correction", "system"]
    recipient: str | None
    recipient_name: str | None
    subject: str | None
    text: str | None
    state: str = Field(description="held, waiting, pending, sending, sent, failed, cancelled or not_sent.")
    state_reason: str | None
    corrects: str | None
    created_at: Instant
    sent_at: Instant | None
    attempts: list[Attempt]


class OrderView(Shape):
    """An order version as far as people need it beside an alert."""

    order: str
    version: int
    participant: str
    time_zone: str
    agency: str | None
    officer: str | None
    supervision_level: str | None
    effective_from: Instant | None
    effective_until: Instant | None
    void: bool
    conditions: list[dict[str, Any]]
    places: list[dict[str, Any]]


class TrackLink(Shape):
    """Where the track around the alert is found."""

    href: str
    from_: Instant = Field(alias="from")
    to: Instant


class Alert(AlertSummary):
    """All that the page of one alert needs."""

    order_in_force: OrderView | None = Field(description="The version that the newest finding names.")
    condition_in_force: dict[str, Any] | None = Field(description="The condition's parameters in it.")
    zones: dict[str, Any] = Field(description="GeoJSON FeatureCollection of the zone versions and places "
                                              "that decided; circles are points with `radius_m`.")
    findings: list[FindingView]
    events: list[Event]
    notifications: list[Notification]
    earlier: list[AlertSummary] = Field(description="Earlier alerts of this participant, newest first.")
    track: TrackLink | None
    allowed: list[CommandName]
    note_required: bool = Field(description="Closing needs a note.")
    must_clear: bool = Field(description="Closing needs the device's own all-clear first.")
    dispositions: list[str] = Field(description="The usual ones; `non_actionable:CAUSE` takes any cause.")


class BindingView(Shape):
    """A device that speaks for the participant."""

    binding: str
    version: int
    device: str
    role: str | None
    place: str | None
    feed: str | None
    from_: Instant | None = Field(alias="from")
    until: Instant | None
    void: bool


class Participant(Shape):
    """All that the page of one participant needs, but for the track."""

    id: str
    name: str | None
    language: str | None
    time_zone: str | None
    orders: list[OrderView] = Field(description="The newest version of each.")
    bindings: list[BindingView]
    alerts: list[AlertSummary] = Field(description="Newest first.")
    last_reading: dict[str, Any] | None
    last_position: dict[str, Any] | None
    now: Instant


class Track(Shape):
    """Readings of every kind, in the native format with `received_at`; fields without a value are absent."""

    participant: str
    from_: Instant = Field(alias="from")
    to: Instant
    readings: list[dict[str, Any]]
    truncated: bool = Field(description="There are more: ask again from the last `observed_at` on.")


class Orders(Shape):
    """The newest version of each order."""

    orders: list[OrderView]
    next: str | None


class Stage(Shape):
    """How far a stage is behind in one partition."""

    stage: str
    partition: int
    position: int
    end: int
    lag: int
    last_tick: Instant | None
    caught_up_at: Instant | None
    updated_at: Instant


class Status(Shape):
    """How late emon itself is."""

    version: str
    now: Instant
    pipeline_now: Instant
    last_tick: Instant | None = Field(description="The oldest of what the stages have worked through last.")
    late_s: float | None = Field(description="By how much that is behind the pipeline's clock.")
    stages: list[Stage]
    notifications_waiting: int
    notifications_failed: int
    open_alerts: Counts
    last_event: int


def _said(text: str) -> str:
    if not any(sign.isprintable() and not sign.isspace() for sign in text):
        raise ValueError("there is nothing to read in it")
    return text.strip()


def _persons(disposition: str) -> str:
    if disposition in MACHINE_DISPOSITIONS:
        raise ValueError(f"only emon itself closes as {disposition}")
    return disposition


Said = Annotated[str, AfterValidator(_said)]
"""A person's words: a reason of blanks is none."""


class ClaimBody(Shape):
    """Taking over from a holder needs a reason."""

    reason: Said | None = Field(None, min_length=1, max_length=2000)


class ReleaseBody(Shape):
    """Why it goes back to the queue, if there is something to say."""

    reason: Said | None = Field(None, min_length=1, max_length=2000)


class AckBody(Shape):
    """A note may come with it."""

    note: Said | None = Field(None, min_length=1, max_length=10_000)


class NoteBody(Shape):
    """What the operator has to say."""

    text: Said = Field(min_length=1, max_length=10_000, validation_alias=AliasChoices("text", "note"))


class CloseBody(Shape):
    """How it ended."""

    disposition: Annotated[str, AfterValidator(_persons)] = Field(
        max_length=120, pattern=r"^[a-z][a-z0-9_]*(:[^\s:][^\n]*)?$")
    note: Said | None = Field(None, min_length=1, max_length=10_000)


class CommandResult(Shape):
    """What a command did. `no_op`: recorded, but there was nothing to change."""

    alert: AlertSummary
    no_op: bool


class Problem(Shape):
    """Why a request was refused. 409 and 412 name who won and the version to look at."""

    error: str
    detail: str
    holder: str | None = None
    lease_until: Instant | None = None
    version: int | None = None
    changed_by: str | None = None


class StreamAlert(Shape):
    """Data of the stream's `alert` events, whose id is `seq`. Also carries the alert as it is now."""

    seq: int
    kind: str
    actor: str | None
    alert: AlertSummary


class StreamClock(Shape):
    """Data of the stream's `clock` events: proof of life every few seconds; they have no id."""

    now: Instant
    pipeline_now: Instant
    last_tick: Instant | None
    late_s: float | None
    last_event: int
