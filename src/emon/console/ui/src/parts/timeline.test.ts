import assert from "node:assert/strict";
import { test } from "node:test";
import { type Entry, folded, ofReadings } from "./timeline.ts";

const beat = (at: number, more: Partial<Entry> = {}): Entry => ({
  key: `${at}`,
  at,
  group: "device",
  title: "Heartbeat",
  detail: null,
  evidence: false,
  ...more,
});

test("a run of heartbeats is one line, evidence never hides in it", () => {
  const found = folded([beat(9), beat(8), beat(7), beat(6, { evidence: true }), beat(5), beat(4)]);
  assert.deepEqual(
    found.map((entry) => [entry.title, entry.at, entry.from]),
    [
      ["Heartbeat, 3 times", 9, 7],
      ["Heartbeat", 6, undefined],
      ["Heartbeat", 5, undefined],
      ["Heartbeat", 4, undefined],
    ],
  );
});

test("a reading that came late says how late", () => {
  const [entry] = ofReadings(
    [
      {
        device: "A",
        kind: "status",
        event: "heartbeat",
        observed_at: "2026-01-01T00:00:00Z",
        received_at: "2026-01-01T00:43:00Z",
      },
    ],
    () => false,
  );
  assert.equal(entry?.detail, "A, received 43 min later");
});
