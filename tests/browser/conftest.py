"""A real Chromium on the real application. Any error on a page's console fails the test."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.browser.console import Console

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / ".cache" / "test-output" / "console"
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
         "--use-angle=swiftshader", "--enable-unsafe-swiftshader")  # the map without a graphics card


@pytest.fixture(scope="module")  # while Playwright runs, its event loop is this thread's: no asyncio test beside it
def browser(chromium_path: Path) -> Iterator[Browser]:
    """One browser for the run; each operator has a context, as on a machine of their own."""
    assert (ROOT / "src/emon/console/static/index.html").exists(), "build the console first: make setup"
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium_path), args=[*QUIET, *root])
        yield started
        started.close()


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """The application with an empty store."""
    running = Console(tmp_path)
    running.start()
    yield running
    running.stop()


class Operators:
    """Opens pages as named people; keeps what goes wrong on them."""

    def __init__(self, browser: Browser, console: Console) -> None:
        self._browser, self._console = browser, console
        self._contexts: list[BrowserContext] = []
        self._expected: list[re.Pattern[str]] = []
        self.faults: list[str] = []

    def __call__(self, name: str, path: str = "/", **options: Any) -> Page:
        """A page of `name`'s own browser at `path`."""
        context = self._browser.new_context(**{"viewport": {"width": 1300, "height": 820}, **options})
        context.add_init_script(f"localStorage.setItem('emon-operator', {name!r})")
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self._heard(name, message))
        page.on("pageerror", lambda error: self.faults.append(f"{name}: {error}"))
        page.on("request", lambda request: self._asked(name, request.url))
        page.goto(self._console.url + path)
        return page

    def expect(self, pattern: str) -> None:
        """This error is what the test brings about."""
        self._expected.append(re.compile(pattern))

    def _heard(self, name: str, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(one.search(message.text) for one in self._expected):
            self.faults.append(f"{name}: {message.text}")

    def _asked(self, name: str, url: str) -> None:
        if not url.startswith((self._console.url, "blob:")):
            self.faults.append(f"{name}: asked another server: {url}")

    def close(self) -> None:
        """Ends every page."""
        for context in self._contexts:
            context.close()


@pytest.fixture
def operators(browser: Browser, console: Console) -> Iterator[Operators]:
    """People with browsers of their own; no page of theirs may have an error or ask another server."""
    people = Operators(browser, console)
    yield people
    people.close()
    assert not people.faults, people.faults


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Keeps a screenshot under the test's name."""
    PICTURES.mkdir(parents=True, exist_ok=True)

    def keep(page: Page, name: str, *, full_page: bool = False) -> None:
        page.screenshot(path=PICTURES / f"{request.node.name}-{name}.png", full_page=full_page)

    return keep
