// The order of the queue, and when it may change. Priority, then oldest. While somebody points at the list or
// stands in it with the keyboard, rows keep their places: what is new waits to be let in, what was closed
// stays where it was, marked. Only P1 never waits; it has a strip of its own.

import type { Alert } from "../types.ts";

export const isOpen = (alert: Alert) => alert.work_state !== "closed";

const opened = new WeakMap<Alert, number>(); // ten thousand rows are sorted often; their instants are read once

function openedAt(alert: Alert): number {
  let at = opened.get(alert);
  if (at === undefined) opened.set(alert, (at = Date.parse(alert.opened_at)));
  return at;
}

export function before(a: Alert, b: Alert): number {
  return a.priority - b.priority || openedAt(a) - openedAt(b) || a.id - b.id;
}

export interface Arranged {
  strip: Alert[]; // open P1
  list: Alert[]; // in the places shown
  fresh: number; // open alerts that wait to be let in
  done: number; // rows shown that are no longer open or now stand in the strip
}

/** `shown`: ids in their present places, or null to put everything in its proper place now. */
export function arrange(
  alerts: ReadonlyMap<number, Alert>,
  shown: readonly number[] | null,
  matches: (alert: Alert) => boolean,
): Arranged {
  const open = [...alerts.values()].filter((alert) => isOpen(alert) && matches(alert)).sort(before);
  const strip = open.filter((alert) => alert.priority === 1);
  const rest = open.filter((alert) => alert.priority !== 1);
  if (shown === null) return { strip, list: rest, fresh: 0, done: 0 };
  const places = new Set(shown);
  const list = shown.map((id) => alerts.get(id)).filter((alert) => alert !== undefined);
  return {
    strip,
    list,
    fresh: rest.filter((alert) => !places.has(alert.id)).length,
    done: list.filter((alert) => !isOpen(alert) || alert.priority === 1).length,
  };
}

/** Filter words must all occur somewhere in what the row says; "p2", "new" and "mine" mean what they say. */
export function matcher(text: string, me: string | null): (alert: Alert) => boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return () => true;
  return (alert) =>
    words.every((word) => {
      if (/^p[1-4]$/.test(word)) return alert.priority === Number(word[1]);
      if (word === "new") return alert.work_state === "new";
      if (word === "mine") return alert.holder !== null && alert.holder === me;
      return [
        alert.title,
        alert.kind,
        alert.participant,
        alert.participant_name,
        alert.order,
        alert.condition,
        alert.officer,
        alert.feed,
        alert.holder,
        `#${alert.id}`,
      ].some((field) => field?.toLowerCase().includes(word));
    });
}
