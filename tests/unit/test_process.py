"""What a serving process sets before it does anything."""

from __future__ import annotations

import sys

from emon import process
from emon.limits import SWITCH_S


def test_threads_give_way_sooner_than_by_default() -> None:
    before = sys.getswitchinterval()
    try:
        process.prepare()
        assert sys.getswitchinterval() == SWITCH_S < 0.005
    finally:
        sys.setswitchinterval(before)
