// Small marks used on every page. Priority is told by shape, colour and text together.

import { local, millis, span, utc } from "../times.ts";
import type { Alert } from "../types.ts";
import { serverNow, useNow } from "./clock.ts";

const SHAPES: Record<number, string> = {
  1: "M7.8 1.5h8.4l6.3 6.3v8.4l-6.3 6.3H7.8L1.5 16.2V7.8z", // octagon
  2: "M12 1.2 23.2 21.6H.8z", // triangle
  3: "M12 1 23 12 12 23 1 12z", // diamond
  4: "M3 4h18v16H3z", // rectangle
};

export const PRIORITY_WORDS: Record<number, string> = { 1: "Critical", 2: "High", 3: "Medium", 4: "Low" };

export function Mark({ priority }: { priority: number }) {
  const known = Math.min(Math.max(priority, 1), 4);
  return (
    <span className="mark" title={`Priority ${priority}: ${PRIORITY_WORDS[known]}`}>
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path
          d={SHAPES[known]}
          fill={`var(--p${known})`}
          stroke={known === 4 ? "var(--line-strong)" : "none"}
        />
        <text
          x="12"
          y={known === 2 ? 19 : 16.6}
          textAnchor="middle"
          fontSize={known === 2 ? 12 : 13}
          fontWeight="700"
          fill={`var(--p${known}-ink)`}
        >
          {priority}
        </text>
      </svg>
      <span aria-hidden="true">P{priority}</span>
      <span className="unseen">
        Priority {priority}, {PRIORITY_WORDS[known]}
      </span>
    </span>
  );
}

/** Zone for what has none of its own: this computer's. */
export const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

interface TimeProps {
  at: string | number;
  zone?: string | null;
  form?: "full" | "short" | "clock";
}

/** An instant on the order's clock, UTC in the tooltip. `short`: no offset, no date if it is today's;
 * `clock`: time of day alone. */
export function Time({ at, zone, form = "full" }: TimeProps) {
  const ms = typeof at === "number" ? at : millis(at);
  const shown = local(ms, zone ?? HERE);
  const today = local(serverNow(), zone ?? HERE);
  const sameDay = shown.date === today.date && shown.year === today.year;
  const date = shown.year === today.year ? shown.date : `${shown.date} ${shown.year}`;
  const text =
    form === "clock" || (form === "short" && sameDay)
      ? shown.time
      : form === "short"
        ? `${date}, ${shown.time}`
        : `${date}, ${shown.time} ${shown.offset}`;
  return (
    <time
      dateTime={Number.isFinite(ms) ? new Date(ms).toISOString() : undefined}
      title={
        form === "full" ? utc(ms) : `${utc(ms)} (shown at UTC${shown.offset === "UTC" ? "" : shown.offset})`
      }
    >
      {text}
    </time>
  );
}

const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** A finding's sentence, with its instants on the order's clock. */
export function Sentence({ text, zone }: { text: string; zone?: string | null }) {
  return (
    <>
      {text
        .split(INSTANT)
        .map((part, i) => (i % 2 === 1 ? <Time key={i} at={part} zone={zone} form="short" /> : part))}
    </>
  );
}

/** When nothing supports the finding: the words that screens and reports share. */
export function Gap({
  from,
  to,
  zone,
}: {
  from: string | number;
  to: string | number | null;
  zone: string | null;
}) {
  return to === null ? (
    <>
      not observed since <Time at={from} zone={zone} form="short" />
    </>
  ) : (
    <>
      not observed from <Time at={from} zone={zone} form="short" /> to{" "}
      <Time at={to} zone={zone} form="short" />
    </>
  );
}

const PATIENCE_MS: Record<number, number> = {
  1: 5 * 60_000,
  2: 15 * 60_000,
  3: 60 * 60_000,
  4: 4 * 3_600_000,
};

/** How long an alert waits for a person, or how long the person still has: colour and words. */
export function Age({ alert }: { alert: Alert }) {
  const now = useNow();
  if (alert.work_state === "closed") return <span className="age quiet">closed</span>;
  if (alert.work_due !== null) {
    const left = millis(alert.work_due) - now;
    const mood = left < 0 ? "age over" : left < 60_000 ? "age soon" : "age";
    return (
      <span className={mood} title={`Work is due at ${utc(millis(alert.work_due))}`}>
        {left < 0 ? (
          <>
            {span(-left)} <small>overdue</small>
          </>
        ) : (
          <>
            {span(left)} <small>left to work</small>
          </>
        )}
      </span>
    );
  }
  if (alert.waiting_since === null) return <span className="age quiet">in hand</span>;
  const waited = now - millis(alert.waiting_since);
  const patience = PATIENCE_MS[alert.priority] ?? 4 * 3_600_000;
  const since = `Waiting since ${utc(millis(alert.waiting_since))}`;
  if (waited > patience)
    return (
      <span className="age over" title={since}>
        {span(waited)} <small>late</small>
      </span>
    );
  if (waited > patience / 2)
    return (
      <span className="age soon" title={since}>
        {span(waited)} <small>soon late</small>
      </span>
    );
  return (
    <span className="age" title={since}>
      {span(waited)} <small>waiting</small>
    </span>
  );
}

/** Work as words: who has it. */
export function workOf(alert: Alert, me: string | null): string {
  const who = (name: string | null) => (name === null ? "" : name === me ? "you" : name);
  switch (alert.work_state) {
    case "claimed":
      return `Claimed by ${who(alert.holder)}`;
    case "in_progress":
      return alert.holder ? `In progress: ${who(alert.holder)}` : "In progress";
    case "closed":
      return alert.closed_by ? `Closed by ${who(alert.closed_by)}` : "Closed by itself";
    default:
      return "New";
  }
}

/** Who works on it, and what the pipeline says: two axes, never one status. */
export function StateChips({
  alert,
  me,
  times = true,
}: {
  alert: Alert;
  me: string | null;
  times?: boolean;
}) {
  const closed = alert.work_state === "closed";
  const mine = alert.holder !== null && alert.holder === me;
  return (
    <>
      <span className={mine ? "chip mine" : closed ? "chip good" : "chip"}>{workOf(alert, me)}</span>
      {alert.withdrawn ? (
        <span className="chip warn">Withdrawn</span>
      ) : alert.condition_state === "active" ? (
        !closed && <span className="chip">Ongoing</span>
      ) : (
        <span className="chip good">{closed ? "Ended" : "Ended, not handled"}</span>
      )}
      {times && alert.activations > 1 && <span className="chip">{alert.activations} times</span>}
    </>
  );
}
