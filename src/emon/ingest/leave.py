"""An absence that a court or officer authorises, also afterwards, as new versions of the orders. Pure.

A leave counts in its own version only. So each version that is in force from the leave's start on is issued
again, in order of time and under the next numbers, with unchanged times: the first of them supersedes all
that follow, and those must come back after it. A void version is issued again too, or it would end nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from emon.domain.order import Absence, Condition, Order
from emon.domain.versions import ALWAYS, NEVER, Entry, Span, in_force, since, until

ABSENT_FROM = ("curfew", "attendance", "inclusion_zone")  # what a leave is for unless conditions are named

_with = msgspec.structs.replace


def issued_again(versions: Sequence[Order], absence: Absence, conditions: Collection[str]) -> list[Order]:
    """New versions of one order; none where the leave touches no condition, or stands already everywhere.

    `versions`: all of the order; `conditions`: ids, or none for those of ABSENT_FROM.
    """
    ruling = [(order, from_, until_) for from_, until_, order in _ruling(versions) if until_ > absence.from_]
    changed = [order if order.void else _with_leave(order, _clipped(absence, from_, until_), conditions)
               for order, from_, until_ in ruling]
    if all(new is old for new, (old, _, _) in zip(changed, ruling, strict=True)):
        return []
    last = max(order.version for order in versions)
    return [_numbered(order, last + count) for count, order in enumerate(changed, start=1)]


def stands(versions: Sequence[Order], absence: Absence, conditions: Collection[str]) -> bool:
    """Whether some condition in force during the absence has it already: asked again, it is no fault."""
    names = {order.id for order in versions}
    return any(_concerned(condition, conditions) and any(
        one.from_ < absence.to and absence.from_ < one.to for one in condition.leave)
        for name in names for _, until_, order in _ruling([each for each in versions if each.id == name])
        if until_ > absence.from_ and not order.void for condition in order.conditions)


def _ruling(versions: Sequence[Order]) -> list[Span[Order]]:
    """As `in_force`, void versions included: they too say what holds from then on."""
    return in_force(Entry(order.version, since(order.effective_from), ALWAYS,
                          NEVER if order.void else until(order.effective_until), False, order)
                    for order in versions)


def _clipped(absence: Absence, from_: int, until_: int) -> Absence:
    return _with(absence, from_=max(absence.from_, from_), to=min(absence.to, until_))


def _with_leave(order: Order, absence: Absence, conditions: Collection[str]) -> Order:
    if absence.from_ >= absence.to:
        return order
    given = tuple(_granted(condition, absence) if _concerned(condition, conditions) else condition
                  for condition in order.conditions)
    return order if given == order.conditions else _with(order, conditions=given)


def _concerned(condition: Condition, conditions: Collection[str]) -> bool:
    return condition.id in conditions if conditions else condition.kind in ABSENT_FROM


def _granted(condition: Condition, absence: Absence) -> Condition:
    stands = any(one.from_ <= absence.from_ and absence.to <= one.to for one in condition.leave)
    return condition if stands else _with(condition, leave=(*condition.leave, absence))


def _numbered(order: Order, version: int) -> Order:
    """Under another number, as nobody has received it yet."""
    return _with(order, version=version, received_at=None, devices=tuple(
        _with(device, version=version, received_at=None) for device in order.devices))
