"""Which clients are known to be gone."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from emon.journal.kafka_members import client_id, is_dead

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel is asked by /proc")


def of(pid: int, born: str | None = None) -> str:
    """The name of another process of this machine."""
    prefix, machine, _, mine = client_id().split("/")
    return "/".join((prefix, machine, str(pid), mine if born is None else born))


def test_who_runs_is_not_dead() -> None:
    assert not is_dead(client_id())


def test_who_has_ended_is_dead_seen_by_its_parent_or_not() -> None:
    process = subprocess.Popen([sys.executable, "-c", "from emon.journal.kafka_members import client_id\n"
                                "print(client_id(), flush=True)\ninput()"], text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    assert name == of(process.pid, name.rpartition("/")[2])
    assert not is_dead(name)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
    assert is_dead(name)
    process.wait()
    assert is_dead(name)


def test_another_process_under_the_same_number_does_not_keep_a_dead_one_alive() -> None:
    prefix, machine, pid, born = client_id().split("/")
    assert is_dead(f"{prefix}/{machine}/{pid}/{int(born) - 1}")


@pytest.mark.parametrize("client", ["", "aiokafka-0.14.0", "emon", "emon//1/1", "emon/elsewhere/1/1", "emon/x"])
def test_of_others_nothing_is_known(client: str) -> None:
    assert not is_dead(client)
    assert not is_dead(of(1, ""))
