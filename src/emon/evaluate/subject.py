"""Who must be kept away from, by a condition's words and the bindings.

A condition names a person, or a device as shorthand for whoever bears it. A named device that nobody is known to
hold stands for its bearer by itself. Once bindings tell whose it is, the person who held it when the condition
began (or was the first to hold it afterwards) is protected, with all devices that she has then and later: a new
phone is a binding, not a new order.
"""

from __future__ import annotations

from collections.abc import Mapping

from emon.domain.binding_book import BindingBook, holder
from emon.evaluate.orderbook import Term
from emon.evaluate.signals import Case
from emon.limits import KEEP_AWAY_LIMITS


def subject(term: Term, book: BindingBook) -> str | None:
    """The protected person of a keep_away condition; None where that is nobody else than the participant."""
    name, device = term.condition.protected_person, term.condition.protected_device
    if name is None and device is not None:
        name = device
        spans = book.spans(device)
        if spans:
            name = holder(next((s for s in spans if s.until > term.from_), spans[-1]).item)[1]
    return None if name == term.participant else name


def case_of(case: Case, term: Term) -> Case | None:
    """What is known of the protected person."""
    name = subject(term, case.bindings)
    return None if name is None or case.others is None else case.others(name)


def limits_of(term: Term) -> Mapping[str, float]:
    """The named parameters that hold for the condition."""
    return {**KEEP_AWAY_LIMITS, **(term.condition.limits or {})}
