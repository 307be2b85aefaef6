"""YAML with the line of every node, read from the parser's events.

Scalars follow YAML 1.2, not 1.1: an unquoted 20:00 is a text and not 1200, an instant stays a text, `no` and
`on` are texts; only true, false, null, integers and decimals are special. Keys are always texts, and two
equal ones are a fault. Aliases are followed without copying, and counted as if copied, so that an alias
bomb ends at MAX_DOCUMENT_NODES. Tags are faults: nothing is ever constructed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from emon.formats.lines import Lines, MappingLines, SequenceLines, SyntaxFault
from emon.limits import MAX_DOCUMENT_NODES, MAX_NESTING

_LOADER: Final = getattr(yaml, "CLoader", yaml.Loader)  # the C parser where there is one; events only
_INT: Final = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Final = {"": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True,
                 "TRUE": True, "false": False, "False": False, "FALSE": False, ".nan": float("nan"),
                 ".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf")}
_TEXT_TAGS: Final = ("!", "tag:yaml.org,2002:str")


def parse_all(text: str) -> Iterator[tuple[Any, Lines]]:
    """Each document's value and lines; empty documents are left out. Raises SyntaxFault, after the
    documents before it."""
    reader = _Reader(text)
    try:
        yield from reader.documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        raise SyntaxFault(mark.line + 1 if mark else 1, f"not YAML: {reason}") from None
    except yaml.YAMLError as error:
        raise SyntaxFault(1, f"not YAML: {str(error).splitlines()[0]}") from None


def scalar(text: str) -> Any:
    """Value of an unquoted scalar."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


class _Reader:
    """Builds values from events. `_sizes` counts nodes by anchor, `_nodes` those of the file."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._anchors: dict[str, tuple[Any, Lines, int, int] | None] = {}
        self._nodes = 0

    def documents(self) -> Iterator[tuple[Any, Lines]]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors = {}
                value, lines, _ = self._node(next(self._events), 1)
                if value is not None:
                    yield value, lines

    def _node(self, event: Any, depth: int) -> tuple[Any, Lines, int]:
        """(value, lines, levels below and with it)."""
        line = int(event.start_mark.line) + 1
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, line, depth)
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            raise SyntaxFault(line, f"tag `{event.tag}` is not taken; write plain values")
        if depth > MAX_NESTING:
            raise SyntaxFault(line, f"values are nested deeper than {MAX_NESTING} levels")
        before = self._nodes
        self._count(1, line)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.MappingStartEvent):
            value, lines, levels = self._mapping(line, depth)
        elif isinstance(event, yaml.SequenceStartEvent):
            value, lines, levels = self._sequence(line, depth)
        else:
            value, lines, levels = self._text_or_word(event), line, 1
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, lines, self._nodes - before, levels)
        return value, lines, levels

    def _mapping(self, line: int, depth: int) -> tuple[Any, Lines, int]:
        values: dict[str, Any] = {}
        lines, deepest = MappingLines(line), 0
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                raise SyntaxFault(key_line, "a key is not a plain text")
            if event.value in values:
                raise SyntaxFault(key_line, f"key `{event.value}` stands twice "
                                  f"(first on line {lines.keys[event.value]})")
            value, inner, levels = self._node(next(self._events), depth + 1)
            values[event.value], lines.values[event.value], lines.keys[event.value] = value, inner, key_line
            deepest = max(deepest, levels)
        return values, lines, deepest + 1

    def _sequence(self, line: int, depth: int) -> tuple[Any, Lines, int]:
        values: list[Any] = []
        lines, deepest = SequenceLines(line), 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            value, inner, levels = self._node(event, depth + 1)
            values.append(value)
            lines.values.append(inner)
            deepest = max(deepest, levels)
        return values, lines, deepest + 1

    def _alias(self, event: Any, line: int, depth: int) -> tuple[Any, Lines, int]:
        known = self._anchors.get(event.anchor)
        if known is None:
            where = "stands inside itself" if event.anchor in self._anchors else "is not known"
            raise SyntaxFault(line, f"alias `*{event.anchor}` {where}")
        value, lines, nodes, levels = known
        self._count(nodes, line)
        if depth + levels - 1 > MAX_NESTING:
            raise SyntaxFault(line, f"values are nested deeper than {MAX_NESTING} levels")
        return value, lines, levels

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_DOCUMENT_NODES:
            raise SyntaxFault(line, f"more than {MAX_DOCUMENT_NODES} values; aliases multiply them")

    @staticmethod
    def _text_or_word(event: Any) -> Any:
        return scalar(event.value) if event.implicit[0] and event.tag is None else event.value
