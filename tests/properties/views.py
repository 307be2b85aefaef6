"""Ways of looking at revisions that two evaluators must share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from emon.domain.finding import Finding
from emon.domain.verdict import RESULTS
from tests.oracle.oracle import EITHER

NAMED_REASONS = ("order_ended", "terms_changed", "unknown_after", "leave", "feed_outage",
                 "unbound", "critical", *(f"analyst_{result}" for result in RESULTS))
_OF_THE_ARRIVAL = ("received_at", "late")


def in_force(lines: Sequence[Finding]) -> list[tuple[Any, ...]]:
    """Findings that stand at the end, by what must not depend on arrival."""
    latest = {line.finding_id: line for line in lines}
    return sorted(
        (
            f.participant or "",
            f.order or "",
            f.condition or "",
            f.kind,
            f.feed or "",
            f.onset,
            f.ended or 0,
            f.level,
        )
        for f in latest.values()
        if f.status != "withdrawn"
    )


def structure(lines: Sequence[Finding]) -> list[dict[str, Any]]:
    """Revisions with ids replaced by order of appearance, evidence and unnamed reasons left out."""
    names: dict[str, str] = {}
    result = []
    for line in _in_order_of_content(lines, names):
        names.setdefault(line.finding_id, f"finding {len(names)}")
        fields = {name: getattr(line, name) for name in line.__struct_fields__}
        del fields["evidence"], fields["recorded_at"]
        for name in ("finding_id", "previous", "merged_into"):
            fields[name] = names.get(fields[name], fields[name])
        if line.reason not in (*NAMED_REASONS, EITHER):
            fields["reason"] = "*"
        if line.status == "withdrawn":
            for name in _OF_THE_ARRIVAL:
                del fields[name]
        result.append(fields)
    return result


def _in_order_of_content(lines: Sequence[Finding], names: dict[str, str]) -> Iterator[Finding]:
    """Revisions as they came; those that only their ids put in order (two tests of one instant) by what they say,
    since an id is each evaluator's own."""
    for _, ties in groupby(lines, key=lambda f: (f.decided_at, f.participant, f.order, f.condition, f.family, f.onset)):
        yield from sorted(ties, key=lambda f: (names.get(f.finding_id, "new"), f.revision, _evidence(f)))


def _evidence(line: Finding) -> tuple[str, int, list[str]]:
    return _of_device(line), line.received_at or 0, [r["device"] for r in line.evidence.get("readings", ())]


def _of_device(line: Finding) -> str:
    """Which device, and what of it, a finding about a device is about."""
    if line.family not in ("tamper", "panic", "battery", "motion_without_fix", "charging_missed"):
        return ""
    device, _, event = line.evidence.get("part", "").partition(" ")  # as the oracle tells it
    event = line.evidence.get("event", event) if line.family == "tamper" else ""
    return f"{line.evidence.get('device', device)} {event}"


def differences(left: Sequence[Finding], right: Sequence[Finding]) -> str:
    """The first place where two lists of revisions part (the oracle's on the left), "" where they agree."""
    a, b = structure(left), structure(right)
    for index, (one, other) in enumerate(zip(a, b, strict=False)):
        if one["reason"] == EITHER and one["status"] == other["status"]:
            one["reason"] = other["reason"]
        if one != other:
            parts = [
                f"{name}: {one.get(name)!r} != {other.get(name)!r}"
                for name in {**one, **other}
                if one.get(name) != other.get(name)
            ]
            return f"revision {index}: {'; '.join(parts)}\n{left[index]}\n{right[index]}"
    if len(a) != len(b):
        longer = left if len(a) > len(b) else right
        return f"{len(a)} != {len(b)} revisions; first more: {longer[min(len(a), len(b))]}"
    return ""
