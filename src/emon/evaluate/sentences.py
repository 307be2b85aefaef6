"""Evidence of a revision, with one plain sentence that says what was seen, how sure that is, and why.

People read it first: operators, officers, participants, clerks. It states observations, never guilt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emon.domain import instant
from emon.domain.finding import Finding
from emon.evaluate.matching import Key
from emon.evaluate.orderbook import OrderBook
from emon.evaluate.positions import accuracy_m
from emon.evaluate.verdict import Interval
from emon.journal.records import Bound

_SUBJECT = {
    "exclusion_zone": "Possibly inside an exclusion zone",
    "zone_crossing": "Possibly passed through an exclusion zone between two fixes",
    "inclusion_zone": "Possibly outside the area that must not be left",
    "curfew_left": "Possibly left during curfew",
    "curfew_late": "Possibly not back when curfew began",
    "curfew_absent": "Possibly absent for the whole curfew",
    "curfew_accumulated": "Away for more of this week's curfew than is allowed",
    "keep_away": "Possibly too close to a protected person",
    "protected_contact_lost": "No reading received from any device of the protected person",
    "protected_battery": "Battery of the protected person's device low",
    "attendance_missed": "Possibly missed an appointment",
    "attendance_late": "Possibly too late for an appointment",
    "attendance_left": "Possibly left an appointment too early",
    "contact_lost": "No reading received from any device",
    "location_lost": "Readings arrive, but none says where",
    "feed_outage": "A whole feed is silent",
    "tamper": "Device tamper",
    "panic": "Panic button pressed",
    "battery": "Battery of the device low",
    "charging_missed": "The device was not charged as ordered",
    "motion_without_fix": "The device moves, and nothing says where",
    "breath_failed": "Breath test and its confirmation at or above the cut-off",
    "breath_missed": "Possibly a breath test missed",
    "breath_incomplete": "Breath test not completed",
    "breath_refused": "Breath test refused",
    "breath_not_received": "No result of a planned breath test received, and nothing else from its device",
    "alcohol_possible": "Possibly alcohol through the skin, as measured",
    "alcohol_confirmed": "Alcohol through the skin, with the rise and fall of drinking, as measured",
    "alcohol_review": "Alcohol readings through the skin that an analyst must look at, as measured",
    "alcohol_no_upload": "No reading through the skin received",
    "test_failed": "Laboratory test failed",
    "test_missed": "Possibly a laboratory test missed",
}
_ANALYSED = {
    "alcohol_confirmed": "Alcohol through the skin, as measured",
    "alcohol_review": "Alcohol readings through the skin, as measured",
}
_TAMPERS = {
    "strap_open": "Strap reported open",
    "case_open": "Device case reported open",
    "proximity_lost": "Device reported away from its wearer",
    "shielding_start": "Device reported shielded",
    "jamming_start": "Signal reported jammed",
    "mock_location": "Faked location reported",
}
_ENDED = {
    "left_zone": "later fixes were outside again",
    "crossed": "neither fix was inside, the straight path between them leads through it",
    "returned": "later fixes were back where they should be",
    "moved_away": "later fixes were far enough away again",
    "heard": "a device was heard again",
    "located": "a location was received again",
    "week_ended": "the week ended then",
    "window_ended": "the window ended then",
    "unknown_after": "the window ended then; for part of it nothing was observed",
    "order_ended": "the order or zone was no longer in force then",
    "terms_changed": "the order's terms changed then",
    "leave_began": "leave began then",
    "suspension_began": "the condition was suspended then",
    "strap_closed": "the device reports its strap closed",
    "case_closed": "the device reports its case closed",
    "proximity_restored": "the device reports that it is back at its wearer",
    "shielding_stop": "the device reports that shielding ended",
    "jamming_stop": "the device reports that jamming ended",
    "charged": "it was charged again then",
    "unbound": "the device was no longer this person's then",
    "panic": "the device reports it as one press",
    "confirmed": "the confirmation agreed",
    "no_confirmation": "the first result was positive, and no confirmation followed in time",
    "incomplete": "the device reports an incomplete test",
    "refused": "a refusal was reported",
    "missed": "it was reported that no test was taken",
    "never_taken": "the device was heard since, without a result from this window",
    "positive": "the laboratory reports a positive sample",
    "dilute": "the laboratory reports a dilute sample",
    "too_few": "the month ended with fewer final results than the order demands",
    "slopes": "it had returned to zero, and both slopes are those of drinking",
    "slope": "it had returned to zero, and a slope is steeper than the limit; that does not mean no drinking",
    "interferent": "it changed faster than a body does",
    "obstruction": "something may have covered the sensor",
    "analyst_confirmed": "an analyst confirmed it",
    "analyst_needs_analyst": "an analyst leaves it open",
    "analyst_interferent": "an analyst says that something else than drinking was measured",
    "analyst_obstruction": "an analyst says that something covered the sensor",
    "censored": "its beginning or end was not observed",
    "no_slopes_known": "it had returned to the baseline; slopes of this sensor are not known",
    "uploaded": "a reading was received again",
    "device_silent": "the device may still hold the result",
}
_WITHDRAWN = {
    "leave": "leave covers this time",
    "suspension": "the condition was suspended at this time",
    "feed_outage": "the whole feed was silent, so this silence says nothing about the participant",
    "merged": "it is part of another finding now",
    "order_changed": "the order says otherwise for this time",
    "zone_changed": "the zone had another shape at this time",
    "binding_changed": "the readings belong to somebody else",
    "late_data": "readings that arrived later contradict it",
}
_REASON_CHARS = 300  # of an analyst's words; the evidence has them all
_LEVEL = ("artefact", "not verified", "probable", "confirmed", "confirmed threat")


def evidence(key: Key, interval: Interval, orders: OrderBook | None = None) -> dict[str, Any]:
    """Readings used, numbers compared, the sentence, and, where `orders` hold neutral zones, how places are called."""
    named = [] if orders is None else _named_places(key, interval, orders)
    beside = {} if interval.beside is None else interval.beside()
    told = {"sentence": sentence(interval, named[0]["name"] if named else None, beside),
            "readings": [_reading(b) for b in interval.used],
            **{name: _published(value, name) for name, value in (*interval.numbers.items(), *beside.items())}}
    return {**told, "neutral_zones": _published(named)} if named else told


def _named_places(key: Key, interval: Interval, orders: OrderBook) -> list[dict[str, Any]]:
    """The neutral zones that the fixes used certainly lie in, those of a protected person aside."""
    return [{"observed_at": b.reading.observed_at, "zone": zone.id, "zone_version": zone.version,
             "name": zone.name or zone.id}
            for b in interval.used
            if b.participant == key.participant and b.reading.lon is not None and b.reading.lat is not None
            for zone in orders.neutral_at(b.reading.observed_at, b.reading.lon, b.reading.lat, accuracy_m(b.reading))]


def retraction(last: Finding, reason: str) -> dict[str, Any]:
    """The evidence of a withdrawn finding: what it was, and why it no longer stands."""
    subject = _subject(last.kind, last.evidence)
    text = f"Withdrawn: {subject.lower()} from {instant.iso(last.onset)}; {_WITHDRAWN.get(reason, reason)}."
    return {**last.evidence, "sentence": text}


def sentence(interval: Interval, place: str | None = None, beside: Mapping[str, Any] | None = None) -> str:
    """One sentence, with the reservation that the evidence deserves. `place`: what the first place is called.
    `beside`: what else is known."""
    subject = _subject(interval.kind, interval.numbers)
    if interval.family == "location_lost" and "dwell_s" in interval.numbers:
        subject = "Too few fixes to say whether an appointment was kept"
    text = f"{subject} from {instant.iso(interval.onset)}"
    if interval.ended == interval.onset:
        text = f"{subject} at {instant.iso(interval.onset)}; {_ENDED.get(interval.reason, interval.reason)}"
    elif interval.ended is not None:
        text += f" to {instant.iso(interval.ended)}; {_ENDED.get(interval.reason, interval.reason)}"
    else:
        text += ", and still so"
    fixes = interval.numbers.get("fixes")
    if fixes:
        first = fixes[0]
        where = "inside" if first["distance_m"] > 0 else "outside"
        text += (f". The first fix was {abs(first['distance_m']):.2f} m {where} the border, "
                 f"accurate to {first['accuracy_m']:g} m")
    if place is not None:
        text += f". The place is known as {place}"
    text += _apart(interval) + _analysed(interval) + _tested(interval) + _charged(interval) + _moved(interval)
    if interval.kind == "curfew_accumulated":
        allowance_s = interval.numbers["parameters"]["allowance_s_per_week"]
        away = _duration(interval.numbers["away_s"])
        text += f". Away for {away} so far; {_duration(allowance_s)} a week are allowed"
    if "dwell_s" in interval.numbers:
        text += _dwell(interval)
    elif interval.used and interval.kind in ("contact_lost", "location_lost", "protected_contact_lost"):
        text += f". The last one was observed at {instant.iso(interval.used[0].reading.observed_at)}"
    text += "".join(_known(device) for device in (beside or {}).get("circumstances", ()))
    return f"{text} ({_LEVEL[interval.level]})."


def _known(device: Mapping[str, Any]) -> str:
    """What the last readings of a device may explain."""
    text = ""
    if "charging_since_at" in device:
        text += f". {device['device']} was charging since {instant.iso(device['charging_since_at'])}"
    elif "empty_forecast_at" in device:
        text += (f". {device['device']} reported {100 * device['battery_fraction']:g} % of charge at "
                 f"{instant.iso(device['battery_at'])} and, as it falls, is empty at about "
                 f"{instant.iso(device['empty_forecast_at'])}")
    elif "battery_fraction" in device:
        text += (f". {device['device']} reported {100 * device['battery_fraction']:g} % of charge at "
                 f"{instant.iso(device['battery_at'])}")
    if device.get("present"):
        text += f". {device['device']} reported presence at {instant.iso(device['presence_at'])}"
    return text


def _subject(kind: str, numbers: Mapping[str, Any]) -> str:
    """What was observed; of a tamper, which; where an analyst decided, without what the readings alone would say."""
    if kind == "tamper":
        return _TAMPERS.get(numbers.get("event") or "", _SUBJECT[kind])
    return _ANALYSED[kind] if "verdict" in numbers else _SUBJECT.get(kind, kind)


def _apart(interval: Interval) -> str:
    """How far two people were from each other, and how sure that is."""
    pairs = interval.numbers.get("pairs")
    if not pairs:
        return ""
    first, limit_m = pairs[0], interval.numbers["parameters"]["distance_m"]
    return (f". The first fix was {first['distance_m']:.2f} m from the other person's, give or take "
            f"{first['slack_m']:.2f} m; {limit_m:g} m are ordered")


def _charged(interval: Interval) -> str:
    """The charges that were compared."""
    charges = interval.numbers.get("charges")
    if not charges:
        return ""
    told = [f"{100 * charge['battery_fraction']:g} %" for charge in charges]
    return f". Charge reported: {', '.join(told)}"


def _moved(interval: Interval) -> str:
    """How much motion or charging there was."""
    if "charged_s" in interval.numbers:
        charged_s, ordered = interval.numbers["charged_s"], interval.numbers["parameters"]
        return (f". It reports {_duration(charged_s)} of charging in the {ordered['charge_every_h']:g} h before; "
                f"{_duration(ordered['charged_s'])} are ordered")
    if "moved_s" not in interval.numbers:
        return ""
    within, moved = _duration(interval.numbers["parameters"]["within_s"]), _duration(interval.numbers["moved_s"])
    return f". It reports {moved} of motion within {within} without a position"


def _tested(interval: Interval) -> str:
    """The values that were measured, beside the limit."""
    if interval.kind not in ("breath_failed", "breath_incomplete"):
        return ""
    measured = [t["brac_g_210l"] for t in interval.numbers["tests"] if t["brac_g_210l"] is not None]
    if not measured:
        return ""
    limit = interval.numbers["parameters"]["breath_g_210l"]
    return f". Measured {', '.join(f'{value:.3f}' for value in measured)} g/210 L; the limit is {limit:.3f}"


def _analysed(interval: Interval) -> str:
    """Who set the verdict, in whose words, and what the readings alone would have given."""
    verdict = interval.numbers.get("verdict")
    if verdict is None:
        return ""
    computed = interval.numbers["computed"]
    words = "".join(sign if sign.isprintable() else " " for sign in " ".join(verdict["reason"].split()))
    if len(words) > _REASON_CHARS:
        words = words[:_REASON_CHARS] + "\u2026"
    alone = _ENDED.get(computed["reason"], computed["reason"])
    return (f". Verdict of {verdict['analyst']}: \u201c{words}\u201d. "
            f"By the readings alone: {alone}")


def _dwell(interval: Interval) -> str:
    """How long somebody was seen at an appointment, of how long it takes."""
    numbers = interval.numbers
    text = f". Seen there for {_duration(numbers['dwell_s'])} of {_duration(numbers['parameters']['minimum_s'])}"
    if interval.family == "location_lost":
        text += f"; nothing said where for up to {_duration(numbers['longest_gap_s'])}"
    return text


def _duration(seconds: float) -> str:
    """Hours, minutes and seconds, without those that are none."""
    parts = ((int(seconds // 3600), "h"), (int(seconds % 3600 // 60), "min"), (round(seconds % 60, 3), "s"))
    return " ".join(f"{value:g} {unit}" for value, unit in parts if value) or "0 s"


def _reading(bound: Bound) -> dict[str, Any]:
    reading = bound.reading
    described: dict[str, Any] = {"device": reading.device, "kind": reading.kind,
                                 "observed_at": instant.iso(reading.observed_at)}
    if reading.seq is not None:
        described["seq"] = reading.seq
    return described


def _published(value: Any, name: str = "") -> Any:
    """Numbers as they are, instants (microseconds under a name ending in `_at`, or `due`) as RFC 3339."""
    if isinstance(value, dict):
        return {k: _published(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_published(v) for v in value]
    if isinstance(value, int) and (name.endswith("_at") or name == "due"):
        return instant.iso(value)
    return value
