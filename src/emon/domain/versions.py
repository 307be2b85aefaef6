"""Which version of an order, zone or binding is in force when.

A version supersedes all lower ones from its `effective_from` on, whatever its own end; after its own end,
or from a void version on, none is in force. Instants are microseconds UTC; ALWAYS and NEVER stand for "since
ever" and "without end", so that spans compare as plain integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

ALWAYS: Final = -(1 << 62)
NEVER: Final = 1 << 62

T = TypeVar("T")


class Entry(NamedTuple, Generic[T]):
    """A version with its own span [`starts`, `ends`), counted from `effective_from` on."""

    version: int
    effective_from: int
    starts: int
    ends: int
    void: bool
    item: T


class Span(NamedTuple, Generic[T]):
    """`item` is in force during [`from_`, `until`)."""

    from_: int
    until: int
    item: T


def since(instant: int | None) -> int:
    """None ("always") as an integer that is smaller than every instant."""
    return ALWAYS if instant is None else instant


def until(instant: int | None) -> int:
    """None ("without end") as an integer that is larger than every instant."""
    return NEVER if instant is None else instant


def in_force(entries: Iterable[Entry[T]]) -> list[Span[T]]:
    """Spans in order of time; neighbours may touch, none overlap, empty ones are left out."""
    known = sorted(entries, key=lambda entry: (entry.effective_from, entry.version))
    spans: list[Span[T]] = []
    ruling: Entry[T] | None = None
    for index, entry in enumerate(known):
        if ruling is None or entry.version > ruling.version:
            ruling = entry
        cut = known[index + 1].effective_from if index + 1 < len(known) else NEVER
        begin, end = max(entry.effective_from, ruling.starts), min(cut, ruling.ends)
        if ruling.void or begin >= end:
            continue
        if spans and spans[-1].item is ruling.item and spans[-1].until == begin:
            begin = spans.pop().from_
        spans.append(Span(begin, end, ruling.item))
    return spans


class Versioned(Protocol):
    """A version of an order or a zone."""

    @property
    def version(self) -> int: ...

    @property
    def effective_from(self) -> int | None: ...

    @property
    def effective_until(self) -> int | None: ...

    @property
    def void(self) -> bool: ...


V = TypeVar("V", bound=Versioned)


def ruling(known: Iterable[V]) -> list[Span[V]]:
    """When which version of one order or zone is in force."""
    return in_force(Entry(v.version, since(v.effective_from), ALWAYS, until(v.effective_until), v.void, v)
                    for v in known)


def at(spans: list[Span[T]], instant: int) -> T | None:
    """The item in force at the instant, if any."""
    for span in reversed(spans):
        if span.from_ <= instant:
            return span.item if instant < span.until else None
    return None
