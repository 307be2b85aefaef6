"""Small worlds written by hand, each with every revision that the rules' text promises for it.

A world is a folder: orders, zones and readings as a user would hand them to `emon evaluate`, and `expected.yaml`,
whose first comment says in one sentence what it is about. The expectations were derived from the written
rules, never from a run. A field given as "*" is one on which the text is silent; every other field is compared.
Beside the listed revisions each world is held to what holds for all: order of lines, counting, status, no
hindsight, and indifference to arrival.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from emon.cli import main
from emon.domain import instant

WORLDS = Path(__file__).parent / "worlds"
NAMES = sorted(folder.name for folder in WORLDS.iterdir() if (folder / "expected.yaml").exists())
INSTANTS = ("onset", "ended", "decided_at", "received_at", "seen_until")
TOLD_BY_NAME = {"order_ended", "terms_changed", "leave", "feed_outage", "unknown_after", "unbound"}
SILENT = "*"


@dataclass(frozen=True, slots=True)
class Run:
    exit_code: int
    lines: list[dict[str, Any]] | None  # None: nothing was written
    rejects: list[dict[str, Any]]
    messages: str


@cache
def _wanted(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((WORLDS / name / "expected.yaml").read_text())
    return loaded


def _run(name: str, folder: Path, until: str | None, readings: list[Path]) -> Run:
    """The command as a user gives it, in this process."""
    world, wanted = WORLDS / name, _wanted(name)
    arguments = ["evaluate", "--out", str(folder / "out"), "--rejects", str(folder / "rejects")]
    for file in wanted.get("orders", ["orders.yaml"]):
        arguments += ["--orders", str(world / file)]
    if (world / "zones.geojson").exists():
        arguments += ["--zones", str(world / "zones.geojson")]
    if until is not None:
        arguments += ["--until", until]
    for file in readings:
        arguments += ["--readings", str(file)]
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Run(result.exit_code, _read(folder / "out"), _read(folder / "rejects") or [], result.stderr)


def _read(path: Path) -> list[dict[str, Any]] | None:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else None


@cache
def _whole(name: str) -> Run:
    """The world in one go; the tests share it."""
    with TemporaryDirectory() as folder:
        return _run(name, Path(folder), _wanted(name).get("until"), _given(name))


def _given(name: str) -> list[Path]:
    return [WORLDS / name / file for file in _wanted(name).get("readings", ["readings.ndjson"])]


def _moment(value: str | None) -> int:
    return 0 if value is None else instant.parse(value)  # null before any value


def _marked(name: str) -> Any:
    reason = _wanted(name).get("xfail")
    return pytest.param(name, marks=[pytest.mark.xfail(strict=True, reason=reason)] if reason else [])


@pytest.mark.parametrize("name", [_marked(name) for name in NAMES])
def test_world(name: str) -> None:
    """The revisions are exactly the expected ones, in their order."""
    wanted = _wanted(name)
    run = _whole(name)
    assert run.exit_code == wanted["exit"], run.messages
    for message in wanted.get("messages", []):
        assert message in run.messages
    if "rejects" in wanted:
        rejected = [{"file": Path(each["file"]).name, "line": each["line"]} for each in run.rejects]
        assert rejected == wanted["rejects"]
        assert all(each["reason"] for each in run.rejects)
    lines = run.lines or []
    ids: dict[str, str] = {}
    for line, expected in zip(lines, wanted["findings"], strict=False):
        assert ids.setdefault(expected["finding"], line["finding_id"]) == line["finding_id"]
        told_and_wanted = {field: _pair(field, line[field], value, ids)
                           for field, value in expected.items() if field != "finding"}
        told = {field: pair[0] for field, pair in told_and_wanted.items()}
        assert told == {field: pair[1] for field, pair in told_and_wanted.items()}
        assert line["reason"] and (expected["reason"] != SILENT or line["reason"] not in TOLD_BY_NAME), line["reason"]
    assert [_short(line) for line in lines] == [_short(line) for line in wanted["findings"]]
    assert len(set(ids.values())) == len(ids)
    _holds_for_all(lines)


def _pair(field: str, told: Any, wanted: Any, ids: dict[str, str]) -> tuple[Any, Any]:
    if wanted == SILENT:
        return SILENT, SILENT
    if field in INSTANTS:
        return (told, wanted) if _moment(told) != _moment(wanted) else (wanted, wanted)
    if field in ("previous", "merged_into") and wanted is not None:
        return told, ids.get(wanted)
    return told, wanted


def _short(line: dict[str, Any]) -> tuple[Any, ...]:
    return line["revision"], line["kind"], line["status"], _moment(line["onset"]), _moment(line["ended"])


def _holds_for_all(lines: list[dict[str, Any]]) -> None:
    last: dict[str, dict[str, Any]] = {}
    for line in lines:
        before = last.get(line["finding_id"])
        assert line["revision"] == (1 if before is None else before["revision"] + 1)
        if before is not None:
            fields = ("status", "kind", "onset", "ended", "level", "reason")
            assert any(line[field] != before[field] for field in fields), "a revision without news"
            assert before["status"] != "withdrawn"
        if line["status"] != "withdrawn":
            assert line["status"] == ("closed" if line["ended"] else "opened" if before is None else "amended")
        last[line["finding_id"]] = line
    keys = [_rank(line) for line in lines]
    assert keys == sorted(keys)


def _rank(line: dict[str, Any]) -> tuple[Any, ...]:
    named = [line[field] or "" for field in ("participant", "order", "condition", "family")]
    return (_moment(line["decided_at"]), *named, _moment(line["onset"]), line["finding_id"])


@pytest.mark.parametrize("name", [name for name in NAMES if not _wanted(name).get("xfail")])
def test_no_hindsight(name: str, tmp_path: Path) -> None:
    """Stopped at any decision, the run has told exactly what the whole run tells up to there."""
    whole = _whole(name).lines or []
    for moment in sorted({line["decided_at"] for line in whole})[:4]:
        until = [line for line in whole if _moment(line["decided_at"]) <= _moment(moment)]
        part = _run(name, tmp_path, moment, _given(name)).lines
        assert [_bare(line) for line in part or []] == [_bare(line) for line in until]


def _bare(line: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in line.items() if field != "recorded_at"}


@pytest.mark.parametrize("name", [name for name in NAMES if _wanted(name)["findings"]
                                  and not _wanted(name).get("xfail") and _wanted(name).get("one_arrival", True)])
def test_arrival_does_not_matter(name: str, tmp_path: Path) -> None:
    """All readings at once, last line first, leave the same findings in force."""
    wanted = _wanted(name)
    whole = _whole(name).lines or []
    readings = [json.loads(line) for file in _given(name) for line in file.read_text().splitlines()]
    if not readings:
        return
    moments = [reading.get("received_at", reading.get("observed_at", reading.get("to"))) for reading in readings]
    last = max([*moments, wanted.get("until") or moments[0]], key=instant.parse)
    at_once = tmp_path / "at_once.ndjson"
    at_once.write_text("".join(json.dumps({**reading, "received_at": last}) + "\n" for reading in reversed(readings)))
    assert _in_force(_run(name, tmp_path, last, [at_once]).lines or []) == _in_force(whole)


def _in_force(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    latest = {line["finding_id"]: line for line in lines}
    fields = ("participant", "order", "condition", "feed", "kind", "onset", "ended", "level")
    return sorted(tuple(str(line[field]) for field in fields) for line in latest.values()
                  if line["status"] != "withdrawn")
