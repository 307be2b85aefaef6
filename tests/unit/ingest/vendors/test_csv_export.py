"""CSV exports: a mapping of columns, local times, units, and rows that cost only themselves."""

from __future__ import annotations

import time
from typing import Any

import pytest

from emon.domain.errors import Fault
from emon.ingest.conformance import read_mapping
from tests.unit.ingest.vendors.wire import FRAMES, codes, frame, readings, understand

MAPPING = read_mapping(FRAMES / "incident_export.yaml")
HEADER = b"device,kind,observed_at,lat,lon,result,present\n"
ROW = b"D-1,position,2026-01-02T03:04:05Z,1,2,,\n"


def test_a_mapped_export() -> None:
    """Kinds by column, local times, units, the vendor's words; empty cells say nothing."""
    slices = understand("csv_export", frame("incident_export.csv"), mapping=MAPPING)
    assert codes(slices) == ["ok", "ok", "ok", "ok", "ok", "observed_ahead", "lat_out_of_range",
                             "bad_instant",
                             "wrong_columns", "bad_type", "unknown_kind"]
    assert readings(slices) == [
        {"device": "K-101", "kind": "position", "observed_at": "2026-11-22T02:42:49Z", "lat": 43.0731,
         "lon": -89.4012, "accuracy_m": 12.0, "method": "gnss", "speed_mps": 0.894, "battery_fraction": 0.88},
        {"device": "K-101", "kind": "position", "observed_at": "2026-11-22T02:43:49Z", "lat": 43.0733,
         "lon": -89.4013, "method": "cell"},
        {"device": "K-101", "kind": "status", "observed_at": "2026-11-22T02:44:00Z", "event": "strap_open",
         "battery_fraction": 0.14},
        {"device": "T-9", "kind": "alcohol_transdermal", "observed_at": "2026-11-22T02:50:00Z",
         "tac_g_dl": 0.021,
         "skin_temperature_c": 33.0},
        {"device": "LAB", "kind": "lab_result", "observed_at": "2026-11-22T09:00:00Z", "test_id": "s-88",
         "panel": "5-drug", "result": "positive"}]


