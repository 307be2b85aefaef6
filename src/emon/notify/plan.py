"""Who is told what, by which methods. Pure: notices and what is known in, messages out.

The officer of the order is told, by verified methods that this installation can serve, best first; after
them the local folder, and last the console, which says that nobody was told. A message says what may have
happened, how sure it is and where to read on, and no more about a person than that. A correction goes to
whoever received, in the same thread, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256

from emon.domain import wording
from emon.domain.alert import AlertState
from emon.domain.finding import Finding
from emon.domain.person import Person

CONSOLE = "console"
"""Not a channel: the end of every list of methods. Whoever gets there could not be told."""
FOLDER = "folder"
_RESTRICTED = frozenset({"protected_contact_lost", "protected_battery"})
_NOT_A_VERDICT = "This is what a rule observed. Whether it is a breach is for a court to say."

Method = tuple[str, str]
"""Channel and address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A notice with what is known now about its alert and finding."""

    notice_id: str
    kind: str
    reason: str
    alert: AlertState
    finding: Finding
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message that was sent, or is on its way. `said_kind`, `said_level`: what it says of the finding."""

    message_id: str
    thread: str
    recipient: str
    recipient_name: str
    subject: str
    methods: tuple[Method, ...]
    said_kind: str
    said_level: int
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one recipient is to be told. `message_id` is the idempotency key towards providers."""

    message_id: str
    notice_id: str
    kind: str
    alert_id: int
    finding_id: str
    recipient: str
    recipient_name: str
    methods: tuple[Method, ...]
    said_kind: str
    said_level: int
    subject: str
    text: str
    thread: str
    corrects: str | None = None
    priority: int
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What this installation can do. `channels`: names of those that are open."""

    channels: Collection[str]
    public_url: str


def message_id(notice_id: str, recipient: str) -> str:
    """The same for the same notice and recipient, whoever plans it and how often."""
    return sha256(f"{notice_id}\0{recipient}".encode()).hexdigest()[:32]


def methods(person: Person | None, channels: Collection[str]) -> tuple[Method, ...]:
    """The person's verified methods that can be served, then the folder where there is one, then the end."""
    own = [(one.channel, one.address) for one in (person.contacts if person else ())
           if one.verified and one.channel in channels]
    return (*own, *([(FOLDER, "")] if FOLDER in channels else []), (CONSOLE, ""))


def tell(about: About, recipients: Sequence[Person], thread: str | None, setting: Setting) -> list[Message]:
    """Messages about a new, reopened or worse alert. `thread`: of an earlier message about this alert."""
    reachable = [person for person in recipients if _reachable(person, setting.channels)]
    if not reachable:
        return [_message(about, None, thread, setting)]
    return [_message(about, person, thread, setting) for person in reachable]


def _reachable(person: Person, channels: Collection[str]) -> bool:
    """Whether a verified method can be served; the folder stands in for methods that are not set up."""
    return any(one.verified and (one.channel in channels or FOLDER in channels) for one in person.contacts)


def _message(about: About, person: Person | None, thread: str | None, setting: Setting) -> Message:
    officer = about.alert.officer
    recipient = person.id if person is not None else officer or "nobody"
    id_ = message_id(about.notice_id, recipient)
    lines = [] if person is not None else [_nobody(about.alert)]
    lines += _what(about, person.time_zone if person else about.alert.time_zone)
    if person is not None and officer == person.id:
        lines.append(f"You are told as the officer of order {about.alert.order_id}.")
    lines += [f"What has been done about it: {link(setting, about.alert.alert_id)}", _NOT_A_VERDICT]
    return Message(
        message_id=id_, notice_id=about.notice_id, kind="system" if person is None else about.kind,
        alert_id=about.alert.alert_id, finding_id=about.finding.finding_id, recipient=recipient,
        recipient_name=person.name if person else "", methods=methods(person, setting.channels),
        said_kind=about.finding.kind, said_level=about.finding.level, subject=_subject(about),
        text="\n".join(lines) + "\n", thread=thread or id_,
        priority=about.alert.priority, created_at=about.created_at)


def link(setting: Setting, alert_id: int) -> str:
    """Where the alert is shown."""
    return f"{setting.public_url.rstrip('/')}/alerts/{alert_id}"


