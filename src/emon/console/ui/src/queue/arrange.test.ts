import assert from "node:assert/strict";
import { test } from "node:test";
import type { Alert } from "../types.ts";
import { arrange, matcher } from "./arrange.ts";

function alert(id: number, priority: number, minute: number, more: Partial<Alert> = {}): Alert {
  return {
    id,
    priority,
    opened_at: new Date(minute * 60_000).toISOString(),
    work_state: "new",
    title: "Strap opened",
    participant_name: "Katharina von Hohenberg",
    holder: null,
    ...more,
  } as Alert;
}

const all = () => true;
const of = (...alerts: Alert[]) => new Map(alerts.map((each) => [each.id, each]));
const ids = (alerts: Alert[]) => alerts.map((each) => each.id);

test("priority first, then the oldest; P1 stands in the strip", () => {
  const found = arrange(of(alert(1, 3, 5), alert(2, 2, 9), alert(3, 1, 9), alert(4, 3, 2)), null, all);
  assert.deepEqual(ids(found.strip), [3]);
  assert.deepEqual(ids(found.list), [2, 4, 1]);
});

test("while rows must keep their places, new ones wait and closed ones stay, but P1 comes at once", () => {
  const shown = [4, 1];
  const found = arrange(
    of(alert(1, 3, 5, { work_state: "closed" }), alert(4, 3, 2), alert(2, 2, 9), alert(3, 1, 9)),
    shown,
    all,
  );
  assert.deepEqual(ids(found.list), [4, 1]);
  assert.deepEqual(ids(found.strip), [3]);
  assert.equal(found.fresh, 1);
  assert.equal(found.done, 1);
});

test("all filter words must match", () => {
  const match = matcher("p3 hohenberg", null);
  assert.ok(match(alert(1, 3, 0)));
  assert.ok(!match(alert(1, 2, 0)));
  assert.ok(matcher("mine", "ada")(alert(1, 2, 0, { holder: "ada" })));
  assert.ok(!matcher("mine", null)(alert(1, 2, 0)));
});
