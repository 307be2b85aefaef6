"""Alcohol through the skin: one finding an episode, and the silence of who should upload.

An episode is possible alcohol from the third consecutive reading at the limit on, and gets its verdict when it
is over: confirmed where rise and fall are those of drinking, else for an analyst to review, whose own verdict then
rules, with the computed one beside it. A sensor in g/dL and
one in micrograms per litre of air are different instruments: each has limits of its own, and slopes are known
for the former only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from emon.domain import instant
from emon.domain.instant import DAY, HOUR, SECOND
from emon.domain.verdict import Verdict
from emon.domain.versions import NEVER
from emon.evaluate.devices import worn_stretches
from emon.evaluate.orderbook import Stretch, Term
from emon.evaluate.positions import Wearing
from emon.evaluate.signals import Case
from emon.evaluate.verdict import Interval, Judged, arrived
from emon.journal.records import Bound

KIND = "alcohol_transdermal"


class Level(NamedTuple):
    """One reading as the rules see it: `value` in the unit of its sensor (for ug/L: the trailing mean)."""

    at: int
    value: float
    is_zero: bool
    is_high: bool
    bound: Bound


@dataclass(slots=True)
class Episode:
    """Readings from the first positive one on. `foot` None: what came before is not known. `end` None: it lasts.
    `third`: the reading that made three."""

    levels: list[Level]
    foot: Level | None
    end: Level | None = None
    cut: bool = False  # nothing was heard for too long
    third: int | None = None
    proof: Level | None = None  # the reading that showed that `end` divides
    high: list[Level] = field(default_factory=list)

    @property
    def peak(self) -> Level:
        """The first maximum."""
        return max(self.levels, key=lambda level: level.value)


def anchor(case: Case, term: Term, limits: Mapping[str, float], from_: int) -> int:
    """The latest instant, `from_` or earlier, before which nothing depends on readings from `from_` on."""
    low = from_  # an episode that crosses it stands already, and whoever asks goes back to its onset
    for stretch in term.duty(from_, case.clock):
        for wearing in case.body.wearings:
            begin = max(stretch.from_, wearing.from_)
            if begin < from_ and begin <= case.clock and (wearing.device, wearing.from_, KIND) in (
                    case.body.first_measured):
                low = min(low, _anchor_of(case, limits, wearing, begin, from_))
    return low


def _anchor_of(case: Case, limits: Mapping[str, float], wearing: Wearing, begin: int, from_: int) -> int:
    step = DAY
    first = max(begin, case.body.first_measured[wearing.device, wearing.from_, KIND])
    while True:
        low = max(first, from_ - step)
        levels = [v for v in _levels(case, wearing, low, from_ - 1, limits) if v.at >= low]
        for index in range(len(levels) - 1, 0, -1):
            one, two = levels[index - 1], levels[index]
            if (one.is_zero and two.is_zero) or two.at - one.at > limits["gap_s"] * SECOND:
                return two.at
        if low <= first:
            return min(first, from_)
        step *= 2


def judge(case: Case, term: Term, limits: Mapping[str, float], from_: int, judged: Judged) -> None:
    """All episodes and silences from `from_` on, up to the clock."""
    known = [w for w in case.body.wearings if (w.device, w.from_, KIND) in case.body.first_measured]
    for stretch in term.duty(from_, NEVER):
        if stretch.from_ > case.clock:
            judged.fall_due(stretch.from_, case.clock)
            break
        for worn in worn_stretches([stretch], known):
            if worn.time.from_ <= case.clock and worn.time.until >= from_:
                _Segment(case, term, limits, worn.wearing, worn.time, from_, judged).judge()


class _Segment:
    """What one device says while the condition is judged."""

    def __init__(self, case: Case, term: Term, limits: Mapping[str, float], wearing: Wearing, stretch: Stretch,
                 from_: int, judged: Judged) -> None:
        self.case, self.term, self.limits, self.wearing = case, term, limits, wearing
        self.stretch, self.from_, self.judged = stretch, from_, judged
        self.gap = round(limits["gap_s"] * SECOND)

    def judge(self) -> None:
        """Adds intervals and dues."""
        low = max(self.stretch.from_, self.from_)
        clean = _anchor_of(self.case, self.limits, self.wearing, self.stretch.from_, low)
        levels = _levels(self.case, self.wearing, clean, self.stretch.until - 1, self.limits)
        for episode in _episodes(levels, self.gap, self.limits):
            self._judge_episode(episode)
        self._judge_uploads(low)

    def _judge_episode(self, episode: Episode) -> None:
        clock, last = self.case.clock, episode.levels[-1]
        ended, reason, kind = None, "", "alcohol_possible"
        if episode.end is None and not episode.cut:
            zeros = [v for v in episode.levels if v.is_zero and v.at > self._last_positive(episode).at]
            due = (self._last_positive(episode).at if zeros else last.at) + self.gap
            if due < self.stretch.until and due <= clock:
                if zeros:
                    episode.end = zeros[0]
                else:
                    episode.cut = True
            else:
                self.judged.fall_due(min(due, self.stretch.until), clock)
        if episode.third is None:
            return
        if episode.end is not None:
            ended = episode.end.at
            kind, reason = self._verdict(episode)
        elif episode.cut:
            ended, kind, reason = last.at, "alcohol_review", "censored"
        elif clock >= self.stretch.until:
            ended, reason = self.stretch.until, self.stretch.reason
        self._add_episode(episode, kind, ended, reason or "three_at_the_limit", self._analyst(episode, ended))

    def _analyst(self, episode: Episode, ended: int | None) -> Verdict | None:
        """What an analyst says of an episode that is over."""
        if ended is None:
            return None
        return self.case.verdicts.ruling(self.term.participant, *self.term.key, episode.levels[0].at, ended)

    def _last_positive(self, episode: Episode) -> Level:
        return next(v for v in reversed(episode.levels) if not v.is_zero)

    def _verdict(self, episode: Episode) -> tuple[str, str]:
        if episode.foot is None:
            return "alcohol_review", "censored"
        if episode.levels[0].bound.reading.tac_g_dl is None:
            return "alcohol_review", "no_slopes_known"
        if self._is_obstructed(episode):
            return "alcohol_review", "obstruction"
        curve = [episode.foot, *(v for v in episode.levels if episode.end is None or v.at <= episode.end.at)]
        steepest = max((abs(b.value - a.value) * HOUR / (b.at - a.at) for a, b in pairwise(curve)), default=0.0)
        if round(steepest, 9) >= self.limits["interferent_g_dl_per_h"]:
            return "alcohol_review", "interferent"
        slopes = self._slopes(episode)
        if slopes["absorption_g_dl_per_h"] < self.limits["absorption_g_dl_per_h"] and (
                slopes["elimination_g_dl_per_h"] < slopes["elimination_limit_g_dl_per_h"]):
            return "alcohol_confirmed", "slopes"
        return "alcohol_review", "slope"

    def _slopes(self, episode: Episode) -> dict[str, float]:
        """From foot to peak and from peak to the end, in g/dL per hour."""
        peak, foot, end = episode.peak, episode.foot, episode.end
        slopes = {}
        if foot is not None:
            slopes["absorption_g_dl_per_h"] = round(peak.value * HOUR / (peak.at - foot.at), 9)
        if end is not None:
            slopes["elimination_g_dl_per_h"] = round(peak.value * HOUR / (end.at - peak.at), 9)
        is_high = peak.value >= self.limits["high_peak_g_dl"]
        name = "elimination_high_g_dl_per_h" if is_high else "elimination_g_dl_per_h"
        return {**slopes, "elimination_limit_g_dl_per_h": self.limits[name]}

    def _is_obstructed(self, episode: Episode) -> bool:
        """Whether the infrared voltage lay outside its band for long, against its mean of the day before."""
        assert episode.foot is not None
        before = [b.reading.ir_v for b in self._measured(episode.foot.at - DAY, episode.foot.at)
                  if b.reading.ir_v is not None]
        if not before:
            return False
        base = sum(before) / len(before)
        since: int | None = None
        for level in episode.levels:
            volts = level.bound.reading.ir_v
            if volts is None or base * (1 - self.limits["ir_below"]) <= volts <= base * (1 + self.limits["ir_above"]):
                since = None
            else:
                since = level.at if since is None else since
                if level.at - since >= self.limits["obstruction_s"] * SECOND:
                    return True
        return False

    def _measured(self, from_: int, until: int) -> list[Bound]:
        return [b for b in self.case.measured(KIND, from_, until) if b.reading.device == self.wearing.device]

    def _add_episode(self, episode: Episode, kind: str, ended: int | None, reason: str,
                     analyst: Verdict | None) -> None:
        onset = episode.levels[0].at
        last = [episode.end, episode.proof] if episode.end is not None else episode.levels[-1:]
        used = [episode.foot, episode.levels[0], *episode.high, episode.peak, *last]
        unique = {v.at: v for v in used if v is not None}
        numbers: dict[str, Any] = {
            "parameters": dict(self.limits),
            "levels": [{"observed_at": at, "value": v.value} for at, v in sorted(unique.items())],
            "unit": "ug/L" if episode.levels[0].bound.reading.tac_g_dl is None else "g/dL",
        }
        if numbers["unit"] == "g/dL":
            numbers["slopes"] = self._slopes(episode)
        if analyst is not None:
            numbers["computed"] = {"kind": kind, "reason": reason}
            numbers["verdict"] = _published(analyst)
            kind = "alcohol_confirmed" if analyst.result == "confirmed" else "alcohol_review"
            reason = f"analyst_{analyst.result}"
        self._add("alcohol", kind, onset, ended, 3 if kind == "alcohol_confirmed" else 2, reason,
                  tuple(v.bound for _, v in sorted(unique.items())), numbers)

    def _judge_uploads(self, low: int) -> None:
        """Silences of whoever uploads through the skin, from one reading of any such device to the next."""
        wait, clock = round(self.limits["no_upload_s"] * SECOND), self.case.clock
        heard = self.case.measured(KIND, low, clock)
        first = self.case.body.first_measured[self.wearing.device, self.wearing.from_, KIND]
        before = self._last_before(low, first)
        marks = [*before, *heard]
        for index, last in enumerate(marks):
            if last.reading.device != self.wearing.device or last.reading.observed_at >= self.stretch.until:
                continue
            at = last.reading.observed_at
            following = next((b for b in marks[index + 1:] if b.reading.observed_at > at), None)
            if any(b.reading.observed_at == at and b.reading.device == last.reading.device for b in marks[index + 1:]):
                continue  # of readings of one instant one is enough
            base = self._past_own_outages(max(at, self.stretch.from_), wait)
            due = base + wait
            if due >= self.stretch.until or (following is not None and following.reading.observed_at <= due):
                continue
            if due > clock:
                self.judged.fall_due(due, clock)
                continue
            ended, reason = None, "silence"
            if following is not None and following.reading.observed_at < self.stretch.until:
                ended, reason = following.reading.observed_at, "uploaded"
            elif clock >= self.stretch.until:
                ended, reason = self.stretch.until, self.stretch.reason
            else:
                self.judged.fall_due(self.stretch.until, clock)
            used = (last,) if ended is None or following is None or reason != "uploaded" else (last, following)
            self._add("alcohol_no_upload", "alcohol_no_upload", due, ended, 1, reason, used,
                      {"parameters": {"no_upload_s": self.limits["no_upload_s"]}, "due": due})

    def _last_before(self, low: int, first: int) -> list[Bound]:
        step = DAY
        while low > first:
            found = self.case.measured(KIND, max(first, low - step), low - 1)
            if found:
                return found[-1:]
            if low - step <= first:
                return []
            step *= 4
        return []

    def _past_own_outages(self, base: int, wait: int) -> int:
        for begin, end in self.case.own_outages:
            if base < end and base + wait > begin:
                base = end
        return base

    def _add(self, family: str, kind: str, onset: int, ended: int | None, level: int, reason: str,
             used: tuple[Bound, ...], numbers: dict[str, Any]) -> None:
        if self.from_ <= onset < self.judged.until:
            self.judged.intervals.append(Interval(
                family=family, kind=kind, onset=onset, ended=ended, level=level, reason=reason,
                settled=NEVER if ended is None else ended, used=used, numbers=numbers,
                seen_until=None, order_version=self.term.piece_at(onset).order.version))


def _published(verdict: Verdict) -> dict[str, Any]:
    """An analyst's verdict as the evidence names it."""
    assert verdict.at is not None
    return {"id": verdict.id, "version": verdict.version, "result": verdict.result, "reason": verdict.reason,
            "analyst": verdict.analyst, "at": instant.iso(verdict.at)}


