"""The report a vendor gets: everything understood and everything rejected, with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emon.domain.errors import Fault
from emon.formats.text import Unreadable
from emon.ingest.conformance import Gap, read_mapping, report, report_file


def _line(seq: int, **more: object) -> bytes:
    return json.dumps({"device": "D-1", "seq": seq, "kind": "position", "lat": 43, "lon": -89,
                       "method": "gnss",
                       "observed_at": f"2026-11-22T02:{seq:02d}:00Z",
                       "sent_at": f"2026-11-22T02:{seq:02d}:30Z",
                       **more}).encode()


def test_what_was_understood() -> None:
    """Kinds, unknown words, gaps, cadence, delay, duplicates, and each fault at its line."""
    body = b"\n".join([
        _line(1), _line(2, method="lora"), _line(5, method=None), _line(5, method=None), _line(6, lat=91),
        b'{"device":"D-2","kind":"status","observed_at":"2026-11-22T02:00:00Z","event":"sneeze"}', b"{"])
    made = report("native", body)
    assert (made.slices, made.devices, made.duplicates, made.without_method) == (7, 2, 1, 2)
    assert made.kinds == {"position": 4, "status": 1}
    assert made.unknown == {"method 'lora'": 1, "event 'sneeze'": 1}
    assert made.gaps == (Gap("D-1", 3, 4),)
    assert (made.cadence_s, made.delay_s) == (120.0, (30.0, 30.0))
    assert [str(fault).split(": ")[:2] for fault in made.faults] == [
        ["-:5", "lat_out_of_range"], ["-:7", "not_json"]]
    shown = made.text()
    for part in ("7 messages, 2 with faults", "4 position", "gap: D-1 lacks seq 3 to 4", "unknown event "
                                                                                         "'sneeze'",
                 "positions without a method: 2", "-:5: lat_out_of_range"):
        assert part in shown


def test_messages_that_are_no_readings_are_counted() -> None:
    """So that a vendor sees why fewer readings than messages arrived."""
    made = report("owntracks", b'[{"_type":"lwt","tst":1},{"_type":"lwt","tst":2}]')
    assert (made.notes, made.faults) == ({"type lwt": 2}, ())
    assert "2 without a reading: type lwt" in made.text()


def test_an_empty_body_is_no_fault() -> None:
    """Nothing understood, nothing rejected."""
    assert report("traccar", b"").text() == "- read by adapter traccar: 0 messages, 0 with faults"


def test_files_and_mappings(tmp_path: Path) -> None:
    """Faults name the file; a faulty mapping names its line."""
    file, mapping = tmp_path / "body.csv", tmp_path / "mapping.yaml"
    file.write_text("Unit,When,Y,X\nD,2026-01-01T00:00:00Z,91,2\n")
    mapping.write_text("kind: position\ncolumns: {device: Unit, observed_at: When, lat: Y, lon: X}\n")
    made = report_file("csv_export", file, {"mapping": read_mapping(mapping)})
    assert [str(fault) for fault in made.faults] == [
        f"{file}:2: lat_out_of_range: `lat` is 91.0; expected a latitude from -90 to 90"]
    mapping.write_text("kind: position\ncolumns: {device: [}\n")
    with pytest.raises(Fault, match=r"mapping.yaml:2: not YAML"):
        read_mapping(mapping)
    mapping.write_text("kind: position\ncolums: {}\n")
    with pytest.raises(Fault, match="unknown key `colums`"):
        read_mapping(mapping)
    with pytest.raises(Unreadable):
        report_file("native", tmp_path / "none")
    with pytest.raises(Fault, match="known are native, traccar, owntracks, csv_export"):
        report("acme", b"")
