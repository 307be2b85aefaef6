"""Readings join to people through the binding in force at fix time, whatever order the versions came in."""

from __future__ import annotations

from itertools import permutations

from emon.domain.binding import Binding
from emon.domain.binding_book import BindingBook, Shorthand, bindings_of
from emon.domain.order import Order
from emon.domain.versions import ALWAYS, NEVER


def book(*versions: Binding) -> BindingBook:
    result = BindingBook()
    for version in versions:
        result.add(version)
    return result


def test_a_higher_version_supersedes_from_its_effective_from_on_whatever_the_order_of_arrival() -> None:
    first = Binding(id="b", version=1, device="D", participant="P")
    second = Binding(id="b", version=2, device="D", participant="Q", effective_from=100, until=200)
    for versions in permutations((first, second)):
        known = book(*versions)
        assert [getattr(known.owner("D", t), "participant", None) for t in (0, 99, 100, 199, 200)] == [
            "P", "P", "Q", "Q", None]


def test_adding_reports_the_intervals_that_change_hands() -> None:
    known = book(Binding(id="b", version=1, device="D", participant="P"))
    second = Binding(id="b", version=2, device="D", participant="Q", effective_from=100)
    third = Binding(id="b", version=3, device="D", participant="Q", effective_from=50, role="home")
    assert known.add(second) == [("D", 100, NEVER)]
    assert known.add(third) == [("D", 50, 100)]
    assert known.add(third) == []


def test_a_device_held_by_two_people_is_nobodys_until_that_is_resolved() -> None:
    known = book(Binding(id="a", device="D", participant="P", until=200),
                 Binding(id="b", device="D", participant="Q", from_=100))
    assert known.owner("D", 150) is None
    assert [(c.from_, c.until, c.bindings) for c in known.conflicts] == [(100, 200, ("a", "b"))]
    changed = known.add(Binding(id="a", version=2, device="D", participant="P", until=100))
    assert changed == [("D", 100, 200)]
    assert known.conflicts == []
    assert known.owner("D", 150) == Binding(id="b", device="D", participant="Q", from_=100)


def test_one_person_bound_twice_is_no_conflict() -> None:
    known = book(Binding(id="a", device="D", participant="P"),
                 Binding(id="b", device="D", participant="P", from_=10, role="position"))
    assert known.conflicts == []
    owner = known.owner("D", 20)
    assert owner is not None and owner.id == "b"


def test_a_device_dropped_by_a_later_order_version_is_unbound_from_then_on() -> None:
    device = Binding(id="O:D", device="D", participant="P")
    orders = [Order(id="O", version=1, participant="P", devices=(device,)),
              Order(id="O", version=2, participant="P", effective_from=100)]
    for arrival in permutations(orders):
        shorthand, known = Shorthand(), BindingBook()
        for order in arrival:
            for binding in shorthand.add(order):
                known.add(binding)
        assert known.owner("D", 99) is not None
        assert known.owner("D", 100) is None
        assert [(s.from_, s.until) for s in known.spans("D")] == [(ALWAYS, 100)]


def test_a_device_that_is_listed_twice_stands_for_two_bindings_of_which_each_may_be_dropped() -> None:
    first, second = (Binding(id=name, device="D", participant="P", from_=a, until=b)
                     for name, a, b in (("O:D", 0, 50), ("O:D#2", 100, 200)))
    orders = [Order(id="O", version=1, participant="P", devices=(first, second)),
              Order(id="O", version=2, participant="P", effective_from=120,
                    devices=(Binding(id="O:D", version=2, device="D", participant="P", from_=0, until=50,
                                     effective_from=120),))]
    for arrival in permutations(orders):
        known = book(*bindings_of(arrival))
        assert [known.owner("D", t) is not None for t in (20, 60, 110, 130)] == [True, False, True, False]
        assert book(*bindings_of([*arrival, *arrival])).spans("D") == known.spans("D")
