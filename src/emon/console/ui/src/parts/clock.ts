// The server's clock, counted on by this computer's steady one: an operator's machine may be minutes off.

import { useSyncExternalStore } from "react";

let offset = 0;
let now = Date.now();
const listeners = new Set<() => void>();

/** Says what the server's clock showed just now (milliseconds). */
export function setServerClock(serverAt: number): void {
  if (!Number.isFinite(serverAt)) return;
  const measured = serverAt - Date.now();
  if (Math.abs(measured - offset) > 1_500) offset = measured; // below that it is the network's delay
}

/** An instant of this computer's clock as the server's clock shows it. */
export const asServer = (at: number) => at + offset;

/** Server time in milliseconds. */
export const serverNow = () => Date.now() + offset;

setInterval(() => {
  now = serverNow();
  for (const listener of listeners) listener();
}, 1_000);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Server time, renewed every second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