def _levels(case: Case, wearing: Wearing, from_: int, until: int, limits: Mapping[str, float]) -> list[Level]:
    """One device's readings as the rules see them; contradictory ones of one instant say nothing."""
    by_instant: dict[int, list[Bound]] = {}
    lead = round(limits["mean_s"] * SECOND)
    for bound in case.measured(KIND, max(from_ - lead, wearing.from_), until):
        if bound.reading.device == wearing.device:
            by_instant.setdefault(bound.reading.observed_at, []).append(bound)
    agreed = [min(group, key=arrived) for group in by_instant.values()
              if len({(b.reading.tac_g_dl, b.reading.tac_ug_l, b.reading.skin_temperature_c
                       if b.reading.tac_g_dl is None else None) for b in group}) == 1]
    levels: list[Level] = []
    recent: list[Bound] = []
    for bound in agreed:
        reading = bound.reading
        at = reading.observed_at
        if reading.tac_g_dl is not None:
            value = reading.tac_g_dl
            levels.append(Level(at, value, value <= 0, value >= limits["positive_g_dl"], bound))
        elif reading.skin_temperature_c is None or reading.skin_temperature_c >= limits["worn_c"]:
            recent = [b for b in (*recent, bound) if b.reading.observed_at > at - lead]
            mean = sum(b.reading.tac_ug_l or 0.0 for b in recent) / len(recent)
            high = mean > limits["positive_ug_l"]
            levels.append(Level(at, round(mean, 6), not high, high, bound))
    return [v for v in levels if v.at >= from_]


