"""Files of readings as arrivals: NDJSON and arrays, good parts count, memory stays bounded."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emon.domain import instant
from emon.domain.reading import Reading
from emon.formats.readings import Reject, read, read_stream
from emon.formats.slices import cut
from emon.formats.text import Unreadable
from emon.journal.records import OwnOutage


def _line(seconds: int = 0, **more: object) -> bytes:
    return json.dumps({"device": "D-1", "kind": "status", "event": "heartbeat",
                       "observed_at": f"2026-11-22T02:42:{seconds:02d}Z", **more}).encode()


def _read(data: bytes, chunk: int = 1 << 18) -> list[Reading | OwnOutage | Reject]:
    return list(read_stream((data[at:at + chunk] for at in range(0, len(data), chunk)), "f"))


def _kinds(data: bytes, chunk: int = 1 << 18) -> list[object]:
    """Readings by their second, rejects by line and code."""
    return [f"{each.line} {each.reason.partition(':')[0]}" if isinstance(each, Reject)
            else each.received_at // 10**6 % 60 for each in _read(data, chunk)]


@pytest.mark.parametrize("chunk", [1, 7, 1 << 18])
def test_lines_and_arrays_say_the_same(chunk: int) -> None:
    """Any line ends, blank lines, a byte-order mark, any chunks."""
    lines = [_line(1), _line(2, note='a "quoted" \\ ] } text'), _line(3, nested={"a": [{}, [1]]})]
    wanted = [1, 2, 3]
    assert _kinds(b"\n".join(lines), chunk) == wanted
    assert _kinds(b"\xef\xbb\xbf\r\n" + b"\r\n\r\n".join(lines) + b"\r\n", chunk) == wanted
    assert _kinds(b"[" + b",".join(lines) + b"]", chunk) == wanted
    assert _kinds(b"\xef\xbb\xbf \n[\n" + b" ,\n\n".join(lines) + b"\n]\n", chunk) == wanted
    assert _kinds(b"[" + lines[0] + b"]\n[]\n[" + b",".join(lines[1:]) + b"]", chunk) == wanted


@pytest.mark.parametrize("chunk", [1, 7, 1 << 18])
@pytest.mark.parametrize(("data", "wanted"), [
    (_line(1) + b"\n{oops}\n" + _line(3), [1, "2 not_json", 3]),
    (b'[\n' + _line(1) + b",\n\n {oops},\n" + _line(3) + b"]", [1, "4 not_json", 3]),
    (b"[" + _line(1) + b",\n7,\n" + _line(3) + b"]", [1, "2 not_an_object", 3]),
    (b"[" + _line(1) + b",\n" + _line(2) + b",\n" + _line(3)[:-9], [1, 2, "3 truncated_array"]),
    (b"[" + _line(1) + b",\n" + _line(2), [1, 2, "2 truncated_array"]),
    (b"[" + _line(1) + b",\n", [1, "2 truncated_array"]),
    (b"[", ["1 truncated_array"]),
    (b"[]", []), (b"[ \n ]\n", []), (b"", []), (b"\n\n", []),
    (b"[" + _line(1) + b",]", [1, "1 not_json"]),
    (b"[" + _line(1) + b" " + _line(2) + b"]", ["1 not_json"]),
    (b"[" + _line(1) + b"]\n" + _line(2), [1, "2 text_after_array"]),
    (_line(1) + b"\n[1]\n\"x\"\n", [1, "2 not_an_object", "3 not_an_object"]),
    (_line(1) + b'\n{"a": "\xff"}\n', [1, "2 not_utf8"]),
    (_line(1)[:-5], ["1 not_json"]),
])
def test_bad_parts_cost_only_themselves(data: bytes, wanted: list[object], chunk: int) -> None:
    """Each reject names the line where it starts."""
    assert _kinds(data, chunk) == wanted


def test_rejects_are_written_with_file_line_reason_and_raw() -> None:
    """One line of NDJSON each; bytes that are no text are shown."""
    (reject,) = [each for each in _read(_line(1) + b'\n{"lat": \xff}\r\n') if isinstance(each, Reject)]
    assert json.loads(reject.encode()) == {"file": "f", "line": 2, "reason": "not_utf8: the bytes are not "
                                                                             "UTF-8",
                                           "raw": '{"lat": \\xff}'}
    assert str(reject) == "f:2: not_utf8: the bytes are not UTF-8"


def test_received_at_never_goes_back(tmp_path: Path) -> None:
    """Over all files in the order given; rejects do not move the clock."""
    first, second = tmp_path / "1.ndjson", tmp_path / "2.json"
    first.write_bytes(_line(1, received_at="2026-11-22T02:50:00Z") + b"\n"
                      + _line(2, lat=1, kind="position",
                              received_at="2026-11-23T00:00:00Z") + b"\n" + _line(3))
    second.write_bytes(b"[" + _line(4, received_at="2026-11-22T02:49:00Z") + b","
                       + _line(5, received_at="2026-11-22T02:51:00Z") + b"]")
    arrived = [instant.iso(each.received_at)[11:16] for each in read([first, second])
               if not isinstance(each, Reject)]
    assert arrived == ["02:50", "02:50", "02:50", "02:51"]


def test_a_clock_that_runs_ahead_is_judged_by_the_effective_arrival() -> None:
    """A day ahead is kept, more is rejected; without `received_at` nothing is ahead."""
    early = _line(1, received_at="2026-11-21T02:42:00Z")
    assert _kinds(early) == ["1 observed_ahead"]
    assert _kinds(_line(0) + b"\n" + early) == [0, 0]


def test_outages_of_emon_itself() -> None:
    """A record between readings."""
    outage = b'{"v":1,"kind":"own_outage","from":"2026-11-22T02:42:01Z","to":"2026-11-22T02:42:09Z"}'
    each = _read(_line(1) + b"\n" + outage + b"\n" + outage[:-3] + b'9"}')
    start = instant.parse("2026-11-22T02:42:01Z")
    assert each[1] == OwnOutage(received_at=start + 8 * 10**6, from_=start, to=start + 8 * 10**6)
    assert isinstance(each[2], Reject)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    """UTF-16, no UTF-8 at all, a folder, nothing there: unreadable, before anything else is read."""
    wide, latin, good = tmp_path / "wide", tmp_path / "latin", tmp_path / "good"
    good.write_bytes(_line(1))
    wide.write_bytes(_line(1).decode().encode("utf-16"))
    latin.write_bytes(b'{"a": "\xe9"}\n{"b": "\xfc"}\n')
    for file, reason in ((wide, "UTF-16"), (tmp_path, "is a folder"), (tmp_path / "none", "cannot be read")):
        with pytest.raises(Unreadable, match=reason):
            next(read([good, file]))
    with pytest.raises(Unreadable, match="no line of it is UTF-8"):
        list(read([latin]))


def _huge(size: int, start: bytes, end: bytes) -> Iterator[bytes]:
    yield start
    for _ in range(size >> 16):
        yield b'x\\"' * 21_845
    yield end


@pytest.mark.parametrize("array", [False, True])
def test_a_huge_line_is_passed_over_without_being_kept(array: bool) -> None:
    """Sixteen megabytes in one line: one reject with its beginning, and the next line counts."""
    separator = b",\n" if array else b"\n"
    start, end = (b"[" if array else b"") + _line(1) + separator + b'{"a": "', b'"}' + separator + _line(3)
    tracemalloc.start()
    each = list(read_stream(_huge(16 << 20, start, end + (b"]" if array else b"")), "f"))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [type(one) for one in each] == [Reading, Reject, Reading]
    reject = each[1]
    assert isinstance(reject, Reject)
    assert (reject.line, reject.reason.partition(":")[0], len(reject.raw)) == (2, "line_too_long", 65_536)
    assert peak_bytes < 8 << 20


_JSON = st.recursive(st.one_of(st.none(), st.integers(), st.text(max_size=6)),
                     lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner,
                                                                                 max_size=3),
                     max_leaves=8)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.dictionaries(st.text(max_size=4), _JSON, max_size=4), min_size=1, max_size=6),
       st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_any_array_is_cut_into_its_elements(values: list[dict[str, object]], chunk: int, indent: int | None,
                                            ascii_only: bool) -> None:
    """Whatever the elements hold and wherever chunks end, slices are the elements, at their lines."""
    text = json.dumps(values, indent=indent, ensure_ascii=ascii_only)
    data = text.encode("utf-8", errors="surrogatepass")
    pieces = list(cut(data[at:at + chunk] for at in range(0, len(data), chunk)))
    assert [json.loads(piece.raw) for piece in pieces] == values
    assert all(piece.fault is None for piece in pieces)
    if indent is not None:
        assert all(text.splitlines()[piece.line - 1].strip().startswith("{") for piece in pieces if "\x85" not
                   in text
                   and "\u2028" not in text and "\u2029" not in text)


def test_reading_is_quick(tmp_path: Path) -> None:
    """A file of NDJSON takes no more than the decoding of its lines; well below the usual figure."""
    file = tmp_path / "r.ndjson"
    file.write_bytes(b"\n".join(_line(n % 60, seq=n) for n in range(30_000)))
    start = time.process_time()
    assert sum(isinstance(each, Reading) for each in read([file])) == 30_000
    assert 30_000 / (time.process_time() - start) > 35_000
