"""Findings held against the truth: found, missed, false, and how long it took.

Only findings in force count (the last revision of each, unless withdrawn). A finding is *borne out* where the
truth has an interval of its kind, or one that its family may stand for, of the same participant and condition
within `TOLERANCE_S`. One that the truth contradicts, but that nobody could know better yet (a backlog still
on the device, a letter still on its way), is *open*; every other is *false*. A clear breach without a finding
is *missed*, or *pending* where the run ended before it could be known and settled.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich import box
from rich.table import Table

from emon.domain import finding as findings
from emon.domain.finding import FAMILY_OF_KIND, Finding
from emon.domain.instant import SECOND
from simulators.truth import Breach, Truth

TOLERANCE_S: Final = 120.0
"""Fixes come once a minute: an onset may lie a fix before the truth, an end a fix after it."""
SETTLE_S: Final = 180.0
"""So much is allowed for the pipeline's own way from what is sent to a finding."""

_FAMILY: Final = {**FAMILY_OF_KIND, "zone_crossing": "exclusion_zone"}


@dataclass(slots=True)
class Row:
    """One kind. Truth side: clear, found, missed, pending, other_found; findings' side: the rest."""

    clear: int = 0
    found: int = 0
    missed: int = 0
    pending: int = 0
    other_found: int = 0  # true, but not clear, and found all the same
    in_force: int = 0
    borne_out: int = 0
    open: int = 0
    false: int = 0
    delay_p50_s: float | None = None  # breach to decision
    delay_p95_s: float | None = None
    own_p95_s: float | None = None  # from when it could first be known to the decision


