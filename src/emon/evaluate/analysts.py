"""What analysts say of alcohol episodes, and which of several verdicts on one episode rules.

Everything follows from the set of versions known, never from the order in which they came: of one id the highest
version counts; of several ids that name one episode the greatest (version, id).
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from emon.domain.verdict import Verdict

_encode = msgspec.json.Encoder(order="deterministic").encode


class Named(NamedTuple):
    """Where a verdict points: whatever episode of a participant's condition contains the instant."""

    participant: str
    order: str
    condition: str
    at: int


class VerdictBook:
    """All versions of verdicts known so far."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[int, Verdict]] = {}
        self._ruling: dict[tuple[str, str, str], dict[str, Verdict]] = {}  # by condition, then id

    def add(self, verdict: Verdict) -> list[Named]:
        """Takes a version in; returns where an episode may be called otherwise now."""
        known = self._versions.setdefault(verdict.id, {})
        before = _ruling(known)
        kept = _preferred(known.get(verdict.version), verdict)
        if known.get(verdict.version) is kept:
            return []
        known[verdict.version] = kept
        after = _ruling(known)
        changed = [each for each in (before, after) if each is not None]
        if before is not None:
            self._ruling[_condition(before)].pop(before.id)
        if after is not None:
            self._ruling.setdefault(_condition(after), {})[after.id] = after
        return [Named(*_condition(each), each.at) for each in changed if each.at is not None]

    def ruling(self, participant: str, order: str, condition: str, onset: int, ended: int) -> Verdict | None:
        """The verdict on an episode that lasted from `onset` to `ended`, both included; None: there is none."""
        here = [each for each in self._ruling.get((participant, order, condition), {}).values()
                if each.at is not None and onset <= each.at <= ended]
        return max(here, key=lambda each: (each.version, each.id), default=None)

    def versions(self, name: str) -> list[Verdict]:
        """Every version of a verdict taken in."""
        return [verdict for _, verdict in sorted(self._versions.get(name, {}).items())]


def _ruling(known: dict[int, Verdict]) -> Verdict | None:
    newest = known[max(known)] if known else None
    return None if newest is None or newest.void else newest


def _condition(verdict: Verdict) -> tuple[str, str, str]:
    return verdict.participant, verdict.order, verdict.condition


def _preferred(old: Verdict | None, new: Verdict) -> Verdict:
    """Of two different texts with one id and version the same one, whichever came first."""
    if old is None:
        return new
    return max(old, new, key=lambda v: _encode(msgspec.structs.replace(v, received_at=None)))
