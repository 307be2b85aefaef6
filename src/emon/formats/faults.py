"""Faults of documents: where, and what to do about it, in words instead of a validator's.

`faults_of` turns what pydantic found into `ObjectFault`s whose path leads to the node in the plain value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from emon.formats.conditions import KINDS
from emon.formats.lines import PathPart
from emon.formats.suggest import did_you_mean


@dataclass(frozen=True, slots=True, order=True)
class FileFault:
    """One line of `emon check`."""

    file: str
    line: int
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", one_line(self.reason))

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ObjectFault:
    """A fault of one object; `path` leads from its top to the node at fault."""

    path: tuple[PathPart, ...]
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", one_line(self.reason))

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.reason}" if self.path else self.reason


def one_line(reason: str) -> str:
    """A reason may quote what somebody wrote: no line feeds, no control signs for a terminal."""
    return reason if reason.isprintable() else "".join(sign if sign.isprintable()
                                                       else "\N{REPLACEMENT CHARACTER}"
                                                       for sign in reason)


def dotted(path: Sequence[PathPart]) -> str:
    """`conditions[1].zone`"""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def faults_of(error: ValidationError, value: Any, model: type[BaseModel]) -> list[ObjectFault]:
    """Every fault that a validation of `value` as `model` found."""
    faults = []
    for details in error.errors(include_url=False):
        path = _path(details, value)
        faults.append(ObjectFault(path, _reason(details, path, value, model)))
    return faults


def _path(details: ErrorDetails, value: Any) -> tuple[PathPart, ...]:
    """The location without the tags that pydantic puts in for the chosen kind of a union."""
    parts: list[PathPart] = []
    location = details["loc"]
    for at, part in enumerate(location):
        is_last = at == len(location) - 1
        if isinstance(value, dict) and part not in value and not (is_last and details["type"] == "missing"):
            continue
        parts.append(part)
        value = _inner(value, part)
    return tuple(parts)


def _inner(value: Any, part: PathPart) -> Any:
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        return None


def _reason(details: ErrorDetails, path: tuple[PathPart, ...], value: Any, model: type[BaseModel]) -> str:
    name = path[-1] if path else ""
    shown = dotted(path[-2:]) if isinstance(name, int) else str(name)
    holder = value
    for part in path[:-1]:
        holder = _inner(holder, part)
    found = _inner(holder, name) if path else value
    context = details.get("ctx", {})
    match details["type"]:
        case "extra_forbidden":
            return _unknown_key(str(name), details["loc"], model)
        case "missing":
            return f"`{name}` is missing{_whose(holder)}"
        case "union_tag_not_found":
            discriminator = str(context["discriminator"]).strip("'")
            known = list(KINDS) if discriminator == "kind" else ["Point", "Polygon", "MultiPolygon"]
            return f"`{discriminator}` is missing{_whose(found)}; known are {', '.join(known)}"
        case "union_tag_invalid":
            known = str(context["expected_tags"]).replace("'", "").split(", ")
            tag = str(context["tag"])
            discriminator = str(context["discriminator"]).strip("'")
            return f"{discriminator} `{tag:.60}` is not known; known are {_listed(known, tag)}"
        case "literal_error":
            known = str(context["expected"]).replace("'", "").replace(" or ", ", ").split(", ")
            return f"`{shown}` is {found!r:.60}; known are {_listed(known, str(found))}"
        case "bad_instant" | "bad_time" | "unknown_day" | "bad_date":
            return f"`{shown}`: {details['msg']}"
        case "string_type":
            return f"`{shown}` is {found!r:.60}; it must be a text{_quote(found)}"
        case _:
            return f"`{shown}` is {found!r:.60}; {details['msg'][:1].lower()}{details['msg'][1:]}"


def _listed(known: Sequence[str], found: str) -> str:
    return ", ".join(known) + did_you_mean(found, known)


def _quote(found: Any) -> str:
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return f", in quotes: \"{found}\"" if is_number else ""


def _whose(holder: Any) -> str:
    if isinstance(holder, dict):
        for key in ("verdict", "order", "binding", "person", "id", "device"):
            if isinstance(holder.get(key), str):
                kind = holder.get("kind")
                return f" in {holder[key]}" + (f" ({kind})" if isinstance(kind, str) else "")
    return ""


def _unknown_key(key: str, location: tuple[PathPart, ...], model: type[BaseModel]) -> str:
    known = _keys_at(location[:-1], model)
    kinds = [kind for kind, cls in KINDS.items() if key in keys_of(cls)]
    kind = next((part for part in location if part in KINDS), None)
    if kind is not None and location[-2] == kind and kinds:
        return f"`{key}` does not belong to a condition of kind {kind}; it is a field of {', '.join(kinds)}"
    return f"unknown key `{key}`{did_you_mean(key, known) or '; known are ' + ', '.join(known)}"


def keys_of(model: type[BaseModel]) -> list[str]:
    """Keys of a document's type as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _keys_at(location: Sequence[PathPart], model: type[BaseModel]) -> list[str]:
    """Keys known where `location` leads, found by following the types."""
    here: type[BaseModel] = model
    for part in location:
        if part in KINDS:
            here = KINDS[str(part)]
        elif isinstance(part, str):
            field = next((f for name, f in here.model_fields.items() if (f.alias or name) == part), None)
            inner = None if field is None else _model_in(field.annotation)
            here = inner or here
    return keys_of(here)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        if inner := _model_in(part):
            return inner
    return None
