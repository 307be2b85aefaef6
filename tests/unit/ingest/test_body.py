"""Bounds and kinds of bodies."""

from __future__ import annotations

import gzip
import time

import pytest

from emon.domain.errors import Fault
from emon.ingest.body import check_slices, check_type, unpacked
from emon.limits import MAX_BODY_BYTES, MAX_BODY_SLICES

JSON, CSV = ("application/json",), ("text/csv",)


@pytest.mark.parametrize("media", ["", "text/plain", "application/octet-stream", "application/x-ndjson",
                                   "Application/JSON; charset=utf-8", "application/vnd.acme+json"])
def test_names_of_json_are_one(media: str) -> None:
    check_type(media, JSON)


@pytest.mark.parametrize(("media", "accepted"), [
    ("text/csv", JSON), ("application/json", CSV), ("image/png", JSON), ("multipart/form-data", CSV),
    ("application/x-www-form-urlencoded", JSON)])
def test_other_kinds_are_refused_with_what_is_read(media: str, accepted: tuple[str, ...]) -> None:
    with pytest.raises(Fault, match=accepted[0]) as caught:
        check_type(media, accepted)
    assert caught.value.code == "unsupported_media_type"


def test_a_small_body_cannot_become_a_large_one() -> None:
    assert unpacked(gzip.compress(b"x" * MAX_BODY_BYTES), "gzip") == b"x" * MAX_BODY_BYTES
    for packed in (gzip.compress(b"x" * (MAX_BODY_BYTES + 1)),
                   gzip.compress(b"x" * MAX_BODY_BYTES) + gzip.compress(b"x", mtime=0)):
        with pytest.raises(Fault) as caught:
            unpacked(packed, "gzip")
        assert caught.value.code == "body_too_large"


@pytest.mark.parametrize("body", [
    b"no gzip", gzip.compress(b"cut short", mtime=0)[:-6], gzip.compress(b"x", mtime=0) + b"rest"])
def test_a_spoilt_gzip_body_is_a_fault(body: bytes) -> None:
    with pytest.raises(Fault) as caught:
        unpacked(body, "gzip")
    assert caught.value.code == "bad_encoding"


def test_encodings() -> None:
    assert unpacked(b"x", "") == unpacked(b"x", "identity") == unpacked(gzip.compress(b"x", mtime=0), "GZIP") == b"x"
    with pytest.raises(Fault, match="gzip"):
        unpacked(b"x", "br")


def test_a_body_of_many_gzip_members_costs_no_more_than_its_bytes() -> None:
    """A hundred thousand empty members once copied what stood behind each of them: minutes for two megabytes."""
    empty = gzip.compress(b"", mtime=0)
    began = time.process_time()
    assert unpacked(empty * 100_000 + gzip.compress(b"x", mtime=0), "gzip") == b"x"
    assert time.process_time() - began < 12


@pytest.mark.parametrize(("begin", "each", "end"), [(b"", b"1\n", b""), (b" [1", b",1", b"]")])
def test_a_body_holds_only_so_many_readings(begin: bytes, each: bytes, end: bytes) -> None:
    """What is said about a slice is far larger than the smallest one."""
    check_slices(begin + each * (MAX_BODY_SLICES - 1) + end)
    with pytest.raises(Fault, match="in parts") as caught:
        check_slices(begin + each * (MAX_BODY_SLICES + 1) + end)
    assert caught.value.code == "body_too_large"
    check_slices(b'{"x": [' + b"1," * MAX_BODY_SLICES + b"1]}")
