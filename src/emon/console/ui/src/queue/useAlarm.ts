// Which alerts are heard, on every page of the console.

import { useEffect, useRef } from "react";
import { critical, high } from "../parts/sound.ts";
import { useAlerts } from "./alerts.ts";

export function useAlarm(): void {
  const { alerts, loaded } = useAlerts();
  const fresh = [...alerts.values()].filter((alert) => alert.work_state === "new");
  const waiting = fresh.filter((alert) => alert.priority === 1).length;
  const seen = useRef<Set<number> | null>(null);
  useEffect(() => critical(waiting), [waiting]);
  useEffect(() => {
    if (!loaded) return;
    const known = seen.current;
    const now = fresh.filter((alert) => alert.priority === 2).map((alert) => alert.id);
    if (known && now.some((id) => !known.has(id))) high(); // what was there when the page opened is not news
    seen.current = new Set([...(known ?? []), ...now]);
  });
}
