"""Findings in plain words, the same in the console, in messages and in reports.

A finding is a fact that a rule observed; whether it is a breach is for a court to say. So words about an
obligation begin with "Possible breach", say how sure it is, and name what was not observed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from emon.domain.finding import Finding
from emon.domain.instant import to_datetime

_BREACHES: Final[Mapping[str, str]] = {
    "exclusion_zone": "inside an exclusion zone",
    "inclusion_zone": "outside the permitted area",
    "zone_crossing": "path crossed an exclusion zone",
    "curfew_absent": "not at home during curfew",
    "curfew_left": "left home during curfew",
    "curfew_late": "late home for curfew",
    "curfew_accumulated": "weekly curfew allowance used up",
    "attendance_missed": "appointment missed",
    "attendance_late": "late for an appointment",
    "attendance_left": "left an appointment early",
    "keep_away": "close to a protected person",
    "alcohol_possible": "alcohol, not yet confirmed",
    "alcohol_confirmed": "alcohol, confirmed",
    "breath_failed": "breath test failed",
    "breath_missed": "breath test missed",
    "breath_refused": "breath test refused",
    "test_failed": "laboratory test failed",
    "test_missed": "laboratory test missed",
}
_FACTS: Final[Mapping[str, str]] = {
    "protected_contact_lost": "Protected person's device is silent",
    "protected_battery": "Protected person's battery is low",
    "alcohol_review": "Alcohol readings need review",
    "alcohol_no_upload": "No alcohol readings uploaded",
    "breath_incomplete": "Breath test incomplete",
    "breath_not_received": "Breath test not received",
    "tamper": "Device tamper",
    "panic": "Panic button pressed",
    "battery": "Device battery is low",
    "charging_missed": "Device was not charged",
    "motion_without_fix": "Moving without a position",
    "contact_lost": "No contact with the device",
    "location_lost": "In contact, but no position",
    "implausible_movement": "Implausible movement",
    "feed_outage": "Vendor feed is silent",
}
TAMPERS: Final[Mapping[str, str]] = {
    "strap_open": "strap opened",
    "case_open": "case opened",
    "proximity_lost": "away from its wearer",
    "shielding_start": "shielded",
    "jamming_start": "signal jammed",
    "mock_location": "location faked",
}
KINDS: Final = frozenset(_BREACHES) | frozenset(_FACTS)
_SURE: Final = {0: "likely an artefact", 1: "not verified", 2: "probable", 3: "confirmed",
                4: "confirmed, with a person at risk"}
_WITHDRAWN: Final[Mapping[str, str]] = {
    "leave": "an authorised absence covers it",
    "feed_outage": "the vendor's feed was silent as a whole, so this silence says nothing",
    "order_ended": "the order had ended",
    "terms_changed": "the order's terms had changed",
    "unbound": "the device was no longer this person's",
    "suspension": "the condition was suspended then",
    "order_changed": "the order says otherwise for that time",
    "zone_changed": "the zone had another shape then",
    "binding_changed": "the readings belong to somebody else",
    "late_data": "readings that came in later show otherwise",
    "merged": "it is part of an earlier finding",
}


def title(kind: str, event: str | None = None) -> str:
    """What may have happened, in a few words. `event` names a tamper."""
    if kind == "tamper" and event is not None and event in TAMPERS:
        return f"Device tamper: {TAMPERS[event]}"
    if kind in _BREACHES:
        return f"Possible breach: {_BREACHES[kind]}"
    return _FACTS.get(kind) or kind.replace("_", " ").capitalize()


def event_of(finding: Finding) -> str | None:
    """The device's event that a finding is about, if it is about one."""
    event = finding.evidence.get("event")
    return event if isinstance(event, str) else None


def sure(level: int) -> str:
    """How sure a level of evidence is."""
    return _SURE.get(level, f"level {level}")


def moment(instant: int, time_zone: str | None) -> str:
    """Local wall clock with its zone: "Sun 22 Nov 2026, 02:42:49 CST". UTC where no zone is known."""
    local = to_datetime(instant).astimezone(ZoneInfo(time_zone or "UTC"))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M:%S %Z}"


def why_withdrawn(finding: Finding) -> str:
    """The reason of a withdrawal, in words."""
    reason = "merged" if finding.merged_into is not None else finding.reason
    return _WITHDRAWN.get(reason) or (f"reason: {reason.replace('_', ' ')}" if reason
                                      else "readings that came in later show otherwise")


def sentence(finding: Finding, time_zone: str | None) -> str:
    """What was observed, when, by what, and how sure it is: the rule's own sentence where it wrote one."""
    if own := finding.evidence.get("sentence"):
        return str(own)
    parts = [title(finding.kind, event_of(finding)), f"{sure(finding.level)} (level {finding.level})",
             _when(finding, time_zone)]
    if finding.condition is not None:
        version = "" if finding.order_version is None else f" version {finding.order_version}"
        parts.append(f"under condition {finding.condition} of order {finding.order}{version}")
    if devices := _devices(finding.evidence):
        parts.append(devices)
    text = ", ".join(parts) + "."
    if finding.reason and finding.status != "withdrawn":
        text += f" Reason: {finding.reason.replace('_', ' ')}."
    if finding.late:
        text += " The readings came in late."
    if finding.status == "withdrawn":
        text = f"Withdrawn: {why_withdrawn(finding)}. It had said: {text}"
    return text


def not_observed(finding: Finding) -> tuple[int, int | None] | None:
    """The span at its end in which nothing supports it: [seen_until, ended); None: still going on."""
    if finding.seen_until is None or finding.status == "withdrawn":
        return None
    if finding.ended is not None and finding.ended <= finding.seen_until:
        return None
    return finding.seen_until, finding.ended


def _when(finding: Finding, time_zone: str | None) -> str:
    start = moment(finding.onset, time_zone)
    if finding.ended is None:
        seen = "" if finding.seen_until is None else f", last seen {moment(finding.seen_until, time_zone)}"
        return f"since {start}{seen}"
    if finding.ended == finding.onset:
        return f"at {start}"
    return f"from {start} to {moment(finding.ended, time_zone)}"


def _devices(evidence: Mapping[str, Any]) -> str:
    readings = evidence.get("readings") or []
    devices = sorted({str(reading.get("device")) for reading in readings if reading.get("device")})
    if not devices:
        return ""
    count = "1 reading" if len(readings) == 1 else f"{len(readings)} readings"
    return f"by {count} of {', '.join(devices)}"
