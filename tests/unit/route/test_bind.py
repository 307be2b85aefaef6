"""Whose reading it is, and who must be told."""

from __future__ import annotations

import msgspec

from emon.domain.versions import ALWAYS, NEVER
from emon.journal.port import partition_of
from emon.journal.records import BindingVersion, OrderVersion, decode_orders
from emon.route.bind import Binder, Placed
from emon.route.heads import Reading, reading_of
from tests.unit.route.worlds import PARTITIONS, T0, bound, order, reading


def on_its_way(device: str, at_s: float) -> Reading:
    return reading_of(msgspec.json.encode(reading(device, at_s)))


def who(placed: list[Placed]) -> list[tuple[int, str]]:
    return [(p.partition, p.key) for p in placed]


def home(participant: str) -> int:
    return partition_of(participant, PARTITIONS)


def take(binder: Binder, *entries: object) -> list[object]:
    return [binder.take(decode_orders(entry.value)) for entry in entries]  # type: ignore[attr-defined]


def test_the_holder_at_fix_time_gets_the_reading() -> None:
    binder = Binder(PARTITIONS)
    take(binder, bound("D", "P-1", until_s=10), bound("D", "P-2", from_s=10, name="later"))
    assert who(binder.place(on_its_way("D", 9), T0)) == [(home("P-1"), "P-1")]
    assert who(binder.place(on_its_way("D", 10), T0)) == [(home("P-2"), "P-2")]
    assert binder.place(on_its_way("E", 9), T0) == []


def test_a_device_held_by_two_is_nobodys_until_that_is_resolved() -> None:
    binder = Binder(PARTITIONS)
    take(binder, bound("D", "P-1"))
    change = take(binder, bound("D", "P-2", from_s=100, name="second"))[0]
    assert change.again == [("D", T0 + 100_000_000, NEVER)]  # type: ignore[attr-defined]
    assert binder.place(on_its_way("D", 150), T0) == []
    change = take(binder, bound("D", "P-1", version=2, until_s=100))[0]
    assert change.again == [("D", T0 + 100_000_000, NEVER)]  # type: ignore[attr-defined]
    assert who(binder.place(on_its_way("D", 150), T0)) == [(home("P-2"), "P-2")]


def test_orders_bring_the_bindings_of_their_devices_and_end_those_they_drop() -> None:
    binder = Binder(PARTITIONS)
    first, second = take(binder, order("P-1", devices=["D"]), order("P-1", version=2))
    kinds = [type(v) for v in first.versions]  # type: ignore[attr-defined]
    assert kinds == [OrderVersion, BindingVersion]
    assert [v.binding.void for v in second.versions[1:]] == [True]  # type: ignore[attr-defined]
    assert binder.place(on_its_way("D", 5), T0) == []


def test_a_version_told_before_changes_nothing_and_a_changed_text_does() -> None:
    binder = Binder(PARTITIONS)
    first, again, other = take(binder, bound("D", "P-1"), bound("D", "P-1", at_s=50), bound("D", "P-9"))
    assert first.versions and not again.versions and other.versions  # type: ignore[attr-defined]


def test_a_protected_persons_fix_goes_to_everybody_who_must_keep_away() -> None:
    binder = Binder(PARTITIONS)
    take(binder, bound("V", None, person="V-9"), order("P-1", away_from="V-9"))
    assert who(binder.place(on_its_way("V", 1), T0)) == [(home("P-1"), "V-9")]
    other = next(f"P-{n}" for n in range(2, 99) if home(f"P-{n}") != home("P-1"))
    change = take(binder, order(other, away_from="V-9"))[0]
    assert change.again == [("V", ALWAYS, NEVER)]  # type: ignore[attr-defined]
    assert who(binder.place(on_its_way("V", 1), T0)) == sorted([(home("P-1"), "V-9"), (home(other), "V-9")])


def test_whoever_held_a_named_device_is_followed_with_all_devices() -> None:
    binder = Binder(PARTITIONS)
    take(binder, bound("V1", None, person="V-9", until_s=10), order("P-1", away_from_device="V1"))
    change = take(binder, bound("V2", None, person="V-9", from_s=10))[0]
    assert ("V2", T0 + 10_000_000, NEVER) in change.again  # type: ignore[attr-defined]
    assert who(binder.place(on_its_way("V2", 11), T0)) == [(home("P-1"), "V-9")]
    other = next(f"P-{n}" for n in range(2, 99) if home(f"P-{n}") != home("P-1"))
    change = take(binder, order(other, away_from_device="V1"))[0]
    assert {device for device, _, _ in change.again} == {"V1", "V2"}  # type: ignore[attr-defined]
    assert who(binder.place(on_its_way("V2", 11), T0)) == sorted([(home("P-1"), "V-9"), (home(other), "V-9")])


def test_a_holder_of_a_named_device_who_becomes_known_later_is_followed_too() -> None:
    binder = Binder(PARTITIONS)
    take(binder, order("P-1", away_from_device="V1"), bound("V2", None, person="V-9"))
    assert binder.place(on_its_way("V2", 1), T0) == []
    change = take(binder, bound("V1", None, person="V-9"))[0]
    assert {device for device, _, _ in change.again} == {"V1", "V2"}  # type: ignore[attr-defined]
    assert who(binder.place(on_its_way("V2", 1), T0)) == [(home("P-1"), "V-9")]


def test_a_protected_participants_fix_goes_home_too() -> None:
    binder = Binder(PARTITIONS)
    other = next(f"P-{n}" for n in range(2, 99) if home(f"P-{n}") != home("P-1"))
    take(binder, bound("D", "P-1"), order(other, away_from="P-1"))
    assert who(binder.place(on_its_way("D", 1), T0)) == sorted([(home("P-1"), "P-1"), (home(other), "P-1")])


def test_versions_are_told_to_every_partition_at_one_instant() -> None:
    binder = Binder(PARTITIONS)
    change = take(binder, bound("D", "P-1"))[0]
    told = binder.tell(change, T0 + 7)  # type: ignore[arg-type]
    assert [(p.partition, p.output.received_at) for p in told] == [(n, T0 + 7) for n in range(PARTITIONS)]
