"""Device integrity: tampers, panic, and the battery, each by what the device itself reports.

A tamper is found however short it was, and ends only by the device's own word, by the end of the binding, or by
the end of the condition. A faked location has no closing event: it ends with the first gnss fix long enough
after the last report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Final, NamedTuple

from emon.domain.versions import NEVER
from emon.evaluate.devices import reach_of, where_nothing_is_open, worn_stretches
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.rules.circumstances import circumstances
from emon.evaluate.signals import Case
from emon.evaluate.track import key
from emon.evaluate.verdict import Hint, Interval, Judged, Settled
from emon.journal.records import Bound
from emon.limits import BATTERY_CHARGED, BATTERY_CRITICAL, BATTERY_LOW, MOCK_CLEAR_AFTER

CLOSED_BY: Final[Mapping[str, str]] = {
    "strap_open": "strap_closed",
    "case_open": "case_closed",
    "proximity_lost": "proximity_restored",
    "shielding_start": "shielding_stop",
    "jamming_start": "jamming_stop",
}
_EVENTS: Final = frozenset(CLOSED_BY) | frozenset(CLOSED_BY.values()) | {"mock_location", "panic"}
BATTERY_OPEN, MOCK_OPEN = 1, 2  # flags in Hint.steady


class Charges(NamedTuple):
    """Fractions of a full battery: below `low` a finding begins, below `critical` it is critical, from `charged` on
    it is over."""

    low: float
    critical: float
    charged: float


CHARGES: Final = Charges(BATTERY_LOW, BATTERY_CRITICAL, BATTERY_CHARGED)


class Said(NamedTuple):
    """Readings of one identity: usually one, several where contents disagree. `first` came in first."""

    first: Bound
    all: tuple[Bound, ...]

    @property
    def at(self) -> int:
        return self.first.reading.observed_at

    @property
    def event(self) -> str | None:
        return self.first.reading.event

    @property
    def battery(self) -> float | None:
        """The charge, as a fraction; None where nothing, or two things, are said."""
        charges = {b.reading.battery_fraction for b in self.all}
        return charges.pop() if len(charges) == 1 and self.first.reading.kind == "status" else None


@dataclass(slots=True)
class Run:
    """Something a device reports from `said[0]` on; `closer` ended it."""

    said: list[Said]
    reason: str
    closer: Said | None = None


class Integrity:
    """Families tamper, panic and battery."""

    kinds = ("device_integrity",)
    by_time = False
    reads = frozenset({"status", "position"})

    def reach(self, case: Case, terms: Sequence[Term], hint: Hint, news: Sequence[Bound] | None, from_: int,
              until: int) -> tuple[int, int]:
        """See verdict.Reaching: from the earliest reading that matters on."""
        if news is None:
            return from_, NEVER
        return reach_of(b for b in news if _matters(case, hint, b))

    def judge(self, case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
              until: int) -> Judged:
        """See verdict.Rule. Begins where nothing is open, so that all that is open later began in the region."""
        return judge_devices(case, term, hint, old, from_, _Device.judge)


def judge_devices(case: Case, term: Term, hint: Hint, old: Sequence[Settled], from_: int,
                  judge: Callable[[_Device, Sequence[Said]], None]) -> Judged:
    """What each device of whoever the case is about reports, from where nothing is open on."""
    from_ = where_nothing_is_open(from_, old)
    judged = Judged(from_, NEVER)
    readings = case.readings(from_, case.clock)
    hint.steady = 0
    for worn, wearing, stretch in worn_stretches(term.duty(from_, NEVER), case.body.wearings):
        if worn.from_ <= case.clock:
            said = _said(b for b in readings if b.reading.device == wearing.device
                         and worn.from_ <= b.reading.observed_at <= stretch.until
                         and b.reading.observed_at < wearing.until)
            judge(_Device(case, term, worn, wearing.device, judged, hint), said)
    ends = [s.settled for s in (*old, *judged.intervals) if s.settled < NEVER]
    if hint.last_event is not None:  # an earlier term's: what came to its end too late may still change it
        ends.append(hint.last_event)
    hint.last_event = max(ends, default=None)
    return judged


def positions_matter(hint: Hint) -> bool:
    """Whether a position observed after `hint.last_event` may change anything."""
    return bool(hint.steady & MOCK_OPEN)


def _matters(case: Case, hint: Hint, bound: Bound) -> bool:
    reading = bound.reading
    before = hint.last_event is not None and reading.observed_at <= hint.last_event
    if reading.kind == "position":
        return reading.method == "gnss" and (before or positions_matter(hint))
    if reading.kind != "status":
        return False
    return reading.event in _EVENTS or charge_matters(case, hint, bound, CHARGES)


def charge_matters(case: Case, hint: Hint, bound: Bound, charges: Charges) -> bool:
    """Whether a status reading may change what is known of the battery, or contradicts another."""
    charge, at = bound.reading.battery_fraction, bound.reading.observed_at
    if charge is not None and charge < charges.low:
        return True
    before = hint.last_event is not None and at <= hint.last_event
    if charge is not None and charge >= charges.charged and (before or hint.steady & BATTERY_OPEN):
        return True
    return sum(key(b) == key(bound) for b in case.readings(at, at)) > 1  # perhaps it contradicts what was said


def _said(bounds: Iterator[Bound]) -> list[Said]:
    out = []
    for _, group in groupby(bounds, key=key):
        same = tuple(group)
        if same[0].reading.kind == "position":
            same = tuple(b for b in same if b.reading.method == "gnss")
        if same and same[0].reading.kind in Integrity.reads:
            out.append(Said(min(same, key=lambda b: b.received_at), same))
    return out


def _beside(case: Case, at: int, device: str) -> dict[str, Any]:
    known = [each for each in circumstances(case, at) if each["device"] == device]
    return {"circumstances": known} if known else {}


class _Device:
    """One device during one stretch in which it is worn."""

    def __init__(self, case: Case, term: Term, stretch: Stretch, device: str, judged: Judged, hint: Hint) -> None:
        self.case, self.term, self.stretch, self.device = case, term, stretch, device
        self.judged, self.hint = judged, hint

    def judge(self, said: Sequence[Said]) -> None:
        """Adds intervals and dues."""
        for event, closing in CLOSED_BY.items():
            for run in self._pairs(said, event, closing):
                self._tamper(event, run)
        mocked = self._runs(said, lambda s: s.event == "mock_location", lambda s, last:
                            s.first.reading.kind == "position" and s.at >= last.at + MOCK_CLEAR_AFTER)
        for run in mocked:
            run.said = [run.said[0], run.said[-1]]
            self._tamper("mock_location", run, {"clear_after_s": MOCK_CLEAR_AFTER // 1_000_000},
                         MOCK_OPEN)
        for one in said:
            if one.event == "panic" and one.at < self.stretch.until:
                self._add("panic", "panic", 3, Run([one], "panic", one), {"event": "panic"})
        self.battery(said, "battery", CHARGES)

    def battery(self, said: Sequence[Said], kind: str, charges: Charges) -> None:
        """Adds findings of a kind about a low battery."""
        for run in self._runs(said, lambda s: s.battery is not None and s.battery < charges.low,
                              lambda s, _: s.battery is not None and s.battery >= charges.charged):
            self._battery(run, kind, charges)

    def _pairs(self, said: Sequence[Said], event: str, closing: str) -> list[Run]:
        return self._runs(said, lambda s: s.event == event, lambda s, _: s.event == closing)

    def _runs(self, said: Sequence[Said], opens: Callable[[Said], bool],
              closes: Callable[[Said, Said], bool]) -> list[Run]:
        """Runs in order of time, each with all that opened it again; an end at the stretch's end counts."""
        runs: list[Run] = []
        for one in said:
            run = runs[-1] if runs and runs[-1].closer is None else None
            if opens(one):
                if one.at >= self.stretch.until:
                    continue
                if run is None:
                    runs.append(Run([one], one.event or ""))
                else:
                    run.said.append(one)
            elif run is not None and closes(one, run.said[-1]):
                run.closer = one
        return runs

    def _tamper(self, event: str, run: Run, parameters: Mapping[str, Any] | None = None, flag: int = 0) -> None:
        said = run.said if event == "mock_location" else run.said[:1]
        if run.closer is not None:
            run.reason = run.closer.event or "located"
        numbers = {"event": event, **({"parameters": parameters} if parameters else {})}
        self._add("tamper", event, 3, Run(said, run.reason, run.closer), numbers, flag)

    def _battery(self, run: Run, kind: str, limits: Charges) -> None:
        critical = next((s for s in run.said if (s.battery or 0.0) < limits.critical), None)
        used = [run.said[0], *([] if critical is None or critical is run.said[0] else [critical])]
        reason = "low" if critical is None else "critical"
        if run.closer is not None:
            reason = "charged"
        charges = [{"observed_at": s.at, "battery_fraction": s.battery}
                   for s in (*used, *([] if run.closer is None else [run.closer]))]
        numbers = {"charges": charges, "parameters": limits._asdict()}
        self._add(kind, "battery", 2, Run(used, reason, run.closer), numbers, BATTERY_OPEN,
                  partial(_beside, self.case, used[-1].at, self.device))

    def _add(self, kind: str, event: str, level: int, run: Run, numbers: Mapping[str, Any], flag: int = 0,
             beside: Callable[[], Mapping[str, Any]] | None = None) -> None:
        onset = run.said[0].at
        ended, reason = None, run.reason
        if run.closer is not None:
            ended = run.closer.at
        elif self.case.clock >= self.stretch.until:
            ended, reason = self.stretch.until, self.stretch.reason
        else:
            self.judged.fall_due(self.stretch.until, self.case.clock)
            self.hint.steady |= flag
        used = {key(s.first): s.first for s in (*run.said, *([] if run.closer is None else [run.closer]))}
        self.judged.intervals.append(Interval(
            family=kind, kind=kind, onset=onset, ended=ended, level=level, reason=reason,
            settled=NEVER if ended is None else ended, used=tuple(used.values()),
            numbers={**numbers, "device": self.device}, beside=beside,
            order_version=self.term.piece_at(onset).order.version, part=f"{self.device}|{event}"))
