// When a device moved, and for how long nothing said where it was. Pure.

import { millis } from "../times.ts";
import type { Finding, Reading } from "../types.ts";

export interface Stretch {
  from: number;
  to: number;
}

/** The time without a position that the finding is about, and the motion within it. */
export function motionOf(
  finding: Finding,
  readings: readonly Reading[],
  device: string,
  now: number,
): { dark: Stretch; moving: Stretch[] } {
  const onset = millis(finding.onset);
  const to = finding.ended === null ? now : millis(finding.ended);
  const fixes = (finding.evidence.readings ?? []).filter((reading) => reading.kind !== "status");
  const before = fixes.map((reading) => millis(reading.observed_at)).filter((at) => at < onset);
  const dark = { from: before.length > 0 ? Math.max(...before) : onset, to };
  const told = readings
    .filter((reading) => reading.device === device && ["motion_start", "motion_stop"].includes(reading.event ?? ""))
    .map((reading) => ({ at: millis(reading.observed_at), starts: reading.event === "motion_start" }))
    .sort((a, b) => a.at - b.at);
  const moving: Stretch[] = [];
  let since: number | null = null;
  for (const { at, starts } of [...told, { at: to, starts: false }]) {
    if (starts) since ??= at;
    else if (since !== null) {
      const piece = { from: Math.max(since, dark.from), to: Math.min(at, to) };
      if (piece.to > piece.from) moving.push(piece);
      since = null;
    }
  }
  return { dark, moving };
}
