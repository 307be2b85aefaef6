// All open alerts, kept up to date: read once, then changed by the stream, read anew after a broken line.
// A row only ever gives way to a newer version of itself, so the order of answers does not matter.

import { useSyncExternalStore } from "react";
import { openAlerts, Refused } from "../api.ts";
import { listen } from "../live/live.ts";
import type { Alert } from "../types.ts";

interface Held {
  alerts: ReadonlyMap<number, Alert>;
  loaded: boolean;
  fault: string | null;
}

let held: Held = { alerts: new Map(), loaded: false, fault: null };
const listeners = new Set<() => void>();
let waiting: Alert[] = [];
let frame = 0;
let reading: AbortController | null = null;
let wasLive = false;
let started = false;

function set(changed: Partial<Held>): void {
  held = { ...held, ...changed };
  for (const listener of listeners) listener();
}

function merged(into: ReadonlyMap<number, Alert>, alerts: Alert[]): Map<number, Alert> {
  const all = new Map(into);
  for (const alert of alerts) {
    const known = all.get(alert.id);
    if (!known && alert.work_state === "closed") continue; // never was in this queue
    if (!known || known.version <= alert.version) all.set(alert.id, alert);
  }
  return all;
}

/** Takes in what the stream or a command's answer says; many in one go are one redraw. */
export function take(alert: Alert): void {
  waiting.push(alert);
  frame ||= window.setTimeout(() => {
    frame = 0;
    const taken = waiting;
    waiting = [];
    set({ alerts: merged(held.alerts, taken) });
  }, 100);
}

/** Reads everything anew; alerts that are no longer among the open ones go. */
export async function reload(): Promise<void> {
  reading?.abort();
  const mine = new AbortController();
  reading = mine;
  const open = new Set<number>();
  const startedAt = held.alerts;
  try {
    await openAlerts(mine.signal, (page) => {
      for (const alert of page) open.add(alert.id);
      set({ alerts: merged(held.alerts, page), loaded: true, fault: null });
    });
    const left = [...held.alerts].filter(([id]) => open.has(id) || !startedAt.has(id));
    set({ alerts: new Map(left), loaded: true, fault: null });
  } catch (cause) {
    if (mine.signal.aborted) return;
    set({ fault: cause instanceof Refused ? cause.message : "The alerts could not be read." });
  }
}

function start(): void {
  started = true;
  void reload();
  listen((message) => {
    if (message.type === "resync") void reload();
    if (message.type === "state") {
      if (message.live && !wasLive) void reload(); // a reading that began before the line was up may have missed some
      wasLive = message.live;
    }
    if (message.type === "event" && message.name === "alert") {
      const data = JSON.parse(message.data) as { alert: Alert };
      take(data.alert);
    }
  });
}

export function useAlerts(): Held {
  return useSyncExternalStore(
    (listener) => {
      if (!started) start();
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => held,
  );
}
