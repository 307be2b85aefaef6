// Where somebody was during a window, as far as fixes tell: there, elsewhere, unsure, or not observed. The
// evaluator decided by its own arithmetic; these pieces show it. Pure.

import { millis } from "../times.ts";
import type { Place, Reading } from "../types.ts";

export type Where = "there" | "elsewhere" | "unsure" | "unobserved";

export interface Piece {
  from: number;
  to: number;
  where: Where;
}

const METRES_PER_DEGREE = 111_195;
const UNKNOWN_ACCURACY_M = 50;
const QUIET_MS = 10 * 60_000; // longer without a fix: not observed

/** Metres from a place's border; negative inside. */
export function beyond(lat: number, lon: number, place: Place, bufferM: number): number {
  const x = (lon - place.lon) * METRES_PER_DEGREE * Math.cos((place.lat * Math.PI) / 180);
  return Math.hypot(x, (lat - place.lat) * METRES_PER_DEGREE) - place.radius_m - bufferM;
}

/** What one reading says; null where it says nothing about places. `homeUnit`: a home unit speaks for them. */
export function whereOf(reading: Reading, places: readonly Place[], bufferM: number, homeUnit: boolean): Where | null {
  if (reading.kind === "presence") return homeUnit && reading["present"] === true ? "there" : null;
  if (reading.kind !== "position" || reading.lat === undefined || reading.lon === undefined) return null;
  const told = reading.accuracy_m;
  const accuracy = !told || told >= 2_147_483_647 ? UNKNOWN_ACCURACY_M : told;
  const distances = places.map((place) => beyond(reading.lat!, reading.lon!, place, bufferM));
  if (distances.some((metres) => -metres > accuracy)) return "there";
  const away = distances.every((metres) => metres > accuracy);
  return away && reading.method === "gnss" ? "elsewhere" : "unsure"; // other methods never say that one is elsewhere
}

/** The window in pieces, without holes. */
export function piecesOf(
  readings: readonly Reading[],
  places: readonly Place[],
  window: { from: number; to: number },
  bufferM = 0,
  homeUnit = false,
): Piece[] {
  const seen = readings
    .map((reading) => ({
      at: millis(reading.observed_at),
      where: whereOf(reading, places, bufferM, homeUnit),
    }))
    .filter((one): one is { at: number; where: Where } => one.where !== null)
    .filter((one) => one.at >= window.from && one.at < window.to)
    .sort((a, b) => a.at - b.at);
  const pieces: Piece[] = [];
  const add = (from: number, to: number, where: Where) => {
    const last = pieces.at(-1);
    if (to <= from) return;
    if (last && last.where === where) last.to = to;
    else pieces.push({ from, to, where });
  };
  let before = { at: window.from, where: "unobserved" as Where };
  for (const one of [...seen, { at: window.to, where: "unobserved" as Where }]) {
    const edge = before.where === "unobserved" ? one.where : one.where === "unobserved" ? before.where : null;
    if (one.at - before.at > QUIET_MS) add(before.at, one.at, "unobserved");
    else if (edge !== null) add(before.at, one.at, edge);
    else {
      const middle = (before.at + one.at) / 2;
      add(before.at, middle, before.where);
      add(middle, one.at, one.where);
    }
    before = one;
  }
  return pieces;
}
