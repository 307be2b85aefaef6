"""How often an evaluator saves follows from how long that takes."""

from __future__ import annotations

import pytest

from emon.evaluate.saving import Saving
from emon.limits import SNAPSHOT_EVERY_S, SNAPSHOT_MOST_S, SNAPSHOT_PAUSE


def test_the_first_save_and_those_after_quick_ones_come_at_the_usual_pace() -> None:
    saving = Saving(100.0)
    assert not saving.is_due(100.0 + SNAPSHOT_EVERY_S - 0.01) and saving.is_due(100.0 + SNAPSHOT_EVERY_S)
    saving.saved(110.0, 110.01)
    assert not saving.is_due(110.0 + SNAPSHOT_EVERY_S) and saving.is_due(110.01 + SNAPSHOT_EVERY_S)


@pytest.mark.parametrize(("took_s", "pause_s"), [(0.5, 0.5 * SNAPSHOT_PAUSE), (60.0, SNAPSHOT_MOST_S)])
def test_after_a_slow_save_the_next_one_waits_in_proportion_but_not_without_end(took_s: float,
                                                                               pause_s: float) -> None:
    saving = Saving(0.0)
    saving.saved(200.0, 200.0 + took_s)
    assert pause_s > SNAPSHOT_EVERY_S
    assert not saving.is_due(199.9 + took_s + pause_s) and saving.is_due(200.0 + took_s + pause_s)
    saving.saved(300.0, 300.0)
    assert saving.is_due(300.0 + SNAPSHOT_EVERY_S)
