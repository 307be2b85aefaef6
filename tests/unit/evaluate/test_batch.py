"""Files become arrivals: readings go to whoever held the device, also when that is learnt later."""

from __future__ import annotations

from emon.domain.binding import Binding
from emon.evaluate import batch
from emon.journal.records import Bound
from tests.unit.evaluate.world import EXCLUSION, SCHOOL, at, bound, fix, fixes, order, told


def test_a_reading_of_an_unbound_device_is_judged_once_it_is_bound() -> None:
    given = batch.merge(fixes([0, 1, 30], "school"), [order(EXCLUSION)], [SCHOOL], [bound(received_at=at(20))])
    assert told(list(batch.evaluate(given, at(40)))) == ["20 exclusion_zone opened 0- inside_zone"]


def test_a_back_dated_binding_takes_readings_away_and_gives_them_to_the_other() -> None:
    moved = Binding(id="B-D", version=2, device="D", participant="Q", effective_from=at(0), received_at=at(20))
    other = order(EXCLUSION, id="OQ", participant="Q")
    given = batch.merge(fixes([0, 1, 30], "school"), [order(EXCLUSION), other], [SCHOOL], [bound(), moved])
    revisions = list(batch.evaluate(given, at(40)))
    assert [(f.participant, f.status, f.reason) for f in revisions] == [
        ("P", "opened", "inside_zone"), ("P", "withdrawn", "binding_changed"), ("Q", "opened", "inside_zone")]


def test_arrival_never_goes_back() -> None:
    given = list(batch.merge([fix(5, "home", 9), fix(6, "home", 7)], [order(EXCLUSION)], [SCHOOL], [bound()]))
    assert [r.received_at for r in given if isinstance(r, Bound)] == [at(9), at(9)]
