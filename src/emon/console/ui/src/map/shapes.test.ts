import assert from "node:assert/strict";
import { test } from "node:test";
import { bounds, circle, distance, grown, type Ring } from "./shapes.ts";

const M = 1 / 111_195; // a metre in degrees at the equator

test("a circle's corners lie on its radius", () => {
  for (const corner of circle([-89.4, 43.07], 75)) {
    assert.ok(Math.abs(distance([-89.4, 43.07], corner) - 75) < 0.1);
  }
});

test("a buffer lies its distance outside, whichever way the ring turns", () => {
  const square: Ring = [
    [0, 0],
    [100 * M, 0],
    [100 * M, 100 * M],
    [0, 100 * M],
    [0, 0],
  ];
  for (const ring of [square, [...square].reverse()]) {
    const box = bounds(grown(ring, 30))!;
    assert.ok(Math.abs(box[0][0] / M + 30) < 0.1 && Math.abs(box[1][1] / M - 130) < 0.1);
  }
});

test("a concave corner does not fold the buffer back inside", () => {
  const ell: Ring = [
    [0, 0],
    [200, 0],
    [200, 50],
    [50, 50],
    [50, 200],
    [0, 200],
    [0, 0],
  ].map(([x, y]) => [x! * M, y! * M]);
  for (const [x, y] of grown(ell, 20)) {
    const inside =
      (x > 0 && x < 200 * M && y > 0 && y < 50 * M) || (x > 0 && x < 50 * M && y > 0 && y < 200 * M);
    assert.ok(!inside);
  }
});
