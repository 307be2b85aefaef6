// Light, dark, or what the computer says; remembered on this computer.

import { useSyncExternalStore } from "react";

export type Choice = "auto" | "light" | "dark";

const KEY = "emon-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let choice: Choice = read();

function read(): Choice {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

const shown = () => (choice === "auto" ? (dark.matches ? "dark" : "light") : choice);

function apply(): void {
  document.documentElement.dataset["theme"] = shown();
  for (const listener of listeners) listener();
}

export function startTheme(): void {
  dark.addEventListener("change", apply);
  apply();
}

export function choose(next: Choice): void {
  choice = next;
  if (next === "auto") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  apply();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/** "light" or "dark", as shown. */
export const useTheme = () => useSyncExternalStore(subscribe, shown);

export const useChoice = () => useSyncExternalStore(subscribe, () => choice);
