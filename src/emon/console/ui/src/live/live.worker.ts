// One stream for all tabs: a browser allows six connections to a host over HTTP/1.1, and an EventSource in
// each tab would leave none for the seventh.

import { StreamReader } from "./reader.ts";

const scope = self as unknown as { onconnect: ((connection: MessageEvent) => void) | null };
const ports = new Set<MessagePort>();
let reader: StreamReader | null = null;

scope.onconnect = (connection) => {
  const port = connection.ports[0];
  if (!port) return;
  ports.add(port);
  reader ??= new StreamReader("/v1/alerts/stream", (message) => {
    for (const each of ports) each.postMessage(message);
  });
  port.postMessage(reader.state());
  port.onmessage = (message) => {
    if (message.data !== "bye") return;
    ports.delete(port);
    if (ports.size === 0) {
      reader?.stop();
      reader = null;
    }
  };
};
