"""What other programs see of alerts on emon.alerts: one record an entry of the log, at least once.

Identity is `seq`. People's own words stay in the log, where they can be erased; a topic forgets nothing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from emon.domain.alert import AlertState
from emon.domain.instant import iso
from emon.journal.port import ALERTS, Entry

_FACTS = ("finding_id", "revision", "level", "merged_into")


def entry(row: Any, state: AlertState) -> Entry:
    """The record of a row of alert_event; `state`: the alert as it is now."""
    data = {"facts": {}, "changes": {}} if row.data is None else msgspec.json.decode(row.data)
    return Entry(ALERTS, state.participant or state.feed or "", msgspec.json.encode({
        "v": 1, "type": "alert", "seq": row.seq, "alert": state.alert_id, "version": row.version,
        "event": row.kind, "at": iso(row.at), "recorded_at": iso(row.recorded_at), "actor": row.actor,
        **{name: data["facts"].get(name) for name in _FACTS},
        "participant": state.participant, "order": state.order_id, "condition": state.condition_id,
        "family": state.family, "feed": state.feed, "kind": state.kind, "priority": state.priority,
        "condition_state": state.condition_state.value, "work_state": state.work_state.value,
        "changed": sorted(data["changes"])}))
