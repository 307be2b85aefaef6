"""`make bench`: speed, lateness and memory, each beside its target and this machine's own floors.

`python -m tests.bench [NAMES...] [--quick] [--json FILE]`. Everything runs on the loopback interface, in
folders that go again; `--quick` says whether it still works, not how fast it is. Exit code 1 where something
is below its target, or where what came out was wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench import floors
from tests.bench.line import RATE, Line
from tests.bench.lines import LINES
from tests.bench.processes import NotReady

FLOORS = "floors"


def measure(names: list[str], quick: bool, console: Console) -> Iterator[Line]:
    """All lines of these names, as they come."""
    known: dict[str, float] = {}
    for name in names:
        console.print(f"bench: {name}, load of the machine {os.getloadavg()[0]:.1f}", highlight=False)
        try:
            for line in floors.lines(quick) if name == FLOORS else LINES[name](quick, known):
                if line.target is None and name == FLOORS:
                    known[line.name] = line.figure
                yield line
        except NotReady as error:
            yield Line(name=name, workload="did not come to its end", figure=0.0, unit="", target=0.0, holds=False,
                       note=str(error))


def table(lines: list[Line], load: float) -> Table:
    """The one table."""
    made = Table(title=f"emon on {os.cpu_count()} cores, load {load:.1f}")
    for heading in ("name", "workload", "measured", "per core-second", "target", "floors", ""):
        made.add_column(heading, justify="right" if heading in ("measured", "target", "per core-second") else "left")
    for line in lines:
        sign = "≥" if line.better == "above" else "≤"
        target = "" if line.target is None else f"{sign} {_text(line.target, line.unit)}"
        beside = "\n".join(f"{_text(value, RATE)} {name}" for name, value in line.floors.items())
        workload = line.workload + (f"\n{line.note}" if line.note else "")
        verdict = {True: "ok", False: "[bold red]below[/bold red]", None: ""}[line.ok]
        if not line.holds:
            verdict = "[bold red]wrong[/bold red]"
        made.add_row(line.name, workload, _text(line.figure, line.unit),
                     "" if line.per_cpu is None else _text(line.per_cpu, line.unit), target, beside, verdict)
    return made


def _text(figure: float, unit: str) -> str:
    return f"{figure:,.0f} {unit}" if figure >= 100 or unit == RATE else f"{figure:.1f} {unit}"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[FLOORS, *LINES, []], help="all by default")
    parser.add_argument("--quick", action="store_true", help="small loads, under a minute")
    parser.add_argument("--json", type=Path, help="write the lines there too")
    asked = parser.parse_args()
    console = Console(stderr=True)
    began, load = time.perf_counter(), os.getloadavg()[0]
    lines = list(measure(asked.names or [FLOORS, *LINES], asked.quick, console))
    Console(width=None if sys.stdout.isatty() else 150).print(table(lines, max(load, os.getloadavg()[0])))
    console.print(f"{time.perf_counter() - began:.0f} s in all", highlight=False)
    if asked.json:
        document = [{**msgspec.to_builtins(line), "ok": line.ok} for line in lines]
        asked.json.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
    return 0 if all(line.ok is not False for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
