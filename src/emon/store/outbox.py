"""The outbox between alerts and notify: notices, written with the alert change that causes them.

A notice is `held` while the alerts worker is still reading what there is, `ready` once it has caught up,
`planned` when messages were made of it, `dropped` when it was withdrawn before anybody was told: shown, not
sent. Invariant: whoever moves a notice holds its row, so a withdrawal either finds it unplanned and drops
it, or finds it planned and asks for a correction; there is no gap between the two.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select, update

from emon.store import schema

_notice = schema.notice
_UNPLANNED = ("held", "ready")


def drop(connection: Connection, finding_id: str, reason: str) -> None:
    """Takes back what nobody was told yet about a finding."""
    connection.execute(update(_notice).where(
        _notice.c.finding_id == finding_id, _notice.c.state.in_(_UNPLANNED)).values(
        state="dropped", drop_reason=reason))


def hold_planner(connection: Connection, finding_id: str) -> None:
    """Until this transaction ends nobody makes messages about the finding: they would be outdated."""
    connection.execute(update(_notice).where(
        _notice.c.finding_id == finding_id, _notice.c.state.in_(_UNPLANNED)).values(state=_notice.c.state))


def was_planned(connection: Connection, finding_id: str) -> bool:
    """Whether messages were made about the finding."""
    return connection.execute(select(_notice.c.notice_id).where(
        _notice.c.finding_id == finding_id, _notice.c.state == "planned").limit(1)).first() is not None


def release(connection: Connection, partitions: Collection[int]) -> int:
    """The alerts worker has read all there is in these partitions; how many notices became ready."""
    if not partitions:
        return 0
    return connection.execute(update(_notice).where(
        _notice.c.state == "held", _notice.c.partition.in_(partitions)).values(state="ready")).rowcount