def test_lines_and_raw_text_of_rows() -> None:
    """A quoted line feed does not shift lines; a slice can be understood again by itself."""
    slices = understand("csv_export", frame("incident_export.csv"), mapping=MAPPING)
    assert [piece.line for piece in slices] == [2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    (again,) = understand("csv_export", slices[1].raw, mapping=MAPPING)
    assert again.readings == slices[1].readings


def test_without_a_mapping_headers_are_native_names() -> None:
    """And unknown columns are left to the raw text."""
    body = HEADER.replace(b"\n", b",colour\n") + ROW.replace(b"\n", b",red\n") + \
        b"H-1,presence,2026-01-02T03:04:05-06:00,,,,no,\n"
    assert readings(understand("csv_export", body, assume_method="gnss")) == [
        {"device": "D-1", "kind": "position", "observed_at": "2026-01-02T03:04:05Z", "lat": 1.0, "lon": 2.0,
         "method": "gnss"},
        {"device": "H-1", "kind": "presence", "observed_at": "2026-01-02T09:04:05Z", "present": False}]


@pytest.mark.parametrize(("local", "utc"), [
    ("2026-11-01T01:30:00", "2026-11-01T06:30:00Z"), ("2026-03-08T02:30:00", "2026-03-08T08:30:00Z"),
    ("2026-07-01T12:00:00", "2026-07-01T17:00:00Z"), ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00Z")])
def test_local_times(local: str, utc: str) -> None:
    """A doubled hour takes the first, a missing one moves on; an offset wins over the zone."""
    mapping = {"kind": "position", "time_zone": "America/Chicago", "constants": {"method": "gnss"},
               "columns": {"device": "device", "observed_at": "observed_at", "lat": "lat", "lon": "lon"}}
    body = HEADER + ROW.replace(b"2026-01-02T03:04:05Z", local.encode())
    (reading,) = readings(understand("csv_export", body, mapping=mapping))
    assert (reading["observed_at"], reading["method"]) == (utc, "gnss")


def test_a_local_time_without_a_zone_is_rejected() -> None:
    """Guessing one would move a curfew by hours."""
    (piece,) = understand("csv_export", HEADER + ROW.replace(b"05Z", b"05"))
    assert piece.fault is not None
    assert "time_zone" in piece.fault.detail


@pytest.mark.parametrize(("change", "message"), [
    ({"colums": {}}, "unknown key `colums`; did you mean `columns`?"), ({"kind": "gps"}, "`gps` is no kind"),
    ({"columns": {"device": "a"}}, "no column is named for `observed_at`"),
    ({"columns": {"device": "a", "observed_at": "b", "latitude": "c"}}, "`latitude` is no native field"),
    ({"units": {"speed_mps": "furlongs"}}, "unit `furlongs` is not known"),
    ({"time_zone": "Mars/Base"}, "time zone `Mars/Base`"), ({"delimiter": ""}, "delimiter"),
])
def test_faulty_mappings(change: dict[str, Any], message: str) -> None:
    """A mapping is strict: a misspelt key would drop a column silently."""
    with pytest.raises(Fault, match=message.replace("?", r"\?")):
        understand("csv_export", HEADER, mapping={**MAPPING, **change})


@pytest.mark.parametrize(("body", "wanted"), [
    (b"", []), (HEADER, []), (b"\xef\xbb\xbf" + HEADER + ROW, ["ok"]),
    (HEADER + b"\n" + ROW + b",,,,,,\n", ["ok"]),
    (b"a,b\n1,2\n", ["missing_columns"]), (b"7", ["missing_columns"]), (b'{"kind": 1}', ["missing_columns"]),
    (HEADER.decode().encode("utf-16"), ["not_utf8"]),
    (HEADER + b"D,\xff,x,1,2,,\n" + ROW, ["not_utf8", "ok"]),
    (HEADER + b'D-1,"position\n' + ROW, ["bad_csv"]), (HEADER + b'D,"a"b,c\n' + ROW, ["bad_csv", "ok"]),
    (HEADER + b"x" * (10 << 20) + b"\n" + ROW, ["line_too_long", "ok"]),
    (HEADER + ROW[:-5], ["wrong_columns"]),
    (HEADER + ROW.replace(b",1,2", b",nan,2"), ["bad_type"]),
    (HEADER + ROW.replace(b",1,2", b",1e999,2"), ["not_a_number"]),
    (HEADER + ROW.replace(b"2026", b"1980"), ["observed_too_old"]),
    (HEADER + ROW.replace(b"2026", b"2999"), ["observed_ahead"]),
    (HEADER + b"H,presence,2026-01-02T03:04:05Z,,,,maybe\n", ["bad_type"]),
    (HEADER + b"D\x00,x,y,1,2,,\n", ["bad_instant"]),
])
def test_hostile_files(body: bytes, wanted: list[str]) -> None:
    """Never an exception; a bad row costs only itself."""
    slices = understand("csv_export", body)
    assert codes(slices) == wanted
    assert all(len(piece.raw) <= 1 << 16 for piece in slices)


def test_a_header_is_kept_with_each_row_and_therefore_short() -> None:
    """A header of a megabyte over a hundred thousand rows would be a hundred gigabytes."""
    wide = HEADER.rstrip() + b"," + b"x" * 5000 + b"\n"
    assert codes(understand("csv_export", wide + ROW.rstrip() + b",\n")) == ["header_too_long"]


def test_a_row_costs_little() -> None:
    """The types of native fields are looked up once and not for every row."""
    began = time.process_time()
    assert len(understand("csv_export", HEADER + ROW * 5_000)) == 5_000
    assert time.process_time() - began < 2
