// What every chart shares: a card with the numbers in its head, a drawing as wide as there is room, and the
// same as a table for whoever does not see it.

import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { type Tick, timeTicks } from "./axis.ts";

const ROOM_FOR_A_TICK = 58; // pixels

interface Props {
  title: string;
  summary: ReactNode;
  picture: string; // what the drawing shows, in one sentence
  height: number;
  draw: (width: number) => ReactNode;
  below?: ReactNode;
  head: string[];
  rows: ReactNode[][];
}

export function Chart({ title, summary, picture, height, draw, below, head, rows }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useLayoutEffect(() => {
    if (!box.current) return undefined;
    const watch = new ResizeObserver(([entry]) => entry && setWidth(Math.max(200, entry.contentRect.width)));
    watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  return (
    <section className="card chart" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span className="small quiet">{summary}</span>
      </header>
      <div className="body">
        <div ref={box}>
          <svg width={width} height={height} role="img" aria-label={picture}>
            <defs>
              <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <path d="M0 0V6" stroke="var(--bad)" strokeWidth="3" />
              </pattern>
            </defs>
            {draw(width)}
          </svg>
        </div>
        {below}
        {rows.length > 0 && (
          <details>
            <summary>As a table ({rows.length})</summary>
            <div className="scroll" tabIndex={0} role="region" aria-label={`${title} as a table`}>
              <table>
                <thead>
                  <tr>
                    {head.map((name) => (
                      <th key={name} scope="col">
                        {name}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {rows.map((row, i) => (
                    <tr key={i}>
                      {row.map((cell, j) => (
                        <td key={j}>{cell}</td>
                      ))}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </details>
        )}
      </div>
    </section>
  );
}

/** Round times below a drawing of this width, and what turns an instant into pixels. */
export function timeScale(from: number, to: number, left: number, right: number, zone: string) {
  const span = Math.max(1, to - from);
  return {
    x: (at: number) => left + ((at - from) / span) * (right - left),
    ticks: timeTicks(from, to, zone, Math.max(2, Math.floor((right - left) / ROOM_FOR_A_TICK))),
  };
}

export function TimeAxis({
  ticks,
  x,
  y,
  left,
  right,
}: {
  ticks: Tick[];
  x: (at: number) => number;
  y: number;
  left: number;
  right: number;
}) {
  return (
    <g>
      <path d={`M${left} ${y}H${right}`} stroke="var(--line-strong)" />
      {ticks.map(({ at, words }) => {
        const place = x(at);
        const anchor = place < left + 18 ? "start" : place > right - 18 ? "end" : "middle";
        return (
          <g key={at}>
            <path d={`M${place} ${y}v5`} stroke="var(--line-strong)" />
            <text x={place} y={y + 18} textAnchor={anchor}>
              {words}
            </text>
          </g>
        );
      })}
    </g>
  );
}
