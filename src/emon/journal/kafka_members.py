"""Members of a group whose process is gone are put out of it at once by whoever joins on the same machine.

A broker waits KAFKA_SESSION_S before it gives a killed process's partitions to others, and lets nobody in
meanwhile. Each client says which process of which machine it is, so that a restarted emon need not wait: the
kernel knows who lives. Of other machines' processes, and where the kernel is not Linux, nothing is said.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

from emon.journal.kafka_client import Connection, in_time

_PREFIX = "emon"


def client_id() -> str:
    """This process's name for a broker: machine, process and when that was started."""
    return "/".join((_PREFIX, _machine(), str(os.getpid()), _born(os.getpid()) or ""))


def is_dead(client: str) -> bool:
    """Whether a client's process is known to be gone."""
    prefix, _, rest = client.partition("/")
    machine, _, rest = rest.partition("/")
    pid, _, born = rest.partition("/")
    if prefix != _PREFIX or not machine or machine != _machine() or not pid.isdigit() or not born:
        return False
    return _born(int(pid)) != born


async def dismiss_dead(connection: Connection, group: str) -> None:
    """Puts dead members out of a group. Where that cannot be done the broker does it later."""
    admin = AIOKafkaAdminClient(**connection.arguments())
    with suppress(KafkaError, OSError, TimeoutError):
        try:
            await in_time(_dismiss(admin, group))
        finally:
            await admin.close()


async def _dismiss(admin: AIOKafkaAdminClient, group: str) -> None:
    await admin.start()
    coordinator = await admin.find_coordinator(group)
    [described] = await admin.describe_consumer_groups([group], coordinator)
    for _, _, _, _, _, members, *_ in described.groups:
        for member, client, *_ in members:
            if is_dead(client):
                await admin._client.send(coordinator, LeaveGroupRequest(group, member))


@cache
def _machine() -> str:
    """The running kernel and whose processes it shows; empty where that cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return blake2b(f"{boot} {Path('/proc/self/ns/pid').readlink()}".encode(), digest_size=6).hexdigest()
    except OSError:
        return ""


def _born(pid: int) -> str | None:
    """When a process was started, in the kernel's ticks; None where it runs no more."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(
            ")")[2].split()
    except OSError:
        return None
    return None if state in "ZX" else fields[18]
