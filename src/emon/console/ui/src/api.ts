// Every request to emon. Commands carry a key (a repeated request changes nothing twice) and, where they
// judge the alert, the version that the operator saw; a refusal comes back as words for the operator.

import { setServerClock } from "./parts/clock.ts";
import { operatorName } from "./parts/operator.ts";
import type { Verdict } from "./alert/verdict.ts";
import { millis } from "./times.ts";
import type {
  Alert,
  AlertDetail,
  AlertPage,
  Participant,
  Problem,
  Status,
  Track,
  ZoneFeature,
} from "./types.ts";

export class Refused extends Error {
  readonly status: number;
  readonly problem: Problem;
  constructor(status: number, problem: Problem) {
    super(problem.detail);
    this.status = status;
    this.problem = problem;
  }
}

async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      cache: "no-store",
      headers: {
        Accept: "application/json",
        "X-Emon-Operator": encodeURIComponent(operatorName()),
        ...init.headers,
      },
    });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new Refused(0, {
      error: "unreachable",
      detail: "emon cannot be reached. Nothing was changed; try again.",
    });
  }
  if (response.ok) return (await response.json()) as T;
  const body: unknown = await response.json().catch(() => null);
  throw new Refused(response.status, problemOf(body, response.status));
}

function problemOf(body: unknown, status: number): Problem {
  const found = (body ?? {}) as Partial<Problem>;
  if (typeof found.detail === "string")
    return { ...found, error: found.error ?? "refused", detail: found.detail };
  return { error: "refused", detail: `emon answered with an error (${status}).` };
}

/** Every open alert, page by page; `onPage` may show what is already there. */
export async function openAlerts(signal: AbortSignal, onPage: (alerts: Alert[]) => void): Promise<void> {
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: AlertPage = await ask<AlertPage>(`/v1/alerts?state=open&limit=500${query}`, { signal });
    if (cursor === null) setServerClock(millis(page.now));
    onPage(page.alerts);
    cursor = page.next;
  } while (cursor !== null);
}

/** Closed alerts, newest first; `participant`: part of a number. */
export function closedAlerts(participant: string, cursor: string | null, signal?: AbortSignal) {
  const query = new URLSearchParams({ state: "closed", sort: "newest", limit: "50" });
  if (participant !== "") query.set("q", participant);
  if (cursor !== null) query.set("cursor", cursor);
  return ask<AlertPage>(`/v1/alerts?${query}`, { signal: signal ?? null });
}

export const alertDetail = (id: string, signal?: AbortSignal) =>
  ask<AlertDetail>(`/v1/alerts/${encodeURIComponent(id)}`, { signal: signal ?? null });

export const participant = (id: string, signal?: AbortSignal) =>
  ask<Participant>(`/v1/participants/${encodeURIComponent(id)}`, { signal: signal ?? null });

/** The newest version of a zone. */
export const zoneFeature = (id: string, signal?: AbortSignal) =>
  ask<ZoneFeature>(`/v1/zones/${encodeURIComponent(id)}`, { signal: signal ?? null });

export const status = (signal?: AbortSignal) => ask<Status>("/v1/status", { signal: signal ?? null });

const MAX_TRACK_PAGES = 20; // a fix a second for a day is nine pages; beyond that a shorter window is asked for

/** All readings of a window; `truncated` where even many pages did not hold it. */
export async function track(href: string, signal?: AbortSignal): Promise<Track> {
  const first = await ask<Track>(href, { signal: signal ?? null });
  const seen = new Set(first.readings.map((reading) => JSON.stringify(reading)));
  let page = first;
  for (let pages = 1; page.truncated && pages < MAX_TRACK_PAGES; pages += 1) {
    const last = page.readings.at(-1)?.observed_at;
    if (!last) break;
    const next = new URL(href, location.origin);
    next.searchParams.set("from", last);
    page = await ask<Track>(next.pathname + next.search, { signal: signal ?? null });
    const fresh = page.readings.filter((reading) => !seen.has(JSON.stringify(reading)));
    if (fresh.length === 0) break;
    for (const reading of fresh) seen.add(JSON.stringify(reading));
    first.readings.push(...fresh);
  }
  return { ...first, truncated: page.truncated };
}

export function trackHref(id: string, from: number, to: number): string {
  const query = new URLSearchParams({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
  return `/v1/participants/${encodeURIComponent(id)}/track?${query}`;
}

/** A random key; `crypto.randomUUID` exists only where the page came over TLS or from this computer. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

export type Command = "claim" | "release" | "ack" | "note" | "close";

const JUDGING: readonly Command[] = ["ack", "close"]; // what judges the alert must have seen its newest version

/** Does `command`; throws `Refused`, with the winner's name where somebody else was faster. */
export function command(alert: Alert, name: Command, body: Record<string, unknown> = {}) {
  const seen: Record<string, string> = JUDGING.includes(name) ? { "If-Match": `"${alert.version}"` } : {};
  return ask<{ alert: Alert; no_op: boolean }>(`/v1/alerts/${alert.id}/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": newKey(), ...seen },
    body: JSON.stringify(body),
  });
}

/** Every version of the analysts' verdicts on a participant's alcohol episodes. */
export const verdictsOf = (id: string, signal?: AbortSignal) =>
  ask<{ verdicts: Verdict[] }>(`/v1/verdicts?participant=${encodeURIComponent(id)}`, { signal: signal ?? null });

/** Puts a version of a verdict on record; throws `Refused`, 409 where that number is taken by another content. */
export function setVerdict(verdict: Verdict) {
  return ask<{ known: number }>("/v1/verdicts", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(verdict),
  });
}
