import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reading } from "../types.ts";
import { evidenceKeys, fixes, scene, silences } from "./scene.ts";

const fix = (minute: number, lon: number, more: Partial<Reading> = {}): Reading => ({
  device: "A",
  kind: "position",
  observed_at: new Date(minute * 60_000).toISOString(),
  lat: 43,
  lon,
  accuracy_m: 8,
  method: "gnss",
  ...more,
});

test("evidence is found by device, kind and instant, however the instant is written", () => {
  const keys = evidenceKeys([{ device: "A", kind: "position", observed_at: "1970-01-01T00:02:00.000000Z" }]);
  assert.deepEqual(
    fixes([fix(2, 1), fix(1, 0)], keys, 2 * 60_000, null).map((each) => [each.evidence, each.phase]),
    [
      [false, "before"],
      [true, "during"],
    ],
  );
});

test("a way that nobody observed is no line: it is a named gap", () => {
  const found = fixes([fix(0, 0), fix(1, 1), fix(21, 2)], new Set(), 0, null);
  const drawn = scene([], 0, found, [
    { from: new Date(60_000).toISOString(), to: new Date(21 * 60_000).toISOString() },
  ]);
  assert.deepEqual(
    drawn.track.features.map((line) => line.properties!["style"]),
    ["during", "gap"],
  );
  assert.deepEqual(
    drawn.gaps.map(({ from, to }) => [from, to]),
    [[60_000, 21 * 60_000]],
  );
});

test("an unknown accuracy draws no circle", () => {
  const found = fixes(
    [fix(0, 0, { accuracy_m: 0 }), fix(1, 0, { accuracy_m: 2147483647 }), fix(2, 0)],
    new Set(),
    null,
    null,
  );
  assert.equal(scene([], 0, found, []).circles.features.length, 1);
});

test("silence begins at the last fix before it counted, and ends at the first after", () => {
  const alert = {
    kind: "contact_lost",
    onset: new Date(20 * 60_000).toISOString(),
    ended: new Date(50 * 60_000).toISOString(),
  };
  const readings = [fix(5, 0), fix(10, 0), fix(50, 1)];
  assert.deepEqual(silences(alert, readings), [
    { from: readings[1]!.observed_at, to: readings[2]!.observed_at },
  ]);
  assert.deepEqual(silences({ ...alert, kind: "battery" }, readings), []);
});
