"""Signatures: the example of the docstring, and what must not fit."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from emon.domain.errors import Fault
from emon.domain.instant import SECOND
from emon.ingest import signature

NOW = 1_764_000_000 * SECOND


def test_a_signature_is_what_any_hmac_library_computes() -> None:
    expected = hmac.new(b"cafe", b"1764000000.body", hashlib.sha256).hexdigest()
    assert signature.sign("cafe", 1_764_000_000, b"body") == f"v1={expected}"


def test_one_of_several_signatures_is_enough() -> None:
    right = signature.sign("cafe", 1, b"body")
    assert signature.fits(f"v0=00, {right}", "cafe", 1, b"body")
    for spoilt in ("", "v1=", right.replace("v1", "v2"), right[:-1], "ü"):
        assert not signature.fits(spoilt, "cafe", 1, b"body")
    assert not signature.fits(right, "cafe", 2, b"body") and not signature.fits(right, "caff", 1, b"body")


@pytest.mark.parametrize("header", ["", "x", "-5", "1764000000.5", "²", "1764000301", "1763999699", "9" * 20])
def test_a_timestamp_that_is_none_or_too_far_off(header: str) -> None:
    with pytest.raises(Fault, match="Timestamp"):
        signature.timestamp_of(header, NOW)


def test_the_window_is_five_minutes_either_way() -> None:
    assert signature.timestamp_of("1764000300", NOW) == 1_764_000_300
    assert signature.timestamp_of("1763999700", NOW) == 1_763_999_700
