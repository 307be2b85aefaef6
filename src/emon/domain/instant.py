"""Instants: integer microseconds since 1970-01-01T00:00:00Z inside, RFC 3339 with an offset outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from emon.domain.errors import Fault

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_AWARE = Annotated[datetime, msgspec.Meta(tz=True)]


def parse(text: object) -> int:
    """Microseconds UTC of an RFC 3339 instant. Raises Fault `bad_instant` for anything else."""
    if isinstance(text, str):
        try:
            return (msgspec.convert(text, _AWARE) - _EPOCH) // _MICROSECOND
        except (msgspec.ValidationError, OverflowError):
            pass
    raise Fault("bad_instant", f"{text!r:.60} is not an RFC 3339 instant with an offset, "
                "like 2026-11-22T02:42:49Z or 2026-11-21T20:42:49-06:00")


def from_datetime(moment: datetime) -> int:
    """Microseconds UTC of an aware datetime."""
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(instant: int) -> datetime:
    """Aware UTC datetime of microseconds."""
    return _EPOCH + timedelta(microseconds=instant)


def iso(instant: int) -> str:
    """RFC 3339 in UTC; fractions only where there are any."""
    return to_datetime(instant).isoformat().replace("+00:00", "Z")


def iso_or_none(instant: int | None) -> str | None:
    """As `iso`; None stays None."""
    return None if instant is None else iso(instant)
