// Round times and values for axes, on the order's clock. Pure.

import { local, millis, toField } from "../times.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7 * 1440, 14 * 1440].map((n) => n * MINUTE);

export interface Tick {
  at: number;
  words: string;
}

/** At most `most` round instants within [from, to]: wall-clock times, or dates where days are shown. */
export function timeTicks(from: number, to: number, zone: string, most: number): Tick[] {
  const step = STEPS.find((each) => (to - from) / each <= most) ?? STEPS.at(-1)!;
  const wall = Date.parse(`${toField(from, zone)}Z`); // the wall clock as if it were UTC
  const shift = wall - Math.floor(from / MINUTE) * MINUTE;
  const first = Math.ceil((from + shift) / step) * step - shift;
  const ticks: Tick[] = [];
  for (let at = first; at <= to && ticks.length <= most; at += step)
    ticks.push({ at, words: wordsOf(at, zone, step, to - from) });
  return ticks;
}

/** The time of day; the date at midnights where several days are shown, and everywhere over weeks. */
function wordsOf(at: number, zone: string, step: number, span: number): string {
  const { date, time } = local(at, zone);
  return step >= DAY || (span > DAY && time.startsWith("00:00")) ? date.slice(4) : time.slice(0, 5);
}

/** "18:05", or "Mon 07 Sep, 18:05" where the day differs from `day`'s. */
export function clock(at: number, zone: string, day: number): string {
  const shown = local(at, zone);
  const time = shown.time.slice(0, 5);
  return shown.date === local(day, zone).date ? time : `${shown.date}, ${time}`;
}

/** A number of an instant on the wire, NaN where there is none. */
export const instant = (value: unknown) => (typeof value === "string" ? millis(value) : NaN);
