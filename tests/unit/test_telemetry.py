"""What gets into the logs, and what must not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest
import structlog

from emon import telemetry


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    for name in ("uvicorn", "uvicorn.error"):  # servers that other tests started may have set them up
        logger = logging.getLogger(name)
        logger.handlers[:], logger.propagate, logger.disabled = [], True, False
        logger.setLevel(logging.NOTSET)
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def _fails(key: str) -> None:
    raise ValueError("a bug")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_tells_lines_and_no_values(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A key or a position in a local variable must not end in a log file."""
    telemetry.set_up(log_format, "info")
    try:
        _fails("emon_" + "5ec2e7" * 3)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed")
        structlog.get_logger("x").exception("failed too")
    said = capsys.readouterr().err
    assert said.count("a bug") >= 2
    assert "_fails" in said
    assert "5ec2e75ec2e7" not in said


def test_requests_cut_off_at_the_end_are_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.set_up("text", "info")
    try:
        raise asyncio.CancelledError("stopped")
    except asyncio.CancelledError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    logging.getLogger("uvicorn.error").info("listening")
    said = capsys.readouterr().err
    assert "listening" in said
    assert "ASGI" not in said
