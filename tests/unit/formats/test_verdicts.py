"""What verdicts name is looked for in the orders beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from emon.domain import instant
from emon.domain.verdict import Verdict
from emon.formats.check import check

ORDER = """order: O-1
participant: P-1
conditions:
  - {id: c4, kind: alcohol}
  - {id: c7, kind: contact}
"""
VERDICT = """verdict: V-1
participant: P-1
order: O-1
condition: c4
at: 2026-03-02T09:00:00Z
result: confirmed
reason: rise and fall fit drinking
analyst: a.kern
"""


def faults(folder: Path, verdict: str, order: str = ORDER) -> list[str]:
    (folder / "verdict.yaml").write_text(verdict)
    if order:
        (folder / "order.yaml").write_text(order)
    return [f"{Path(fault.file).name}:{fault.line}: {fault.reason}" for fault in check([folder]).faults]


def test_a_sound_one_is_read(tmp_path: Path) -> None:
    assert faults(tmp_path, VERDICT) == []
    assert check([tmp_path]).verdicts == (Verdict(
        id="V-1", participant="P-1", order="O-1", condition="c4", at=instant.parse("2026-03-02T09:00:00Z"),
        result="confirmed", reason="rise and fall fit drinking", analyst="a.kern"),)


@pytest.mark.parametrize(("old", "new", "said"), [
    ("order: O-1", "order: O-2", "verdict.yaml:3: order `O-2` stands in none of the files; did you mean `O-1`?"),
    ("P-1", "P-2", "verdict.yaml:2: order O-1 is of P-1 and not of `P-2`; did you mean `P-1`?"),
    ("c4", "c44", "verdict.yaml:4: order O-1 has no condition `c44`; did you mean `c4`?"),
    ("c4", "c7", "verdict.yaml:4: condition c7 of order O-1 is of kind contact: a verdict is on alcohol alone"),
    ("confirmed", "confirmd", "verdict.yaml:6: `result` is 'confirmd'; known are confirmed, needs_analyst, "
     "interferent, obstruction; did you mean `confirmed`?"),
    ("reason: rise and fall fit drinking\n", "", "verdict.yaml:1: `reason` is missing in V-1"),
    ("rise and fall fit drinking", "' '", "verdict.yaml:7: `reason` of V-1 is empty: say what the verdict rests on"),
    ("analyst", "analist", "verdict.yaml:8: unknown key `analist`; did you mean `analyst`?"),
    ("09:00:00Z", "09:00:00", "verdict.yaml:5: `at`: "),
])
def test_each_fault_is_told_once_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    found = faults(tmp_path, VERDICT.replace(old, new))
    assert len(found) == 1 and found[0].startswith(said), found


def test_without_orders_names_are_not_looked_for(tmp_path: Path) -> None:
    assert faults(tmp_path, VERDICT, "") == []
    assert [fault.reason for fault in check([tmp_path], complete=True).faults] == [
        "order `O-1` stands in none of the files"]


def test_an_order_with_a_fault_of_its_own_is_known_all_the_same(tmp_path: Path) -> None:
    found = faults(tmp_path, VERDICT, ORDER.replace("kind: contact", "kind: contact, every: 5"))
    assert len(found) == 1 and found[0].startswith("order.yaml:5"), found


def test_one_number_with_two_contents_is_a_fault(tmp_path: Path) -> None:
    (found,) = faults(tmp_path, f"{VERDICT}---\n{VERDICT.replace('confirmed', 'obstruction')}")
    assert "verdict V-1 version 1 stands here with other content" in found


def test_a_void_version_needs_nothing_but_another_that_says_whose_it_is(tmp_path: Path) -> None:
    assert faults(tmp_path, f"{VERDICT}---\nverdict: V-1\nversion: 2\nvoid: true\n") == []
    assert check([tmp_path]).verdicts[1] == Verdict(id="V-1", version=2, participant="P-1", void=True)
    (found,) = faults(tmp_path, "verdict: V-9\nversion: 2\nvoid: true\n")
    assert found == "verdict.yaml:1: `participant` is missing in V-9, and no other version names it"
