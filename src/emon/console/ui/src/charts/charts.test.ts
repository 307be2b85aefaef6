import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding, Place, Reading } from "../types.ts";
import { timeTicks } from "./axis.ts";
import { daysOf } from "./days.ts";
import { motionOf } from "./motion.ts";
import { piecesOf, whereOf } from "./pieces.ts";
import { episodeOf, jumps, levelsOf } from "./skin.ts";
import { takenOf, windowsOf } from "./tests.ts";

const ZONE = "America/Chicago";
const at = (time: string) => Date.parse(`2026-09-07T${time}-05:00`);
const iso = (ms: number) => new Date(ms).toISOString();
const CLINIC: Place = { id: "clinic", lat: 43.07, lon: -89.4, radius_m: 100 };

const fix = (time: string, metresNorth: number, more: Partial<Reading> = {}): Reading => ({
  device: "D",
  kind: "position",
  observed_at: iso(at(time)),
  lat: 43.07 + metresNorth / 111_195,
  lon: -89.4,
  accuracy_m: 10,
  method: "gnss",
  ...more,
});

function finding(kind: string, evidence: Record<string, unknown>, more: Partial<Finding> = {}): Finding {
  return { kind, reason: "", onset: iso(at("19:00")), ended: null, status: "opened", evidence, ...more } as Finding;
}

test("ticks are round times of the order's clock, and dates over weeks", () => {
  const words = timeTicks(at("18:52"), at("20:11"), ZONE, 6).map((tick) => tick.words);
  assert.deepEqual(words, ["19:00", "19:15", "19:30", "19:45", "20:00"]);
  const nights = timeTicks(at("15:00"), at("15:00") + 30 * 3_600_000, ZONE, 6).map((tick) => tick.words);
  assert.deepEqual(nights, ["18:00", "08 Sep", "06:00", "12:00", "18:00"]);
  assert.equal(timeTicks(at("19:40"), at("19:42"), ZONE, 4).length, 3, "a single minute has ticks too");
  const week = timeTicks(at("10:00"), at("10:00") + 6 * 86_400_000, ZONE, 8).map((tick) => tick.words);
  assert.deepEqual(week, ["08 Sep", "09 Sep", "10 Sep", "11 Sep", "12 Sep", "13 Sep"]);
});

test("a fix is there or elsewhere only beyond its own accuracy, and elsewhere only by gnss", () => {
  const where = (reading: Reading) => whereOf(reading, [CLINIC], 0, true);
  assert.equal(where(fix("19:40", 0)), "there");
  assert.equal(where(fix("19:40", 300)), "elsewhere");
  assert.equal(where(fix("19:40", 105)), "unsure");
  assert.equal(where(fix("19:40", 140, { accuracy_m: 0 })), "unsure", "unknown accuracy counts as 50 m");
  assert.equal(where(fix("19:40", 300, { method: "wifi" })), "unsure");
  assert.equal(where(fix("19:40", 0, { method: "wifi" })), "there");
  assert.equal(where({ device: "H", kind: "presence", observed_at: iso(at("19:40")), present: true }), "there");
  assert.equal(where({ device: "D", kind: "status", observed_at: iso(at("19:40")) }), null);
});

test("pieces cover the window, and long pauses are not observed", () => {
  const readings = [fix("19:36", 300), fix("19:40", 300), fix("19:44", 0), fix("19:48", 0)];
  const pieces = piecesOf(readings, [CLINIC], { from: at("19:35"), to: at("20:00") });
  assert.deepEqual(
    pieces.map((piece) => [piece.where, piece.from, piece.to]),
    [
      ["elsewhere", at("19:35"), at("19:42")],
      ["there", at("19:42"), at("19:48")],
      ["unobserved", at("19:48"), at("20:00")],
    ],
  );
  assert.deepEqual(
    piecesOf([], [CLINIC], { from: 0, to: 1000 }).map((piece) => piece.where),
    ["unobserved"],
  );
});

test("a week's days add up, also where clocks change", () => {
  const from = Date.parse("2026-10-26T00:00-05:00");
  const to = Date.parse("2026-11-02T00:00-06:00"); // its Sunday has 25 hours
  const away = [
    { from_at: "2026-10-26T20:00:00-05:00", until_at: "2026-10-26T20:10:00-05:00" },
    { from_at: "2026-11-01T23:50:00-06:00", until_at: "2026-11-02T00:20:00-06:00" },
  ];
  const days = daysOf(away, from, to, ZONE);
  assert.equal(days.length, 7);
  assert.deepEqual(
    days.map((day) => day.awayMs / 60_000),
    [10, 0, 0, 0, 0, 0, 10],
  );
  assert.equal(days.at(-1)!.totalMs, 20 * 60_000);
  assert.equal(days.at(-1)!.words, "Sun 01 Nov");
});

