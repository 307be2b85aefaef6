"""`emon evaluate` over files: its clock."""

from __future__ import annotations

import json
from pathlib import Path

from emon.batch import evaluate_files

_ORDER = {"order": "O", "version": 1, "participant": "P", "effective_from": "2026-11-22T00:00:00Z",
          "received_at": "2026-11-22T00:10:00Z", "conditions": [{"id": "c6", "kind": "device_integrity"}],
          "devices": [{"device": name, "from": "2026-11-22T00:00:00Z"} for name in ("D", "E")]}
_OPENED = {"v": 1, "device": "D", "kind": "status", "event": "strap_open", "observed_at": "2026-11-22T00:05:00Z",
           "received_at": "2026-11-22T01:00:00Z"}


def test_a_single_reading_is_judged_when_it_came_in(tmp_path: Path) -> None:
    (tmp_path / "orders.json").write_text(json.dumps(_ORDER))
    (tmp_path / "readings.ndjson").write_text(json.dumps(_OPENED) + "\n")
    evaluate_files([tmp_path / "orders.json"], [], [tmp_path / "readings.ndjson"], tmp_path / "out.ndjson")
    found = [json.loads(line) for line in (tmp_path / "out.ndjson").read_text().splitlines()]
    assert [(f["kind"], f["decided_at"]) for f in found] == [("tamper", "2026-11-22T01:00:00Z")]
