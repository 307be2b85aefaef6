"""The topics' document says what really stands on them."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from emon.domain.reading import Reading
from emon.formats.asyncapi import TOPICS, document
from emon.journal import port, records


def validator(message: str) -> jsonschema.Draft202012Validator:
    made = document()
    return jsonschema.Draft202012Validator(
        {"$ref": made["components"]["messages"][message]["payload"]["$ref"], "components": made["components"]})


def test_every_topic_is_described() -> None:
    assert {topic.name for topic in TOPICS} == set(port.TOPICS)


def test_every_reference_resolves() -> None:
    made = document()

    def look(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                found: Any = made
                for part in node["$ref"].removeprefix("#/").split("/"):
                    found = found[part]
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    look(made)


BOUND = records.Bound("P-1", 5, Reading(device="A", kind="position", observed_at=4, lat=1.0, lon=2.0), last=True)


@pytest.mark.parametrize("record", [BOUND, records.Tick(5), records.OwnOutage(5, 1, 4)])
def test_records_fit_their_message(record: Any) -> None:
    line = msgspec.json.decode(records.encode(record))
    validator(type(record).__name__).validate(line)


def test_another_record_does_not_fit() -> None:
    line = msgspec.json.decode(records.encode(records.Tick(5)))
    assert not validator("Bound").is_valid(line)
