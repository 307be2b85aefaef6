// Proof of life: the server's clock, whether the line stands, since when it does not, and how late emon is.

import { useEffect, useState } from "react";
import { status } from "../api.ts";
import { listen } from "../live/live.ts";
import { local, millis, span, utc } from "../times.ts";
import type { Clock } from "../types.ts";
import { asServer, setServerClock, useNow } from "./clock.ts";
import { Dialog } from "./Dialog.tsx";
import { HERE } from "./marks.tsx";
import { useLoaded } from "./useLoaded.ts";
import { plain } from "../words.ts";

const LATE_S = 5; // beyond this an operator should know; the target is 2 s
const SPEED = "emon-speed";
const SAME_CLOCK_MS = 60_000; // farther apart, the pipeline runs on a clock of its own: a demo

interface Line {
  live: boolean;
  heardAt: number | null;
  clock: Clock | null;
  speed: number | null;
}

/** How fast the pipeline's clock runs, from two heartbeats; 1 where it is the wall's. */
function speedOf(before: Line, clock: Clock): number | null {
  if (Math.abs(millis(clock.pipeline_now) - millis(clock.now)) < SAME_CLOCK_MS) return 1;
  if (!before.clock) return Number(sessionStorage.getItem(SPEED)) || null; // as this tab measured it before
  const wall = millis(clock.now) - millis(before.clock.now);
  if (wall < 1_000) return before.speed;
  const speed = (millis(clock.pipeline_now) - millis(before.clock.pipeline_now)) / wall;
  sessionStorage.setItem(SPEED, speed.toFixed(2));
  return speed;
}

function useLine(): Line {
  const [line, setLine] = useState<Line>({ live: false, heardAt: null, clock: null, speed: null });
  useEffect(
    () =>
      listen((message) => {
        if (message.type === "state")
          setLine((before) => ({ ...before, live: message.live, heardAt: message.heardAt }));
        if (message.type === "event" && message.name === "clock") {
          const clock = JSON.parse(message.data) as Clock;
          setServerClock(millis(clock.now));
          setLine((before) => ({ ...before, clock, speed: speedOf(before, clock) }));
        }
      }),
    [],
  );
  return line;
}

/** How late emon is in seconds of the wall's clock; null while that is not known. */
function lateness({ clock, speed }: Line): number | null {
  if (clock?.late_s == null || speed === null) return null;
  return clock.late_s / Math.max(1, speed);
}

export function Life() {
  const line = useLine();
  const { live, heardAt, clock, speed } = line;
  const now = useNow();
  const [open, setOpen] = useState(false);
  const shown = local(now, HERE);
  const late = lateness(line);
  const demo = speed !== null && speed !== 1 && clock ? local(millis(clock.pipeline_now), HERE) : null;
  return (
    <div className="life" role="group" aria-label="State of emon">
      {live ? (
        <span>
          <span className="dot" aria-hidden="true" />
          Live
        </span>
      ) : heardAt === null ? (
        <span className="quiet">Connecting…</span>
      ) : (
        <span className="is-stale">
          <span className="dot" aria-hidden="true" />
          Stale since {local(asServer(heardAt), HERE).time}
        </span>
      )}
      <span title={utc(now)} className="nowrap hide-narrow">
        {shown.time} <span className="quiet">UTC{shown.offset === "UTC" ? "" : shown.offset}</span>
      </span>
      {demo && (
        <span className="nowrap hide-narrow quiet" title="The simulated devices' clock runs faster than life">
          devices' clock {demo.date}, {demo.time.slice(0, 5)}
        </span>
      )}
      <button
        type="button"
        className={late !== null && late > LATE_S ? "plain is-late" : "plain"}
        onClick={() => setOpen(true)}
      >
        {late === null
          ? "Lateness not known yet"
          : late > LATE_S
            ? `emon is ${span(late * 1000)} late`
            : `emon is on time (${late.toFixed(late < 10 ? 1 : 0)} s)`}
      </button>
      {open && <Details onClose={() => setOpen(false)} />}
    </div>
  );
}

/** Says, once, that the screen may be out of date; nothing is said while all is well. */
export function StaleBanner() {
  const { live, heardAt } = useLine();
  useNow(); // looks again every second
  if (live || heardAt === null || Date.now() - heardAt < 3_000) return null;
  return (
    <div className="banner" role="alert">
      The line to emon is broken since {local(asServer(heardAt), HERE).time}. What you see may be out of date;
      it is read anew as soon as the line stands.
    </div>
  );
}

function Details({ onClose }: { onClose: () => void }) {
  const { value, fault } = useLoaded("status", (_, signal) => status(signal));
  return (
    <Dialog title="How emon is doing" action="Close" onDo={async () => null} onClose={onClose}>
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
      {value && (
        <>
          <dl className="pairs" style={{ marginTop: 12 }}>
            <dt>Worked through until</dt>
            <dd>{value.last_tick ? utc(millis(value.last_tick)) : "nothing yet"}</dd>
            <dt>Behind</dt>
            <dd>{value.late_s === null ? "not known" : `${value.late_s.toFixed(1)} s`}</dd>
            <dt>Messages waiting</dt>
            <dd>{value.notifications_waiting}</dd>
            <dt>Messages failed</dt>
            <dd>{value.notifications_failed}</dd>
            <dt>Open alerts</dt>
            <dd>{value.open_alerts.total}</dd>
            <dt>Version</dt>
            <dd>{value.version}</dd>
          </dl>
          {value.stages.length > 0 && (
            <div style={{ overflowX: "auto", marginTop: 12 }}>
              <table>
                <caption>Stages, by partition</caption>
                <thead>
                  <tr>
                    <th scope="col">Stage</th>
                    <th scope="col" className="num">
                      Partition
                    </th>
                    <th scope="col" className="num">
                      Records behind
                    </th>
                    <th scope="col">Until</th>
                  </tr>
                </thead>
                <tbody>
                  {value.stages.map((stage) => (
                    <tr key={`${stage.stage}${stage.partition}`}>
                      <td>{plain(stage.stage)}</td>
                      <td className="num">{stage.partition}</td>
                      <td className="num">{stage.lag}</td>
                      <td>{stage.last_tick ? utc(millis(stage.last_tick)).slice(11) : "none"}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </>
      )}
    </Dialog>
  );
}
