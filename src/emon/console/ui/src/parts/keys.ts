// Keyboard first: single letters act, except where somebody types, a dialog is open or a modifier is held.

import { useLayoutEffect, useRef } from "react";

export type Keys = Record<string, (event: KeyboardEvent) => void>;

const KEY = "emon-keys";

/** Single letters act, unless somebody has switched them off (speech input types whole words). */
export const keysOn = () => localStorage.getItem(KEY) !== "off";

export function setKeys(on: boolean): void {
  if (on) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, "off");
}

const TYPING = "input, textarea, select, [contenteditable]";

/** Binds `keys` ("j", "?", "Enter", "Escape") while the component is shown. */
export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  // with the screen, not after it: a key pressed at what one sees acts on what one sees
  useLayoutEffect(() => {
    current.current = keys;
  });
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing)
        return;
      if (!keysOn() || document.querySelector("dialog[open]")) return;
      const target = event.target as Element | null;
      if (target?.matches?.(TYPING)) return;
      if (event.key === "Enter" && target?.matches?.("a, button, summary")) return; // its own meaning
      const act = current.current[event.key];
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}
