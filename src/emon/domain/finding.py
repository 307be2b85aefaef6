"""Findings: facts that a rule observed, with their evidence. A court decides what they mean."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from emon.domain import instant

STATUSES: Final = ("opened", "amended", "closed", "withdrawn")
FAMILY_OF_KIND: Final = {
    "curfew_left": "curfew", "curfew_late": "curfew", "curfew_absent": "curfew",
    "alcohol_possible": "alcohol", "alcohol_confirmed": "alcohol", "alcohol_review": "alcohol",
    "breath_failed": "breath", "breath_missed": "breath", "breath_incomplete": "breath",
    "breath_refused": "breath", "breath_not_received": "breath",
    "attendance_missed": "attendance", "attendance_late": "attendance", "attendance_left": "attendance",
}
"""Kinds that may turn into one another while they stay one finding; every other kind is its own family."""

_INSTANTS = ("onset", "ended", "decided_at", "received_at", "seen_until", "recorded_at")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One revision of a finding. Instants are microseconds UTC; the identity of a line is
    (finding_id, revision). Everything that is not known or does not apply is None.
    """

    finding_id: str
    revision: int
    participant: str | None
    order: str | None
    condition: str | None
    family: str
    kind: str
    feed: str | None = None
    status: str
    onset: int
    ended: int | None
    decided_at: int
    received_at: int | None
    late: bool
    level: int
    reason: str
    order_version: int | None = None
    zone_version: int | None = None
    rule_version: int
    seen_until: int | None = None
    previous: str | None = None
    merged_into: str | None = None
    recorded_at: int | None = None
    evidence: dict[str, Any]


def to_wire(finding: Finding) -> dict[str, Any]:
    """The finding as the published format: RFC 3339 instants, every field present."""
    wire: dict[str, Any] = msgspec.to_builtins(finding)
    for name in _INSTANTS:
        wire[name] = instant.iso_or_none(wire[name])
    return wire


def from_wire(wire: dict[str, Any]) -> Finding:
    """Inverse of `to_wire`."""
    fields = dict(wire)
    for name in _INSTANTS:
        if fields.get(name) is not None:
            fields[name] = instant.parse(fields[name])
    return msgspec.convert(fields, Finding)


def encode(finding: Finding) -> bytes:
    """One NDJSON line without the line feed."""
    return msgspec.json.encode(to_wire(finding))


def decode(line: bytes) -> Finding:
    """Inverse of `encode`."""
    return from_wire(msgspec.json.decode(line))


def publication_key(finding: Finding) -> tuple[object, ...]:
    """Sort key of the published order: by decided_at, then names, null before any value."""
    names = (finding.participant, finding.order, finding.condition, finding.family)
    return (finding.decided_at, *((name is not None, name or "") for name in names), finding.onset,
            finding.finding_id, finding.revision)
