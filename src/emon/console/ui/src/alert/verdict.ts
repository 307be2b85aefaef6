// Which analyst's verdict rules an episode, and under which id and number the next one goes. The same rules as
// the evaluator's: of one id the highest version, of several ids the greatest (version, id).

import type { Finding } from "../types.ts";
import { millis } from "../times.ts";

export interface Verdict {
  verdict: string;
  version: number;
  void?: boolean;
  participant: string;
  order?: string;
  condition?: string;
  at?: string;
  result?: string;
  reason?: string;
  analyst?: string;
}

/** What a finding's evidence quotes of the verdict that it was judged with. */
export interface Quoted {
  id: string;
  version: number;
  result: string;
  reason: string;
  analyst: string;
}

export const RESULTS: Record<string, string> = {
  confirmed: "Confirmed: alcohol",
  needs_analyst: "Open: somebody else must look at it",
  interferent: "Interferent: something else than drinking was measured",
  obstruction: "Obstruction: something covered the sensor",
};

export const TAKE_BACK = "take_back"; // a choice of the form, and no result

interface Episode {
  order: string | null;
  condition: string | null;
  finding: Pick<Finding, "finding_id" | "onset" | "ended" | "evidence">;
}

/** The newest version of each id. */
function newest(all: readonly Verdict[]): Verdict[] {
  const by = new Map<string, Verdict>();
  for (const one of all) {
    const known = by.get(one.verdict);
    if (!known || one.version > known.version) by.set(one.verdict, one);
  }
  return [...by.values()];
}

function concerns(one: Verdict, { order, condition, finding }: Episode): boolean {
  if (one.order !== order || one.condition !== condition || one.at === undefined) return false;
  const at = millis(one.at);
  return millis(finding.onset) <= at && (finding.ended === null || at <= millis(finding.ended));
}

const after = (a: Verdict, b: Verdict) =>
  a.version === b.version ? a.verdict > b.verdict : a.version > b.version;

/** The verdict that rules the episode, judged already or not. */
export function ruling(all: readonly Verdict[], episode: Episode): Verdict | null {
  return newest(all)
    .filter((one) => !one.void && concerns(one, episode))
    .reduce<Verdict | null>((best, one) => (best === null || after(one, best) ? one : best), null);
}

/** The id and number that beat everything said of the episode so far. */
export function following(all: readonly Verdict[], episode: Episode): { verdict: string; version: number } {
  const own = ruling(all, episode)?.verdict ?? `episode:${episode.finding.finding_id}`;
  const beaten = all.filter((one) => one.verdict === own || concerns(one, episode));
  return { verdict: own, version: Math.max(0, ...beaten.map((one) => one.version)) + 1 };
}

export function quotedIn(finding: Pick<Finding, "evidence">): Quoted | null {
  return (finding.evidence["verdict"] as Quoted | undefined) ?? null;
}

/** Whether the finding does not say yet what the analysts say. */
export function isWaiting(all: readonly Verdict[], episode: Episode): boolean {
  return (ruling(all, episode)?.result ?? null) !== (quotedIn(episode.finding)?.result ?? null);
}
