import assert from "node:assert/strict";
import { test } from "node:test";
import { following, isWaiting, ruling, type Verdict } from "./verdict.ts";

const episode = (evidence: Record<string, unknown> = {}) => ({
  order: "O",
  condition: "c4",
  finding: {
    finding_id: "f1",
    onset: "2026-11-22T02:00:00Z",
    ended: "2026-11-22T06:00:00Z",
    evidence,
  },
});

function said(verdict: string, version: number, changes: Partial<Verdict> = {}): Verdict {
  return {
    verdict,
    version,
    participant: "P",
    order: "O",
    condition: "c4",
    at: "2026-11-22T02:00:00Z",
    result: "confirmed",
    reason: "seen",
    analyst: "a",
    ...changes,
  };
}

test("the greatest version rules, then the greatest id; what is void or elsewhere does not", () => {
  const all = [said("A", 1), said("A", 2, { result: "interferent" }), said("B", 2), said("C", 9, { void: true })];
  assert.equal(ruling(all, episode())?.verdict, "B");
  assert.equal(ruling([...all, said("D", 9, { at: "2026-11-22T06:00:01Z" })], episode())?.verdict, "B");
  assert.equal(ruling([...all, said("D", 9, { at: "2026-11-22T06:00:00Z" })], episode())?.verdict, "D");
  assert.equal(ruling([said("A", 1), said("A", 2, { condition: "c5" })], episode()), null);
});

test("the next one beats whatever was said of the episode", () => {
  assert.deepEqual(following([], episode()), { verdict: "episode:f1", version: 1 });
  assert.deepEqual(following([said("A", 1), said("B", 4)], episode()), { verdict: "B", version: 5 });
  const void_ = [said("episode:f1", 1), { verdict: "episode:f1", version: 2, void: true, participant: "P" }];
  assert.deepEqual(following(void_, episode()), { verdict: "episode:f1", version: 3 });
  assert.deepEqual(following([said("A", 7, { at: "2026-11-23T00:00:00Z" })], episode()).version, 1);
});

test("a verdict waits until the finding says the same", () => {
  assert.equal(isWaiting([], episode()), false);
  assert.equal(isWaiting([said("A", 1)], episode()), true);
  assert.equal(isWaiting([said("A", 1)], episode({ verdict: { id: "A", version: 1, result: "confirmed" } })), false);
  assert.equal(isWaiting([], episode({ verdict: { id: "A", version: 1, result: "confirmed" } })), true);
});
