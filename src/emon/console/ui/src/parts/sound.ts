// A critical alert is heard until somebody has it; a high one once. One tab speaks for all. A browser keeps
// silent until somebody has touched the page: that state is shown, not hidden.

import { useSyncExternalStore } from "react";

export type Sound = "on" | "off" | "blocked";

const KEY = "emon-sound";
const REPEAT_MS = 8_000; // until claimed; long enough to speak on the telephone in between
const listeners = new Set<() => void>();

let context: AudioContext | null = null;
let touched = navigator.userActivation?.hasBeenActive ?? false;
let speaker = false;
let repeating = 0;

function state(): Sound {
  if (localStorage.getItem(KEY) === "off") return "off";
  return touched ? "on" : "blocked";
}

function changed(): void {
  for (const listener of listeners) listener();
}

function touch(): void {
  touched = true;
  removeEventListener("pointerdown", touch, true);
  removeEventListener("keydown", touch, true);
  changed();
}

export function startSound(): void {
  addEventListener("pointerdown", touch, true);
  addEventListener("keydown", touch, true);
  if (!navigator.locks)
    speaker = true; // only pages over TLS or from this computer can agree on a speaker
  else
    void navigator.locks.request("emon-sound", () => {
      speaker = true;
      return new Promise(() => undefined); // until this tab closes
    });
}

function play(tones: readonly number[]): void {
  if (!speaker || state() !== "on") return;
  context ??= new AudioContext();
  void context.resume();
  tones.forEach((hertz, i) => {
    const from = context!.currentTime + i * 0.22;
    const tone = context!.createOscillator();
    const volume = context!.createGain();
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(0.2, from + 0.02);
    volume.gain.linearRampToValueAtTime(0, from + 0.18);
    tone.connect(volume).connect(context!.destination);
    tone.start(from);
    tone.stop(from + 0.2);
  });
}

/** How many critical alerts have nobody: above 0 it sounds again and again. */
export function critical(waiting: number): void {
  clearInterval(repeating);
  repeating = 0;
  if (waiting === 0) return;
  const alarm = () => play([880, 660, 880]);
  alarm();
  repeating = window.setInterval(alarm, REPEAT_MS);
}

/** A high alert has come. */
export const high = () => play([520, 520]);

export function toggleSound(): void {
  if (localStorage.getItem(KEY) === "off") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, "off");
  changed();
}

export const useSound = () =>
  useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, state);
