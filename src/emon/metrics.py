"""Every metric, with what to do about it."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 1, 2, 5, 10, 30, 60, 240, 900)

READINGS_ACCEPTED = Counter("emon_readings_accepted_total", "Readings acknowledged to vendors. Falls to zero: "
                            "look at the vendor's own status, then at the feed's key.", ["feed"])
READINGS_DUPLICATE = Counter("emon_readings_duplicate_total", "Readings re-sent and recognised. Rises: the vendor "
                             "does not see our answers; check its time-outs.", ["feed"])
READINGS_REJECTED = Counter("emon_readings_rejected_total", "Slices kept as rejected. Rises: run `emon feed check` "
                            "on one and send the vendor its report.", ["feed", "reason"])
UNKNOWN_VALUES = Counter("emon_unknown_values_total", "Methods and events that no adapter knows. Rises: extend the "
                         "adapter's table.", ["feed", "field"])
STAGE_LAG = Gauge("emon_stage_lag_records", "Records between a stage's position and the journal's end. Grows: the "
                  "stage is too slow or down; start another process of that role.", ["stage"])
STAGE_RECORDS = Counter("emon_stage_records_total", "Records that a stage has worked through. Stands still while "
                        "emon_stage_lag_records grows: restart the stage.", ["stage"])
FINDINGS = Counter("emon_findings_total", "Revisions of findings written. Jumps: look for one cause, a feed or a "
                   "zone change, before paging anybody.", ["kind", "status"])
FIX_TO_FINDING = Histogram("emon_fix_to_finding_seconds", "From the newest evidence's received_at to the revision "
                           "stored. Above 2 s: see emon_stage_lag_records.", buckets=_LATENCY_BUCKETS)
FINDING_TO_HANDOFF = Histogram("emon_finding_to_handoff_seconds", "From a finding stored to the first hand-off to a "
                               "provider. Above 10 s: the channel is slow; see deliveries.", ["channel"],
                               buckets=_LATENCY_BUCKETS)
DELIVERIES = Counter("emon_deliveries_total", "Attempts to hand a notification to a provider. Failures rise: check "
                     "the provider and the verified addresses.", ["channel", "outcome"])
