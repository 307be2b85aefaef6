import assert from "node:assert/strict";
import { test } from "node:test";
import { fromField, local, millis, span, toField, utc } from "./times.ts";

test("an instant is shown as the order's clock shows it, with its offset", () => {
  const at = millis("2026-11-22T02:42:49Z");
  const shown = local(at, "America/Chicago");
  assert.equal(shown.date, "Sat 21 Nov");
  assert.equal(shown.time, "20:42:49");
  assert.equal(shown.offset, "\u221206:00");
  assert.equal(utc(at), "2026-11-22 02:42:49 UTC");
});

test("spans use at most two units", () => {
  assert.equal(span(45_000), "45 s");
  assert.equal(span(12 * 60_000), "12 min");
  assert.equal(span(185 * 60_000), "3 h 05 min");
  assert.equal(span(98 * 3_600_000), "4 d 2 h");
});

test("a field's wall clock returns the same instant, and a doubled hour the first", () => {
  const at = millis("2026-07-01T15:04:00Z");
  assert.equal(fromField(toField(at, "Europe/Berlin"), "Europe/Berlin"), at);
  assert.equal(fromField("2026-10-25T02:30", "Europe/Berlin"), millis("2026-10-25T00:30:00Z"));
});

test("an unknown zone falls back to UTC instead of failing", () => {
  assert.equal(local(0, "Nowhere/Else").time, "00:00:00");
});
