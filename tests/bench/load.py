"""A vendor at full speed, in a process of its own: posts encoded bodies over connections that stay open.

`python -m tests.bench.load PORT FEED KEY FILE CONNECTIONS`. FILE holds pairs of (instant to send at in
microseconds UTC, or 0: at once; body), in order. Prints what it was answered as one JSON object. Speaks
HTTP/1.1 itself: a client library would cost more than the server that it measures.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvloop

RETRY_S = 0.2


class Answered(msgspec.Struct):
    """What the server said. `other`: answers but 202, by status; those bodies were sent again."""

    readings: int = 0
    duplicates: int = 0
    rejected: int = 0
    bodies: int = 0
    other: dict[str, int] = msgspec.field(default_factory=dict)
    wall_s: float = 0.0
    cpu_s: float = 0.0
    answer_ms: list[float] = msgspec.field(default_factory=list)
    """Every body's time from the first byte sent to the answer."""
    behind_ms: float = 0.0
    """By how much the latest body left after its instant."""


class _Counts(msgspec.Struct):
    accepted: int
    duplicates: int
    rejected: list[object]


_decode = msgspec.json.Decoder(_Counts).decode


async def send(port: int, feed: str, key: str, bodies: list[tuple[int, bytes]], connections: int) -> Answered:
    """Sends all bodies, each connection one after the other."""
    answered, queue = Answered(), iter(bodies)
    head = (f"POST /v1/feeds/{feed} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: application/x-ndjson\r\nContent-Length: ").encode()
    cpu, started = time.process_time(), time.perf_counter()
    await asyncio.gather(*(_connection(port, head, queue, answered) for _ in range(connections)))
    answered.wall_s, answered.cpu_s = time.perf_counter() - started, time.process_time() - cpu
    return answered


async def _connection(port: int, head: bytes, queue: Iterator[tuple[int, bytes]], answered: Answered) -> None:
    link = None
    for due, body in queue:
        if due:
            early_s = due / 1e6 - time.time()
            if early_s > 0:
                await asyncio.sleep(early_s)
            answered.behind_ms = max(answered.behind_ms, -1e3 * early_s)
        if link is None:  # only now: a server closes connections that say nothing
            link = await asyncio.open_connection("127.0.0.1", port)
        taken = await _post(*link, head, body, answered)
        while not taken:
            await asyncio.sleep(RETRY_S)
            taken = await _post(*link, head, body, answered)
    if link is not None:
        link[1].close()


async def _post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, body: bytes,
                answered: Answered) -> bool:
    """Whether the body was taken."""
    sent = time.perf_counter()
    writer.write(b"%s%d\r\n\r\n%s" % (head, len(body), body))
    said = await reader.readuntil(b"\r\n\r\n")
    length = int(said.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    content = await reader.readexactly(length)
    answered.answer_ms.append(1e3 * (time.perf_counter() - sent))
    status = said[9:12].decode()
    if status != "202":
        answered.other[status] = answered.other.get(status, 0) + 1
        return False
    counts = _decode(content)
    answered.bodies += 1
    answered.readings += counts.accepted
    answered.duplicates += counts.duplicates
    answered.rejected += len(counts.rejected)
    return True


def main() -> None:
    """The command."""
    port, feed, key, file, connections = sys.argv[1:]
    bodies = msgspec.msgpack.decode(Path(file).read_bytes(), type=list[tuple[int, bytes]])
    answered = uvloop.run(send(int(port), feed, key, bodies, int(connections)))
    sys.stdout.write(msgspec.json.encode(answered).decode() + "\n")


if __name__ == "__main__":
    main()
