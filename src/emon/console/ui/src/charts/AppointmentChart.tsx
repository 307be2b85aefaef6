// An appointment: its window, and where fixes say that somebody was during it.

import { useMemo } from "react";
import { span } from "../times.ts";
import type { Finding, Place, Reading } from "../types.ts";
import { clock, instant } from "./axis.ts";
import { Bars, lanesHeight, type Tone } from "./Bars.tsx";
import { Chart } from "./frame.tsx";
import { piecesOf, type Where } from "./pieces.ts";

const TONES: Record<Where, Tone> = { there: "good", elsewhere: "bad", unsure: "unsure", unobserved: "nothing" };
const WORDS: Record<Where, string> = {
  there: "There",
  elsewhere: "Elsewhere",
  unsure: "Unsure",
  unobserved: "Not observed",
};
const AROUND = 0.15; // of the window, before and after it

interface Props {
  finding: Finding;
  readings: Reading[];
  places: Place[];
  homeUnit: boolean;
  zone: string;
}

export function AppointmentChart({ finding, readings, places, homeUnit, zone }: Props) {
  const evidence = finding.evidence;
  const from = instant(evidence["window_from_at"] ?? finding.onset);
  const to = instant(evidence["window_until_at"] ?? finding.ended);
  const parameters = (evidence["parameters"] ?? {}) as Record<string, unknown>;
  const buffer = Number(parameters["buffer_m"] ?? 0);
  const around = (to - from) * AROUND;
  const pieces = useMemo(
    () => piecesOf(readings, places, { from: from - around, to: to + around }, buffer, homeUnit),
    [readings, places, from, to, around, buffer, homeUnit],
  );
  if (!Number.isFinite(from + to) || places.length === 0) return null;
  const when = (at: number) => clock(at, zone, from);
  const dwell = Number(evidence["dwell_s"] ?? 0) * 1000;
  const minimum = Number(parameters["minimum_s"] ?? 0) * 1000;
  const first = instant(evidence["first_seen_at"]);
  const last = instant(evidence["last_seen_at"]);
  const spans = pieces.map((piece) => ({ ...piece, tone: TONES[piece.where], words: WORDS[piece.where] }));
  return (
    <Chart
      title="Appointment"
      summary={`seen there for ${span(dwell)} of ${span(minimum)}`}
      picture={
        `Window from ${when(from)} to ${when(to)}; seen there for ${span(dwell)} of ${span(minimum)}. ` +
        pieces.map((piece) => `${WORDS[piece.where]} ${when(piece.from)} to ${when(piece.to)}`).join(", ")
      }
      height={lanesHeight(2)}
      draw={(width) => (
        <Bars
          width={width}
          from={from - around}
          to={to + around}
          zone={zone}
          lanes={[
            { name: `Window, ${when(from)} to ${when(to)}`, spans: [{ from, to, tone: "plain" }] },
            { name: "Fixes say", spans },
          ]}
        />
      )}
      below={
        <div className="told">
          <ul className="notes">
            {(Object.keys(WORDS) as Where[])
              .filter((where) => pieces.some((piece) => piece.where === where))
              .map((where) => (
                <li key={where}>
                  <i className={`swatch ${TONES[where]}`} aria-hidden="true" /> {WORDS[where]}
                </li>
              ))}
            <li>
              <strong>First seen there</strong> {Number.isFinite(first) ? when(first) : "never"}
            </li>
            {Number.isFinite(last) && (
              <li>
                <strong>Last seen there</strong> {when(last)}
              </li>
            )}
            <li>
              <strong>Longest time without a fix that tells</strong>{" "}
              {span(Number(evidence["longest_gap_s"] ?? 0) * 1000)}
            </li>
          </ul>
        </div>
      }
      head={["From", "To", "Where"]}
      rows={pieces.map((piece) => [when(piece.from), when(piece.to), WORDS[piece.where]])}
    />
  );
}
