"""Input at its bounds, too large or too strange for a folder of worlds: made here, judged by the command itself.

Whatever is in a file, the command ends with one of its exit codes and a line that names the place; never by a
traceback, and never at the cost of the good lines.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from emon.cli import main

WORLD = Path(__file__).parent / "worlds" / "exclusion-two-fixes-open-two-fixes-close"
FIXES = [json.loads(line) for line in (WORLD / "readings.ndjson").read_text().splitlines()]
MEBIBYTE = 1 << 20
DEEP = 100_000
STRANGE = {
    "brackets": b"[" * DEEP, "braces": b'{"a":' * DEEP, "nothing but zeros": bytes(1000),
    "a list of a list": b"[[[]]]", "an array of anything": b'[null, 3, "x", [], {}, true]',
    "an array that breaks off in an escape": b'[{"a": "\\', "a bare word": b"hello\n", "a number": b"42\n",
    "a number too large": b'{"v":1,"device":"D-1","kind":"position","lat":1e999,"lon":0}\n',
    "an integer of thousands of digits": b'{"v":1,"device":"D-1","kind":"status","seq":' + b"9" * 5000 + b"}\n",
    "half a surrogate": b'{"v":1,"device":"\\ud800","kind":"status"}\n',
    "an alias of itself": b"&a [*a]\n", "a tag that would run code": b"!!python/object/apply:os.system ['true']\n",
    "a bomb of aliases": b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 10)) for i in range(9)),
    "a list of lists of lists in YAML": b"- " * 5000 + b"a\n", "tabs": b"order:\tO-1\n\tversion: 1\n",
    "UTF-16": '{"v":1}\n'.encode("utf-16"), "UTF-32": '{"v":1}\n'.encode("utf-32"), "bytes": bytes(range(128, 256)),
    "a zone without a place": b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":null}]}',
}


def _evaluate(folder: Path, readings: Path, *options: str, orders: Path | None = None) -> Result:
    arguments = ["evaluate", "--orders", str(orders or WORLD / "orders.yaml"), "--zones", str(WORLD / "zones.geojson"),
                 "--readings", str(readings), "--out", str(folder / "out"), *options]
    return _clean(CliRunner().invoke(main, arguments))


def _clean(result: Result) -> Result:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert all(len(line) < 1000 for line in result.output.splitlines()), "a message nobody can read"
    return result


def _sized(fix: dict[str, object], size: int) -> bytes:
    spare = size - len(json.dumps({**fix, "pad": ""}).encode())
    return json.dumps({**fix, "pad": "x" * spare}).encode() + b"\n"


def test_a_line_of_one_mebibyte_is_read_and_a_longer_one_is_not(tmp_path: Path) -> None:
    """The longest line that is allowed counts; one byte more is one reject."""
    readings = tmp_path / "readings.ndjson"
    inside = FIXES[1:3]
    readings.write_bytes(_sized(inside[0], MEBIBYTE) + _sized(FIXES[0], MEBIBYTE + 1) + json.dumps(inside[1]).encode())
    result = _evaluate(tmp_path, readings)
    assert result.exit_code == 1
    assert f"{readings}:2: " in result.stderr
    assert [json.loads(line)["onset"] for line in (tmp_path / "out").read_text().splitlines()] == [
        inside[0]["observed_at"]]


def test_a_folder_of_orders_is_read_whole(tmp_path: Path) -> None:
    """YAML and JSON files of a folder are one set of documents; what has another name is no business of ours."""
    orders = tmp_path / "orders"
    orders.mkdir()
    first, _, second = (WORLD / "orders.yaml").read_text().partition("order:")
    (orders / "a.yml").write_text(first + "order:" + second)
    (orders / "b.json").write_text(json.dumps([{
        "binding": "b2", "version": 1, "device": "D-2", "participant": "P-1", "role": "position",
        "from": "2020-01-01T00:00:00Z", "until": "2021-01-01T00:00:00Z"}]))
    (orders / "notes.txt").write_text("not an order")
    assert _evaluate(tmp_path, WORLD / "readings.ndjson", orders=orders).exit_code == 0
    assert len((tmp_path / "out").read_text().splitlines()) == 2


def test_a_folder_without_orders_is_a_fault(tmp_path: Path) -> None:
    """Nobody is evaluated against nothing by mistake."""
    (tmp_path / "empty").mkdir()
    result = _evaluate(tmp_path, WORLD / "readings.ndjson", orders=tmp_path / "empty")
    assert result.exit_code == 1
    assert str(tmp_path / "empty") in result.stderr


@pytest.mark.parametrize("options", [("--until", "yesterday"), ("--until", "2026-03-02T10:00:00"), ("--rules", "7"),
                                     ("--no-such-option",), ("--rejects", "/no/such/folder/rejects")])
def test_wrong_usage_is_2(tmp_path: Path, options: tuple[str, ...]) -> None:
    """An option that cannot be meant is told, and nothing is evaluated."""
    assert _evaluate(tmp_path, WORLD / "readings.ndjson", *options).exit_code == 2
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_2(tmp_path: Path) -> None:
    """A file that is not there is named."""
    result = _evaluate(tmp_path, tmp_path / "nowhere.ndjson")
    assert result.exit_code == 2
    assert "nowhere.ndjson" in result.stderr


@pytest.mark.parametrize("name", STRANGE)
def test_strange_readings_cost_nothing_but_themselves(tmp_path: Path, name: str) -> None:
    """Each is told with file and place, and the exit code says that the input has faults."""
    strange = tmp_path / "strange.ndjson"
    strange.write_bytes(STRANGE[name])
    result = _evaluate(tmp_path, strange)
    assert result.exit_code in (1, 2)
    assert "strange.ndjson" in result.stderr


@pytest.mark.parametrize("suffix", ["yaml", "json", "geojson"])
@pytest.mark.parametrize("name", STRANGE)
def test_strange_documents_are_faults(tmp_path: Path, name: str, suffix: str) -> None:
    """`check` names file and place of what is no order, zone or binding."""
    strange = tmp_path / f"strange.{suffix}"
    strange.write_bytes(STRANGE[name])
    result = _clean(CliRunner().invoke(main, ["check", str(strange)]))
    assert result.exit_code in (1, 2)
    assert f"strange.{suffix}" in result.output


@pytest.mark.parametrize("adapter", ["native", "traccar", "owntracks"])
@pytest.mark.parametrize("name", STRANGE)
def test_strange_feeds_are_reported(tmp_path: Path, name: str, adapter: str) -> None:
    """A conformance report lists what was not understood, whatever it was."""
    strange = tmp_path / "strange"
    strange.write_bytes(STRANGE[name])
    result = _clean(CliRunner().invoke(main, ["feed", "check", adapter, str(strange)]))
    assert result.exit_code in (1, 2)
    assert "strange" in result.output
