"""Findings over time: matches what is found now with what was in force, and writes the differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emon.domain.finding import FAMILY_OF_KIND, Finding
from tests.oracle.knowledge import MINUTE, NEVER, Heard

Key = tuple[str, str, str, str, str, str]
WhyGone = Callable[[Finding], str]


@dataclass(frozen=True)
class Interval:
    """What a rule finds at one instant of the clock."""

    participant: str | None
    order: str | None
    condition: str | None
    kind: str
    onset: int
    ended: int | None
    level: int
    reason: str
    evidence: tuple[Heard, ...]
    feed: str | None = None
    order_version: int | None = None
    zone_version: int | None = None
    seen_until: int | None = None
    part: str = ""  # tells tests and windows of one family apart

    @property
    def family(self) -> str:
        return FAMILY_OF_KIND.get(self.kind, self.kind)

    @property
    def key(self) -> Key:
        return (self.participant or "", self.order or "", self.condition or "", self.family, self.feed or "", self.part)


def _overlap(a_onset: int, a_ended: int | None, b_onset: int, b_ended: int | None) -> bool:
    """Whether two [onset, ended) share an instant; one of no length is that instant."""

    def last(onset: int, ended: int | None) -> int:
        return NEVER if ended is None else max(ended - 1, onset)

    return a_onset <= last(b_onset, b_ended) and b_onset <= last(a_onset, a_ended)


class Ledger:
    """All findings so far, by key."""

    def __init__(self) -> None:
        self.findings: dict[Key, list[list[Finding]]] = {}
        self.lines: list[Finding] = []

    def write(self, clock: int, found: Sequence[Interval], why_gone: WhyGone) -> None:
        """Takes what is found at `clock` in place of what was in force."""
        lines: list[Finding] = []
        for key in sorted({*self.findings, *(interval.key for interval in found)}):
            new = sorted((i for i in found if i.key == key), key=lambda i: i.onset)
            lines += self._write_key(clock, key, new, why_gone)
        lines.sort(
            key=lambda f: (
                f.participant or "",
                f.order or "",
                f.condition or "",
                f.family,
                f.onset,
                f.finding_id,
            )
        )
        self.lines += lines

    def _write_key(self, clock: int, key: Key, new: list[Interval], why_gone: WhyGone) -> list[Finding]:
        histories = self.findings.setdefault(key, [])
        free = sorted((h for h in histories if h[-1].status != "withdrawn"), key=lambda h: h[-1].onset)
        lines: list[Finding] = []
        taken: list[tuple[Interval, str]] = []
        for interval in new:
            old = next(
                (h for h in free if _overlap(h[-1].onset, h[-1].ended, interval.onset, interval.ended)), None
            )
            if old is None:
                old = self._open(clock, key, interval)
                histories.append(old)
                lines.append(old[-1])
            else:
                free.remove(old)
                if _differs(old[-1], interval):
                    old.append(_revision(clock, interval, old[-1].finding_id, len(old) + 1, old[-1].previous))
                    lines.append(old[-1])
            taken.append((interval, old[-1].finding_id))
        for old in free:
            into = next(
                (name for i, name in taken if _overlap(old[-1].onset, old[-1].ended, i.onset, i.ended)), None
            )
            old.append(_withdrawn(clock, old[-1], into, why_gone(old[-1]) if into is None else "merged"))
            lines.append(old[-1])
        return lines

    def _open(self, clock: int, key: Key, interval: Interval) -> list[Finding]:
        earlier = [
            h[-1] for h in self.findings[key] if h[-1].status == "withdrawn" and h[-1].onset == interval.onset
        ]
        previous = max(earlier, key=lambda f: f.decided_at).finding_id if earlier else None
        return [_revision(clock, interval, f"{key}|{interval.onset}|{clock}", 1, previous)]


def _differs(old: Finding, new: Interval) -> bool:
    return (old.kind, old.onset, old.ended, old.level, old.reason) != (
        new.kind,
        new.onset,
        new.ended,
        new.level,
        new.reason,
    )


def _revision(
    clock: int, interval: Interval, finding_id: str, revision: int, previous: str | None
) -> Finding:
    newest = max(interval.evidence, key=lambda heard: (heard.received_at, heard.at), default=None)
    status = "closed" if interval.ended is not None else "opened" if revision == 1 else "amended"
    return Finding(
        finding_id=finding_id,
        revision=revision,
        participant=interval.participant,
        order=interval.order,
        condition=interval.condition,
        family=interval.family,
        kind=interval.kind,
        feed=interval.feed,
        status=status,
        onset=interval.onset,
        ended=interval.ended,
        decided_at=clock,
        received_at=None if newest is None else newest.received_at,
        late=newest is not None and newest.received_at - newest.at > 15 * MINUTE,
        level=interval.level,
        reason=interval.reason,
        order_version=interval.order_version,
        zone_version=interval.zone_version,
        rule_version=1,
        seen_until=interval.seen_until,
        previous=previous,
        evidence={
            "part": interval.part,
            "readings": [
                {
                    "device": h.reading.device,
                    "kind": h.reading.kind,
                    "observed_at": h.at,
                    "received_at": h.received_at,
                }
                for h in interval.evidence
            ]
        },
    )


def _withdrawn(clock: int, last: Finding, into: str | None, reason: str) -> Finding:
    fields = {name: getattr(last, name) for name in last.__struct_fields__}
    fields.update(
        revision=last.revision + 1, status="withdrawn", decided_at=clock, reason=reason, merged_into=into
    )
    return Finding(**fields)
