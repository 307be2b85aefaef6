// Everything that happened around an alert, in one order: what devices said, what was believed of it, what
// people did, whom emon told. Sorted by the pipeline's clock, newest first.

import { aside, describe } from "../readings.ts";
import { millis, span } from "../times.ts";
import type { Alert, FindingView, Notification, Reading, WorkEvent } from "../types.ts";
import { levelOf, plain, titleOf } from "../words.ts";

export type Group = "finding" | "work" | "message" | "device" | "position";

export interface Entry {
  key: string;
  at: number;
  group: Group;
  title: string;
  detail: string | null;
  evidence: boolean;
  from?: number; // of a run: when its first was
}

export function ofFindings(findings: readonly FindingView[]): Entry[] {
  return findings.flatMap(({ finding, revisions }) =>
    revisions.map((revision): Entry => ({
      key: `f${finding.finding_id}${revision.revision}`,
      at: millis(revision.decided_at),
      group: "finding",
      title: `Finding ${revision.status}: ${titleOf(revision.kind, finding.evidence["event"] as string | undefined)}`,
      detail: [
        `revision ${revision.revision}`,
        levelOf(revision.level)[0].toLowerCase(),
        revision.reason && plain(revision.reason).toLowerCase(),
      ]
        .filter(Boolean)
        .join(", "),
      evidence: false,
    })),
  );
}

export function ofReadings(readings: readonly Reading[], isEvidence: (reading: Reading) => boolean): Entry[] {
  return readings.map((reading, i): Entry => {
    const late = reading.received_at ? millis(reading.received_at) - millis(reading.observed_at) : 0;
    return {
      key: `r${i}${reading.device}${reading.observed_at}`,
      at: millis(reading.observed_at),
      group: reading.kind === "position" ? "position" : "device",
      title: describe(reading),
      detail: [aside(reading), late > 15 * 60_000 && `received ${span(late)} later`]
        .filter(Boolean)
        .join(", "),
      evidence: isEvidence(reading),
    };
  });
}

/** What was found within a window, from the alerts that hold it. */
export function ofAlerts(alerts: readonly Alert[], from: number, to: number): Entry[] {
  return alerts
    .flatMap((alert): Entry[] => {
      const entry = (key: string, at: string, title: string): Entry => ({
        key: `a${alert.id}${key}`,
        at: millis(at),
        group: "finding",
        title,
        detail: `alert #${alert.id}${alert.withdrawn ? ", withdrawn" : ""}`,
        evidence: false,
      });
      return [
        entry("0", alert.onset, alert.title),
        ...(alert.ended !== null && alert.ended !== alert.onset
          ? [entry("1", alert.ended, `Ended: ${alert.title}`)]
          : []),
      ];
    })
    .filter((entry) => entry.at >= from && entry.at <= to);
}

const EVENT_WORDS: Record<string, string> = {
  opened: "Alert opened",
  noted: "Note",
  no_op: "Nothing to change",
  lease_lapsed: "Claim lapsed: back to the queue",
  taken_over: "Taken over",
  work_timed_out: "Time for work is up: back to the queue",
  returned_to_queue: "More urgent now: back to the queue",
  self_cleared: "Closed by itself",
};

const WORDS = ["note", "text", "reason", "disposition", "cause"];

export function ofEvents(events: readonly WorkEvent[]): Entry[] {
  return events
    .filter((event) => !event.kind.startsWith("finding_"))
    .map((event): Entry => {
      // findings' own entries say it
      const from = event.data?.["from"] ?? event.data?.["holder"];
      const said =
        event.data === null
          ? "erased"
          : WORDS.map((name) => event.data?.[name])
              .filter((text) => typeof text === "string" && text !== "")
              .map((text) =>
                /^[a-z_]+(:[a-z_]+)?$/.test(String(text))
                  ? plain(String(text)).toLowerCase()
                  : `“${String(text)}”`,
              )
              .join(", ");
      const by = event.actor ? ` by ${event.actor}` : "";
      return {
        key: `e${event.seq}`,
        at: millis(event.at),
        group: "work",
        title: `${EVENT_WORDS[event.kind] ?? plain(event.kind)}${by}`,
        detail:
          [
            typeof from === "string" && `was with ${from}`,
            event.kind !== "opened" && said,
            event.via && event.via !== "console" && `via ${event.via}`,
          ]
            .filter(Boolean)
            .join(", ") || null,
        evidence: false,
      };
    });
}

