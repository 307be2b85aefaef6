"""A participant with an order, a zone, readings and findings, as the pipeline would have left them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from emon.domain.binding import Binding
from emon.domain.finding import FAMILY_OF_KIND, Finding
from emon.domain.instant import DAY, MINUTE, SECOND, iso
from emon.domain.order import Condition, Order, Place
from emon.domain.person import Person
from emon.domain.reading import Reading
from emon.domain.zone import Zone
from emon.evaluate.port import Chunk
from emon.journal.records import BindingVersion, Bound, OrderVersion, PersonVersion, ZoneVersion, encode

PARTICIPANT = "P-0001"
NAME = "Katharina Freifrau von Hohenberg-Schwarzenfels"
ZONE_NAME = "Gemeinschaftsgrundschule Lincoln"
SHAPE = ((-89.3905, 43.0800), (-89.3865, 43.0800), (-89.3865, 43.0818), (-89.3880, 43.0818),
         (-89.3880, 43.0830), (-89.3905, 43.0830), (-89.3905, 43.0800))
INSIDE_FROM, SILENT_FROM, SILENT_TO, TRACK_MINUTES = 43, 48, 60, 75


def documents(now: int) -> list[bytes]:
    """Records of emon.orders: a person, an order with its device, its zone."""
    binding = Binding(id="WI-2026-000123:ACME-0001", version=3, device="ACME-0001", participant=PARTICIPANT,
                      feed="acme", from_=now - 30 * DAY)
    order = Order(
        id="WI-2026-000123", version=3, participant=PARTICIPANT, time_zone="America/Chicago",
        effective_from=now - 30 * DAY, supervision_level="standard", agency="dane", officer="o-17",
        devices=(binding,), places=(Place(id="home", lat=43.0731, lon=-89.4012, radius_m=75.0),),
        conditions=(
            Condition(id="c1", kind="exclusion_zone", zone="school-17", buffer_m=100.0, confirm_fixes=2),
            Condition(id="c2", kind="curfew", place="home", hold_s=300.0),
            Condition(id="c4", kind="alcohol", mode="abstinence"),
            Condition(id="c6", kind="device_integrity"), Condition(id="c7", kind="contact", every_s=600.0)))
    zone = Zone(id="school-17", version=2, name=ZONE_NAME, polygons=((SHAPE,),))
    person = Person(id=PARTICIPANT, role="participant", name=NAME, language="de", time_zone="America/Chicago")
    return [encode(PersonVersion(now, person)), encode(ZoneVersion(now, zone)),
            encode(BindingVersion(now, binding)), encode(OrderVersion(now, order))]


def readings(onset: int) -> list[Reading]:
    """A walk from home into the zone, a silence, and out of it; alcohol, status and laboratory beside it.

    The fix of minute `INSIDE_FROM` is at `onset`.
    """
    found = []
    for minute in range(TRACK_MINUTES):
        at = onset + (minute - INSIDE_FROM) * MINUTE
        share = min(1.0, minute / 46)
        after = max(0, minute - 56)
        if not SILENT_FROM <= minute < SILENT_TO:
            found.append(Reading(
                device="ACME-0001", kind="position", observed_at=at, received_at=at + 3 * SECOND, seq=minute,
                feed="acme", lat=round(43.0731 + share * 0.0085 + after * 0.00025, 6),
                lon=round(-89.4012 + share * 0.0122 - after * 0.00008, 6), accuracy_m=8.0 + minute % 5 * 3,
                method="wifi" if minute % 11 == 7 else "gnss", speed_mps=1.2))
        if minute % 15 == 0:
            found.append(Reading(device="ACME-0001", kind="status", observed_at=at, received_at=at,
                                 event="heartbeat", battery_fraction=0.7 - minute / 300))
        if minute % 10 == 0:
            found.append(Reading(device="ACME-0002", kind="alcohol_transdermal", observed_at=at,
                                 received_at=at, tac_g_dl=max(0.0, round(0.03 - abs(minute - 40) / 1000, 3)),
                                 sensor_family="scram", skin_temperature_c=33.1, ir_v=1.24))
    found.append(Reading(device="LAB-7", kind="lab_result", observed_at=onset - 20 * MINUTE,
                         received_at=onset, test_id="s-88", panel="5-drug", result="negative"))
    return found


def chunks(onset: int, participant: str = PARTICIPANT) -> list[Chunk]:
    """The readings as the history keeps them."""
    days: dict[int, list[Reading]] = defaultdict(list)
    for one in readings(onset):
        days[one.observed_at // DAY].append(one)
    return [Chunk(participant, day, min(one.observed_at for one in items),
                  max(one.observed_at for one in items), len(items),
                  b"\n".join(encode(Bound(participant, one.received_at, one)) for one in items))
            for day, items in days.items()]


def exclusion(onset: int, **changes: Any) -> Finding:
    """Inside the zone: opened by two fixes, last seen before the silence, ended after it."""
    fixes = [one for one in readings(onset) if one.kind == "position" and onset <= one.observed_at][:3]
    evidence = {"readings": [{"device": one.device, "kind": "position", "observed_at": iso(one.observed_at),
                              "seq": one.seq} for one in fixes],
                "buffer_m": 100.0, "confirm_fixes": 2, "distances_m": [12.41, 33.2, 51.07]}
    fields: dict[str, Any] = {
        "id_": "f-exclusion", "onset": onset, "level": 3, "seen_until": onset + 4 * MINUTE,
        "zone_version": 2, "decided_at": onset + MINUTE, "evidence": evidence}
    return finding("exclusion_zone", **(fields | changes))


def finding(kind: str, *, id_: str, onset: int, condition: str = "c1", participant: str = PARTICIPANT,
            evidence: dict[str, Any] | None = None, **changes: Any) -> Finding:
    """A finding as the evaluator would write it."""
    revision, ended = changes.get("revision", 1), changes.get("ended")
    fields: dict[str, Any] = {
        "revision": revision, "order": "WI-2026-000123", "status": "opened" if revision == 1 else "amended",
        "ended": ended, "decided_at": onset + MINUTE, "received_at": onset, "late": False, "level": 2,
        "reason": "", "order_version": 3, "rule_version": 1}
    if ended is not None:
        fields["status"] = "closed"
    return Finding(finding_id=id_, participant=participant, condition=condition, kind=kind, onset=onset,
                   family=FAMILY_OF_KIND.get(kind, kind), evidence=evidence or {"readings": []},
                   **(fields | changes))


def tamper(onset: int, id_: str = "f-tamper", participant: str = PARTICIPANT, **changes: Any) -> Finding:
    """A strap opened: P1."""
    evidence = {"event": "strap_open", "readings": [{"device": "ACME-0001", "kind": "status",
                                                    "observed_at": iso(onset)}]}
    return finding("tamper", id_=id_, onset=onset, condition="c6", participant=participant, level=3,
                   evidence=evidence, **changes)
