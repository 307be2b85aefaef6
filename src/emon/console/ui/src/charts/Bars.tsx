// Spans and instants on a time axis, one lane below the other, each told by pattern and shape besides colour.

import { timeScale, TimeAxis } from "./frame.tsx";

export type Tone = "plain" | "good" | "bad" | "unsure" | "nothing";

export interface Span {
  from: number;
  to: number;
  tone: Tone;
  words?: string; // written inside where there is room
}

export interface Dot {
  at: number;
  tone: "good" | "bad";
  words: string;
}

export interface Lane {
  name: string;
  spans: Span[];
  dots?: Dot[];
}

const LANE = 48;
const BAR = 22;
const EDGE = 8;

export const lanesHeight = (lanes: number) => lanes * LANE + 30;

const FILL: Record<Tone, string> = {
  plain: "var(--accent-soft)",
  good: "var(--good)",
  bad: "url(#hatch)",
  unsure: "var(--warn-soft)",
  nothing: "none",
};
const LINE: Record<Tone, string> = {
  plain: "var(--accent)",
  good: "var(--good)",
  bad: "var(--bad)",
  unsure: "var(--warn)",
  nothing: "var(--line-strong)",
};

export function Bars({
  width,
  lanes,
  from,
  to,
  zone,
}: {
  width: number;
  lanes: Lane[];
  from: number;
  to: number;
  zone: string;
}) {
  const right = width - EDGE;
  const { x, ticks } = timeScale(from, to, EDGE, right, zone);
  return (
    <>
      {lanes.map(({ name, spans, dots = [] }, i) => {
        const top = i * LANE + 18;
        return (
          <g key={name}>
            <text x={EDGE} y={top - 5}>
              {name}
            </text>
            <path d={`M${EDGE} ${top + BAR / 2}H${right}`} stroke="var(--line)" />
            {spans.map((one) => {
              const [a, b] = [Math.max(EDGE, x(one.from)), Math.min(right, x(one.to))];
              return (
                <g key={`${one.from}${one.tone}`}>
                  <rect
                    x={a}
                    y={top}
                    width={Math.max(2, b - a)}
                    height={BAR}
                    rx="3"
                    fill={FILL[one.tone]}
                    stroke={LINE[one.tone]}
                    strokeWidth="1.5"
                    strokeDasharray={one.tone === "unsure" || one.tone === "nothing" ? "4 3" : undefined}
                  />
                  {one.words && b - a > one.words.length * 7.5 + 8 && (
                    <text x={(a + b) / 2} y={top + 15} textAnchor="middle" className="inside">
                      {one.words}
                    </text>
                  )}
                </g>
              );
            })}
            {dots.map((dot) => {
              const place = x(dot.at);
              const y = top + BAR / 2;
              return (
                <g key={`${dot.at}${dot.words}`}>
                  <title>{dot.words}</title>
                  {dot.tone === "bad" ? (
                    <path
                      d={`M${place} ${y - 9}l9 9l-9 9l-9-9z`}
                      fill="var(--bad)"
                      stroke="var(--card)"
                      strokeWidth="1.5"
                    />
                  ) : (
                    <circle cx={place} cy={y} r="7" fill="var(--good)" stroke="var(--card)" strokeWidth="1.5" />
                  )}
                </g>
              );
            })}
          </g>
        );
      })}
      <TimeAxis ticks={ticks} x={x} y={lanes.length * LANE + 4} left={EDGE} right={right} />
    </>
  );
}
