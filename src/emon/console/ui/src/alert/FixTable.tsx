// The map as a table: every fix, what decided highlighted, and the silence between fixes as rows of its own.

import { useEffect, useRef } from "react";
import { methodOf } from "../words.ts";
import { span } from "../times.ts";
import { type Fix, gapBetween } from "../map/scene.ts";
import { Gap, Time } from "../parts/marks.tsx";
import type { Span } from "../types.ts";

interface Props {
  fixes: Fix[];
  zone: string;
  notObserved: Span[];
  picked: string | null;
  onPick: (key: string) => void;
  truncated: boolean;
  roles: boolean;
}

const WINDOW = 300; // rows at once around what matters; a day of fixes is 1,440

export function FixTable({ fixes, zone, notObserved, picked, onPick, truncated, roles }: Props) {
  const chosen = useRef<HTMLTableRowElement>(null);
  const focus = picked ?? fixes.find((fix) => fix.evidence)?.key ?? null;
  useEffect(() => {
    const row = chosen.current;
    const box = row?.closest(".scroll");
    if (row && box) box.scrollTop = row.offsetTop - box.clientHeight / 2;
  }, [focus]);
  const centre = Math.max(
    0,
    fixes.findIndex((fix) => fix.key === focus),
  );
  const from = Math.max(0, Math.min(centre - WINDOW / 2, fixes.length - WINDOW));
  const shown = fixes.slice(from, from + WINDOW);
  if (fixes.length === 0) return <p className="empty">No position was received in this window.</p>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Table of fixes">
      <table>
        <caption>
          The same as on the map: {fixes.length} fixes
          {shown.length < fixes.length ? `, ${shown.length} of them shown` : ""}
          {roles && `, ${fixes.filter((fix) => fix.evidence).length} in evidence`}
          {truncated ? "; the window holds more than was read" : ""}.
        </caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Method</th>
            <th scope="col" className="num">
              Accuracy
            </th>
            <th scope="col" className="num">
              Latitude
            </th>
            <th scope="col" className="num">
              Longitude
            </th>
            <th scope="col" className="num">
              Speed
            </th>
            <th scope="col">Device</th>
            {roles && <th scope="col">Role</th>}
          </tr>
        </thead>
        <tbody>
          {shown.flatMap((fix, i) => {
            const before = shown[i - 1];
            const gap = before && gapBetween(before, fix, notObserved);
            const speed = fix.reading["speed_mps"];
            return [
              gap && (
                <tr key={`gap${fix.key}`} className="gap">
                  <td colSpan={8}>
                    <Gap from={before!.at} to={fix.at} zone={zone} /> ({span(fix.at - before!.at)})
                  </td>
                </tr>
              ),
              <tr
                key={fix.key}
                ref={fix.key === focus ? chosen : undefined}
                className={
                  [fix.evidence ? "evidence" : "", fix.key === picked ? "picked" : ""].join(" ").trim() ||
                  undefined
                }
                onClick={() => onPick(fix.key)}
              >
                <td>
                  <button
                    type="button"
                    className="plain"
                    aria-pressed={fix.key === picked}
                    onClick={() => onPick(fix.key)}
                  >
                    <Time at={fix.at} zone={zone} form="short" />
                    <span className="unseen"> show on the map</span>
                  </button>
                </td>
                <td>{methodOf(fix.method)}</td>
                <td className="num">{fix.accuracyM === null ? "unknown" : `± ${fix.accuracyM} m`}</td>
                <td className="num">{fix.lat.toFixed(5)}</td>
                <td className="num">{fix.lon.toFixed(5)}</td>
                <td className="num">{typeof speed === "number" ? `${speed.toFixed(1)} m/s` : ""}</td>
                <td>{fix.device}</td>
                {roles && <td>{fix.evidence ? "evidence" : fix.phase}</td>}
              </tr>,
            ];
          })}
        </tbody>
      </table>
    </div>
  );
}