const KINDS: Record<string, string> = {
  alert: "Message",
  update: "Update",
  correction: "Correction",
  system: "System message",
};

const SAME_CLOCK_MS = 60_000;

/** How far the wall's clock is ahead of the pipeline's; 0 but in a demo that runs faster than life. */
export function clockSkew(events: readonly WorkEvent[]): number {
  const last = events.at(-1);
  const skew = last ? millis(last.recorded_at) - millis(last.at) : 0;
  return Math.abs(skew) < SAME_CLOCK_MS ? 0 : skew;
}

/** Attempts carry the wall's clock: where that is not the pipeline's (`skew`), they stand by their message. */
export function ofMessages(messages: readonly Notification[], skew: number): Entry[] {
  return messages.flatMap((message): Entry[] => {
    const to = message.recipient_name ?? message.recipient;
    const entry = (key: string, at: string, title: string, detail: string | null): Entry => ({
      key: `m${message.id}${key}`,
      at: millis(at),
      group: "message",
      title,
      detail,
      evidence: false,
    });
    const why = message.state_reason ? plain(message.state_reason).toLowerCase() : null;
    const kind = KINDS[message.kind] ?? plain(message.kind);
    return [
      entry(
        "",
        message.created_at,
        to
          ? `${kind} to ${to}: ${plain(message.state).toLowerCase()}`
          : `${kind}, nobody told yet: ${plain(message.state).toLowerCase()}`,
        [message.subject && `“${message.subject}”`, why].filter(Boolean).join(", ") || null,
      ),
      ...message.attempts.map((attempt) =>
        entry(
          `a${attempt.attempt}`,
          skew === 0 ? (attempt.finished_at ?? attempt.started_at) : (message.sent_at ?? message.created_at),
          `${CHANNELS[attempt.channel] ?? plain(attempt.channel)} to ${to ?? attempt.address}: ${OUTCOMES[attempt.outcome] ?? attempt.outcome}`,
          [`attempt ${attempt.attempt}`, attempt.address, attempt.detail].filter(Boolean).join(", "),
        ),
      ),
    ];
  });
}

const CHANNELS: Record<string, string> = { sms: "SMS", email: "E-mail" };

const OUTCOMES: Record<string, string> = {
  started: "handed over, no answer yet",
  accepted: "accepted",
  temporary: "failed for now",
  permanent: "failed for good",
  unknown: "outcome unknown",
};

const RUN = 3;

/** Runs of the same quiet word of a device as one entry: eight heartbeats are one line. */
export function folded(entries: readonly Entry[]): Entry[] {
  const found: Entry[] = [];
  for (let i = 0; i < entries.length;) {
    const first = entries[i]!;
    let end = i + 1;
    while (end < entries.length && quietly(first, entries[end]!)) end += 1;
    if (end - i < RUN) found.push(...entries.slice(i, end));
    else found.push({ ...first, title: `${first.title}, ${end - i} times`, from: entries[end - 1]!.at });
    i = end;
  }
  return found;
}

const quietly = (a: Entry, b: Entry) =>
  a.group === "device" && b.group === "device" && a.title === b.title && !a.evidence && !b.evidence;

export const inOrder = (entries: Entry[]) =>
  entries.sort((a, b) => b.at - a.at || b.key.localeCompare(a.key, "en", { numeric: true }));
