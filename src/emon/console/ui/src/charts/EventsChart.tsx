// What a device reported of itself, each event in a lane of its own: how long, and how often.

import { millis, span } from "../times.ts";
import type { Finding } from "../types.ts";
import { eventOf } from "../words.ts";
import { clock } from "./axis.ts";
import { Bars, type Lane, lanesHeight } from "./Bars.tsx";
import { Chart } from "./frame.tsx";

const INSTANT_MS = 1000;

export function EventsChart({ findings, now, zone }: { findings: Finding[]; now: number; zone: string }) {
  const events = findings
    .filter((finding) => finding.status !== "withdrawn")
    .map((finding) => ({
      name: eventOf(String(finding.evidence["event"] ?? finding.kind)),
      device: String(finding.evidence["device"] ?? ""),
      from: millis(finding.onset),
      to: finding.ended === null ? now : millis(finding.ended),
      open: finding.ended === null,
    }))
    .sort((a, b) => a.from - b.from);
  if (events.length === 0) return null;
  const from = Math.min(...events.map((one) => one.from));
  const to = Math.max(...events.map((one) => one.to));
  const around = Math.max(60_000, (to - from) * 0.08);
  const when = (at: number) => clock(at, zone, from);
  const lasts = (one: (typeof events)[number]) =>
    one.to - one.from < INSTANT_MS ? "reported once" : one.open ? "still so" : span(one.to - one.from);
  const lanes = [...new Set(events.map((one) => `${one.name}, ${one.device}`))].map((name): Lane => {
    const mine = events.filter((one) => `${one.name}, ${one.device}` === name);
    return {
      name,
      spans: mine
        .filter((one) => one.to - one.from >= INSTANT_MS)
        .map((one) => ({ from: one.from, to: one.to, tone: "bad" as const, words: lasts(one) })),
      dots: mine.map((one) => ({ at: one.from, tone: "bad" as const, words: `${one.name} ${when(one.from)}` })),
    };
  });
  return (
    <Chart
      title="What the device reported"
      summary={events.length === 1 ? lasts(events[0]!) : `${events.length} times`}
      picture={`${events.map((one) => `${one.name} ${when(one.from)}, ${lasts(one)}`).join(". ")}.`}
      height={lanesHeight(lanes.length)}
      draw={(width) => <Bars width={width} from={from - around} to={to + around} zone={zone} lanes={lanes} />}
      head={["From", "To", "Event", "Device"]}
      rows={events.map((one) => [when(one.from), one.open ? "still so" : when(one.to), one.name, one.device])}
    />
  );
}
