"""Missed charging: no hour of charging in the time that an order sets.

Charging lasts from `charging_start` to the device's next `charging_stop`, and goes on where no stop is known. Its
pieces add up. The first time that is looked at begins with the binding (or the condition, if that is later). A
finding begins when the last `charge_every_h` hours hold less than an hour of charging and ends when they hold one
again. Home units stay plugged in: what a binding calls one, or what reports presence, is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from emon.domain.instant import HOUR, SECOND
from emon.domain.versions import ALWAYS, NEVER
from emon.evaluate import lasting
from emon.evaluate.devices import where_nothing_is_open, worn_stretches
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.positions import WORN_OR_HOME, Body, Wearing
from emon.evaluate.signals import Case
from emon.evaluate.verdict import Hint, Interval, Judged, Settled
from emon.journal.records import Bound
from emon.limits import CHARGE_LEAST

_EVENTS: Final = ("charging_start", "charging_stop")
_KNOWN_WORN: Final = ("position", "alcohol")


class Charging:
    """Kind charging_missed, under device_integrity with `charge_every_h`, each device by itself."""

    kinds = ("charging_missed",)
    by_time = True
    reads = frozenset({"status"})

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """See verdict.Reaching: from the earliest reading that matters on."""
        if news is None:
            return from_, NEVER
        begins = [begin for bound in news if (begin := _matters_from(case.body, bound)) < NEVER]
        return (min(begins), NEVER) if begins else (NEVER, ALWAYS)

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule."""
        from_ = where_nothing_is_open(from_, old)
        judged = Judged(from_, NEVER)
        for worn in worn_stretches(term.duty(from_, NEVER), case.body.wearings):
            _worn(case, term, worn.time, worn.wearing, from_, judged)
        return judged


def worn_since(body: Body, wearing: Wearing) -> int:
    """When a device is known to be one that has to be charged; NEVER where it is not."""
    heard = {kind: body.first_measured.get((wearing.device, wearing.from_, kind), NEVER) for kind in WORN_OR_HOME}
    binding = wearing.bindings[0].item
    if heard["presence"] < NEVER:
        return NEVER
    if binding.role in _KNOWN_WORN:
        return wearing.from_
    if binding.role is not None or binding.place is not None:
        return NEVER
    return min(*heard.values(), body.first_position.get((wearing.device, wearing.from_), NEVER))


def _matters_from(body: Body, bound: Bound) -> int:
    """From when on a reading matters: charging, and what a device says first of its kind, which tells what kind of
    device it is; NEVER where it does not."""
    reading = bound.reading
    at, wearing = reading.observed_at, body.wearing(reading.device, reading.observed_at)
    if wearing is None:
        return NEVER
    first = body.first_position.get((reading.device, wearing.from_)) if reading.kind == "position" else (
        body.first_measured.get((reading.device, wearing.from_, reading.kind)))
    if first == at and reading.kind == "presence":
        return wearing.from_
    return at if first == at or reading.event in _EVENTS else NEVER


def _worn(case: Case, term: Term, stretch: Stretch, wearing: Wearing, from_: int, judged: Judged) -> None:
    """Adds what is found of one wearing within a stretch from `from_` on, where nothing is open."""
    every = round((term.condition.charge_every_h or 0) * HOUR)
    first = max(stretch.from_ + every, worn_since(case.body, wearing), from_)
    if first >= stretch.until:
        return
    said = lasting.events(case, wearing, "charging", first - every)
    changes = _changes(lasting.spans(said), every, first, stretch.until)
    for begin, end in zip(changes[::2], [*changes[1::2], None], strict=False):
        if begin > case.clock:
            judged.fall_due(begin, case.clock)
            return
        ended, reason = None, "not_charged"
        if end is not None and end <= case.clock:
            ended, reason = end, "charged"
        elif case.clock >= stretch.until:
            ended, reason = stretch.until, stretch.reason
        else:
            judged.fall_due(min(stretch.until, NEVER if end is None else end), case.clock)
        charged_s = lasting.total(lasting.spans(said), begin - every, begin) / SECOND
        judged.intervals.append(Interval(
            family="charging_missed", kind="charging_missed", onset=begin, ended=ended, level=1, reason=reason,
            settled=NEVER if ended is None else ended,
            used=tuple(lasting.around(said, begin - every, begin if ended is None else ended)),
            numbers={"device": wearing.device, "due": begin, "charged_s": charged_s,
                     "parameters": {"charge_every_h": term.condition.charge_every_h,
                                    "charged_s": min(CHARGE_LEAST, every) / SECOND}},
            order_version=term.piece_at(begin).order.version, part=f"{wearing.device}|charging"))


def _changes(spans: Sequence[tuple[int, int]], every: int, first: int, end: int) -> list[int]:
    """Instants from `first` up to `end` at which too little has been charged, and enough again, by turns."""
    least = min(CHARGE_LEAST, every)

    def charged(at: int) -> int:
        return lasting.total(spans, at - every, at)

    def missed(at: int) -> bool:
        return charged(at) < least or (charged(at) == least and charged(at + 1) < least)

    edges = sorted({first, *(e for span in spans for edge in span for e in (edge, edge + every) if first < e < end)})
    changes: list[int] = []
    for edge, following in zip(edges, [*edges[1:], end], strict=True):
        slope = charged(edge + 1) - charged(edge)
        crossing = edge + (least - charged(edge)) * slope  # where it is just enough, if it ever is
        for at in (edge, *([crossing] if slope and edge < crossing < following else [])):
            if missed(at) is (len(changes) % 2 == 0):
                changes.append(at)
    return changes
