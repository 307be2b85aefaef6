"""JSON with the line of every node, and faults that name a line.

The standard decoder is quick but knows no lines, takes NaN and lets the last of two equal keys win. So it
is used where a text is clean (`quick`); `parse` is the slow reading of one that is not.
"""

from __future__ import annotations

import json
import re
from json import decoder
from typing import Any, Final

from emon.formats.lines import Lines, MappingLines, SequenceLines, SyntaxFault
from emon.limits import MAX_NESTING

_scan_string: Any = decoder.scanstring  # type: ignore[attr-defined]  # public in the library, not in its stubs
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_WORDS: Final = {"true": True, "false": False, "null": None}


def quick(text: str) -> Any:
    """The value of a clean text. Raises ValueError for any other (see `parse` for what is wrong)."""
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if _is_deep(value):
        raise ValueError("nested too deep")
    return value


def parse(text: str) -> tuple[Any, Lines]:
    """The value and its lines. Raises SyntaxFault."""
    reader = _Reader(text)
    value, lines, end = reader.value(reader.skip(0), 1)
    end = reader.skip(end)
    if end != len(text):
        raise SyntaxFault(reader.line(end), "there is more text after the end of the JSON value")
    return value, lines


def _is_deep(value: Any) -> bool:
    level, here = 0, [value] if isinstance(value, dict | list) else []
    while here and level <= MAX_NESTING:
        level += 1
        here = [inner for outer in here for inner in (outer.values() if isinstance(outer, dict) else outer)
                if isinstance(inner, dict | list)]
    return level > MAX_NESTING


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise ValueError("a key stands twice")
    return values


def _no_constant(name: str) -> Any:
    raise ValueError(name)


class _Reader:
    """Recursive descent, bounded by MAX_NESTING; positions only move on, so lines are counted once."""

    def __init__(self, text: str) -> None:
        self._text, self._counted, self._line = text, 0, 1

    def line(self, at: int) -> int:
        """Line of a position not before the last one asked for."""
        if at > self._counted:
            self._line += self._text.count("\n", self._counted, at)
            self._counted = at
        return self._line

    def skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def value(self, at: int, depth: int) -> tuple[Any, Lines, int]:
        sign = self._text[at:at + 1]
        if sign in ("{", "["):
            if depth > MAX_NESTING:
                raise SyntaxFault(self.line(at), f"values are nested deeper than {MAX_NESTING} levels")
            return self._object(at, depth) if sign == "{" else self._array(at, depth)
        if sign == '"':
            line = self.line(at)
            text, end = self._string(at)
            return text, line, end
        return self._scalar(at)

    def _object(self, at: int, depth: int) -> tuple[Any, Lines, int]:
        values: dict[str, Any] = {}
        lines = MappingLines(self.line(at))
        at = self.skip(at + 1)
        while self._text[at:at + 1] != "}" or values:
            key_line = self.line(at)
            if self._text[at:at + 1] != '"':
                raise self._unexpected(at, "a key in double quotes")
            key, at = self._string(at)
            if key in values:
                raise SyntaxFault(key_line, f"key `{key}` stands twice (first on line {lines.keys[key]})")
            at = self._expect(self.skip(at), ":")
            values[key], lines.values[key], at = self.value(self.skip(at), depth + 1)
            lines.keys[key] = key_line
            at = self.skip(at)
            if self._text[at:at + 1] == "}":
                break
            at = self.skip(self._expect(at, ","))
        return values, lines, at + 1

    def _array(self, at: int, depth: int) -> tuple[Any, Lines, int]:
        values: list[Any] = []
        lines = SequenceLines(self.line(at))
        at = self.skip(at + 1)
        while self._text[at:at + 1] != "]" or values:
            value, inner, at = self.value(at, depth + 1)
            values.append(value)
            lines.values.append(inner)
            at = self.skip(at)
            if self._text[at:at + 1] == "]":
                break
            at = self.skip(self._expect(at, ","))
        return values, lines, at + 1

    def _string(self, at: int) -> tuple[str, int]:
        try:
            content, end = _scan_string(self._text, at + 1, True)
        except json.JSONDecodeError as error:
            raise SyntaxFault(self.line(at), f"a text in quotes is faulty: {error.msg}") from None
        return str(content), int(end)

    def _scalar(self, at: int) -> tuple[Any, Lines, int]:
        line = self.line(at)
        for word, value in _WORDS.items():
            if self._text.startswith(word, at):
                return value, line, at + len(word)
        match = _NUMBER.match(self._text, at)
        if match is None:
            raise self._unexpected(at, "a value")
        if match[1] or match[2]:
            return float(match[0]), line, match.end()
        if len(match[0]) > 300:
            raise SyntaxFault(line, "a number has too many digits")
        return int(match[0]), line, match.end()

    def _expect(self, at: int, sign: str) -> int:
        if self._text[at:at + 1] != sign:
            raise self._unexpected(at, f"`{sign}`")
        return at + 1

    def _unexpected(self, at: int, expected: str) -> SyntaxFault:
        found = self._text[at:at + 1]
        what = f"`{found}`" if found else "the end of the file"
        return SyntaxFault(self.line(at), f"{what} stands where {expected} should")
