"""Files to plain values with lines: YAML as people mean it, JSON with any white space, hostile files."""

from __future__ import annotations

from pathlib import Path

import pytest

from emon.formats import documents, yaml_text
from emon.formats.text import Unreadable


def _values(source: str, *, is_json: bool = False) -> list[dict[str, object]]:
    found, faults = documents.parse(source, "f", is_json=is_json)
    assert not faults, faults
    return [document.value for document in found]


def _fault(source: str, *, is_json: bool = False) -> str:
    _, faults = documents.parse(source, "f", is_json=is_json)
    return str(faults[0])


@pytest.mark.parametrize(("written", "meant"), [
    ("20:00", "20:00"), ("2026-11-01T00:00:00-05:00", "2026-11-01T00:00:00-05:00"),
    ("2026-12-24", "2026-12-24"),
    ("no", "no"), ("on", "on"), ("true", True), ("~", None), ("12", 12), ("-1.5e3", -1500.0),
    ("1_000", "1_000"),
    ("'12'", "12"), ("0x1F", "0x1F"), ("!!str 12", "12"),
])
def test_scalars_are_what_people_mean(written: str, meant: object) -> None:
    """YAML 1.1 would make 1200 of 20:00 and false of no."""
    assert _values(f"a: {written}") == [{"a": meant}]


def test_several_documents_and_arrays_in_one_file() -> None:
    """Every object of a file is a document of its own."""
    assert _values("a: 1\n---\n---\n- b: 2\n- c: 3\n") == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_json_with_tabs_and_escapes() -> None:
    """White space and escapes that YAML does not take."""
    assert _values('{\t"a":\t"x\\/\\ud83d\\ude00"}') == [{"a": "x/\U0001f600"}]
    assert _values('\n[{"a": 1},\n {"a": 2}]', is_json=True) == [{"a": 1}, {"a": 2}]


def test_flow_mapping_that_is_no_json_is_yaml() -> None:
    """A YAML file may begin with a brace."""
    assert _values("{a: 1, b: [x, y]}") == [{"a": 1, "b": ["x", "y"]}]


@pytest.mark.parametrize("is_json", [False, True])
def test_lines_of_keys_and_values(is_json: bool) -> None:
    """A fault of a node names its line, one of a missing node the line of what is around it."""
    source = '[\n {"a": 1,\n  "b": [{"c": 2},\n   {"c":\n 3}]}\n]'
    (document,), _ = documents.parse(source, "f", is_json=is_json)
    lines = [document.line(path) for path
             in ((), ("a",), ("b",), ("b", 1), ("b", 1, "c"), ("b", 1, "missing"))]
    assert lines == [2, 2, 3, 4, 5, 4]


@pytest.mark.parametrize(("source", "is_json", "fault"), [
    ("a: 1\nb: 2\na: 3\n", False, "f:3: key `a` stands twice (first on line 1)"),
    ('{"a": 1,\n"a": 2}', True, "f:2: key `a` stands twice (first on line 1)"),
    ("a: [1, 2\nb: 3\n", False, "f:2: not YAML"),
    ('{"a": 1,\n "b": }', True, "f:2: `}` stands where a value should"),
    ('{"a": 1}\n{"b": 2}', True, "f:2: there is more text after the end"),
    ('{"a": NaN}', True, "f:1: `N` stands where a value should"),
    ('{"a": "x', True, "f:1: a text in quotes is faulty"),
    ("a: !!python/object:os.system x", False, "f:1: tag `tag:yaml.org,2002:python/object:os.system` is not "
                                              "taken"),
    ("- 1\n- a: 2\n", False, "f:1: 1 is no object with keys"),
    ("just text", False, "f:1: 'just text' is no object with keys"),
    ("", False, "f:1: no object in this file"),
    ("# only a comment\n---\n", False, "f:1: no object in this file"),
    ("[]", True, "f:1: no object in this file"),
    ("a: *b", False, "f:1: alias `*b` is not known"),
    ("a: &b\n  c: *b", False, "f:2: alias `*b` stands inside itself"),
    ("? [1, 2]\n: 3\n", False, "f:1: a key is not a plain text"),
    ("a: \x00", False, "f:1: not YAML"),
])
def test_faults_name_their_line(source: str, is_json: bool, fault: str) -> None:
    """What cannot be parsed says where and why."""
    assert _fault(source, is_json=is_json).startswith(fault)


def test_documents_before_a_fault_still_count() -> None:
    """One broken document costs no other before it."""
    found, faults = documents.parse("a: 1\n---\nb: 2\n---\nc: [\n", "f", is_json=False)
    assert [document.value for document in found] == [{"a": 1}, {"b": 2}]
    assert len(faults) == 1


@pytest.mark.parametrize("is_json", [False, True])
def test_deep_nesting_is_a_fault(is_json: bool) -> None:
    """A thousand brackets are an attack, not a document, and no recursion error."""
    assert "nested deeper" in _fault('{"a":' + "[" * 500 + "]" * 500 + "}", is_json=is_json)


def test_alias_bomb_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Aliases that multiply are counted as if written out, and cost no memory until then."""
    monkeypatch.setattr(yaml_text, "MAX_DOCUMENT_NODES", 10_000)
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    assert "more than 10000 values" in _fault(bomb)


def test_files_are_utf8(tmp_path: Path) -> None:
    """A byte-order mark is skipped; UTF-16 is unreadable; a single bad line is a fault of that line."""
    file = tmp_path / "o.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert documents.load(file)[0][0].value == {"a": 1}
    file.write_bytes("a: 1\n".encode("utf-16"))
    with pytest.raises(Unreadable, match="UTF-16"):
        documents.load(file)
    file.write_bytes(b"a: 1\nb: \xff\n")
    assert [str(fault) for fault in documents.load(file)[1]] == [
        f"{file}:2: this line is not UTF-8; save the file as UTF-8"]
    file.write_bytes(b"a: \xff\nb: \xff\n")
    with pytest.raises(Unreadable, match="no line of it is UTF-8"):
        documents.load(file)
    with pytest.raises(Unreadable, match="cannot be read"):
        documents.load(tmp_path / "missing.yaml")


def test_folders_are_searched_in_order(tmp_path: Path) -> None:
    """Known endings, below too, sorted; hidden ones not; an empty folder is a fault."""
    for name in ("b.yml", "a.yaml", "sub/c.JSON", "d.geojson", "e.txt", ".hidden.yaml", ".git/x.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    files, faults = documents.find([tmp_path, tmp_path / "a.yaml"])
    assert [str(file.relative_to(tmp_path)) for file in files] == ["a.yaml", "b.yml", "d.geojson",
                                                                   "sub/c.JSON"]
    assert not faults
    (tmp_path / "empty").mkdir()
    assert "no file in this folder" in str(documents.find([tmp_path / "empty"])[1][0])
