"""Bytes cut into one slice a reading, NDJSON or JSON arrays, with bounded memory.

Nothing is decoded here. A line or element over MAX_LINE_BYTES is passed over and only its beginning is kept.
In an array the complete elements are slices of their own; what a truncated one leaves is one faulty slice.
Lines count from 1 at the first byte given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from emon.domain.errors import Fault
from emon.formats.text import BOM
from emon.limits import MAX_KEPT_RAW_BYTES, MAX_LINE_BYTES

_FLAT: Final = re.compile(rb'\s*+(\{[^{}"\[\]\\]*+(?:"[^"\\]*+"[^{}"\[\]\\]*+)*+\})\s*+([,\]])')
_SIGN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+("?)|[\[\]{},]', re.DOTALL)  # a text, closed or not, is one
_TEXT_END: Final = re.compile(rb'(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BACKSLASH: Final = ord("\\")
_QUOTE: Final = ord('"')


class RawSlice(NamedTuple):
    """Bytes of one reading. `fault`: why it cannot be one, where cutting already shows it."""

    line: int
    raw: bytes
    fault: Fault | None = None


def cut(chunks: Iterable[bytes]) -> Iterator[RawSlice]:
    """The slices of a file or body, given in chunks of any size."""
    pending = iter(chunks)
    start = b""
    for chunk in pending:
        start += chunk
        if len(start) >= len(BOM) and start.removeprefix(BOM).strip():
            break
    start = start.removeprefix(BOM)
    if start.lstrip()[:1] == b"[":
        yield from _Array(start, pending).slices()
    else:
        yield from _lines(start, pending)


def too_long(size: int) -> Fault:
    """The fault of a slice over the limit."""
    return Fault("line_too_long", f"more than {size} bytes in one reading; the limit is {MAX_LINE_BYTES}")


def _lines(start: bytes, chunks: Iterable[bytes]) -> Iterator[RawSlice]:
    number, rest, skipping = 0, b"", False
    for chunk in _chain(start, chunks):
        parts = chunk.split(b"\n")
        if skipping:
            if len(parts) == 1:
                continue
            number += 1
            yield RawSlice(number, rest, too_long(MAX_LINE_BYTES))
            del parts[0]
            skipping = False
        else:
            parts[0] = rest + parts[0]
        rest = parts.pop()
        for line in parts:
            number += 1
            if line and not line.isspace():
                yield _slice(number, line)
        if len(rest) > MAX_LINE_BYTES:
            rest, skipping = rest[:MAX_KEPT_RAW_BYTES], True
    if skipping:
        yield RawSlice(number + 1, rest, too_long(MAX_LINE_BYTES))
    elif rest and not rest.isspace():
        yield _slice(number + 1, rest)


def _slice(line: int, raw: bytes) -> RawSlice:
    if len(raw) > MAX_LINE_BYTES:
        return RawSlice(line, raw[:MAX_KEPT_RAW_BYTES], too_long(MAX_LINE_BYTES))
    return RawSlice(line, raw)


def _chain(start: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield start
    yield from chunks


class _Array:
    """Elements of one or more JSON arrays, one after the other.

    `_at` is where the element being read begins, on `_line`; `_scanned` is how far it was looked at, `_depth`
    and `_in_text` what was open there. Flat objects, nearly all readings, take one regular expression.
    """

    def __init__(self, start: bytes, chunks: Iterator[bytes]) -> None:
        self._buffer, self._chunks = start, chunks
        self._at, self._scanned, self._line = 0, 0, 1
        self._depth, self._in_text = 0, False
        self._move_to(start.index(b"[") + 1)

    def slices(self) -> Iterator[RawSlice]:
        first, passing_over = True, False
        while True:
            end = self._end_of_element()
            if end < 0:
                if not passing_over and len(self._buffer) - self._at > MAX_LINE_BYTES:
                    passing_over = True
                    yield self._element(len(self._buffer))
                if passing_over:
                    self._move_to(self._scanned)
                if not self._more():
                    yield from self._truncated(passing_over)
                    return
                continue
            closes = self._buffer[end : end + 1] == b"]"
            if not passing_over and not (first and closes and not self._buffer[self._at:end].strip()):
                yield self._element(end)
            self._move_to(end + 1)
            first, passing_over = False, False
            if closes:
                following = self._following()
                if following != b"[":
                    if following:
                        yield RawSlice(self._line, self._buffer[self._at:][:MAX_KEPT_RAW_BYTES],
                                       Fault("text_after_array", "there is more text after the end of the "
                                                                 "array"))
                    return
                self._move_to(self._buffer.index(b"[", self._at) + 1)
                first = True

    def _end_of_element(self) -> int:
        """Where the comma or bracket after the element is; -1: not in the buffer yet."""
        if self._scanned == self._at and self._depth == 0 and not self._in_text:
            flat = _FLAT.match(self._buffer, self._at)
            if flat:
                return flat.start(2)
        upto = len(self._buffer)
        while upto > self._scanned and self._buffer[upto - 1] == _BACKSLASH:
            upto -= 1  # what it escapes is in the next chunk
        if self._in_text:
            end = _TEXT_END.match(self._buffer, self._scanned, upto)
            if end is None:
                self._scanned = upto
                return -1
            self._scanned, self._in_text = end.end(), False
        for match in _SIGN.finditer(self._buffer, self._scanned, upto):
            sign = match[0]
            if sign[0] == _QUOTE:
                self._in_text = not match[1]
            elif sign in b"[{":
                self._depth += 1
            elif self._depth == 0 and sign in b",]":
                return match.start()
            else:
                self._depth = max(self._depth - (sign in b"]}"), 0)
        self._scanned = upto
        return -1

    def _more(self) -> bool:
        """Takes in another chunk; False at the end."""
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._buffer = self._buffer[self._at:] + chunk
        self._scanned -= self._at
        self._at = 0
        return True

    def _move_to(self, position: int) -> None:
        self._line += self._buffer.count(b"\n", self._at, position)
        self._at = self._scanned = position

    def _element(self, end: int) -> RawSlice:
        raw = self._buffer[self._at:end]
        blank = len(raw) - len(raw.lstrip())
        return _slice(self._line + raw.count(b"\n", 0, blank), raw.strip())

    def _truncated(self, passing_over: bool) -> Iterator[RawSlice]:
        """What stands at the end of a file whose array does not close: an element that is complete counts."""
        fault = Fault("truncated_array", "the array ends before its closing bracket: the file is incomplete")
        whole = self._buffer[self._at:].rstrip()
        if not passing_over and whole.endswith(b"}") and self._depth == 0 and not self._in_text:
            yield self._element(len(self._buffer))
            self._move_to(len(self._buffer))
        last = self._element(len(self._buffer))
        yield RawSlice(last.line, b"" if passing_over else last.raw[:MAX_KEPT_RAW_BYTES], fault)

    def _following(self) -> bytes:
        """The first sign after the array; empty at the end of the file."""
        while True:
            rest = self._buffer[self._at:]
            blank = len(rest) - len(rest.lstrip())
            self._move_to(self._at + blank)
            if blank < len(rest):
                return rest[blank : blank + 1]
            if not self._more():
                return b""
