// Breath and laboratory tests of an alert: what was planned, what was taken, with which result. Pure.

import { millis } from "../times.ts";
import type { Finding, Reading } from "../types.ts";
import { plain } from "../words.ts";
import { instant } from "./axis.ts";

export interface Taken {
  at: number;
  title: string; // "Random test", "Confirmation"
  result: string; // "0.062 g/210 L", "refused"
  bad: boolean;
  evidence: boolean;
}

export interface Window {
  from: number;
  to: number;
  words: string;
}

const BAD = new Set(["missed", "incomplete", "refused", "positive", "dilute"]);

/** All tests of one sort in `readings`, and those of the finding's evidence that are not among them. */
export function takenOf(finding: Finding, readings: readonly Reading[]): Taken[] {
  const laboratory = finding.kind.startsWith("test_");
  const kind = laboratory ? "lab_result" : "alcohol_breath";
  const limit = limitOf(finding);
  const named = listed(finding.evidence["tests"]);
  const proof = (finding.evidence.readings ?? []).filter((reading) => reading.kind === kind);
  const instants = new Set([...named.map((one) => instant(one["observed_at"])), ...proof.map((one) => millis(one.observed_at))]);
  const known = readings.filter((reading) => reading.kind === kind);
  const have = new Set(known.map((reading) => millis(reading.observed_at)));
  const extra = named
    .map((one, i): Record<string, unknown> => ({ observed_at: proof[i]?.observed_at, ...one }))
    .filter((one) => Number.isFinite(instant(one["observed_at"])) && !have.has(instant(one["observed_at"])));
  return [...known.map((reading) => reading as Record<string, unknown>), ...extra]
    .map((one): Taken => {
      const at = instant(one["observed_at"]);
      const value = one["brac_g_210l"];
      const over = typeof value === "number" && limit !== null && value >= limit;
      const result = String(one["result"] ?? "no result");
      return {
        at,
        title: titleOf(one, laboratory),
        result: typeof value === "number" ? `${value.toFixed(3)} g/210 L` : result.replaceAll("_", " "),
        bad: over || BAD.has(result),
        evidence: instants.has(at),
      };
    })
    .sort((a, b) => a.at - b.at);
}

function titleOf(test: Record<string, unknown>, laboratory: boolean): string {
  if (laboratory) return test["panel"] ? `Sample, ${String(test["panel"])}` : "Sample";
  const purpose = typeof test["purpose"] === "string" ? test["purpose"] : "";
  return purpose === "confirmation" ? "Confirmation" : purpose ? `${plain(purpose)} test` : "Test";
}

/** Windows that the finding speaks of: a planned test's, a month's, or the one for a confirmation. */
export function windowsOf(finding: Finding, taken: readonly Taken[]): Window[] {
  const evidence = finding.evidence;
  const from = instant(evidence["scheduled_at"] ?? evidence["window_from_at"]);
  const to = instant(evidence["window_until_at"]);
  const windows: Window[] = [];
  if (Number.isFinite(from) && Number.isFinite(to))
    windows.push({ from, to, words: finding.kind.startsWith("test_") ? "Month" : "Planned window" });
  const parameters = (evidence["parameters"] ?? {}) as Record<string, unknown>;
  const [begin, end] = [Number(parameters["confirmation_from_s"]), Number(parameters["confirmation_until_s"])];
  const initial = taken.find((one) => one.bad && one.evidence && one.title !== "Confirmation");
  if (initial && Number.isFinite(begin + end) && ["confirmed", "no_confirmation"].includes(finding.reason))
    windows.push({ from: initial.at + begin * 1000, to: initial.at + end * 1000, words: "Time to confirm" });
  return windows;
}

/** The cut-off in g/210 L, where the finding names one. */
export function limitOf(finding: Finding): number | null {
  const limit = ((finding.evidence["parameters"] ?? {}) as Record<string, unknown>)["breath_g_210l"];
  return typeof limit === "number" ? limit : null;
}

const listed = (value: unknown) => (Array.isArray(value) ? (value as Record<string, unknown>[]) : []);
