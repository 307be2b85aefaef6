"""The line of every node of a document, so that each fault can name one.

`Lines` mirrors the plain value: a scalar's is its line; a mapping's knows the line of each key and the lines
of each value; a sequence's those of its elements. `line_of` walks it along a path as far as both agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

PathPart: TypeAlias = str | int


@dataclass(slots=True)
class MappingLines:
    """`keys`: line of each key; `values`: lines of each value."""

    line: int
    keys: dict[str, int] = field(default_factory=dict)
    values: dict[str, Lines] = field(default_factory=dict)


@dataclass(slots=True)
class SequenceLines:
    """`values`: lines of each element."""

    line: int
    values: list[Lines] = field(default_factory=list)


Lines: TypeAlias = int | MappingLines | SequenceLines


def line_of(lines: Lines, path: Sequence[PathPart]) -> int:
    """Line of the node at `path`; of its key where its value is a block of its own; of the nearest node
    around it where it is not there."""
    line = first(lines)
    for part in path:
        if isinstance(lines, MappingLines) and part in lines.values:
            key = str(part)
            line, lines = lines.keys[key], lines.values[key]
            if isinstance(lines, int):
                line = lines
        elif isinstance(lines, SequenceLines) and isinstance(part, int) and part < len(lines.values):
            lines = lines.values[part]
            line = first(lines)
        else:
            break
    return line


def first(lines: Lines) -> int:
    """Line on which a node begins."""
    return lines if isinstance(lines, int) else lines.line


@dataclass
class SyntaxFault(Exception):
    """A document that cannot be parsed on from `line`."""

    line: int
    reason: str