@dataclass(slots=True)
class Score:
    """The result. `kinds` by kind of the truth (clear side) and of the finding (findings' side)."""

    until: int
    kinds: dict[str, Row] = field(default_factory=dict)
    missed: list[Breach] = field(default_factory=list)
    false: list[Finding] = field(default_factory=list)
    unjudged: int = 0
    withdrawn: int = 0

    @property
    def ok(self) -> bool:
        """Every clear breach was found and nothing false was."""
        return not self.missed and not self.false

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {"ok": self.ok, "kinds": {k: asdict(row) for k, row in sorted(self.kinds.items())},
                "withdrawn": self.withdrawn, "unjudged": self.unjudged,
                "missed": [_named(b.participant, b.condition, b.kind) for b in self.missed],
                "false": [{**_named(f.participant, f.condition, f.kind), "finding_id": f.finding_id}
                          for f in self.false]}

    def table(self) -> Table:
        """For people, within 80 columns. `delay`: median from what happened to the decision."""
        table = Table(title="Findings against the simulators' ground truth", box=box.SIMPLE_HEAD,
                      pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("kind", no_wrap=True)
        for name in ("clear", "found", "missed", "due", "open", "false"):
            table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
        table.add_column("delay", justify="right", no_wrap=True)
        for kind, row in sorted(self.kinds.items()):
            delay = "" if row.delay_p50_s is None else _short(row.delay_p50_s)
            counts = (row.clear, row.found, row.missed, row.pending, row.open, row.false)
            table.add_row(kind, *map(str, counts), delay)
        return table


def read_findings(path: Path) -> list[Finding]:
    """All revisions of a findings file (NDJSON). Raises ValueError naming the line that is none."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            try:
                found.append(findings.decode(line))
            except Exception as error:
                raise ValueError(f"{path}:{number}: not a finding: {error}") from error
    return found


def score(revisions: Iterable[Finding | Mapping[str, Any]], truth: Truth, until: int | None = None) -> Score:
    """Holds all revisions decided up to `until` (never later than the truth's own end) against the truth."""
    until = truth.until if until is None else min(until, truth.until)
    histories = _histories(revisions, until)
    result = Score(until)
    result.kinds = defaultdict(Row)
    in_force = []
    for history in histories.values():
        last = history[-1]
        if last.status == "withdrawn":
            result.withdrawn += 1
        elif last.kind not in truth.kinds:
            result.unjudged += 1
        else:
            in_force.append(history)
    _judge_findings(result, in_force, truth)
    _judge_breaches(result, in_force, truth)
    result.kinds = dict(result.kinds)
    return result


def _histories(revisions: Iterable[Finding | Mapping[str, Any]], until: int) -> dict[str, list[Finding]]:
    histories: dict[str, list[Finding]] = defaultdict(list)
    for revision in revisions:
        one = revision if isinstance(revision, Finding) else findings.from_wire(dict(revision))
        if one.decided_at <= until:
            histories[one.finding_id].append(one)
    for history in histories.values():
        history.sort(key=lambda f: f.revision)
    return histories


def _judge_findings(result: Score, in_force: list[list[Finding]], truth: Truth) -> None:
    breaches: dict[Any, list[Breach]] = defaultdict(list)
    for breach in truth.breaches:
        breaches[_key(breach)].append(breach)
    for history in in_force:
        last = history[-1]
        row = result.kinds[last.kind]
        row.in_force += 1
        if any(_touch(last, b, result.until, TOLERANCE_S) for b in breaches[_key(last)]):
            row.borne_out += 1
        elif _nobody_could_know(last, truth, result.until):
            row.open += 1
        else:
            row.false += 1
            result.false.append(last)


def _judge_breaches(result: Score, in_force: list[list[Finding]], truth: Truth) -> None:
    found_by: dict[Any, list[list[Finding]]] = defaultdict(list)
    for history in in_force:
        found_by[_key(history[-1])].append(history)
    delays: dict[str, list[float]] = defaultdict(list)
    own: dict[str, list[float]] = defaultdict(list)
    for breach in truth.breaches:
        if breach.from_ > result.until:
            continue
        row = result.kinds[breach.kind]
        slack_s = TOLERANCE_S if breach.to == breach.from_ else 0.0  # a device's clock is seconds off
        hits = [h for h in found_by[_key(breach)] if _touch(h[-1], breach, result.until, slack_s)]
        row.clear += breach.clear
        if hits:
            decided = min(h[0].decided_at for h in hits)
            delays[breach.kind].append(max(0.0, (decided - breach.from_) / SECOND))
            if breach.clear and breach.findable_at is not None:
                own[breach.kind].append(max(0.0, (decided - breach.findable_at) / SECOND))
            row.found += breach.clear
            row.other_found += not breach.clear
        elif breach.clear:
            assert breach.findable_at is not None
            if breach.findable_at + SETTLE_S * SECOND > result.until:
                row.pending += 1
            else:
                row.missed += 1
                result.missed.append(breach)
    for kind, values in delays.items():
        result.kinds[kind].delay_p50_s, result.kinds[kind].delay_p95_s = (
            round(float(v), 1) for v in np.percentile(values, (50, 95)))
    for kind, values in own.items():
        result.kinds[kind].own_p95_s = round(float(np.percentile(values, 95)), 1)


def _key(one: Breach | Finding) -> tuple[str | None, str | None, str | None, str]:
    return (one.participant, one.condition, one.feed if one.participant is None else None,
            _FAMILY.get(one.kind, one.kind))


def _touch(finding: Finding, breach: Breach, until: int, tolerance_s: float) -> bool:
    slack = int(tolerance_s * SECOND)
    ended = until if finding.ended is None else finding.ended
    to = until if breach.to is None else breach.to
    return finding.onset <= to + slack and ended >= breach.from_ - slack


def _nobody_could_know(finding: Finding, truth: Truth, until: int) -> bool:
    ended = until if finding.ended is None else finding.ended
    family = _FAMILY.get(finding.kind, finding.kind)
    return any(
        look.participant == finding.participant and look.family == family and look.settles_at is not None
        and look.settles_at + SETTLE_S * SECOND > until and finding.onset <= look.to and ended >= look.from_
        for look in truth.innocents)


def _short(seconds: float) -> str:
    """Two parts of a duration at most."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours} h {m} m" if hours else f"{m} m {s} s" if m else f"{s} s"


def _named(participant: str | None, condition: str | None, kind: str) -> dict[str, Any]:
    return {"participant": participant, "condition": condition, "kind": kind}
