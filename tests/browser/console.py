"""The real application on a port of its own: journal, alerts worker, store, API and built pages."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from msgspec.structs import replace
from sqlalchemy import Table, insert

from emon import config, store
from emon.alerts import worker
from emon.alerts.endpoint import Commands
from emon.clock import SystemClock
from emon.console.app import create_app
from emon.domain.finding import Finding, encode
from emon.domain.verdict import Verdict
from emon.evaluate.port import Chunk
from emon.ingest.documents import verdict_router
from emon.ingest.orders import publish
from emon.journal.open import open_journal
from emon.journal.port import FINDINGS, ORDERS, Entry, TopicPartition
from emon.journal.records import VerdictVersion, decode_orders
from emon.store import schema
from emon.store.history import SqlHistory
from tests.browser import world


class Console:
    """Runs on a thread with its own event loop. `stop_http` and `start_http` play a restart of the server."""

    def __init__(self, folder: Path) -> None:
        self.clock = SystemClock()
        self.engine = store.open_engine(f"sqlite:///{folder / 'emon.sqlite'}")
        store.upgrade(self.engine)
        self.journal = open_journal(f"sqlite:///{folder / 'journal'}")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stop = asyncio.Event()
        self._worker: Any = None
        self._server: uvicorn.Server | None = None
        self._serving: Any = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Everything, and answers."""
        self._thread.start()
        self._do(self.journal.open())
        self._worker = asyncio.run_coroutine_threadsafe(
            worker.run(self.journal, self.engine, self.clock, self._stop), self._loop)
        self.start_http()

    def start_http(self) -> None:
        """The server alone, on the same port."""
        app = create_app(self.journal, self.engine, self.engine, self.clock, config.load({}),
                         commands=Commands(self.engine, self.clock, self.clock),
                         routers=[verdict_router(self.journal, self.clock)])
        self._server = uvicorn.Server(uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_level="warning", timeout_graceful_shutdown=1))
        self._serving = asyncio.run_coroutine_threadsafe(self._server.serve(), self._loop)
        deadline = time.monotonic() + 60
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)

    def stop_http(self) -> None:
        """Ends the server and every open stream."""
        assert self._server is not None
        self._server.should_exit = True
        self._serving.result(10)

    def stop(self) -> None:
        """Ends everything."""
        self.stop_http()
        self._loop.call_soon_threadsafe(self._stop.set)
        self._worker.result(10)
        self._do(self.journal.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self.engine.dispose()

    def now(self) -> int:
        """Microseconds UTC."""
        return self.clock.now_us()

    def publish(self, onset: int) -> None:
        """The participant's documents and readings."""
        self._do(self.journal.append([Entry(ORDERS, f"k{i}", value)
                                      for i, value in enumerate(world.documents(self.now()))]))
        SqlHistory(self.engine).append(world.chunks(onset))

    def take_in(self, documents: Sequence[Any], chunks: Sequence[Chunk]) -> None:
        """Orders, zones, bindings and people as they stand in files, and readings as the history keeps them."""
        self._do(publish(self.journal, list(documents)))
        SqlHistory(self.engine).append(chunks)

    def find(self, *findings: Finding) -> None:
        """Findings as the evaluator would write them; the alerts worker takes them from here."""
        self._do(self.journal.append([Entry(FINDINGS, one.participant or "", encode(one))
                                      for one in findings]))

    def verdicts(self) -> list[Verdict]:
        """What analysts have put on record, as the router will tell it."""
        found: list[Verdict] = []
        for partition in range(self._do(self.journal.partitions(ORDERS))):
            for record in self._do(self.journal.read(TopicPartition(ORDERS, partition), 0, 1_000)):
                version = decode_orders(record.value)
                if isinstance(version, VerdictVersion):
                    found.append(replace(version.verdict, received_at=version.received_at))
        return found

    def deliver(self, alert_id: int, attempts: Sequence[tuple[str, str, str]]) -> None:
        """A message as notify leaves it: (channel, address, outcome) an attempt."""
        now = self.now()
        one = {"message_id": f"m-{alert_id}", "notice_id": f"n-{alert_id}", "kind": "alert",
               "alert_id": alert_id, "recipient": "o-17", "recipient_name": "Dana Whitfield",
               "methods": "[]", "subject": "Possible breach", "text": "See the console.",
               "thread": f"m-{alert_id}", "priority": 2, "created_at": now, "state": "sent",
               "attempts": len(attempts), "next_at": now, "sent_at": now}
        tries = [{"message_id": f"m-{alert_id}", "attempt": number, "channel": channel, "address": address,
                  "started_at": now, "finished_at": now, "outcome": outcome,
                  "detail": "gateway busy" if outcome == "temporary" else "250 queued"}
                 for number, (channel, address, outcome) in enumerate(attempts, 1)]
        with store.writing(self.engine) as connection:
            connection.execute(insert(schema.message), _whole(schema.message, one))
            connection.execute(insert(schema.delivery), [_whole(schema.delivery, each) for each in tries])

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


def _whole(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """The row with a zero or nothing in every column that it does not name."""
    zero = {column.name: None if column.nullable else column.type.python_type() for column in table.columns}
    return zero | row
