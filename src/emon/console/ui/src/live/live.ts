// The page's end of the live stream: subscribers get events, the state of the line, and when to read anew.

import { type LiveMessage, StreamReader } from "./reader.ts";

type Listener = (message: LiveMessage) => void;

const listeners = new Set<Listener>();
let last: LiveMessage = { type: "state", live: false, heardAt: null, attempt: 0 };
let started = false;

function tell(message: LiveMessage): void {
  if (message.type === "state") last = message;
  for (const listener of listeners) listener(message);
}

function start(): void {
  started = true;
  if (!("SharedWorker" in window)) {
    new StreamReader("/v1/alerts/stream", tell);
    return;
  }
  let port = join();
  addEventListener("pagehide", () => port.postMessage("bye"));
  addEventListener("pageshow", (shown) => {
    if (!shown.persisted) return; // back from the browser's page cache: the worker has forgotten this tab
    port = join();
    tell({ type: "resync" });
  });
}

function join(): MessagePort {
  const worker = new SharedWorker(new URL("./live.worker.ts", import.meta.url), {
    type: "module",
    name: "emon-live",
  });
  worker.port.onmessage = (message: MessageEvent<LiveMessage>) => tell(message.data);
  return worker.port;
}

/** Calls `listener` with every message until the returned function is called. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  if (!started) start();
  listener(last);
  return () => {
    listeners.delete(listener);
  };
}
