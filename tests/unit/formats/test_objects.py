"""Documents of any shape: faults are listed, whatever somebody writes; nothing raises."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emon.formats import documents
from emon.formats.lines import PathPart
from emon.formats.objects import read_object
from tests.unit.formats.test_schema import ORDER

_ZONES: dict[str, Any] = {"type": "FeatureCollection", "features": [
    {"type": "Feature", "properties": {"id": "z", "kind": "exclusion", "version": 2}, "geometry": {
        "type": "MultiPolygon", "coordinates": [[[[0, 0], [0, 1], [1, 1], [0, 0]]]]}},
    {"type": "Feature", "properties": {"id": "y", "radius_m": 9}, "geometry": {
        "type": "Point", "coordinates": [0, 0]}}]}
_BINDING: dict[str, Any] = {"binding": "b", "device": "D", "participant": "P", "from": "2026-01-01T00:00:00Z"}
_PEOPLE: dict[str, Any] = {"people": [
    {"id": "o", "role": "officer", "contacts": [{"channel": "email", "address": "a@b"}]}]}
_order = documents.parse(ORDER, "f", is_json=False)[0][0].value
DOCUMENTS = (_order, _ZONES, _BINDING, _PEOPLE)

_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-10**20, 10**20), st.floats(), st.text(max_size=3)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5)


def _paths(value: Any, path: tuple[PathPart, ...] = ()) -> list[tuple[PathPart, ...]]:
    inner: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value,
                                                                                              list) else ()
    return [*([path] if path else []),
            *(each for key, below in inner for each in _paths(below, (*path, key)))]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_value_anywhere_is_read_or_a_fault(data: st.DataObject) -> None:
    """One to three nodes of a sound document replaced by anything: every fault has a path and a reason, and
    its line can be named."""
    value = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_paths(value)))
        holder = value
        for part in path[:-1]:
            holder = holder[part]
        holder[path[-1]] = data.draw(_VALUES)
        if not _paths(value):
            break
    for fault in read_object(value).faults:
        assert fault.reason
        assert "\n" not in fault.reason
        str(fault)


@given(st.dictionaries(st.text(max_size=4), _VALUES, max_size=4))
def test_any_object_is_a_fault(value: dict[str, Any]) -> None:
    """What has none of the known keys is not known, and says what is."""
    (fault,) = read_object(value).faults
    assert "known are order, binding" in fault.reason


@pytest.mark.parametrize("document", DOCUMENTS)
def test_sound_documents_have_no_fault(document: dict[str, Any]) -> None:
    """The base of the tests above."""
    assert not read_object(document).faults
