"""Which alert comes first: from the finding's kind, its evidence level and the participant's supervision.

| priority | what |
|---|---|
| P1 | keep-away, panic, strap or case tamper, anything of level 4 |
| P2 | exclusion zone, shielding, jamming, curfew_absent, any contact_lost at high supervision |
| P3 | other curfew, contact and location lost, confirmed alcohol, failed or refused tests |
| P4 | the rest |

High supervision raises P3 and P4 by one. A tamper whose event nobody can tell counts as the worst.
"""

from __future__ import annotations

from typing import Final

from emon.domain.finding import Finding

_P1: Final = frozenset({"keep_away", "panic", "tamper:strap_open", "tamper:case_open", "tamper"})
_P2: Final = frozenset({"exclusion_zone", "tamper:shielding_start", "tamper:jamming_start", "curfew_absent"})
_P3: Final = frozenset({"curfew_left", "curfew_late", "curfew_accumulated", "contact_lost", "location_lost",
                        "protected_contact_lost", "alcohol_confirmed", "breath_failed", "breath_refused",
                        "test_failed"})
_KNOWN_TAMPERS: Final = frozenset({"strap_open", "case_open", "shielding_start", "jamming_start",
                                   "mock_location", "proximity_lost"})
LATCHED: Final = frozenset({"keep_away", "panic", "exclusion_zone", "tamper:strap_open", "tamper:case_open",
                            "tamper"})
SELF_CLEARING: Final = frozenset({"contact_lost", "location_lost", "feed_outage", "battery",
                                  "motion_without_fix"})


def nature(finding: Finding) -> str:
    """The kind; for tampers with their event, where the evidence names a known one."""
    if finding.kind != "tamper":
        return finding.kind
    readings = finding.evidence.get("readings") or [{}]
    for event in (finding.evidence.get("event"), finding.reason, readings[0].get("event")):
        if event in _KNOWN_TAMPERS:
            return f"tamper:{event}"
    return "tamper"


def event_of(nature_: str) -> str | None:
    """Which tamper it is; None for all else."""
    return nature_.partition(":")[2] or None


def priority(nature_: str, level: int, supervision_level: str | None) -> int:
    """1 (first) to 4."""
    if level >= 4 or nature_ in _P1:
        return 1
    if nature_ in _P2:
        return 2
    rank = 3 if nature_ in _P3 else 4
    return rank - 1 if supervision_level == "high" else rank
