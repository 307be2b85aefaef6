"""Which verdict rules an episode: by what is known, whatever came first."""

from __future__ import annotations

from itertools import permutations

from emon.domain.verdict import Verdict
from emon.evaluate.analysts import Named, VerdictBook


def verdict(name: str, version: int, at: int = 10, result: str = "confirmed", *, void: bool = False,
            condition: str = "c") -> Verdict:
    return Verdict(id=name, version=version, participant="P", order="O", condition=condition, at=at, result=result,
                   reason="seen", analyst="a", void=void)


KNOWN = (verdict("A", 1), verdict("A", 3, result="interferent"), verdict("B", 2), verdict("C", 9, void=True),
         verdict("D", 9, at=21), verdict("E", 9, condition="d"))


def test_of_one_episode_the_greatest_version_rules_whatever_came_first() -> None:
    for order in permutations(KNOWN):
        book = VerdictBook()
        for one in order:
            book.add(one)
        assert book.ruling("P", "O", "c", 10, 20) == KNOWN[1]
        assert book.ruling("P", "O", "c", 0, 9) is None
        assert book.ruling("P", "O", "c", 21, 30) == KNOWN[4]
        assert book.ruling("Q", "O", "c", 10, 20) is None
        assert book.versions("A") == [KNOWN[0], KNOWN[1]]


def test_of_equal_versions_the_greatest_id_rules() -> None:
    book = VerdictBook()
    for name in ("B", "C", "A"):
        book.add(verdict(name, 1))
    ruling = book.ruling("P", "O", "c", 10, 10)
    assert ruling is not None and ruling.id == "C"


def test_a_version_names_where_to_look_before_and_after_it() -> None:
    book = VerdictBook()
    assert book.add(verdict("A", 1)) == [Named("P", "O", "c", 10)]
    assert book.add(verdict("A", 1)) == [], "nothing new"
    assert book.add(verdict("A", 3, at=50)) == [Named("P", "O", "c", 10), Named("P", "O", "c", 50)]
    assert book.add(Verdict(id="A", version=4, participant="P", void=True)) == [Named("P", "O", "c", 50)]
    assert book.ruling("P", "O", "c", 0, 99) is None


def test_of_two_texts_with_one_number_the_same_one_rules_whichever_came_first() -> None:
    texts = verdict("A", 1), verdict("A", 1, result="obstruction")
    found = []
    for first, second in (texts, texts[::-1]):
        book = VerdictBook()
        book.add(first)
        book.add(second)
        found.append(book.ruling("P", "O", "c", 10, 10))
    assert found[0] == found[1] is not None
