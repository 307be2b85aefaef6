"""Findings as the history of intervals: which new interval is which old finding, and what is written.

Old findings and new intervals of one key are sorted by onset; each new one takes the first free old one that
shares an instant with it. `withdrawn` is final. A revision is written only where status, kind, onset, ended,
level or reason changes.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from emon.domain.finding import Finding
from emon.domain.versions import NEVER
from emon.evaluate.verdict import Interval, arrived
from emon.limits import LATE_AFTER

_LEVEL: Final = 1  # the least effort: most of what there is to gain
_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Finding).decode


class Key(NamedTuple):
    """What a finding is about. `part` tells tests, windows and devices of one family apart."""

    participant: str | None
    order: str | None
    condition: str | None
    family: str
    part: str = ""
    feed: str | None = None


class Standing:
    """A finding that is not withdrawn: its last revision. Once it has ended it may rest as bytes, with only what
    tells whether it is concerned in sight: most are never looked at again, and their evidence is long."""

    __slots__ = ("_finding", "_packed", "ended", "onset", "seen_until", "settled")

    def __init__(self, finding: Finding | bytes, onset: int, ended: int | None, settled: int,
                 seen_until: int | None = None) -> None:
        self._finding: Finding | None = None
        self._packed: bytes | None = None
        if isinstance(finding, bytes):
            self._packed = finding
        else:
            self._finding = finding
        self.onset, self.ended, self.settled, self.seen_until = onset, ended, settled, seen_until

    @classmethod
    def of(cls, finding: Finding, settled: int, seen_until: int | None) -> Standing:
        """A finding that has just been revised."""
        return cls(finding, finding.onset, finding.ended, settled, seen_until)

    @property
    def finding(self) -> Finding:
        """The last revision."""
        if self._finding is None:
            self._finding = _unpack(zlib.decompress(self._packed or b""))
        return self._finding

    @finding.setter
    def finding(self, finding: Finding) -> None:
        self._finding, self._packed = finding, None
        self.onset, self.ended = finding.onset, finding.ended

    def rest(self) -> Finding | bytes:
        """What is to be kept of it: bytes, from now on here too, where it has ended."""
        if self._finding is not None and self.ended is None:
            return self._finding
        if self._packed is None:
            self._packed = zlib.compress(_pack(self._finding), _LEVEL)
        self._finding = None
        return self._packed


@dataclass(slots=True)
class Book:
    """All standing findings of one key by onset, and the last withdrawn id of each onset."""

    standing: list[Standing] = field(default_factory=list)
    withdrawn: dict[int, str] = field(default_factory=dict)


class Moment(NamedTuple):
    """When and by which rules a revision is decided; `withdrawal` says why a finding no longer stands."""

    clock: int
    rule_version: int
    withdrawal: Callable[[Standing], str]
    evidence: Callable[[Key, Interval], dict[str, Any]]
    retraction: Callable[[Finding, str], dict[str, Any]]


def revise(key: Key, book: Book, from_: int, until: int, new: Sequence[Interval],
           moment: Moment) -> list[Finding]:
    """Replaces what stands in the region [from_, until) by `new`; returns the revisions to write."""
    outside: list[Standing] = []
    old: list[Standing] = []
    for standing in book.standing:
        touches = standing.onset < until and (_end(standing.ended) > from_ or standing.onset >= from_)
        (old if touches else outside).append(standing)
    if not old and not new:
        return []
    new = sorted(new, key=lambda interval: interval.onset)
    free = sorted(old, key=lambda standing: (standing.onset, standing.finding.finding_id))
    written: list[Finding] = []
    kept: list[tuple[Standing, Interval]] = []
    for interval in new:
        mine = next((s for s in free if shares(s.onset, s.ended, interval.onset, interval.ended)), None)
        if mine is None:
            mine = _begin(key, book, interval, moment, written)
        else:
            free.remove(mine)
            _amend(key, mine, interval, moment, written)
        kept.append((mine, interval))
    for standing in free:
        heir = next((s.finding.finding_id for s, interval in kept
                     if shares(standing.onset, standing.ended, interval.onset, interval.ended)), None)
        _withdraw(book, standing, heir, moment, written)
    book.standing = sorted([*outside, *(s for s, _ in kept)], key=lambda standing: standing.onset)
    return written


def shares(onset: int, ended: int | None, other_onset: int, other_ended: int | None) -> bool:
    """Whether two intervals [onset, ended) share an instant; one of no length is that instant."""
    end, other_end = max(_end(ended), onset + 1), max(_end(other_ended), other_onset + 1)
    return onset < other_end and other_onset < end


def output_order(finding: Finding) -> tuple[Any, ...]:
    """Order of revisions: null before any value."""
    return (finding.decided_at, _null_first(finding.participant), _null_first(finding.order),
            _null_first(finding.condition), finding.family, finding.onset, finding.finding_id)


def _null_first(value: str | None) -> tuple[bool, str]:
    return value is not None, value or ""


def _end(ended: int | None) -> int:
    return NEVER if ended is None else ended


def _begin(key: Key, book: Book, interval: Interval, moment: Moment, written: list[Finding]) -> Standing:
    received_at, late = _newest(interval)
    finding = Finding(
        finding_id=finding_id(key, interval.onset, moment.clock), revision=1, participant=key.participant,
        order=key.order, condition=key.condition, family=key.family, kind=interval.kind, feed=key.feed,
        status="opened" if interval.ended is None else "closed", onset=interval.onset, ended=interval.ended,
        decided_at=moment.clock, received_at=received_at, late=late, level=interval.level,
        reason=interval.reason, order_version=interval.order_version, zone_version=interval.zone_version,
        rule_version=moment.rule_version, seen_until=interval.seen_until,
        previous=book.withdrawn.get(interval.onset), evidence=moment.evidence(key, interval))
    written.append(finding)
    return Standing.of(finding, interval.settled, interval.seen_until)


def _amend(key: Key, standing: Standing, interval: Interval, moment: Moment, written: list[Finding]) -> None:
    last = standing.finding
    standing.settled, standing.seen_until = interval.settled, interval.seen_until
    status = "amended" if interval.ended is None else "closed"
    before = (last.kind, last.onset, last.ended, last.level, last.reason)
    after = (interval.kind, interval.onset, interval.ended, interval.level, interval.reason)
    if before == after:
        return
    received_at, late = _newest(interval)
    standing.finding = msgspec.structs.replace(
        last, revision=last.revision + 1, kind=interval.kind, status=status, onset=interval.onset,
        ended=interval.ended, decided_at=moment.clock, received_at=received_at, late=late,
        level=interval.level, reason=interval.reason, order_version=interval.order_version,
        zone_version=interval.zone_version, rule_version=moment.rule_version,
        seen_until=interval.seen_until, evidence=moment.evidence(key, interval))
    written.append(standing.finding)


def _withdraw(book: Book, standing: Standing, heir: str | None, moment: Moment,
              written: list[Finding]) -> None:
    last = standing.finding
    reason = "merged" if heir is not None else moment.withdrawal(standing)
    book.withdrawn[last.onset] = last.finding_id
    written.append(msgspec.structs.replace(
        last, revision=last.revision + 1, status="withdrawn", decided_at=moment.clock, reason=reason,
        merged_into=heir, evidence=moment.retraction(last, reason)))


def _newest(interval: Interval) -> tuple[int | None, bool]:
    """When the evidence that came in last did, and whether that was long after it was observed."""
    newest = max(interval.used, key=arrived, default=None)
    if newest is None:
        return None, False
    return newest.received_at, newest.received_at - newest.reading.observed_at > LATE_AFTER


def finding_id(key: Key, onset: int, decided_at: int) -> str:
    """Deterministic: a hash of the key, and onset and decided_at of revision 1."""
    text = msgspec.json.encode([*key, onset, decided_at])
    return hashlib.sha256(text).hexdigest()[:32]
