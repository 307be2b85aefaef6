"""All lines of the table but the floors: each under its own name, with its load, target and floors."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import httpx

from emon.limits import EVALUATE_RECORDS
from simulators.parts import free_port
from simulators.workload import Workload
from tests.bench import floors, loads, scaleout, stepping
from tests.bench.apart import apart
from tests.bench.embedded import Embedded, Run, embedded, stored_findings
from tests.bench.line import KILOBYTES, MICROSECONDS, MILLISECONDS, RATE, SECONDS, Line
from tests.bench.processes import running, wait_for
from tests.bench.ruled import RULES

Floors = Mapping[str, float]

STEP_S: Final = 45.0  # no measurement of the evaluator alone takes longer
EVALUATOR: Final = 350_000.0
ALL_RULES: Final = 250_000.0
SHUFFLED: Final = 30_000.0
EMBEDDED: Final = 25_000.0
SINGLES: Final = 2_000.0
OFFERED: Final = 10_000
P99_MS: Final = 400.0
SCALED_OUT: Final = 40_000.0
PARTICIPANT_KB: Final = 40.0
GROWTH_KB: Final = 4.0
FIRST_ALERT_S: Final = 15.0
SETTLE_S: Final = 12.0
CONNECTIONS, SINGLE_CONNECTIONS = 8, 64
STEADY_CONNECTIONS = 32  # enough for no body to wait for another's answer: the load is offered whatever comes back


def evaluator(quick: bool, known: Floors) -> Iterator[Line]:
    """The evaluator's step, in order and in no order at all."""
    own = _of(known, floors.DECODE, floors.GEOMETRY)
    done = apart(stepping.in_order, 150_000 if quick else 1_000_000, STEP_S / (4 if quick else 1))
    yield Line(name="evaluator, in order", workload=f"{done.readings:,} readings as they came, {EVALUATE_RECORDS:,} "
               "records a step, history and snapshots on", figure=done.readings / done.wall_s,
               per_cpu=done.readings / done.cpu_s, unit=RATE, target=EVALUATOR, floors=own,
               note=f"{done.findings} revisions")
    people = 20 if quick else 500
    done = apart(stepping.shuffled, people, STEP_S / (4 if quick else 1))
    yield Line(name="evaluator, shuffled", workload=f"a day of {people} people in no order, {done.readings:,} "
               "readings", figure=done.readings / done.wall_s, per_cpu=done.readings / done.cpu_s, unit=RATE,
               target=SHUFFLED, floors=own, note=f"{done.findings} revisions")


def rules(quick: bool, known: Floors) -> Iterator[Line]:
    """All rules in force, and what each costs a reading beside one exclusion zone."""
    readings, seconds = (100_000, STEP_S / 4) if quick else (400_000, STEP_S)
    own = _of(known, floors.DECODE, floors.GEOMETRY)
    done = apart(stepping.under_rules, frozenset(RULES), 2, readings, seconds)
    yield Line(name="evaluator, all rules", workload=f"{done.readings:,} readings, every kind of condition, about 7 a "
               "participant", figure=done.readings / done.wall_s, per_cpu=done.readings / done.cpu_s, unit=RATE,
               target=ALL_RULES, floors=own, note=f"{done.findings} revisions")
    alone = apart(stepping.under_rules, frozenset[str](), 1, readings, seconds)
    base = alone.cpu_s / alone.readings
    yield Line(name="rule, exclusion_zone", workload="one zone each, nothing else", figure=base * 1e6,
               unit=MICROSECONDS, better="below")
    for kind in RULES:
        done = apart(stepping.under_rules, frozenset({kind}), 1, readings, seconds)
        yield Line(name=f"rule, {kind}", workload="beside one zone each", note=f"{done.findings} revisions",
                   figure=(done.cpu_s / done.readings - base) * 1e6, unit=MICROSECONDS, better="below")


