"""The command line as its users meet it: exit codes, one line a fault, never a traceback."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ORDER = """
order: WI-1
version: 1
participant: P-1
time_zone: America/Chicago
effective_from: 2026-11-01T00:00:00-05:00
devices: [{device: A-1, from: 2026-11-01T00:00:00-05:00}]
conditions:
  - {id: c1, kind: exclusion_zone, zone: school, confirm_fixes: 2}
  - {id: c2, kind: contact, every_s: 600, hold_s: 300}
"""
ZONES = {"type": "FeatureCollection", "features": [{
    "type": "Feature", "properties": {"id": "school", "version": 1, "kind": "exclusion", "radius_m": 200},
    "geometry": {"type": "Point", "coordinates": [-89.4, 43.07]}}]}


def emon(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the command."""
    done = subprocess.run([sys.executable, "-m", "emon", *map(str, arguments)], capture_output=True, text=True,
                          input=stdin, check=False, timeout=280)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def reading(minute: int, lat: float = 43.07, **more: object) -> str:
    """A native position in the middle of the zone unless told otherwise."""
    return json.dumps({"v": 1, "device": "A-1", "kind": "position", "lat": lat, "lon": -89.4, "accuracy_m": 8,
                       "method": "gnss", "observed_at": f"2026-11-22T02:{minute:02d}:00Z", **more})


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Orders, zones and readings with one stay in a zone."""
    (tmp_path / "orders.yaml").write_text(ORDER)
    (tmp_path / "zones.geojson").write_text(json.dumps(ZONES))
    (tmp_path / "readings.ndjson").write_text("\n".join(reading(m) for m in (1, 2, 3)) + "\n")
    return tmp_path


def evaluate(case: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    return emon("evaluate", "--orders", case / "orders.yaml", "--zones", case / "zones.geojson",
                "--readings", case / "readings.ndjson", "--out", case / "findings.ndjson", *more)


def found(case: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (case / "findings.ndjson").read_text().splitlines()]


def test_evaluate_writes_findings_with_their_evidence(case: Path) -> None:
    done = evaluate(case)
    assert done.returncode == 0, done.stderr
    zone = [f for f in found(case) if f["kind"] == "exclusion_zone"]
    assert [(f["status"], f["onset"], f["level"]) for f in zone] == [
        ("opened", "2026-11-22T02:01:00Z", 3)]
    evidence = zone[0]["evidence"]
    assert isinstance(evidence, dict)
    assert [r["observed_at"] for r in evidence["readings"]][:2] == [
        "2026-11-22T02:01:00Z", "2026-11-22T02:02:00Z"]


def test_evaluate_until_lets_the_clock_run_on(case: Path) -> None:
    assert evaluate(case, "--until", "2026-11-22T03:00:00Z").returncode == 0
    assert [f["onset"] for f in found(case) if f["kind"] == "contact_lost"][-1] == "2026-11-22T02:13:00Z"


def test_rejected_readings_cost_only_themselves(case: Path) -> None:
    lines = [reading(1), '{"v":1,"device":"A-1"', reading(2, lat=91), reading(3), reading(4)]
    (case / "readings.ndjson").write_text("\n".join(lines) + "\n")
    done = evaluate(case, "--rejects", case / "rejects.ndjson")
    assert done.returncode == 1
    rejects = [json.loads(line) for line in (case / "rejects.ndjson").read_text().splitlines()]
    assert [r["line"] for r in rejects] == [2, 3]
    assert all(set(r) == {"file", "line", "reason", "raw"} for r in rejects)
    assert f"{case / 'readings.ndjson'}:3: " in done.stderr
    assert any(f["kind"] == "exclusion_zone" for f in found(case))


def test_faulty_orders_stop_everything(case: Path) -> None:
    (case / "orders.yaml").write_text(ORDER.replace("hold_s", "hold_z").replace("zone: school", "zone: scool"))
    done = evaluate(case)
    assert done.returncode == 1
    assert f"{case / 'orders.yaml'}:10: unknown key `hold_z`; did you mean `hold_s`?" in done.stderr
    assert f"{case / 'orders.yaml'}:9: zone `scool`" in done.stderr
    assert not (case / "findings.ndjson").exists()


@pytest.mark.parametrize(("arguments", "says"), [
    (["--until", "yesterday"], "RFC 3339"), (["--rules", "9"], "--rules"), (["--nonsense"], "--nonsense")])
def test_wrong_usage_is_2(case: Path, arguments: list[str], says: str) -> None:
    done = evaluate(case, *arguments)
    assert done.returncode == 2
    assert says in done.stderr


def test_unreadable_input_is_2_and_named(case: Path) -> None:
    (case / "readings.ndjson").write_bytes(reading(1).encode("utf-16"))
    done = evaluate(case)
    assert done.returncode == 2
    assert f"{case / 'readings.ndjson'}: is UTF-16" in done.stderr
    (case / "readings.ndjson").unlink()
    assert evaluate(case).returncode == 2


def test_no_reading_and_no_until_is_an_empty_output(case: Path) -> None:
    (case / "readings.ndjson").write_text("")
    assert evaluate(case).returncode == 0
    assert found(case) == []


def test_check_lists_every_fault_beside_an_unreadable_file(case: Path) -> None:
    (case / "b.yaml").write_text(ORDER.replace("America/Chicago", "America/Chicgo"))
    (case / "c.yaml").write_bytes("order: X".encode("utf-16"))
    done = emon("check", case)
    assert done.returncode == 2
    assert "b.yaml:5: time zone `America/Chicgo` is not known" in done.stdout
    assert "c.yaml: is UTF-16" in done.stdout
    assert emon("check", case / "orders.yaml", case / "zones.geojson").returncode == 0


def test_feed_check_reports_from_standard_input() -> None:
    done = emon("feed", "check", "native", "-", stdin=reading(1) + "\n" + reading(2, lat=91) + "\n")
    assert done.returncode == 1
    assert "1 position" in done.stdout
    assert "-:2: lat_out_of_range" in done.stdout
    assert emon("feed", "check", "telepathy", "-", stdin="").returncode == 2


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    made = emon("key", "create", "--feed", "acme", "--adapter", "native", "--data", tmp_path)
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    listed = emon("key", "list", "--data", tmp_path).stdout
    assert "acme" in listed
    assert key not in listed
    assert key.encode() not in (tmp_path / "emon.sqlite").read_bytes()
    key_id = listed.split("\t")[0]
    assert emon("key", "revoke", key_id, "--data", tmp_path).returncode == 0
    assert "revoked" in emon("key", "list", "--data", tmp_path).stdout
    assert emon("key", "revoke", "nonsense", "--data", tmp_path).returncode == 2


def test_a_service_that_is_away_is_3(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMON_STORE", "postgresql://127.0.0.1:1/emon")
    monkeypatch.setenv("EMON_DATA", str(tmp_path))
    done = emon("db", "upgrade")
    assert done.returncode == 3
    assert "store is away" in done.stderr


def test_an_unknown_role_or_setting_is_2(monkeypatch: pytest.MonkeyPatch) -> None:
    done = emon("run", "evaluat")
    assert done.returncode == 2
    assert "ingest, route, evaluate" in done.stderr
    monkeypatch.setenv("EMON_LISTEN_PORT", "many")
    done = emon("up")
    assert done.returncode == 2
    assert "EMON_LISTEN_PORT" in done.stderr


def test_the_settings_table_is_current() -> None:
    shipped = (Path(__file__).parents[3] / "deploy" / "settings.md").read_text()
    assert emon("settings").stdout.strip() in shipped


def test_a_changed_log_is_told(tmp_path: Path) -> None:
    from emon.store import log, open_engine, upgrade, writing

    engine = open_engine(f"sqlite:///{tmp_path / 'emon.sqlite'}")
    upgrade(engine)
    with writing(engine) as connection:
        log.lock(connection)
    assert emon("audit", "verify", "--data", tmp_path).stdout == "the alerts' log holds: 0 entries\n"
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE chain SET seq = 1")
    done = emon("audit", "verify", "--data", tmp_path)
    assert done.returncode == 1
    assert "entries are missing at the end" in done.stderr


def test_a_port_in_use_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found out before anything is opened."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("EMON_LISTEN_PORT", str(other.getsockname()[1]))
        done = emon("up", "--data", tmp_path / "data")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "EMON_LISTEN_PORT" in done.stderr


def test_readings_of_nobody_move_the_clock_too(case: Path) -> None:
    """The default of --until is the last arrival of anything."""
    (case / "orders.yaml").write_text(ORDER.replace("confirm_fixes: 2", "confirm_fixes: 2, hold_s: 600"))
    stranger = reading(20).replace("A-1", "X-9")
    (case / "readings.ndjson").write_text("\n".join([reading(1), reading(2), stranger]) + "\n")
    assert evaluate(case).returncode == 0
    assert [(f["onset"], f["decided_at"]) for f in found(case) if f["kind"] == "exclusion_zone"] == [
        ("2026-11-22T02:01:00Z", "2026-11-22T02:11:00Z")]


@pytest.mark.parametrize("host", ["0.0.0.0", "emon.example", "::"])
def test_nobody_listens_to_the_world_before_there_is_a_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                                             host: str) -> None:
    monkeypatch.setenv("EMON_LISTEN_HOST", host)
    done = emon("up", "--data", tmp_path)
    assert done.returncode == 2
    assert "EMON_LISTEN_HOST" in done.stderr
