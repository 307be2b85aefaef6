"""Files of orders, zones and whatever else people write: plain values that know their lines.

`.json` and `.geojson` hold one JSON value, an object or an array of objects; everything else is YAML with
any number of documents (a file that begins with a brace or bracket is tried as JSON first, which allows
tabs). A folder stands for the files with a known ending in it and below, sorted. A file or folder without
any object is a fault, because a court's order that was silently not read is the worst case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emon.formats import json_text, text, yaml_text
from emon.formats.faults import FileFault
from emon.formats.lines import Lines, PathPart, SyntaxFault, line_of
from emon.limits import MAX_DOCUMENT_BYTES

ENDINGS: Final = (".yaml", ".yml", ".json", ".geojson")
_JSON_ENDINGS: Final = (".json", ".geojson")


class _LazyLines:
    """Lines of a JSON text, found only when something must be reported."""

    def __init__(self, source: str, lines: Lines | None) -> None:
        self._source, self._lines = source, lines

    def get(self) -> Lines:
        if self._lines is None:
            self._lines = json_text.parse(self._source)[1]
        return self._lines


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a file. `path` leads to it from the file's top value."""

    file: str
    value: dict[str, Any]
    path: tuple[PathPart, ...]
    _lines: _LazyLines

    def line(self, path: Sequence[PathPart] = ()) -> int:
        """Line of the node at `path` within the object."""
        return line_of(self._lines.get(), (*self.path, *path))

    def fault(self, reason: str, path: Sequence[PathPart] = ()) -> FileFault:
        """A fault of the node at `path`."""
        return FileFault(self.file, self.line(path), reason)


def find(paths: Iterable[Path]) -> tuple[list[Path], list[FileFault]]:
    """The files that the paths stand for, each once; folders without any are faults."""
    files: dict[Path, None] = {}
    faults: list[FileFault] = []
    for path in paths:
        if not path.is_dir():
            files[path] = None
            continue
        inside = sorted(file for file in path.rglob("*") if _counts(file, path))
        if not inside:
            faults.append(FileFault(str(path), 1, f"no file in this folder ends in {', '.join(ENDINGS)}"))
        files.update(dict.fromkeys(inside))
    return list(files), faults


def load(path: Path) -> tuple[list[Document], list[FileFault]]:
    """A file's objects and the faults that kept others from being read. Raises text.Unreadable."""
    source, bad_line = text.decode(text.read_bytes(path, MAX_DOCUMENT_BYTES), str(path))
    if bad_line is not None:
        return [], [FileFault(str(path), bad_line, "this line is not UTF-8; save the file as UTF-8")]
    return parse(source, str(path), is_json=path.suffix.lower() in _JSON_ENDINGS)


def parse(source: str, file: str, *, is_json: bool) -> tuple[list[Document], list[FileFault]]:
    """As `load`, from text."""
    documents: list[Document] = []
    faults: list[FileFault] = []
    try:
        for value, lines in _values(source, is_json):
            _collect(file, value, lines, documents, faults)
    except SyntaxFault as fault:
        faults.append(FileFault(file, fault.line, fault.reason))
    if not documents and not faults:
        faults.append(FileFault(file, 1, "no object in this file"))
    return documents, faults


def _counts(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and file.suffix.lower() in ENDINGS and file.is_file()


def _values(source: str, is_json: bool) -> Iterator[tuple[Any, _LazyLines]]:
    if not source.strip():
        return
    if is_json or source.lstrip()[:1] in ("{", "["):
        try:
            yield json_text.quick(source), _LazyLines(source, None)
            return
        except ValueError:
            if is_json:
                value, lines = json_text.parse(source)
                yield value, _LazyLines(source, lines)
                return
    for value, lines in yaml_text.parse_all(source):
        yield value, _LazyLines(source, lines)


def _collect(file: str, value: Any, lines: _LazyLines, documents: list[Document],
             faults: list[FileFault]) -> None:
    elements = enumerate(value) if isinstance(value, list) else [(None, value)]
    for index, element in elements:
        path: tuple[PathPart, ...] = () if index is None else (index,)
        if isinstance(element, dict):
            documents.append(Document(file, element, path, lines))
        else:
            line = line_of(lines.get(), path)
            faults.append(FileFault(file, line, f"{element!r:.60} is no object with keys"))
