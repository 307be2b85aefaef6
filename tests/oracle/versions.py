"""Which version is in force when, and for how long one condition keeps the same terms."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from emon.domain.binding import Binding
from emon.domain.order import Condition, Order
from emon.domain.zone import Zone
from tests.oracle.knowledge import LONG_AGO, NEVER, Known

V = TypeVar("V", Order, Zone, Binding)
Span = tuple[int, int]


def starts(version: Order | Zone | Binding) -> int:
    """When a version takes effect."""
    return LONG_AGO if version.effective_from is None else version.effective_from


def _ends(version: Order | Zone | Binding) -> int:
    until = None if isinstance(version, Binding) else version.effective_until
    return NEVER if until is None else until


def in_force(versions: Sequence[V], at: int) -> V | None:
    """The highest version that has taken effect, unless it is void or over."""
    begun = [version for version in versions if starts(version) <= at]
    if not begun:
        return None
    highest = max(begun, key=lambda version: version.version)
    return None if highest.void or at >= _ends(highest) else highest


def borders(versions: Sequence[Order] | Sequence[Zone] | Sequence[Binding]) -> list[int]:
    """Instants at which another version, or none, comes into force."""
    return sorted({LONG_AGO, NEVER} | {starts(v) for v in versions} | {_ends(v) for v in versions})


@dataclass(frozen=True)
class Piece:
    """One version's share of a term."""

    start: int
    end: int
    order: Order
    condition: Condition


@dataclass(frozen=True)
class Term:
    """One condition under equal parameters; `end_reason` says why it is over at `end`."""

    pieces: tuple[Piece, ...]
    end_reason: str

    @property
    def start(self) -> int:
        return self.pieces[0].start

    @property
    def end(self) -> int:
        return self.pieces[-1].end

    @property
    def condition(self) -> Condition:
        return self.pieces[0].condition

    def piece_at(self, at: int) -> Piece:
        """The piece that holds an instant of the term."""
        return next(piece for piece in self.pieces if piece.start <= at < piece.end)


def condition_of(order: Order | None, condition_id: str) -> Condition | None:
    if order is None:
        return None
    return next((c for c in order.conditions if c.id == condition_id), None)


def _parameters(condition: Condition) -> Condition:
    return msgspec.structs.replace(condition, leave=(), exceptions=(), suspensions=())


def terms(versions: Sequence[Order], condition_id: str) -> list[Term]:
    """All terms of a condition, in time."""
    edges = borders(versions)
    result: list[Term] = []
    run: list[Piece] = []
    for start, end in itertools.pairwise(edges):
        order = in_force(versions, start)
        condition = condition_of(order, condition_id)
        if run and (condition is None or _parameters(condition) != _parameters(run[-1].condition)):
            result.append(Term(tuple(run), "order_ended" if order is None else "terms_changed"))
            run = []
        if order is not None and condition is not None:
            run.append(Piece(start, end, order, condition))
    if run:
        result.append(Term(tuple(run), ""))
    return result


def minus(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """What is left of `spans` without `holes`."""
    left = list(spans)
    for hole_start, hole_end in holes:
        parts = []
        for start, end in left:
            parts += [(start, min(end, hole_start)), (max(start, hole_end), end)]
        left = [(start, end) for start, end in parts if start < end]
    return left


def union(spans: Sequence[Span]) -> list[Span]:
    """Overlapping and touching spans joined."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def absences(condition: Condition) -> list[Span]:
    """Time that leave and suspensions take out."""
    return [(absence.from_, absence.to) for absence in (*condition.leave, *condition.suspensions)]


@dataclass(frozen=True)
class Judged:
    """Time in which a condition is judged without a break; `reason` is why it ends."""

    start: int
    end: int
    reason: str
    term: Term


def judged_spans(term: Term, zone_versions: Sequence[Zone] | None) -> list[Judged]:
    """The term without leave, suspensions, and time in which its zone is in force no more."""
    spans: list[Span] = []
    for piece in term.pieces:
        spans += minus([(piece.start, piece.end)], absences(piece.condition))
    own = {span[0] for piece in term.pieces for span in absences(piece.condition)}
    gone: list[Span] = []
    if zone_versions:
        edges = borders(zone_versions)
        gone = [
            (a, b)
            for a, b in itertools.pairwise(edges)
            if in_force(zone_versions, a) is None and any(starts(v) <= a for v in zone_versions)
        ]
    result = []
    for start, end in union(minus(union(spans), gone)):
        reason = "absence"
        if end not in own:
            reason = term.end_reason if end == term.end else "order_ended"
        result.append(Judged(start, end, reason, term))
    return result


@dataclass(frozen=True)
class Bond:
    """A device is somebody's during [start, end); `bound_from` ranks devices bound at the same time."""

    device: str
    start: int
    end: int
    bound_from: int
    binding: Binding


def bonds(known: Known, person: str | None = None) -> list[Bond]:
    """All bonds to a participant or protected person (None: to anybody). What two hold at once is nobody's."""
    claims = [claim for versions in known.bindings.values() for claim in _claims(versions)]
    result = []
    for claim in claims:
        disputed = [
            (other.start, other.end)
            for other in claims
            if other.device == claim.device and _holder(other) != _holder(claim)
        ]
        if person is None or person in _holder(claim):
            result += [
                Bond(claim.device, start, end, claim.bound_from, claim.binding)
                for start, end in minus([(claim.start, claim.end)], disputed)
            ]
    return result


def _holder(bond: Bond) -> tuple[str | None, str | None]:
    return bond.binding.participant, bond.binding.protected_person


def _claims(versions: Sequence[Binding]) -> list[Bond]:
    """What one binding's versions claim, others unseen."""
    result = []
    for start, end in itertools.pairwise(borders(versions)):
        binding = in_force(versions, start)
        if binding is None:
            continue
        bound_from = LONG_AGO if binding.from_ is None else binding.from_
        until = NEVER if binding.until is None else binding.until
        if max(start, bound_from) < min(end, until):
            result.append(Bond(binding.device, max(start, bound_from), min(end, until), bound_from, binding))
    return result
