"""Bounds and kinds of bodies."""

from __future__ import annotations

import gzip

import pytest

from emon.domain.errors import Fault
from emon.ingest.body import check_type, unpacked
from emon.limits import MAX_BODY_BYTES

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
