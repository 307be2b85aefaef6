"""Looking for readings in devices' chunks, on both databases."""

from __future__ import annotations

from sqlalchemy import Engine

from emon.store.ingest import DeviceChunk, add_device_chunks, chunks_around, devices_with_chunks


def chunk(device: str, first: int, last: int, received: int = 1_000) -> DeviceChunk:
    return DeviceChunk(device, first, last, received, 1, f"{device}{first}".encode())


def test_each_device_is_looked_for_in_its_own_spans(engine: Engine) -> None:
    """A span of one device says nothing about another's, and a chunk in two spans comes once."""
    chunks = [chunk("A", 10, 20), chunk("A", 30, 40), chunk("A", 90, 99), chunk("B", 10, 20), chunk("C", 10, 20)]
    add_device_chunks(engine, [*chunks, chunk("A", 30, 40, received=5)], {})
    found = chunks_around(engine, [("A", 20, 35), ("A", 40, 50), ("B", 21, 80), ("D", 0, 99)], 100)
    assert sorted(found) == [chunk("A", 10, 20), chunk("A", 30, 40)]
    assert chunks_around(engine, [], 0) == []


def test_any_number_of_spans_is_asked(engine: Engine) -> None:
    """More than fit into one statement."""
    many = [chunk(f"D{n:04}", n, n) for n in range(700)]
    add_device_chunks(engine, many, {})
    assert sorted(chunks_around(engine, [(f"D{n:04}", n, n) for n in range(700)], 0)) == many


def test_who_has_any_chunk_is_asked_at_once(engine: Engine) -> None:
    """Each device once, however many chunks it has and however many are asked about."""
    add_device_chunks(engine, [chunk("A", 10, 20), chunk("A", 30, 40), chunk("B", 0, 1)], {})
    assert devices_with_chunks(engine, [f"D{n:04}" for n in range(700)] + ["A", "C"]) == {"A"}
    assert devices_with_chunks(engine, []) == set()
