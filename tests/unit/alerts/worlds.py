"""Findings and orders for tests of alerts and notifications."""

from __future__ import annotations

from typing import Any

from emon.domain.finding import FAMILY_OF_KIND, Finding
from emon.domain.instant import MINUTE

T0 = 1_795_000_000_000_000


def finding(
    kind: str = "exclusion_zone",
    *,
    id_: str = "f1",
    revision: int = 1,
    participant: str | None = "P-1",
    order: str | None = "O-1",
    condition: str | None = "c1",
    status: str | None = None,
    onset: int = T0,
    ended: int | None = None,
    decided_at: int | None = None,
    level: int = 2,
    reason: str = "",
    feed: str | None = None,
    event: str | None = None,
    order_version: int | None = 1,
    zone_version: int | None = None,
    merged_into: str | None = None,
    seen_until: int | None = None,
    **evidence: Any,
) -> Finding:
    """A revision; status follows from content as in the published format."""
    if status is None:
        status = "closed" if ended is not None else "opened" if revision == 1 else "amended"
    if event is not None:
        evidence["event"] = event
    return Finding(
        finding_id=id_,
        revision=revision,
        participant=participant,
        order=order,
        condition=condition,
        family=FAMILY_OF_KIND.get(kind, kind),
        kind=kind,
        feed=feed,
        status=status,
        onset=onset,
        ended=ended,
        decided_at=decided_at if decided_at is not None else (ended or onset) + MINUTE,
        received_at=None,
        late=False,
        level=level,
        reason=reason,
        order_version=order_version,
        zone_version=zone_version,
        rule_version=1,
        seen_until=seen_until,
        merged_into=merged_into,
        evidence={"readings": [], **evidence},
    )
