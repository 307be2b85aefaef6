"""The AsyncAPI document of the topics, generated from the records that stand on them."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, Final, NamedTuple

import msgspec

from emon import __version__
from emon.domain.finding import Finding
from emon.journal import port, records

VERSION: Final = "3.0.0"
_REF: Final = "#/components/schemas/{name}"


class Topic(NamedTuple):
    """What a topic is for. `key`: what its records are partitioned by."""

    name: str
    key: str
    description: str
    messages: tuple[type[msgspec.Struct], ...]


TOPICS: Final = (
    Topic(port.RAW, "device", "What was acknowledged, one slice a reading, beside the ticks and binding versions.",
          (records.RawReading, records.Tick, records.BindingVersion)),
    Topic(port.ORDERS, "type, id and version", "Every version of orders, zones, bindings, verdicts and people; "
          "compacted.",
          (records.OrderVersion, records.ZoneVersion, records.BindingVersion, records.VerdictVersion,
           records.PersonVersion)),
    Topic(port.READINGS, "participant", "The evaluator's only input, one total order a partition.",
          (records.Bound, records.Tick, records.OwnOutage, records.OrderVersion, records.ZoneVersion,
           records.BindingVersion, records.VerdictVersion)),
    Topic(port.FINDINGS, "participant, or feed", "Revisions of findings, at least once; identity: finding_id and "
          "revision; the published format, see the schema `finding`.", (Finding,)),
    Topic(port.ALERTS, "alert", "What happened to alerts, without people's own words.", ()),
    Topic(port.REJECTED, "feed", "Slices that could not be taken, with their reason.", (records.RawRejected,)),
)


def document() -> dict[str, Any]:
    """The AsyncAPI document. Instants in records are microseconds UTC; findings carry RFC 3339."""
    types = tuple(dict.fromkeys(message for topic in TOPICS for message in topic.messages))
    _, components = msgspec.json.schema_components(types, ref_template=_REF)
    for schema in components.values():  # docstrings: newer Pythons strip their indentation, older ones do not
        schema["description"] = cleandoc(schema["description"])
    return {
        "asyncapi": VERSION,
        "info": {"title": "emon topics", "version": __version__, "license": {"name": "Apache-2.0"},
                 "description": "One JSON object a record; header `v` is the schema's version."},
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "components": {
            "messages": {message.__name__: _message(message) for message in types},
            "schemas": components,
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {"address": topic.name, "description": f"{topic.description} Key: {topic.key}.",
            "messages": {message.__name__: {"$ref": f"#/components/messages/{message.__name__}"}
                         for message in topic.messages}}


def _message(message: type[msgspec.Struct]) -> dict[str, Any]:
    return {"name": message.__name__, "summary": (message.__doc__ or "").strip().split("\n")[0],
            "headers": {"type": "object", "properties": {"v": {"type": "string"}}},
            "payload": {"$ref": _REF.format(name=message.__name__)}}
