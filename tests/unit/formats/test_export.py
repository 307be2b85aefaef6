"""What one exports, another imports: documents made of domain objects parse to equal objects."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from emon.domain.binding import Binding
from emon.domain.order import Absence, Condition, DayException, Order, Place, Test, Window
from emon.domain.person import ContactMethod, Person
from emon.domain.reading import Reading, content
from emon.domain.verdict import Verdict
from emon.domain.zone import Zone
from emon.formats import export, native
from emon.formats.objects import read_object

T0 = 1_790_000_000_000_000
LATER = 1_796_000_000_000_000
RING = ((-89.40, 43.07), (-89.39, 43.07), (-89.39, 43.08), (-89.40, 43.07))
HOLE = ((-89.395, 43.071), (-89.394, 43.071), (-89.394, 43.072), (-89.395, 43.071))
FAR = ((-89.20, 43.07), (-89.19, 43.07), (-89.19, 43.08), (-89.20, 43.07))

ORDER = Order(
    id="WI-1", version=3, participant="P-1", time_zone="America/Chicago", effective_from=T0,
    effective_until=T0 + 10**12, supervision_level="high", agency="dane", officer="o-1", received_at=T0 + 5,
    devices=(Binding(id="WI-1:A", version=3, device="A", participant="P-1", role="home", place="home", from_=T0,
                     effective_from=T0, received_at=T0 + 5),),
    places=(Place(id="home", lat=43.07, lon=-89.4, radius_m=75.0),),
    conditions=(
        Condition(id="c1", kind="exclusion_zone", zone="z", buffer_m=100.0, confirm_fixes=3, hold_s=60.0,
                  suspensions=(Absence(from_=T0 + 100, to=T0 + 200, reason="trial"),)),
        Condition(id="c2", kind="curfew", places=("home",), windows=(Window(from_s=72_000, to_s=21_630),),
                  exceptions=(DayException(date="2026-12-24", windows=(Window(from_s=0, to_s=3_600),)),),
                  leave=(Absence(from_=T0 + 100, to=T0 + 10**9, reason="hospital"),)),
        Condition(id="c3", kind="alcohol", mode="abstinence", tests=(Test(at_s=25_200, days=(0, 2), window_s=1800),)),
        Condition(id="c4", kind="contact", every_s=600.0, hold_s=300.0),
    ),
)
OTHERS = [
    Zone(id="z", version=2, name="School", polygons=((RING, HOLE),), effective_from=T0, provenance="drawn",
         received_at=T0),
    Zone(id="m", kind="inclusion", polygons=((RING,), (FAR,))),
    Zone(id="c", centre=(-89.4, 43.07), radius_m=200.0, effective_until=T0),
    Zone(id="v", version=9, polygons=((RING,),), void=True, effective_from=T0),
    Binding(id="b", version=2, device="D", participant="P-1", role="position", feed="acme", from_=T0, until=T0 + 9,
            effective_from=T0, received_at=T0),
    Binding(id="b2", device="V", protected_person="V-1"),
    Person(id="o-1", version=2, role="officer", name="Pat", language="de", time_zone="Europe/Berlin",
           contacts=(ContactMethod(channel="email", address="pat@example.org", verified=True),)),
    Verdict(id="V-1", version=2, participant="P-1", order="O", condition="c", at=T0, result="needs_analyst",
            reason="two peaks: “mouthwash”?\nask", analyst="a.kern", received_at=T0 + 5),
    Verdict(id="V-1", version=3, participant="P-1", void=True),
]


def parsed(document: dict[str, Any]) -> Any:
    """The one object that a document holds."""
    read = read_object(msgspec.json.decode(msgspec.json.encode(document)))
    assert not read.faults, [str(fault) for fault in read.faults]
    assert len(read.found) == 1
    return read.found[0].value


def test_an_order_comes_back_as_it_was() -> None:
    assert parsed(export.order_document(ORDER)) == ORDER


@pytest.mark.parametrize("given", OTHERS, ids=lambda one: f"{type(one).__name__} {one.id}")
def test_others_come_back_as_they_were(given: Zone | Binding | Person | Verdict) -> None:
    match given:
        case Zone():
            assert parsed(export.zone_collection([given])) == given
        case Binding():
            assert parsed(export.binding_document(given)) == given
        case Person():
            assert parsed(export.person_document(given)) == given
        case Verdict():
            assert parsed(export.verdict_document(given)) == given


@pytest.mark.parametrize("line", [
    b'{"device":"A","kind":"position","observed_at":"2026-11-22T02:42:49.5Z","lat":1,"lon":2,"method":"psychic"}',
    b'{"device":"A","kind":"status","observed_at":"2026-11-22T02:42:49Z","event":"levitation","battery_fraction":0.4}',
    b'{"device":"A","kind":"alcohol_breath","observed_at":"2026-11-22T02:42:49Z","brac_mg_l":0.1,"result":"ok",'
    b'"test_id":"t","purpose":"random","scheduled_at":"2026-11-22T02:00:00Z","mood":{"good":true}}',
    b'{"device":"A","kind":"presence","observed_at":"2026-11-22T02:42:49Z","present":false,"seq":9,"feed":"f"}',
])
def test_a_reading_comes_back_with_the_same_content(line: bytes) -> None:
    first = native.decode(line)
    document = msgspec.json.encode(export.reading_document(first, LATER))
    again = native.decode(document)
    assert content(again) == content(first)
    assert (again.seq, again.feed, again.received_at) == (first.seq, first.feed, LATER)
    assert isinstance(again, Reading)