const levels = [
  { observed_at: iso(at("18:40")), value: 0 },
  { observed_at: iso(at("19:00")), value: 0.012 },
  { observed_at: iso(at("20:00")), value: 0.05 },
  { observed_at: iso(at("21:00")), value: 0.05 },
  { observed_at: iso(at("23:00")), value: 0 },
  { observed_at: iso(at("23:30")), value: 0 },
];

test("an episode has a foot before it, the first maximum as its peak, and the zero that ended it", () => {
  const found = finding(
    "alcohol_confirmed",
    {
      levels,
      unit: "g/dL",
      parameters: { positive_g_dl: 0.02, absorption_g_dl_per_h: 0.05 },
      slopes: { absorption_g_dl_per_h: 0.0375, elimination_g_dl_per_h: 0.0167, elimination_limit_g_dl_per_h: 0.025 },
    },
    { ended: iso(at("23:00")) },
  );
  const episode = episodeOf(found);
  assert.equal(episode.foot?.at, at("18:40"));
  assert.equal(episode.peak?.at, at("20:00"));
  assert.equal(episode.end?.at, at("23:00"));
  assert.deepEqual(
    episode.slopes.map(({ name, limit }) => [name, limit]),
    [
      ["Absorption", 0.05],
      ["Elimination", 0.025],
    ],
  );
  assert.equal(episodeOf({ ...found, ended: null }).end, null);
  assert.equal(episodeOf(null, { positive_g_dl: 0.04 }).limit, 0.04);
});

test("steps faster than a body are found between neighbours only, and units are not mixed", () => {
  const skin = (time: string, value: number): Reading => ({
    device: "T",
    kind: "alcohol_transdermal",
    observed_at: iso(at(time)),
    tac_g_dl: value,
  });
  const points = levelsOf([skin("19:30", 0.2), skin("19:00", 0), skin("20:00", 0.18)], "g/dL");
  assert.deepEqual(
    jumps(points, 0.3).map(([a, b]) => [a.value, b.value]),
    [[0, 0.2]],
  );
  assert.deepEqual(levelsOf([skin("19:00", 0.1)], "ug/L"), []);
});

test("tests come from the readings and the evidence, once, with their result against the cut-off", () => {
  const blow = (time: string, value: number, purpose: string) => ({
    observed_at: iso(at(time)),
    brac_g_210l: value,
    purpose,
    result: "ok",
  });
  const found = finding(
    "breath_failed",
    {
      tests: [blow("19:38", 0.062, "random"), blow("19:55", 0.055, "confirmation")],
      parameters: { breath_g_210l: 0.02, confirmation_from_s: 900, confirmation_until_s: 1800 },
    },
    { reason: "confirmed" },
  );
  const reading = { device: "B", kind: "alcohol_breath", ...blow("19:38", 0.062, "random") };
  const taken = takenOf(found, [reading, { ...reading, ...blow("18:00", 0, "random") }]);
  assert.deepEqual(
    taken.map((one) => [one.title, one.result, one.bad, one.evidence]),
    [
      ["Random test", "0.000 g/210 L", false, false],
      ["Random test", "0.062 g/210 L", true, true],
      ["Confirmation", "0.055 g/210 L", true, true],
    ],
  );
  assert.deepEqual(windowsOf(found, taken), [{ from: at("19:53"), to: at("20:08"), words: "Time to confirm" }]);
});

test("a planned test and a laboratory's month have their windows", () => {
  const planned = finding("breath_missed", { scheduled_at: iso(at("19:40")), window_until_at: iso(at("20:00")) });
  assert.deepEqual(windowsOf(planned, []), [{ from: at("19:40"), to: at("20:00"), words: "Planned window" }]);
  const month = finding("test_missed", { window_from_at: iso(at("00:00")), window_until_at: iso(at("23:00")) });
  assert.equal(windowsOf(month, [])[0]?.words, "Month");
  const sample = finding("test_failed", {
    tests: [{ test_id: "s-88", panel: "5-drug", result: "positive" }],
    readings: [{ device: "LAB", kind: "lab_result", observed_at: iso(at("19:40")) }],
  });
  assert.deepEqual(
    takenOf(sample, []).map((one) => [one.at, one.title, one.result, one.bad, one.evidence]),
    [[at("19:40"), "Sample, 5-drug", "positive", true, true]],
  );
});

test("motion counts within the time without a position, and goes on where no stop came", () => {
  const told = (time: string, event: string): Reading => ({
    device: "D",
    kind: "status",
    observed_at: iso(at(time)),
    event,
  });
  const found = finding("motion_without_fix", {
    readings: [{ device: "D", kind: "position", observed_at: iso(at("18:40")) }],
  });
  const readings = [told("18:30", "motion_start"), told("18:45", "motion_stop"), told("19:00", "motion_start")];
  const { dark, moving } = motionOf(found, [...readings, { ...told("18:50", "motion_start"), device: "E" }], "D", at("19:50"));
  assert.deepEqual(dark, { from: at("18:40"), to: at("19:50") });
  assert.deepEqual(moving, [
    { from: at("18:40"), to: at("18:45") },
    { from: at("19:00"), to: at("19:50") },
  ]);
});
