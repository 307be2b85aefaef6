"""Verdicts: what an analyst says of an alcohol episode, with the reason. Versioned like orders, never edited."""

from __future__ import annotations

from typing import Final

import msgspec

RESULTS: Final = ("confirmed", "needs_analyst", "interferent", "obstruction")


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One version of a verdict; of one id the highest version rules. It concerns the episode of `order` and
    `condition` that contains the instant `at` (microseconds UTC), its onset or any other.

    A void version takes the verdict back and may leave out all else. `participant` is never empty once taken in.
    """

    id: str
    version: int = 1
    participant: str
    order: str = ""
    condition: str = ""
    at: int | None = None
    result: str = ""  # one of RESULTS
    reason: str = ""  # the analyst's own words
    analyst: str = ""
    void: bool = False
    received_at: int | None = None
