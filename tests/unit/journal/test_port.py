"""Where a key goes is a promise to data already written: these values never change."""

from __future__ import annotations

import pytest

from emon.journal.port import check_size, partition_of
from emon.limits import MAX_RECORD_BYTES


@pytest.mark.parametrize(("key", "partitions", "partition"), [
    ("ACME-0001", 4, 3), ("ACME-0002", 4, 1), ("P-0001", 16, 9), ("", 4, 0), ("ключ", 7, 1), ("x", 1, 0)])
def test_partitions_of_keys_are_fixed(key: str, partitions: int, partition: int) -> None:
    assert partition_of(key, partitions) == partition


def test_keys_spread_over_partitions() -> None:
    counts = [0] * 8
    for number in range(8000):
        counts[partition_of(f"ACME-{number:05}", 8)] += 1
    assert min(counts) > 800


def test_a_record_that_is_too_large_is_named() -> None:
    check_size("emon.raw", "k", bytes(MAX_RECORD_BYTES - 1))
    with pytest.raises(ValueError, match=r"emon\.raw.*'k'"):
        check_size("emon.raw", "k", bytes(MAX_RECORD_BYTES))
