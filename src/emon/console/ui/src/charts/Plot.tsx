// A value over time against its limits.

import { timeScale, TimeAxis } from "./frame.tsx";
import type { Level } from "./skin.ts";

export interface Line {
  value: number;
  words: string;
  tone: "bad" | "warn" | "good";
}

export interface Letter extends Level {
  letter: string;
}

interface Props {
  width: number;
  height: number;
  points: Level[];
  zone: string;
  top: number;
  lines: Line[];
  letters?: Letter[];
  steps?: [Level, Level][]; // drawn as what they are: too steep
  spreads?: { at: number; low: number; high: number }[]; // what each point leaves open
  gapMs: number; // a longer pause is not bridged
  worse: (value: number) => boolean;
}

const LEAST_MS = 10 * 60_000;
const LEFT = 48;
const FOOT = 26;
const HEAD = 14;

export function Plot({ width, height, points, zone, top, lines, letters = [], steps = [], spreads = [], gapMs, worse }: Props) {
  const alone = points.at(-1)!.at - points[0]!.at < LEAST_MS;
  const from = points[0]!.at - (alone ? LEAST_MS : 0); // a single point stands in the middle
  const to = points.at(-1)!.at + (alone ? LEAST_MS : 0);
  const right = width - 12;
  const { x, ticks } = timeScale(from, to, LEFT, right, zone);
  const y = (value: number) => height - FOOT - (Math.max(0, value) / top) * (height - FOOT - HEAD);
  const path = points
    .map((point, i) => {
      const apart = i === 0 || point.at - points[i - 1]!.at > gapMs;
      return `${apart ? "M" : "L"}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`;
    })
    .join("");
  return (
    <>
      <TimeAxis ticks={ticks} x={x} y={height - FOOT} left={LEFT} right={right} />
      <text x={LEFT - 6} y={height - FOOT + 4} textAnchor="end">
        0
      </text>
      {lines.map(({ value, words, tone }) => (
        <g key={words}>
          <path
            d={`M${LEFT} ${y(value)}H${right}`}
            stroke={`var(--${tone})`}
            strokeWidth="1.5"
            strokeDasharray={tone === "bad" ? "7 4" : tone === "warn" ? "2 4" : "12 3 2 3"}
          />
          <text x={LEFT - 6} y={y(value) + 4} textAnchor="end" className={tone}>
            {words}
          </text>
        </g>
      ))}
      <path d={path} fill="none" stroke="var(--accent)" strokeWidth="2" />
      {steps.map(([a, b]) => (
        <path
          key={a.at}
          d={`M${x(a.at)} ${y(a.value)}L${x(b.at)} ${y(b.value)}`}
          stroke="var(--bad)"
          strokeWidth="4"
          strokeDasharray="3 3"
        />
      ))}
      {spreads.map(({ at, low, high }) => (
        <path
          key={at}
          d={`M${x(at) - 4} ${y(high)}h8M${x(at)} ${y(high)}V${y(low)}M${x(at) - 4} ${y(low)}h8`}
          stroke="var(--line-strong)"
          strokeWidth="1.5"
        />
      ))}
      {points.map((point) => (
        <circle
          key={point.at}
          cx={x(point.at)}
          cy={y(point.value)}
          r={worse(point.value) ? 3.6 : 2.4}
          fill={worse(point.value) ? "var(--bad)" : "var(--accent)"}
        />
      ))}
      {letters.map(({ at, value, letter }) => {
        const low = y(value) < HEAD + 18;
        return (
          <g key={letter}>
            <circle cx={x(at)} cy={y(value)} r="6" fill="none" stroke="var(--ink)" strokeWidth="1.5" />
            <text
              x={Math.min(right - 5, Math.max(LEFT + 5, x(at) + (low ? 13 : 0)))}
              y={low ? y(value) + 5 : y(value) - 10}
              textAnchor="middle"
              className="letter"
            >
              {letter}
            </text>
          </g>
        );
      })}
    </>
  );
}
