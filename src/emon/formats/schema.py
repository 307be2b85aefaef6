"""JSON Schemas of everything that others write or read, generated from the types that read it.

The shipped files are `schemas/*.json`; `write` brings them up to date, and a test holds them to the types.
A reading's schema allows what the parser keeps without knowing it (unknown fields, methods, events) and asks
more where the parser only sets a value aside (a negative speed).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec
from pydantic import BaseModel

from emon.domain.finding import STATUSES, Finding
from emon.formats import asyncapi, models, wire

FOLDER: Final = Path(__file__).with_name("schemas")
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_INSTANT: Final = {"type": "string", "format": "date-time"}
_FINDING_INSTANTS: Final = ("onset", "ended", "decided_at", "received_at", "seen_until", "recorded_at")
_DOCUMENTS: Final[dict[str, tuple[type[BaseModel], str]]] = {
    "order": (models.OrderDocument, "One version of an order"),
    "binding": (models.BindingDocument, "One version of a binding of a device to a person"),
    "verdict": (models.VerdictDocument, "One version of an analyst's verdict on an alcohol episode"),
    "person": (models.PersonDocument, "One version of a person's record"),
    "people": (models.PeopleDocument, "Several people"),
    "zones": (models.ZoneCollection, "Zones as a GeoJSON FeatureCollection"),
}


def schemas() -> dict[str, dict[str, Any]]:
    """Each schema by its name, and the AsyncAPI document of the topics."""
    made = {"reading": _reading(), "finding": _finding()}
    for name, (model, title) in _DOCUMENTS.items():
        made[name] = _headed(name, title, model.model_json_schema(by_alias=True))
    made["asyncapi"] = asyncapi.document()
    return made


def text_of(schema: dict[str, Any]) -> str:
    """The schema as it stands in a file."""
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def load(name: str) -> dict[str, Any]:
    """A shipped schema. Raises KeyError for an unknown name."""
    file = FOLDER / f"{name}.json"
    if not file.is_file():
        raise KeyError(name)
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def write(folder: Path = FOLDER) -> list[Path]:
    """Writes all schemas; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, schema in schemas().items():
        file = folder / f"{name}.json"
        file.write_text(text_of(schema), encoding="utf-8")
        files.append(file)
    return files


def _headed(name: str, title: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": _DIALECT, "$id": f"urn:emon:{name}:1", **schema, "title": title}


def _reading() -> dict[str, Any]:
    schema = msgspec.json.schema(wire.Measured)
    for definition in schema["$defs"].values():
        definition.pop("additionalProperties", None)
    return _headed("reading", "A native reading, version 1", schema)


def _finding() -> dict[str, Any]:
    schema = msgspec.json.schema(Finding)
    schema["$defs"]["Finding"]["description"] = "A line of NDJSON; its identity is (finding_id, revision)."
    properties = schema["$defs"]["Finding"]["properties"]
    for name in _FINDING_INSTANTS:
        may_be_null = name not in ("onset", "decided_at")
        properties[name] = {"anyOf": [_INSTANT, {"type": "null"}]} if may_be_null else _INSTANT
    properties["status"] = {"enum": list(STATUSES)}
    properties["revision"] = {"type": "integer", "minimum": 1}
    properties["level"] = {"type": "integer", "minimum": 0, "maximum": 4}
    return _headed("finding", "One revision of a finding", schema)


if __name__ == "__main__":
    write()