def _episodes(levels: Sequence[Level], gap: int, limits: Mapping[str, float]) -> list[Episode]:
    """Positives and what lies between them; two zeros, or a longer gap, lie between two episodes."""
    episodes: list[Episode] = []
    now: Episode | None = None
    before: Level | None = None
    for level in levels:
        if before is not None and _is_in_air(before) != _is_in_air(level):  # another sensor: a series of its own
            if now is not None:
                now.end, now.proof, now.cut = (before, level, False) if before.is_zero else (None, None, True)
            now, before = None, None
        far = before is not None and level.at - before.at > gap
        if now is not None:
            now = _continued(now, level, far, gap)
        if now is None and not level.is_zero:
            foot = before if before is not None and before.is_zero and not far else None
            now = Episode([], foot)
            episodes.append(now)
        if now is not None:
            now.levels.append(level)
            _count(now, level, limits)
        before = level
    return episodes


def _is_in_air(level: Level) -> bool:
    return level.bound.reading.tac_g_dl is None


def _continued(now: Episode, level: Level, far: bool, gap: int) -> Episode | None:
    """The episode if the reading belongs to it; else it is over."""
    zero = now.levels[-1] if now.levels[-1].is_zero else None
    if zero is not None:
        last = next(v for v in reversed(now.levels) if not v.is_zero)
        if level.is_zero or level.at - last.at > gap:
            now.end, now.proof = zero, level
            return None
    elif far:
        now.cut = True
        return None
    return now


def _count(now: Episode, level: Level, limits: Mapping[str, float]) -> None:
    """Counts consecutive high readings."""
    if now.third is not None:
        return
    if not level.is_high:
        now.high = []
    elif now.high and level.at - now.high[-1].at > limits["consecutive_gap_s"] * SECOND:
        now.high = [level]
    else:
        now.high.append(level)
    if len(now.high) >= limits["consecutive"]:
        now.third = level.at
