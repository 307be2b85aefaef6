"""Any bytes and any damage to a recorded body: slices with readings or faults, never an exception."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emon.ingest.vendors import VENDORS
from tests.unit.ingest.vendors.wire import FRAMES, understand

BODIES = [file.read_bytes() for file in sorted(FRAMES.iterdir()) if file.suffix
          in (".json", ".jsonl", ".csv")]
_PIECES = st.sampled_from([b"null", b"NaN", b"-1", b"1e999", b"[]", b"{}", b'"', b"\\", b"\xff", b"\x00",
                           b"\n", b",",
                           b"true", b"[[[[", b"99999999999999999999", b"2999", b'"\\ud800"'])


@pytest.mark.parametrize("vendor", [vendor.name for vendor in VENDORS])
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(body=st.one_of(st.binary(max_size=60), st.sampled_from(BODIES)), cuts=st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), _PIECES), max_size=4))
def test_damaged_bodies(vendor: str, body: bytes, cuts: list[tuple[float, int, bytes]]) -> None:
    """Some bytes taken out, others put in."""
    for where, length, piece in cuts:
        at = int(where * len(body))
        body = body[:at] + piece + body[at + length:]
    for piece in understand(vendor, body):
        assert piece.readings or piece.fault or piece.note or vendor == "traccar"
        assert piece.line >= 1
        assert all(reading.device for reading in piece.readings)
