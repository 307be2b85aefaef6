"""The native format as it comes over HTTP."""

from __future__ import annotations

import pytest

from tests.unit.ingest.vendors.wire import codes, readings, understand

GOOD = b'{"v":1,"device":"D","kind":"status","observed_at":"2026-01-02T03:04:05Z","event":"heartbeat"}'


def test_lines_and_arrays() -> None:
    """One bad reading costs no other; the vendor's own `received_at` is not read."""
    wanted = ["ok", "lat_out_of_range", "unknown_kind", "ok"]
    bad = GOOD.replace(b'"status"', b'"position"').replace(b'"event":"heartbeat"', b'"lat":91,"lon":0')
    outage = b'{"v":1,"kind":"own_outage","from":"2026-01-02T03:04:05Z","to":"2026-01-02T03:04:05Z"}'
    lines = [GOOD, bad, outage, GOOD[:-1] + b',"received_at":"2020-01-01T00:00:00Z"}']
    assert codes(understand("native", b"\n".join(lines))) == wanted
    slices = understand("native", b"[" + b",\n".join(lines) + b"]")
    assert codes(slices) == wanted
    assert [piece.line for piece in slices] == [1, 2, 3, 4]
    assert [piece.raw for piece in slices] == lines


def test_one_object_over_several_lines() -> None:
    """As a person would write it."""
    (reading,) = readings(understand("native", GOOD.replace(b",", b",\n ")))
    assert reading["event"] == "heartbeat"


@pytest.mark.parametrize(("body", "wanted"), [
    (b"", []), (b"\n\n", []), (b"7", ["not_an_object"]), (b"[" + GOOD, ["ok", "truncated_array"]),
    (GOOD[:-9], ["not_json"]), (GOOD.replace(b"2026", b"1980"), ["observed_too_old"]),
    (GOOD.replace(b"2026", b"2999"), ["observed_ahead"]), (GOOD.replace(b'"D"', b"NaN"), ["not_json"]),
    (b"\xff\xfe" + GOOD.decode().encode("utf-16-le"), ["not_utf8"]), (b"\xef\xbb\xbf" + GOOD, ["ok"]),
    (GOOD + b"\n" + b"x" * (10 << 20) + b"\n" + GOOD, ["ok", "line_too_long", "ok"]),
])
def test_hostile_bodies(body: bytes, wanted: list[str]) -> None:
    """Never an exception; what is good counts."""
    assert codes(understand("native", body)) == wanted
