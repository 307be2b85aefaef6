// Motion that a device reports while nothing says where it is.

import { useMemo } from "react";
import { span } from "../times.ts";
import type { Finding, Reading } from "../types.ts";
import { clock } from "./axis.ts";
import { Bars, lanesHeight } from "./Bars.tsx";
import { Chart } from "./frame.tsx";
import { motionOf } from "./motion.ts";

interface Props {
  finding: Finding;
  readings: Reading[];
  now: number;
  zone: string;
}

export function MotionChart({ finding, readings, now, zone }: Props) {
  const device = String(finding.evidence["device"] ?? "");
  const parameters = (finding.evidence["parameters"] ?? {}) as Record<string, unknown>;
  const { dark, moving } = useMemo(() => motionOf(finding, readings, device, now), [finding, readings, device, now]);
  const moved = Number(finding.evidence["moved_s"] ?? 0) * 1000;
  const around = (dark.to - dark.from) * 0.06;
  const when = (at: number) => clock(at, zone, dark.from);
  const open = finding.ended === null;
  return (
    <Chart
      title="Motion without a position"
      summary={`${span(moved)} of motion in ${span(Number(parameters["within_s"] ?? 3600) * 1000)}`}
      picture={
        `No position from ${when(dark.from)} ${open ? "on" : `to ${when(dark.to)}`}. ` +
        moving.map((one) => `Moving ${when(one.from)} to ${when(one.to)}`).join(", ")
      }
      height={lanesHeight(2)}
      draw={(width) => (
        <Bars
          width={width}
          from={dark.from - around}
          to={dark.to + around}
          zone={zone}
          lanes={[
            { name: "Moving", spans: moving.map((one) => ({ ...one, tone: "plain" as const, words: "moving" })) },
            { name: "Position", spans: [{ ...dark, tone: "bad", words: "none" }] },
          ]}
        />
      )}
      head={["From", "To", "What"]}
      rows={[
        [when(dark.from), open ? "still so" : when(dark.to), "no position"],
        ...moving.map((one) => [when(one.from), when(one.to), "moving"]),
      ]}
    />
  );
}
