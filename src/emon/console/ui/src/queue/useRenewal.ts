// A claim holds for 120 s unless the open console renews it: whoever closes the console gives it back.

import { useEffect } from "react";
import { command } from "../api.ts";
import { listen } from "../live/live.ts";
import type { Alert } from "../types.ts";
import { take, useAlerts } from "./alerts.ts";

const EVERY_MS = 40_000; // three tries in a lease

export function useRenewal(me: string | null): void {
  const { alerts } = useAlerts();
  const mine = [...alerts.values()].filter(
    (alert) => me !== null && alert.holder === me && alert.work_state === "claimed",
  );
  const key = mine
    .map((alert) => alert.id)
    .sort()
    .join(",");
  useEffect(() => {
    if (key === "") return undefined;
    const latest = new Map<number, Alert>(mine.map((alert) => [alert.id, alert]));
    const quit = listen((message) => {
      if (message.type !== "event" || message.name !== "alert") return;
      const told = (JSON.parse(message.data) as { alert: Alert }).alert;
      if (latest.has(told.id)) latest.set(told.id, told);
    });
    const timer = setInterval(() => {
      for (const alert of latest.values()) {
        if (alert.holder !== me || alert.work_state !== "claimed") continue;
        command(alert, "claim").then(
          ({ alert: renewed }) => take(renewed),
          () => undefined,
        ); // a lost lease shows itself by the stream
      }
    }, EVERY_MS);
    return () => {
      clearInterval(timer);
      quit();
    };
  }, [key, me]); // `mine` is named by `key`
}
