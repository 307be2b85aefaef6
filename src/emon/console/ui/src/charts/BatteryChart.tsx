// A device's charge against what counts as low, critical and charged.

import { useMemo } from "react";
import { millis } from "../times.ts";
import type { Finding, Reading } from "../types.ts";
import { clock, instant } from "./axis.ts";
import { Chart } from "./frame.tsx";
import { Plot } from "./Plot.tsx";

const PAUSE_MS = 3 * 3_600_000;
const EVENTS: Record<string, string> = { charging_start: "on the charger", charging_stop: "off the charger" };

const percent = (value: number) => `${Math.round(value * 100)} %`;

export function BatteryChart({ finding, readings, zone }: { finding: Finding; readings: Reading[]; zone: string }) {
  const device = String(finding.evidence["device"] ?? "");
  const told = (finding.evidence["parameters"] ?? {}) as Record<string, unknown>;
  const of = (name: string, otherwise: number) => (typeof told[name] === "number" ? told[name] : otherwise);
  const [low, critical, charged] = [of("low", 0.15), of("critical", 0.05), of("charged", 0.3)];
  const points = useMemo(() => {
    const found = new Map<number, number>();
    for (const charge of (finding.evidence["charges"] ?? []) as Record<string, unknown>[])
      found.set(instant(charge["observed_at"]), Number(charge["battery_fraction"]));
    for (const reading of readings)
      if (reading.device === device && typeof reading["battery_fraction"] === "number")
        found.set(millis(reading.observed_at), reading["battery_fraction"]);
    return [...found].map(([at, value]) => ({ at, value })).sort((a, b) => a.at - b.at);
  }, [finding, readings, device]);
  const chargings = readings.filter((reading) => reading.device === device && EVENTS[reading.event ?? ""]);
  if (points.length === 0) return null;
  const last = points.at(-1)!;
  const when = (at: number) => clock(at, zone, points[0]!.at);
  const lowest = points.reduce((least, point) => (point.value < least.value ? point : least));
  return (
    <Chart
      title={`Charge of ${device}`}
      summary={`last ${percent(last.value)}, lowest ${percent(lowest.value)}`}
      picture={
        `${points.length} reports of charge, lowest ${percent(lowest.value)} at ${when(lowest.at)}, last ` +
        `${percent(last.value)} at ${when(last.at)}; low below ${percent(low)}, critical below ${percent(critical)}.`
      }
      height={190}
      draw={(width) => (
        <Plot
          width={width}
          height={190}
          points={points}
          zone={zone}
          top={Math.max(charged, ...points.map((point) => point.value)) * 1.12}
          lines={[
            { value: critical, words: percent(critical), tone: "bad" },
            { value: low, words: percent(low), tone: "warn" },
            { value: charged, words: percent(charged), tone: "good" },
          ]}
          gapMs={PAUSE_MS}
          worse={(value) => value < low}
        />
      )}
      below={
        <div className="told">
          <ul className="notes">
            <li>
              <strong>Low</strong> below {percent(low)}
            </li>
            <li>
              <strong>Critical</strong> below {percent(critical)}
            </li>
            <li>
              <strong>Charged again</strong> from {percent(charged)}
            </li>
            {chargings.map((reading) => (
              <li key={`${reading.observed_at}${reading.event}`}>
                <strong>{when(millis(reading.observed_at))}</strong> {EVENTS[reading.event ?? ""]}
              </li>
            ))}
          </ul>
        </div>
      }
      head={["Time", "Charge", "State"]}
      rows={points.map((point) => [
        when(point.at),
        percent(point.value),
        point.value < critical ? "critical" : point.value < low ? "low" : point.value >= charged ? "charged" : "",
      ])}
    />
  );
}
