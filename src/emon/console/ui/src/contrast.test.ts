import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("./styles/tokens.css", import.meta.url), "utf8");

function tokens(selector: string): Record<string, string> {
  const block = css.slice(css.indexOf(`${selector} {`)).split("}")[0]!;
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map((found) => [found[1]!, found[2]!]),
  );
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

const TEXT: [string, string[]][] = [
  ["ink", ["page", "card", "raised", "selected", "p1-soft", "accent-soft", "warn-soft"]],
  ["quiet", ["page", "card", "raised", "selected", "p1-soft"]],
  ["accent", ["page", "card"]],
  ["accent-ink", ["accent"]],
  ["p1-ink", ["p1"]],
  ["p2-ink", ["p2"]],
  ["p3-ink", ["p3"]],
  ["p4-ink", ["p4"]],
  ["good", ["card", "good-soft"]],
  ["warn", ["card", "page", "warn-soft", "selected"]],
  ["bad", ["card", "page", "bad-soft", "selected"]],
  ["p1", ["p1-soft"]],
];
const EDGES: [string, string[]][] = [
  ["line-strong", ["card", "page"]],
  ["p1", ["card", "map-ground"]],
  ["accent", ["map-ground"]],
  ["warn", ["map-ground"]],
];

for (const [name, selector] of [
  ["light", ":root"],
  ["dark", ':root[data-theme="dark"]'],
] as const) {
  const colours = tokens(selector);
  test(`${name}: text stands out 4.5 to 1, edges and marks 3 to 1 (WCAG 1.4.3, 1.4.11)`, () => {
    for (const [pairs, least] of [
      [TEXT, 4.5],
      [EDGES, 3],
    ] as const) {
      for (const [front, backs] of pairs) {
        for (const back of backs) {
          const found = contrast(colours[front]!, colours[back]!);
          assert.ok(found >= least, `${front} on ${back}: ${found.toFixed(2)}`);
        }
      }
    }
  });
}
