// A silence: when something was heard last, how long that was in order, and since when it is not.

import { millis, span } from "../times.ts";
import type { Finding } from "../types.ts";
import { clock } from "./axis.ts";
import { Bars, lanesHeight } from "./Bars.tsx";
import { Chart } from "./frame.tsx";

const TITLES: Record<string, string> = {
  contact_lost: "Silence of all devices",
  location_lost: "Time without a location",
  alcohol_no_upload: "Uploads from the skin",
  protected_contact_lost: "Silence of the protected person's device",
};

export function SilenceChart({ finding, now, zone }: { finding: Finding; now: number; zone: string }) {
  const onset = millis(finding.onset);
  const until = finding.ended === null ? Math.max(now, millis(finding.decided_at)) : millis(finding.ended);
  const heard = (finding.evidence.readings ?? []).map((reading) => millis(reading.observed_at));
  const before = heard.filter((at) => at < onset);
  const last = before.length > 0 ? Math.max(...before) : null;
  const again = finding.ended !== null && heard.includes(until) ? until : null;
  const from = last ?? onset;
  const around = Math.max(60_000, (until - from) * 0.04);
  const when = (at: number) => clock(at, zone, onset);
  const said = [
    ...(last === null ? [] : [`Last heard ${clock(last, zone, onset)}`]),
    `too long since ${clock(onset, zone, last ?? NaN)}`,
    again === null ? (finding.ended === null ? "and still so" : `until ${when(until)}`) : `heard again ${when(again)}`,
  ].join(", ");
  return (
    <Chart
      title={TITLES[finding.kind] ?? "Silence"}
      summary={finding.ended === null ? "still silent" : `${span(until - onset)} too long`}
      picture={`${said}.`}
      height={lanesHeight(1)}
      draw={(width) => (
        <Bars
          width={width}
          from={from - around}
          to={until + around}
          zone={zone}
          lanes={[
            {
              name: "Heard",
              spans: [
                ...(last === null ? [] : [{ from: last, to: onset, tone: "plain" as const, words: "in order" }]),
                { from: onset, to: until, tone: "bad" as const, words: "silent" },
              ],
              dots: [last, again]
                .filter((at): at is number => at !== null)
                .map((at) => ({ at, tone: "good" as const, words: `Heard ${when(at)}` })),
            },
          ]}
        />
      )}
      below={
        <div className="told">
          <p>{said}.</p>
        </div>
      }
      head={[]}
      rows={[]}
    />
  );
}
