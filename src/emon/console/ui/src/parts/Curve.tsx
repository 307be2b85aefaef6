// The alcohol curve with its limit. The readings themselves stand in the timeline, in words.

import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { local, millis } from "../times.ts";
import type { Reading } from "../types.ts";
import { Time } from "./marks.tsx";

const LIMIT_G_DL = 0.02; // what opens a finding where the order names no limit of its own
const HEIGHT = 150;
const EDGE = { left: 46, right: 12, top: 10, bottom: 24 };

function limitOf(limits: unknown): number {
  if (typeof limits !== "object" || limits === null) return LIMIT_G_DL;
  const named = (limits as Record<string, unknown>)["tac_g_dl"];
  return typeof named === "number" ? named : LIMIT_G_DL;
}

export function Curve({ readings, zone, limits }: { readings: Reading[]; zone: string; limits?: unknown }) {
  const points = useMemo(
    () =>
      readings
        .filter(
          (reading) => reading.kind === "alcohol_transdermal" && typeof reading["tac_g_dl"] === "number",
        )
        .map((reading) => ({ at: millis(reading.observed_at), value: reading["tac_g_dl"] as number }))
        .sort((a, b) => a.at - b.at),
    [readings],
  );
  const limit = limitOf(limits);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  const drawn = points.length > 0;
  useLayoutEffect(() => {
    if (!box.current) return undefined;
    const watch = new ResizeObserver(([entry]) => entry && setWidth(Math.max(200, entry.contentRect.width)));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, [drawn]);
  if (points.length === 0) return null;
  const from = points[0]!.at;
  const to = Math.max(points.at(-1)!.at, from + 1);
  const peak = points.reduce((best, point) => (point.value > best.value ? point : best));
  const top = Math.max(peak.value, limit) * 1.15;
  const x = (at: number) => EDGE.left + ((at - from) / (to - from)) * (width - EDGE.left - EDGE.right);
  const y = (value: number) =>
    HEIGHT - EDGE.bottom - (Math.max(0, value) / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const path = points
    .map(
      (point, i) =>
        `${i === 0 || point.at - points[i - 1]!.at > 90 * 60_000 ? "M" : "L"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`,
    )
    .join("");
  const parts = width < 420 ? 2 : 4;
  const ticks = Array.from({ length: parts + 1 }, (_, i) => from + (i / parts) * (to - from));
  return (
    <section className="card" aria-label="Alcohol curve">
      <header>
        <h2>Alcohol at the skin</h2>
        <span className="small quiet">
          peak {peak.value.toFixed(3)} g/dL at <Time at={peak.at} zone={zone} form="short" />, limit{" "}
          {limit.toFixed(3)}
        </span>
      </header>
      <div className="body">
        <div ref={box}>
          <svg
            className="curve"
            width={width}
            height={HEIGHT}
            role="img"
            aria-label={`${points.length} readings, peak ${peak.value.toFixed(3)} g/dL, limit ${limit.toFixed(3)} g/dL`}
          >
            <path d={`M${EDGE.left} ${y(0)}H${width - EDGE.right}`} stroke="var(--line-strong)" />
            <path
              d={`M${EDGE.left} ${y(limit)}H${width - EDGE.right}`}
              stroke="var(--bad)"
              strokeDasharray="6 4"
              strokeWidth="1.5"
            />
            <path d={path} fill="none" stroke="var(--accent)" strokeWidth="2" />
            {points.map((point) => (
              <circle
                key={point.at}
                cx={x(point.at)}
                cy={y(point.value)}
                r={point.value >= limit ? 3.5 : 2.2}
                fill={point.value >= limit ? "var(--bad)" : "var(--accent)"}
              />
            ))}
            <text x={EDGE.left - 6} y={y(limit) + 4} textAnchor="end" fontSize="12" fill="var(--bad)">
              {limit.toFixed(3)}
            </text>
            <text x={EDGE.left - 6} y={y(0) + 4} textAnchor="end" fontSize="12" fill="var(--quiet)">
              0
            </text>
            {ticks.map((at, i) => (
              <text
                key={at}
                x={x(at)}
                y={HEIGHT - 6}
                textAnchor={i === 0 ? "start" : i === parts ? "end" : "middle"}
                fontSize="12"
                fill="var(--quiet)"
              >
                {local(at, zone).time.slice(0, 5)}
              </text>
            ))}
          </svg>
        </div>
      </div>
    </section>
  );
}