def _subject(about: About) -> str:
    """Shown on locked screens: no name, no place."""
    number = f"P{about.alert.priority} alert {about.alert.alert_id}"
    if about.finding.kind in _RESTRICTED:
        return number
    return f"{number}: {wording.title(about.finding.kind, wording.event_of(about.finding))}"


def _what(about: About, time_zone: str | None) -> list[str]:
    finding, alert = about.finding, about.alert
    if finding.kind in _RESTRICTED:
        return [f"Alert {alert.alert_id} needs you. Its details are restricted: read them in the console."]
    lines = [f"{wording.title(finding.kind, wording.event_of(finding))}."]
    if about.reason == "again":
        lines.append("It was dealt with and has begun again.")
    elif about.reason == "kind":
        lines.append("It has become more than our message before this one said.")
    elif about.kind == "update":
        lines.append(f"It got worse: {about.reason}.")
    if alert.participant is not None:
        lines.append(f"Participant {alert.participant}, condition {alert.condition_id} of order "
                     f"{alert.order_id}.")
    elif alert.feed is not None:
        lines.append(f"Feed {alert.feed}.")
    end = "" if finding.ended is None or finding.ended == finding.onset \
        else f" to {wording.moment(finding.ended, time_zone)}"
    start = "Since" if finding.ended is None else "At" if finding.ended == finding.onset else "From"
    lines.append(f"{start} {wording.moment(finding.onset, time_zone)}{end}.")
    lines.append(f"How sure: {wording.sure(finding.level)} (level {finding.level}).")
    return lines


def _nobody(alert: AlertState) -> str:
    """The system's note where nobody can be told."""
    if alert.officer is not None:
        return (f"Note of the system: officer {alert.officer} of order {alert.order_id} has no verified "
                "contact that can be used here. Nobody was told: please see to it.")
    what = f"order {alert.order_id}" if alert.order_id else f"feed {alert.feed}"
    return f"Note of the system: no officer is known for {what}. Nobody was told: please see to it."


def correct(about: About, told: Sequence[Told], setting: Setting) -> list[Message]:
    """Corrections to those who were told more than stands: one a thread, of the newest message in it."""
    newest = {one.thread: one for one in sorted(told, key=lambda one: (one.created_at, one.message_id))}
    return [_correction(about, one, setting) for one in newest.values() if _said_more(about, one)]


def _said_more(about: About, told: Told) -> bool:
    """What grew and shrank again between two messages needs no correction."""
    return (about.reason == "withdrawn" or told.said_kind != about.finding.kind
            or told.said_level > about.finding.level)


def _correction(about: About, told: Told, setting: Setting) -> Message:
    finding = about.finding
    id_ = message_id(about.notice_id, told.thread)
    sent = wording.moment(told.created_at, about.alert.time_zone)
    if about.reason == "withdrawn":
        what = f"is withdrawn: {wording.why_withdrawn(finding)}."
    elif told.said_kind != finding.kind:
        what = f"is now: {wording.title(finding.kind, wording.event_of(finding))}."
    else:
        what = f"is less sure than it was: {wording.sure(finding.level)} (level {finding.level})."
    subject = told.subject.removeprefix("Correction: ")
    lines = [f'Correction: our message "{subject}" of {sent} {what}']
    if about.reason == "withdrawn" and not about.alert.withdrawn:
        lines.append(f"Alert {about.alert.alert_id} remains, for something else that was observed.")
    elif finding.reason and about.reason != "withdrawn":
        lines.append(f"Reason: {finding.reason.replace('_', ' ')}.")
    lines.append(f"What has been done about it: {link(setting, about.alert.alert_id)}")
    return Message(
        message_id=id_, notice_id=about.notice_id, kind="correction", alert_id=about.alert.alert_id,
        finding_id=finding.finding_id, recipient=told.recipient, recipient_name=told.recipient_name,
        methods=told.methods, said_kind=finding.kind, said_level=finding.level,
        subject=f"Correction: {subject}", text="\n".join(lines) + "\n",
        thread=told.thread, corrects=told.message_id, priority=about.alert.priority,
        created_at=about.created_at)
