// Who sits here. While emon listens on this computer alone there is no log-in: the name is taken as given,
// kept by this browser and written beside everything that is done with it.

import { useSyncExternalStore } from "react";

const KEY = "emon-operator";
const listeners = new Set<() => void>();

export const operatorName = () => localStorage.getItem(KEY) ?? "operator";

export function setOperatorName(name: string): void {
  localStorage.setItem(KEY, name);
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("storage", listener); // another tab of the same browser is the same person
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", listener);
  };
}

export const useOperator = () => useSyncExternalStore(subscribe, operatorName);