def http(quick: bool, known: Floors) -> Iterator[Line]:
    """One `emon up`: bodies of 100, then bodies of one; and how large it grew."""
    minutes = 10 if quick else 60
    load = loads.with_visits(loads.usual(minutes, start_us=_now_us() - round(minutes * 60e6)))
    bodies = [(0, body) for body in load.bodies(loads.BODY)]
    singles = [(0, line + b"\n") for _, body in bodies[-(40 if quick else 150):] for line in body.splitlines()]
    with TemporaryDirectory(prefix="emon-bench-") as name:
        folder = Path(name)
        few = loads.with_visits(loads.fewer(10, start_us=_now_us() - round(10 * 60e6)))
        with embedded(folder / "few", few) as up:
            base = max(up.load([(0, body) for body in few.bodies(loads.BODY)], CONNECTIONS).rss)
        with embedded(folder / "full", load) as up:
            run = up.load(bodies, CONNECTIONS)
            yield _throughput("embedded, bodies of 100", run, load, EMBEDDED, known)
            yield _memory(run, base, load, few)
            run = up.load(_again(singles), SINGLE_CONNECTIONS)
            yield _throughput("embedded, bodies of one", run, load, SINGLES, known)


def _again(singles: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The same readings as new ones: observed a little later each."""
    return [(0, body.replace(b'Z","lat"', b'1Z","lat"')) for _, body in singles]


def _throughput(name: str, run: Run, load: Workload, target: float, known: Floors) -> Line:
    answered = run.answered
    taken = answered.readings + answered.duplicates
    return Line(name=name, workload=f"{taken:,} readings, HTTP in to alerts raised", figure=taken / run.wall_s,
                per_cpu=taken / run.cpu_s, unit=RATE, target=target, floors=_of(known, *_journal(known, "sqlite")),
                holds=not answered.rejected, note=f"answered {taken / answered.wall_s:,.0f}/s, median "
                f"{statistics.median(answered.answer_ms):.0f} ms" + _others(answered.other))


def _others(other: Mapping[str, int]) -> str:
    return "".join(f", {count} times {status}" for status, count in sorted(other.items()))


def _memory(run: Run, base: int, load: Workload, few: Workload) -> Line:
    """What a participant costs: the buffers of a process at full speed are as large for few people as for many."""
    each = (max(run.rss) - base) / (load.participants - few.participants) / 1e3
    return Line(name="memory, embedded", workload=f"`emon up` at full speed, {len(load):,} readings of "
                f"{load.participants:,} participants against as many a second of {few.participants:,}", figure=each,
                unit=KILOBYTES, target=PARTICIPANT_KB, better="below",
                note=f"{max(run.rss) / 1e6:.0f} MB at most against {base / 1e6:.0f} MB")


def latency(quick: bool, known: Floors) -> Iterator[Line]:
    """From the reading's receipt to the finding stored, under a steady load."""
    seconds = 10 if quick else 30
    with TemporaryDirectory(prefix="emon-bench-") as name:
        folder = Path(name)
        with embedded(folder, loads.steady(seconds)) as up:  # the orders of that load hold for any start
            load = loads.with_visits(loads.steady(seconds, _now_us() + round(SETTLE_S * 1e6)))
            run = up.load(_planned(load), STEADY_CONNECTIONS)
            yield from _latencies(up, run, load, known)


def _planned(load: Workload) -> list[tuple[int, bytes]]:
    due = load.received_us[loads.BODY - 1::loads.BODY].tolist()
    return list(zip([*due, int(load.received_us[-1])], load.bodies(loads.BODY), strict=False))


def _latencies(up: Embedded, run: Run, load: Workload, known: Floors) -> Iterator[Line]:
    took = sorted((one.recorded_at - one.received_at) / 1e3 for one in stored_findings(up.folder)
                  if one.received_at is not None and one.recorded_at is not None)
    if len(took) < 100:
        raise AssertionError(f"{len(took)} findings are too few to speak of a percentile")
    workload = (f"{len(load) / (load.received_us[-1] - load.received_us[0]) * 1e6:,.0f} readings/s offered, "
                f"{len(took):,} revisions")
    behind = f"the load was up to {run.answered.behind_ms:.0f} ms behind"
    for share, target in ((0.5, None), (0.99, P99_MS)):
        yield Line(name=f"latency, p{share * 100:.0f}", workload=workload, figure=took[int(share * len(took))],
                   unit=MILLISECONDS, target=target, better="below", note=behind)


def kafka(quick: bool, known: Floors) -> Iterator[Line]:
    """Router and evaluators on a real broker: what they must know first, then readings and one kill -9."""
    done = scaleout.measure(300_000 if quick else 1_200_000)
    start, steady = done.start, done.steady
    yield Line(name="Kafka, start", workload=f"{done.versions:,} versions on emon.orders, from the processes' start "
               "until the evaluators have committed them", figure=done.versions / start.wall_s,
               per_cpu=done.versions / start.emon_s, unit=RATE, note=_shares(start))
    note = f"{_shares(steady)}; {done.found:,} revisions" + ("" if done.equal else " DIFFER from the batch run's")
    yield Line(name="Kafka, raw to findings", workload=f"{done.readings:,} readings, {scaleout.PARTITIONS} partitions, "
               "one kill -9 of an evaluator, from the router's first transaction (not counted) to the last finding",
               figure=done.readings / steady.wall_s, per_cpu=done.readings / steady.emon_s, unit=RATE,
               target=SCALED_OUT, floors=_of(known, *_journal(known, "kafka")), holds=done.equal and done.found > 0,
               note=note)


def _shares(cost: scaleout.Cost) -> str:
    return (f"{cost.wall_s:.1f} s; processor: router {cost.route_s:.1f} s, evaluators {cost.evaluate_s:.1f} s, broker "
            f"{cost.broker_s:.1f} s, database {cost.store_s:.1f} s")


def memory(quick: bool, known: Floors) -> Iterator[Line]:
    """The evaluator over hours of simulated time: a participant costs what it costs, and then no more."""
    hours = 2.0 if quick else 12.0
    done = apart(stepping.long, hours * 60, 600.0, STEP_S)
    base = done.rss[0][1]
    third = len(done.rss) // 3
    each = (max(size for _, size in done.rss) - base) / loads.PARTICIPANTS / 1e3
    yield Line(name="memory, evaluator", workload=f"{done.readings:,} readings over {hours:g} h", figure=each,
               unit=KILOBYTES, target=PARTICIPANT_KB, better="below", note="a participant, over an empty evaluator")
    grown = (max(s for _, s in done.rss[-third:]) - max(s for _, s in done.rss[third:-third])) / loads.PARTICIPANTS
    yield Line(name="memory, growth", workload="the last third of that time against the one before",
               figure=max(0.0, grown / 1e3), unit=KILOBYTES, target=GROWTH_KB, better="below", note="a participant")


def start(quick: bool, known: Floors) -> Iterator[Line]:
    """`emon demo` from the command to the first alert that the API shows."""
    with TemporaryDirectory(prefix="emon-bench-") as name:
        port, began = free_port(), time.perf_counter()
        with running(Path(name) / "demo.log", {}, "emon", "demo", "--port", str(port), "--data",
                     str(Path(name) / "demo")) as process:
            wait_for(lambda: _alerts(port) > 0, [process], 120.0, "the first alert")
            took = time.perf_counter() - began
            yield Line(name="demo, first alert", workload="`emon demo` from the command to an alert in the API",
                       figure=took, per_cpu=process.cpu_s(), unit=SECONDS, target=FIRST_ALERT_S, better="below")


def _alerts(port: int) -> int:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/v1/alerts", timeout=5)
    except httpx.TransportError:
        return 0
    return len(answer.json().get("alerts", ())) if answer.status_code == 200 else 0


def _now_us() -> int:
    return time.time_ns() // 1000


def _of(known: Floors, *names: str) -> Floors:
    return {name: known[name] for name in names if name in known}


def _journal(known: Floors, driver: str) -> list[str]:
    return [name for name in known if name.startswith(f"journal only, {driver}: append, 1000")]


LINES: Final[Mapping[str, Callable[[bool, Floors], Iterator[Line]]]] = {
    "evaluator": evaluator, "rules": rules, "http": http, "latency": latency, "kafka": kafka, "memory": memory,
    "start": start,
}
