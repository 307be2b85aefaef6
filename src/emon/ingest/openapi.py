"""What OpenAPI says of the vendors' routes: their bodies are the vendors' own formats, so no type can."""

from __future__ import annotations

from typing import Any

ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"description": "Durable. `rejected` names what was not taken, by its place in the body.",
          "content": {"application/json": {"example": {
              "accepted": 98, "duplicates": 1,
              "rejected": [{"index": 7, "reason": "negative_accuracy", "detail": "..."}]}}}},
    400: {"description": "What is packed cannot be unpacked, or the body broke off."},
    401: {"description": "No key, or none that is in force."},
    403: {"description": "The key of another feed."},
    404: {"description": "There is no such feed."},
    413: {"description": "The body is too large, packed or unpacked."},
    415: {"description": "Neither JSON, NDJSON nor CSV, or packed other than with gzip."},
    429: {"description": "The feed sends more than its share; Retry-After says when to go on."},
    503: {"description": "Nothing was taken: send the same body again after Retry-After."},
}
RECEIVED_ANSWERS: dict[int | str, dict[str, Any]] = {
    401: ANSWERS[401], 403: ANSWERS[403],
    422: {"description": "A parameter is missing, unknown, or no instant."},
    503: {"description": "The store is away: ask again after Retry-After."}}
BODY = {"required": True, "description": "One object, an array, or one object a line; gzip if packed.",
         "content": {name: {"schema": {"type": "string", "format": "binary"}}
                     for name in ("application/x-ndjson", "application/json", "text/csv")}}
RECEIVED_PARAMETERS = [
    {"name": "device", "in": "query", "required": True, "schema": {"type": "string"}},
    {"name": "from", "in": "query", "required": False, "schema": {"type": "string", "format": "date-time"},
     "description": "Observed at that instant or later; all by default."}]
