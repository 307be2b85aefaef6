// Short messages about what an action did; read out politely, gone after a while, dismissable at once.

import { useSyncExternalStore } from "react";

interface Toast {
  id: number;
  text: string;
  bad: boolean;
}

let toasts: Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function set(changed: Toast[]): void {
  toasts = changed;
  for (const listener of listeners) listener();
}

/** Shows `text`; a failure stays longer. */
export function say(text: string, bad = false): void {
  const id = next;
  next += 1;
  set([...toasts.filter((toast) => toast.text !== text), { id, text, bad }].slice(-4));
  setTimeout(() => set(toasts.filter((toast) => toast.id !== id)), bad ? 12_000 : 6_000);
}

export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} className={toast.bad ? "toast bad" : "toast"}>
          <span>{toast.text}</span>
          <button
            type="button"
            aria-label="Dismiss"
            onClick={() => set(toasts.filter((each) => each.id !== toast.id))}
          >
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
