// Breath and laboratory tests: the planned window, what was taken in it, the confirmation, the results.

import { useMemo } from "react";
import type { Finding, Reading } from "../types.ts";
import { clock } from "./axis.ts";
import { Bars, lanesHeight, type Lane } from "./Bars.tsx";
import { Chart } from "./frame.tsx";
import { limitOf, takenOf, windowsOf } from "./tests.ts";

const AROUND_MS = 15 * 60_000;

export function TestsChart({ finding, readings, zone }: { finding: Finding; readings: Reading[]; zone: string }) {
  const laboratory = finding.kind.startsWith("test_");
  const taken = useMemo(() => takenOf(finding, readings), [finding, readings]);
  const windows = windowsOf(finding, taken);
  const limit = limitOf(finding);
  const instants = [...taken.map((one) => one.at), ...windows.flatMap(({ from, to }) => [from, to])];
  if (instants.length === 0) return null;
  const around = Math.max(AROUND_MS, (Math.max(...instants) - Math.min(...instants)) * 0.06);
  const [from, to] = [Math.min(...instants) - around, Math.max(...instants) + around];
  const when = (at: number) => clock(at, zone, from);
  const named = taken.map((one) => `${one.title} ${when(one.at)}: ${one.result}`);
  const lanes: Lane[] = [
    ...windows.map((window): Lane => ({
      name: `${window.words}, ${when(window.from)} to ${when(window.to)}`,
      spans: [{ from: window.from, to: window.to, tone: "plain" }],
    })),
    {
      name: laboratory ? "Samples" : "Tests",
      spans: [],
      dots: taken.map((one, i) => ({ at: one.at, tone: one.bad ? "bad" : "good", words: named[i]! })),
    },
  ];
  return (
    <Chart
      title={laboratory ? "Laboratory tests" : "Breath tests"}
      summary={
        taken.length === 0
          ? "no result"
          : limit !== null && !laboratory
            ? `cut-off ${limit.toFixed(3)} g/210 L`
            : `${taken.length} ${taken.length === 1 ? "result" : "results"}`
      }
      picture={
        [...windows.map((one) => `${one.words} ${when(one.from)} to ${when(one.to)}`), ...named].join(". ") +
        (taken.length === 0 ? ". No test was taken." : ".")
      }
      height={lanesHeight(lanes.length)}
      draw={(width) => <Bars width={width} lanes={lanes} from={from} to={to} zone={zone} />}
      below={
        <div className="told">
          <ul className="notes">
            {taken.map((one) => (
              <li key={`${one.at}${one.title}`}>
                <i className={`swatch ${one.bad ? "diamond" : "round"}`} aria-hidden="true" />{" "}
                <strong>{one.title}</strong> {when(one.at)}:{" "}
                <span className={one.bad ? "bad" : undefined}>
                  {one.result}
                  {limit !== null && one.bad && one.result.endsWith("210 L") && ", at or above the cut-off"}
                </span>
              </li>
            ))}
            {taken.length === 0 && <li>No test was taken in this time.</li>}
            {finding.reason === "no_confirmation" && (
              <li>
                <strong>No confirmation</strong> came in its time.
              </li>
            )}
            {finding.reason === "device_silent" && (
              <li>
                <strong>Nothing heard</strong> from the device since: it may still hold a result.
              </li>
            )}
          </ul>
        </div>
      }
      head={["Time", "Test", "Result", "Evidence"]}
      rows={taken.map((one) => [when(one.at), one.title, one.result, one.evidence ? "yes" : ""])}
    />
  );
}
