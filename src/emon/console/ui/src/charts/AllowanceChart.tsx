// A week's curfew allowance: what each day took of it, stacked on the days before, against what is allowed.

import { useMemo } from "react";
import { millis, span } from "../times.ts";
import type { Finding } from "../types.ts";
import { plain } from "../words.ts";
import { clock, instant } from "./axis.ts";
import { daysOf } from "./days.ts";
import { Chart } from "./frame.tsx";

const HEIGHT = 200;
const LEFT = 62;
const FOOT = 28;
const HEAD = 14;

export function AllowanceChart({ finding, zone }: { finding: Finding; zone: string }) {
  const evidence = finding.evidence;
  const from = instant(evidence["week_from_at"]);
  const to = instant(evidence["week_until_at"]);
  const away = useMemo(
    () => (Array.isArray(evidence["away"]) ? (evidence["away"] as Record<string, unknown>[]) : []),
    [evidence],
  );
  const days = useMemo(() => daysOf(away, from, to, zone), [away, from, to, zone]);
  const parameters = (evidence["parameters"] ?? {}) as Record<string, unknown>;
  const allowed = Number(parameters["allowance_s_per_week"] ?? NaN) * 1000;
  if (!Number.isFinite(from + to + allowed)) return null;
  const total = days.at(-1)?.totalMs ?? 0;
  const top = Math.max(total, allowed) * 1.15;
  const y = (ms: number) => HEIGHT - FOOT - (ms / top) * (HEIGHT - FOOT - HEAD);
  return (
    <Chart
      title="Weekly allowance"
      summary={`${span(total)} away, ${span(allowed)} allowed`}
      picture={
        `${span(total)} away from curfew in this week, ${span(allowed)} allowed. ` +
        days
          .filter((day) => day.awayMs > 0)
          .map((day) => `${day.words}: ${span(day.awayMs)}`)
          .join(", ")
      }
      height={HEIGHT}
      draw={(width) => {
        const step = (width - LEFT - 8) / Math.max(1, days.length);
        return (
          <>
            <path d={`M${LEFT} ${y(0)}H${width - 8}`} stroke="var(--line-strong)" />
            <text x={LEFT - 6} y={y(0) + 4} textAnchor="end">
              0
            </text>
            {days.map((day, i) => {
              const before = day.totalMs - day.awayMs;
              const left = LEFT + i * step;
              const within = Math.max(0, Math.min(day.totalMs, allowed) - before);
              const beyond = day.awayMs - within;
              return (
                <g key={day.from}>
                  {before > 0 && (
                    <path d={`M${left} ${y(before)}h${step}`} stroke="var(--line-strong)" strokeDasharray="2 3" />
                  )}
                  {within > 0 && (
                    <rect
                      x={left + step * 0.18}
                      y={y(before + within)}
                      width={step * 0.64}
                      height={Math.max(1.5, y(before) - y(before + within))}
                      fill="var(--accent)"
                    />
                  )}
                  {beyond > 0 && (
                    <rect
                      x={left + step * 0.18}
                      y={y(day.totalMs)}
                      width={step * 0.64}
                      height={Math.max(1.5, y(day.totalMs - beyond) - y(day.totalMs))}
                      fill="url(#hatch)"
                      stroke="var(--bad)"
                    />
                  )}
                  <text x={left + step / 2} y={HEIGHT - 9} textAnchor="middle">
                    {step > 48 ? day.words.slice(0, 6) : day.words.slice(0, 2)}
                  </text>
                </g>
              );
            })}
            <path
              d={`M${LEFT} ${y(allowed)}H${width - 8}`}
              stroke="var(--bad)"
              strokeWidth="1.5"
              strokeDasharray="7 4"
            />
            <text x={LEFT - 6} y={y(allowed) + 4} textAnchor="end" className="bad">
              {span(allowed)}
            </text>
          </>
        );
      }}
      below={
        <div className="told">
          <ul className="notes">
            <li>
              <i className="swatch within" aria-hidden="true" /> Within the allowance
            </li>
            <li>
              <strong>{finding.ended === null ? "Used up" : "Counted"}</strong> by {clock(millis(finding.decided_at), zone, from)}
              {finding.ended === null && ", counted up to then; the rest is added when the week ends"}
            </li>
            {total > allowed && (
              <li>
                <i className="swatch bad" aria-hidden="true" /> Above it: {span(total - allowed)}
              </li>
            )}
          </ul>
        </div>
      }
      head={["From", "To", "What", "Time away"]}
      rows={away.map((one) => {
        const [begin, end] = [instant(one["from_at"]), instant(one["until_at"])];
        return [clock(begin, zone, NaN), clock(end, zone, begin), plain(String(one["kind"])), span(end - begin)];
      })}
    />
  );
}
