// How near two people were: distances between fixes, with all that they leave open, against the order's distance.
// Where the protected person was is never told.

import { useMemo } from "react";
import type { Finding } from "../types.ts";
import { clock, instant } from "./axis.ts";
import { Chart } from "./frame.tsx";
import { Plot } from "./Plot.tsx";

const PAUSE_MS = 30 * 60_000;
const HEIGHT = 190;

const metres = (value: number) => `${Math.round(value)} m`;

export function DistanceChart({ finding, zone }: { finding: Finding; zone: string }) {
  const parameters = (finding.evidence["parameters"] ?? {}) as Record<string, unknown>;
  const limit = Number(parameters["distance_m"] ?? NaN);
  const pairs = useMemo(
    () =>
      ((finding.evidence["pairs"] ?? []) as Record<string, unknown>[])
        .map((pair) => ({
          at: instant(pair["observed_at"]),
          value: Number(pair["distance_m"]),
          slack: Number(pair["slack_m"]),
          apart: Number(pair["apart_s"]),
        }))
        .sort((a, b) => a.at - b.at),
    [finding],
  );
  if (pairs.length === 0 || !Number.isFinite(limit)) return null;
  const when = (at: number) => clock(at, zone, pairs[0]!.at);
  const nearest = pairs.reduce((best, pair) => (pair.value < best.value ? pair : best));
  const top = Math.max(limit, ...pairs.map((pair) => pair.value + pair.slack)) * 1.12;
  const verdict = (pair: (typeof pairs)[number]) =>
    pair.value + pair.slack < limit ? "nearer" : pair.value - pair.slack > limit ? "further away" : "unsure";
  return (
    <Chart
      title="Distance between both"
      summary={`nearest ${metres(nearest.value)}, ${metres(limit)} are ordered`}
      picture={
        `${pairs.length} pairs of fixes that decided; nearest ${metres(nearest.value)}, give or take ` +
        `${metres(nearest.slack)}, at ${when(nearest.at)}; ${metres(limit)} are ordered.`
      }
      height={HEIGHT}
      draw={(width) => (
        <Plot
          width={width}
          height={HEIGHT}
          points={pairs}
          zone={zone}
          top={top}
          lines={[{ value: limit, words: metres(limit), tone: "bad" }]}
          spreads={pairs.map((pair) => ({
            at: pair.at,
            low: Math.max(0, pair.value - pair.slack),
            high: pair.value + pair.slack,
          }))}
          gapMs={PAUSE_MS}
          worse={(value) => value < limit}
        />
      )}
      below={
        <div className="told">
          <p className="quiet">
            Bars show what accuracy, age and speed leave open; only what lies wholly below the line counts as too near.
          </p>
        </div>
      }
      head={["Time", "Distance", "Give or take", "Fixes apart", "That is"]}
      rows={pairs.map((pair) => [
        when(pair.at),
        metres(pair.value),
        metres(pair.slack),
        `${Math.round(pair.apart)} s`,
        verdict(pair),
      ])}
    />
  );
}
