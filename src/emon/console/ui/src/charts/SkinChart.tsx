// Alcohol at the skin against its limit: the curve, where it began, peaked and ended, and how steep it was.

import { useMemo } from "react";
import { span } from "../times.ts";
import type { Finding, Reading } from "../types.ts";
import { plain } from "../words.ts";
import { clock, instant } from "./axis.ts";
import { Chart } from "./frame.tsx";
import { type Letter, Plot } from "./Plot.tsx";
import { episodeOf, jumps, type Level, levelsOf } from "./skin.ts";

const PAUSE_MS = 90 * 60_000; // a longer one breaks the line, as it breaks the count of readings
const WORDS: Record<string, string> = {
  slope: "A slope is steeper than the limit: an analyst must look at it. That does not mean no drinking.",
  interferent: "It changed faster than a body does: something other than drinking may have caused it.",
  obstruction: "Something may have covered the sensor for hours.",
  censored: "Its beginning or end was not observed.",
  no_slopes_known: "For this sensor no slopes are known.",
};

interface Props {
  readings: Reading[];
  zone: string;
  finding?: Finding | null;
  limits?: unknown;
}

export function SkinChart({ readings, zone, finding = null, limits }: Props) {
  const episode = useMemo(() => episodeOf(finding, limits), [finding, limits]);
  const points = useMemo(() => {
    const read = levelsOf(readings, episode.unit);
    const have = new Set(read.map((point) => point.at));
    return [...read, ...episode.levels.filter((each) => !have.has(each.at))].sort((a, b) => a.at - b.at);
  }, [readings, episode]);
  if (points.length === 0) return null;
  const { unit, limit, foot, peak, end, slopes, steepest } = episode;
  const digits = unit === "ug/L" ? 1 : 3;
  const say = (value: number) => value.toFixed(digits);
  const when = (at: number) => clock(at, zone, points[0]!.at);
  const highest = points.reduce((best, point) => (point.value > best.value ? point : best));
  const letters: Letter[] = [
    ...(foot ? [{ ...foot, letter: "A" }] : []),
    ...(peak ? [{ ...peak, letter: "B" }] : []),
    ...(end ? [{ ...end, letter: "C" }] : []),
  ];
  const steps = unit === "g/dL" && finding?.reason === "interferent" ? jumps(points, steepest) : [];
  return (
    <Chart
      title="Alcohol at the skin"
      summary={`peak ${say((peak ?? highest).value)} ${unit}, limit ${say(limit)}`}
      picture={
        `${points.length} readings of alcohol at the skin, highest ${say(highest.value)} ${unit} at ` +
        `${when(highest.at)}; the limit is ${say(limit)} ${unit}.`
      }
      height={190}
      draw={(width) => (
        <Plot
          width={width}
          height={190}
          points={points}
          zone={zone}
          top={Math.max(highest.value, limit) * 1.18}
          lines={[{ value: limit, words: say(limit), tone: "bad" }]}
          letters={letters}
          steps={steps}
          gapMs={PAUSE_MS}
          worse={(value) => value >= limit}
        />
      )}
      below={
        finding && (
          <div className="told">
            <ul className="notes">
              <Key letter="A" name="Foot" level={foot} say={say} when={when} unit={unit} none="not observed" />
              <Key letter="B" name={finding.ended === null ? "Peak so far" : "Peak"} level={peak} say={say} when={when} unit={unit} none="not observed" />
              <Key
                letter="C"
                name="Back at zero"
                level={end}
                say={say}
                when={when}
                unit={unit}
                none={finding.ended === null ? "not yet" : "not observed"}
              />
            </ul>
            {slopes.length > 0 && (
              <ul className="notes">
                {slopes.map(({ name, value, limit: most }) => (
                  <li key={name}>
                    <strong>{name}</strong> {value.toFixed(3)} {unit} an hour,{" "}
                    {value < most ? "below" : <span className="bad">at or above</span>} the limit of {most.toFixed(3)}
                    {name === "Absorption" && foot && peak && ` (${span(peak.at - foot.at)})`}
                    {name === "Elimination" && peak && end && ` (${span(end.at - peak.at)})`}
                  </li>
                ))}
              </ul>
            )}
            <Verdict of={finding} zone={zone} />
            {WORDS[finding.reason] && (
              <p>
                {WORDS[finding.reason]}
                {steps.length > 0 && ` Steps of ${say(steepest)} ${unit} an hour or more are drawn broken and thick.`}
              </p>
            )}
            <p className="quiet">
              Measured at the skin, it follows the breath by an hour or two: this is not when drinking began.
            </p>
          </div>
        )
      }
      head={["Time", unit, "Against the limit"]}
      rows={points.map((point) => [
        when(point.at),
        say(point.value),
        point.value >= limit ? "at or above" : point.value > 0 ? "below" : "zero",
      ])}
    />
  );
}

/** What an analyst said of it: beside the slopes, never instead of them. */
function Verdict({ of, zone }: { of: Finding; zone: string }) {
  const verdict = of.evidence["verdict"];
  if (typeof verdict !== "object" || verdict === null) return null;
  const said = verdict as Record<string, unknown>;
  const at = instant(said["at"]);
  return (
    <p>
      <strong>Analyst{said["analyst"] ? ` ${String(said["analyst"])}` : ""}</strong>
      {Number.isFinite(at) && `, ${clock(at, zone, NaN)}`}: {plain(String(said["result"] ?? "")).toLowerCase()}
      {said["reason"] ? `, because: ${String(said["reason"])}` : ""}
    </p>
  );
}

function Key({
  letter,
  name,
  level,
  say,
  when,
  unit,
  none,
}: {
  letter: string;
  name: string;
  level: Level | null;
  say: (value: number) => string;
  when: (at: number) => string;
  unit: string;
  none: string;
}) {
  return (
    <li>
      <span className="letter" aria-hidden="true">
        {letter}
      </span>{" "}
      <strong>{name}</strong> {level ? `${say(level.value)} ${unit}, ${when(level.at)}` : none}
    </li>
  );
}
