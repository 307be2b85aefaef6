"""Orders: a court's or agency's document. Versioned; an old version is never edited.

Times of day are seconds after local midnight in the order's `time_zone`; instants are microseconds UTC.
"""

from __future__ import annotations

from typing import Any

import msgspec

from emon.domain.binding import Binding

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Place(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A circle that conditions name: home, work, clinic."""

    id: str
    lat: float
    lon: float
    radius_m: float


class Window(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Weekly wall-clock window; belongs to the day it starts on. `to_s` <= `from_s`: ends the next day."""

    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)  # 0 = Monday
    from_s: int
    to_s: int


class DayException(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`windows` replace those of the local `date` (ISO, e.g. 2026-12-24); their `days` are ignored."""

    date: str
    windows: tuple[Window, ...] = ()


class Absence(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Leave or suspension: absolute instants [`from_`, `to`)."""

    from_: int
    to: int
    reason: str = ""


class Test(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A scheduled test: at this time of day on these days, answered within `window_s`."""

    __test__ = False  # not a pytest class

    at_s: int
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    window_s: int = 3600


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One obligation. Which fields a kind reads is checked where documents are parsed.

    None means "not said": the rule's default applies (limits.py). `leave`, `exceptions` and `suspensions`
    take out or replace time; all other fields are the condition's parameters.
    """

    id: str
    kind: str
    zone: str | None = None
    place: str | None = None
    places: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    leave: tuple[Absence, ...] = ()
    suspensions: tuple[Absence, ...] = ()
    buffer_m: float | None = None
    confirm_fixes: int | None = None
    hold_s: float | None = None
    grace_s: float | None = None
    every_s: float | None = None
    minimum_s: float | None = None
    allowance_s_per_week: float | None = None
    protected_device: str | None = None
    protected_person: str | None = None
    distance_m: float | None = None
    mode: str | None = None
    limits: dict[str, Any] | None = None
    tests: tuple[Test, ...] = ()
    per_month: int | None = None
    charge_every_h: float | None = None

    def parameters(self) -> Condition:
        """The condition without what only takes out or replaces time: equal parameters run on."""
        return msgspec.structs.replace(self, leave=(), exceptions=(), suspensions=())


class Order(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One version of an order, superseding all lower ones from `effective_from` on.

    `devices` is the shorthand for bindings, already expanded (id `ORDER:DEVICE`, this version).
    """

    id: str
    version: int = 1
    participant: str
    time_zone: str = "UTC"
    effective_from: int | None = None
    effective_until: int | None = None
    void: bool = False
    supervision_level: str | None = None
    agency: str | None = None
    officer: str | None = None
    devices: tuple[Binding, ...] = ()
    places: tuple[Place, ...] = ()
    conditions: tuple[Condition, ...] = ()
    received_at: int | None = None
