// The chart that an alert's newest standing finding asks for.

import { millis } from "../times.ts";
import type { AlertDetail, Finding, Place, Reading } from "../types.ts";
import { AllowanceChart } from "./AllowanceChart.tsx";
import { AppointmentChart } from "./AppointmentChart.tsx";
import { BatteryChart } from "./BatteryChart.tsx";
import { DistanceChart } from "./DistanceChart.tsx";
import { EventsChart } from "./EventsChart.tsx";
import { MotionChart } from "./MotionChart.tsx";
import { SilenceChart } from "./SilenceChart.tsx";
import { SkinChart } from "./SkinChart.tsx";
import { TestsChart } from "./TestsChart.tsx";

const TESTS = new Set(["breath", "test_failed", "test_missed"]);
const EVENTS = new Set(["tamper", "panic"]);
const SILENCES = new Set(["contact_lost", "location_lost", "alcohol_no_upload", "protected_contact_lost"]);
const BATTERIES = new Set(["battery", "protected_battery"]);

function newest(alert: AlertDetail): Finding | null {
  const all = alert.findings.map(({ finding }) => finding);
  return all.findLast((finding) => finding.status !== "withdrawn") ?? all.at(-1) ?? null;
}

/** The places that the condition names; a condition without one means the order's first. */
function placesOf(alert: AlertDetail): { places: Place[]; homeUnit: boolean } {
  const all = alert.order_in_force?.places ?? [];
  const { place, places } = alert.condition_in_force ?? { id: "", kind: "" };
  const named = new Set([place, ...(Array.isArray(places) ? places : [])].filter(Boolean).map(String));
  const found = named.size === 0 ? all.slice(0, 1) : all.filter((each) => named.has(each.id));
  return { places: found, homeUnit: found.some((each) => each.id === all[0]?.id) };
}

export function Shown({ alert, readings, zone }: { alert: AlertDetail; readings: Reading[]; zone: string }) {
  const finding = newest(alert);
  const skin = readings.some((reading) => reading.kind === "alcohol_transdermal");
  const beside = skin ? <SkinChart readings={readings} zone={zone} /> : null;
  if (finding === null) return beside;
  if (alert.family === "alcohol")
    return (
      <SkinChart
        readings={readings}
        zone={zone}
        finding={finding}
        limits={alert.condition_in_force?.["limits"]}
      />
    );
  if (TESTS.has(alert.family)) return <TestsChart finding={finding} readings={readings} zone={zone} />;
  if (BATTERIES.has(alert.family)) return <BatteryChart finding={finding} readings={readings} zone={zone} />;
  if (alert.family === "curfew_accumulated") return <AllowanceChart finding={finding} zone={zone} />;
  if (alert.family === "attendance" || finding.evidence["dwell_s"] !== undefined)
    return <AppointmentChart finding={finding} readings={readings} zone={zone} {...placesOf(alert)} />;
  const now = latest(alert, readings);
  if (EVENTS.has(alert.family))
    return <EventsChart findings={alert.findings.map((view) => view.finding)} now={now} zone={zone} />;
  if (alert.family === "keep_away") return <DistanceChart finding={finding} zone={zone} />;
  if (alert.family === "motion_without_fix")
    return <MotionChart finding={finding} readings={readings} now={now} zone={zone} />;
  if (SILENCES.has(alert.family)) return <SilenceChart finding={finding} now={now} zone={zone} />;
  return beside;
}

/** The newest instant that is known of: what is still so is drawn up to it. */
function latest(alert: AlertDetail, readings: readonly Reading[]): number {
  const told = alert.findings.map(({ finding }) => millis(finding.decided_at));
  return Math.max(...told, ...readings.slice(-1).map((reading) => millis(reading.observed_at)));
}
