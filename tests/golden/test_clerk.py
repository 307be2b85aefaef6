"""Cases that a court clerk can read: what was ordered, what devices reported, and what must be told.

A case is some words of explanation, an order, readings (`HH:MM at home|at school|on the fence|elsewhere`, by
gnss unless told otherwise, received at once unless told otherwise), `---`, and the revisions in their order.
A run ends twenty minutes after the last time that the case names. Times are of one day in UTC.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from emon.domain import instant
from emon.domain.finding import Finding
from emon.domain.order import Absence, Condition, Order, Window
from emon.domain.reading import Reading
from tests.unit.evaluate.world import MIDNIGHT, at, findings, fix, order

CASES = Path(__file__).parent / "clerk"
WHERE = {"at home": "home", "at school": "school", "on the fence": "fence", "elsewhere": "elsewhere"}
READING = re.compile(r"(\d\d:\d\d) (at home|at school|on the fence|elsewhere|a heartbeat)(?: by (\w+))?"
                     r"(?:, received (\d\d:\d\d))?$")
LEAVE = re.compile(r"leave (\d\d:\d\d)-(\d\d:\d\d), received (\d\d:\d\d)$")


class Case(NamedTuple):
    """One case of a file."""

    title: str
    given: list[str]
    told: list[str]


def minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def cases() -> list[Case]:
    """All cases, in the order of their files."""
    found = []
    for path in sorted(CASES.glob("*.txt")):
        for part in re.split(r"\n\n(?=[A-Z])", path.read_text()):
            text, _, told = part.partition("---")
            title, _, given = text.partition("\n\n")
            found.append(Case(f"{path.stem}: {title.splitlines()[0]}", given.split("\n"),
                              [line for line in told.split("\n") if line]))
    return found


def condition(words: list[str]) -> Condition:
    kind, *rest = words
    options = {key: float(value) for key, _, value in (word.partition("=") for word in rest if "=" in word)}
    names = [word for word in rest if "=" not in word]
    if kind == "curfew":
        begin, end = (minutes(clock) * 60 for clock in names[1].split("-"))
        return Condition(id="c", kind=kind, place=names[0], windows=(Window(from_s=begin, to_s=end),), **options)
    return Condition(id="c", kind=kind, zone=names[0] if names else None, **options)


def reading(line: str) -> Reading | None:
    matched = READING.match(line)
    if matched is None:
        return None
    clock, what, method, received = matched.groups()
    minute, arrives = minutes(clock), minutes(received or clock)
    if what == "a heartbeat":
        return Reading(device="D", kind="status", event="heartbeat", observed_at=at(minute), received_at=at(arrives))
    return fix(minute, WHERE[what], arrives, method=method or "gnss")


def orders(given: list[str]) -> list[Order]:
    """The order in force from the first line's hour on, and the version that grants leave, if any."""
    words = next(line for line in given if line.startswith("order ")).split()[1:]
    first_reading = next(line for line in given if READING.match(line))
    first = order(condition(words), since=minutes(first_reading[:5]) // 60 * 60)
    found = [first]
    for line in given:
        matched = LEAVE.match(line)
        if matched:
            begin, end, received = (at(minutes(clock)) for clock in matched.groups())
            granted = msgspec.structs.replace(first.conditions[0], leave=(Absence(from_=begin, to=end),))
            found.append(msgspec.structs.replace(first, version=2, conditions=(granted,), received_at=received))
    return found


def clock(moment: int) -> str:
    minute = (moment - MIDNIGHT) // instant.MINUTE
    return f"{minute // 60:02}:{minute % 60:02}"


def line(finding: Finding) -> str:
    until = "" if finding.ended is None else f" to {clock(finding.ended)}"
    return (f"{clock(finding.decided_at)} {finding.kind} {finding.status} from {clock(finding.onset)}{until} "
            f"({finding.reason})")


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_case(case: Case) -> None:
    readings = [made for made in map(reading, case.given) if made is not None]
    last = max(minutes(clock) for each in case.given for clock in re.findall(r"\d\d:\d\d", each))
    revisions = findings(readings, *orders(case.given), until=last + 20)
    assert [line(finding) for finding in revisions] == case.told


def test_there_are_cases_of_every_kind_and_status() -> None:
    told = " ".join(each for case in cases() for each in case.told)
    for word in ("exclusion_zone", "curfew_left", "curfew_late", "curfew_absent", "contact_lost", "location_lost",
                 "opened", "closed", "withdrawn"):
        assert word in told
