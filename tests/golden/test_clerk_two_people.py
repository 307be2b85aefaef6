"""Cases about keeping away from somebody that a court clerk can read: where he was, where she was, what is told.

A case is some words of explanation, an order, what devices reported, `---`, and the revisions in their order. `he`
and `she` are at so many metres north of one point, by gnss, accurate to 10 m and standing still unless told
otherwise; `her new phone` is bound to her from the time that the case gives. What is reported is received at once
unless told otherwise. The order is in force from the first report on. A run ends at the time that the case
gives, or when the last report came in. Times are of one day in UTC.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from emon.domain import instant
from emon.domain.binding import Binding
from emon.domain.finding import Finding
from emon.domain.instant import SECOND
from emon.domain.order import Absence, Condition, Order
from emon.domain.reading import Reading
from emon.evaluate import batch

CASES = Path(__file__).parent / "clerk_two"
MIDNIGHT = instant.parse("2026-11-22T00:00:00Z")
CLOCK = r"(\d\d:\d\d(?::\d\d)?)"
REPORT = re.compile(CLOCK + r" (he|she) at (\d+) m((?:,? [^,]+?)*?)$")
SAID = re.compile(CLOCK + r" (he|she) reports (a heartbeat|(\d+) % of charge)((?:,? [^,]+?)*?)$")


class Case(NamedTuple):
    """One case of a file."""

    title: str
    given: list[str]
    told: list[str]


def cases() -> list[Case]:
    """All cases, in the order of their files."""
    found = []
    for path in sorted(CASES.glob("*.txt")):
        for part in re.split(r"\n\n(?=[A-Z])", path.read_text()):
            text, _, told = part.partition("---")
            title, _, given = text.partition("\n\n")
            found.append(Case(f"{path.stem}: {title.splitlines()[0]}", [g for g in given.split("\n") if g],
                              [line for line in told.split("\n") if line]))
    return found


def at(clock: str) -> int:
    hours, minutes, *rest = (int(part) for part in clock.split(":"))
    return MIDNIGHT + (hours * 3600 + minutes * 60 + sum(rest)) * SECOND


def clock(moment: int | None) -> str:
    seconds = ((moment or 0) - MIDNIGHT) // SECOND
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return text.removesuffix(":00")


def reading(line: str) -> Reading | None:
    """What a line says that a device reported."""
    seen, said = REPORT.match(line), SAID.match(line)
    if seen is not None:
        when, who, metres, how = seen.groups()
        fields: dict[str, Any] = {"kind": "position", "lat": 43.0 + int(metres) / 111_090, "lon": -89.4,
                                  "accuracy_m": 10.0, "method": "gnss", "speed_mps": 0.0}
    elif said is not None:
        when, who, _, percent, how = said.groups()
        fields = {"kind": "status", "event": "heartbeat",
                  "battery_fraction": None if percent is None else int(percent) / 100}
    else:
        return None
    fields["device"] = "D-1" if who == "he" else "V-1"
    received = when
    for word in (w.strip() for w in how.split(",") if w.strip()):
        if word == "with her new phone":
            fields["device"] = "V-2"
        elif word.startswith("by "):
            fields["method"] = word[3:].replace("something unknown", "unknown")
        elif word.startswith("accurate to "):
            fields["accuracy_m"] = None if word.endswith("nothing known") else float(word.split()[2])
        elif word.startswith("moving at "):
            fields["speed_mps"] = None if word.endswith("nobody knows what") else float(word.split()[2])
        elif word.startswith("received "):
            received = word[9:]
        else:
            raise AssertionError(f"nobody understands {word!r} in {line!r}")
    return Reading(observed_at=at(when), received_at=at(received), **fields)


def order(given: list[str]) -> Order:
    words = next(line for line in given if line.startswith("order ")).split()[1:]
    named = {"protected_device": "V-1"} if "device" in words else {"protected_person": "V"}
    options = {key: int(value) for key, _, value in (w.partition("=") for w in words if "=" in w)}
    spans = [re.match(f"(leave|suspended) {CLOCK}-{CLOCK}$", line) for line in given]
    absences: dict[str, list[Absence]] = {"leave": [], "suspended": []}
    for span in filter(None, spans):
        absences[span[1]].append(Absence(from_=at(span[2]), to=at(span[3])))
    condition = Condition(id="c", kind="keep_away", distance_m=500.0, leave=tuple(absences["leave"]),
                          suspensions=tuple(absences["suspended"]), **named, **options)  # type: ignore[arg-type]
    first = min(r.observed_at for r in map(reading, given) if r is not None)
    return Order(id="O", participant="P", effective_from=first, conditions=(condition,))


def bindings(given: list[str]) -> list[Binding]:
    found = [Binding(id="b-0", device="D-1", participant="P")]
    swap = next((m for line in given if (m := re.match(
        f"her new phone from {CLOCK}(?:, known at {CLOCK})?$", line))), None)
    if not any("device" in line.split() for line in given if line.startswith("order ")) or swap is not None:
        until = None if swap is None else at(swap[1])
        found.append(Binding(id="b-1", device="V-1", protected_person="V", until=until))
    if swap is not None:
        found.append(Binding(id="b-2", device="V-2", protected_person="V", from_=at(swap[1]),
                             received_at=None if swap[2] is None else at(swap[2])))
    return found


def line(finding: Finding) -> str:
    until = "" if finding.ended is None else f" to {clock(finding.ended)}"
    return (f"{clock(finding.decided_at)} {finding.kind} {finding.status} from {clock(finding.onset)}{until}, "
            f"level {finding.level} ({finding.reason})")


def judged(case: Case) -> list[Finding]:
    readings = sorted((r for r in map(reading, case.given) if r is not None), key=lambda r: r.received_at)
    until = next((at(each[6:]) for each in case.given if each.startswith("until ")), None)
    records = batch.merge(readings, [order(case.given)], [], bindings(case.given))
    return list(batch.evaluate(records, until))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_case(case: Case) -> None:
    assert [line(finding) for finding in judged(case)] == case.told


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_order_of_arrival_leaves_the_same_in_force(case: Case) -> None:
    """All at once, last line first, when everything had come in."""
    readings = [r for r in map(reading, case.given) if r is not None]
    end = max([*(r.received_at for r in readings), *(at(each[6:]) for each in case.given if each.startswith("until "))])
    known = bindings(case.given)
    late = [Reading(**{**{n: getattr(r, n) for n in r.__struct_fields__}, "received_at": end}) for r in readings[::-1]]
    at_once = list(batch.evaluate(batch.merge(late, [order(case.given)], [], known), end))
    assert _in_force(at_once) == _in_force(judged(case))


def _in_force(lines: list[Finding]) -> set[tuple[Any, ...]]:
    latest = {f.finding_id: f for f in lines}
    return {(f.kind, f.onset, f.ended, f.level) for f in latest.values() if f.status != "withdrawn"}


def test_there_are_cases_of_every_kind_and_status() -> None:
    told = " ".join(each for case in cases() for each in case.told)
    for word in ("keep_away", "protected_contact_lost", "protected_battery", "opened", "amended", "closed",
                 "withdrawn", "level 1", "level 2", "level 4"):
        assert word in told
    assert len(cases()) >= 20
