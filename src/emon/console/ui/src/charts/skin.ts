// An episode of alcohol at the skin as its finding describes it: foot, peak, end, slopes, and steps that no
// body makes. Pure.

import { millis } from "../times.ts";
import type { Finding, Reading } from "../types.ts";
import { instant } from "./axis.ts";

export interface Level {
  at: number;
  value: number;
}

export interface Slope {
  name: string;
  value: number; // a change an hour
  limit: number;
}

export interface Episode {
  unit: string;
  limit: number;
  levels: Level[]; // all that the evidence names
  foot: Level | null;
  peak: Level | null;
  end: Level | null;
  slopes: Slope[];
  steepest: number; // from where on a step between neighbours is no body's
}

const LIMIT = 0.02; // what opens a finding where nothing else is said
const STEEPEST = 0.3;

/** Readings of a sensor's unit, by time. */
export function levelsOf(readings: readonly Reading[], unit: string): Level[] {
  const field = unit === "ug/L" ? "tac_ug_l" : "tac_g_dl";
  return readings
    .filter((reading) => reading.kind === "alcohol_transdermal" && typeof reading[field] === "number")
    .map((reading) => ({ at: millis(reading.observed_at), value: reading[field] as number }))
    .sort((a, b) => a.at - b.at);
}

/** What the finding's evidence names; without a finding only the limit is known. */
export function episodeOf(finding: Finding | null, limits?: unknown): Episode {
  const evidence = finding?.evidence ?? {};
  const parameters = { ...numbers(limits), ...numbers(evidence["parameters"]) };
  const unit = evidence["unit"] === "ug/L" ? "ug/L" : "g/dL";
  const levels = (Array.isArray(evidence["levels"]) ? (evidence["levels"] as Record<string, unknown>[]) : [])
    .map((each) => ({ at: instant(each["observed_at"]), value: Number(each["value"]) }))
    .sort((a, b) => a.at - b.at);
  const onset = finding ? millis(finding.onset) : NaN;
  const ended = finding?.ended ? millis(finding.ended) : NaN;
  const during = levels.filter((level) => level.at >= onset && !(level.at > ended));
  return {
    unit,
    limit: (unit === "ug/L" ? parameters["positive_ug_l"] : parameters["positive_g_dl"]) ?? LIMIT,
    levels,
    foot: levels.findLast((level) => level.at < onset) ?? null,
    peak: during.reduce<Level | null>((best, each) => (best && best.value >= each.value ? best : each), null),
    end: levels.find((level) => level.at === ended && level.value <= 0) ?? null,
    slopes: slopesOf(numbers(evidence["slopes"]), parameters),
    steepest: parameters["interferent_g_dl_per_h"] ?? STEEPEST,
  };
}

function slopesOf(told: Record<string, number>, parameters: Record<string, number>): Slope[] {
  const rows: [string, number | undefined, number | undefined][] = [
    ["Absorption", told["absorption_g_dl_per_h"], parameters["absorption_g_dl_per_h"]],
    ["Elimination", told["elimination_g_dl_per_h"], told["elimination_limit_g_dl_per_h"]],
  ];
  return rows.flatMap(([name, value, limit]) =>
    value === undefined || limit === undefined ? [] : [{ name, value, limit }],
  );
}

/** Pairs of neighbours between which it changed faster than `steepest` an hour. */
export function jumps(points: readonly Level[], steepest: number): [Level, Level][] {
  const found: [Level, Level][] = [];
  for (let i = 1; i < points.length; i += 1) {
    const [a, b] = [points[i - 1]!, points[i]!];
    if ((Math.abs(b.value - a.value) * 3_600_000) / (b.at - a.at) >= steepest - 1e-9) found.push([a, b]);
  }
  return found;
}

function numbers(value: unknown): Record<string, number> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}
