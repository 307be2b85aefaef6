// A week's allowance day by day: how much was spent, and how the total grew. Pure.

import { local, toField } from "../times.ts";
import { instant } from "./axis.ts";

export interface Day {
  from: number;
  words: string;
  awayMs: number;
  totalMs: number; // of the week up to this day's end
}

const DAY = 86_400_000;

/** The days of the week from `from` to `to`; `away` as the evidence lists it. */
export function daysOf(away: readonly Record<string, unknown>[], from: number, to: number, zone: string): Day[] {
  const spans = away.map((one) => ({ from: instant(one["from_at"]), to: instant(one["until_at"]) }));
  const days: Day[] = [];
  let total = 0;
  for (let begin = from; begin < to; ) {
    const end = Math.min(to, nextMidnight(begin, zone));
    const spent = spans.reduce((sum, one) => sum + Math.max(0, Math.min(one.to, end) - Math.max(one.from, begin)), 0);
    total += spent;
    days.push({ from: begin, words: local(begin, zone).date, awayMs: spent, totalMs: total });
    begin = end;
  }
  return days;
}

/** The next wall-clock midnight, on days of 23 and 25 hours too. */
function nextMidnight(at: number, zone: string): number {
  const today = toField(at, zone).slice(0, 10);
  let guess = at + DAY - (Date.parse(`${toField(at, zone)}Z`) - Date.parse(`${today}T00:00Z`));
  const off = Date.parse(`${toField(guess, zone)}Z`) - (Date.parse(`${today}T00:00Z`) + DAY);
  guess -= off;
  return Math.floor(guess / 60_000) * 60_000;
}
