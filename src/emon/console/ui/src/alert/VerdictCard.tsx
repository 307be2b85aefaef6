// What an analyst says of an alcohol episode, and the form to say it. It is an event that the evaluator judges,
// so the finding changes a moment later, by itself; until then the card says that it waits.

import { useState } from "react";
import { Refused, setVerdict, verdictsOf } from "../api.ts";
import { Dialog } from "../parts/Dialog.tsx";
import { Time } from "../parts/marks.tsx";
import { useOperator } from "../parts/operator.ts";
import { say } from "../parts/toasts.tsx";
import { useLoaded } from "../parts/useLoaded.ts";
import type { AlertDetail, FindingView } from "../types.ts";
import { plain } from "../words.ts";
import { following, isWaiting, quotedIn, RESULTS, ruling, TAKE_BACK, type Verdict } from "./verdict.ts";

const resultWords = (result: string) => RESULTS[result] ?? plain(result);

export function VerdictCard({ alert, zone }: { alert: AlertDetail; zone: string }) {
  const episodes = alert.findings.filter(({ finding }) => finding.status !== "withdrawn");
  const [chosen, setChosen] = useState("");
  const [open, setOpen] = useState(false);
  const read = useLoaded(alert.participant ? `${alert.participant}#${alert.version}` : null, (key, signal) =>
    verdictsOf(key.slice(0, key.lastIndexOf("#")), signal),
  );
  const view = episodes.find(({ finding }) => finding.finding_id === chosen) ?? episodes.at(-1);
  if (!view || alert.participant === null) return null;
  const episode = { order: alert.order, condition: alert.condition, finding: view.finding };
  const all = read.value?.verdicts ?? null;
  return (
    <section className="card" aria-label="Analyst's verdict">
      <header>
        <h2>Analyst's verdict</h2>
        <button type="button" className="button" disabled={all === null} onClick={() => setOpen(true)}>
          Set the verdict…
        </button>
      </header>
      <div className="body">
        {episodes.length > 1 && (
          <div className="field" style={{ marginTop: 0, marginBottom: 10 }}>
            <label htmlFor="episode">Episode</label>
            <select
              id="episode"
              value={view.finding.finding_id}
              onChange={(change) => setChosen(change.target.value)}
            >
              {episodes.map(({ finding }, index) => (
                <option key={finding.finding_id} value={finding.finding_id}>
                  {`${index + 1} of ${episodes.length}, from ${finding.onset}`}
                </option>
              ))}
            </select>
          </div>
        )}
        <Said view={view} ruled={all && ruling(all, episode)} waits={all !== null && isWaiting(all, episode)} />
        {episodes.length > 1 && (
          <p className="hint">
            Of the episode that began <Time at={view.finding.onset} zone={zone} form="short" />.
          </p>
        )}
        {read.fault && (
          <p className="fault" role="alert">
            Verdicts could not be read: {read.fault}
          </p>
        )}
      </div>
      {open && all !== null && (
        <VerdictDialog
          alert={alert}
          view={view}
          all={all}
          onClose={() => setOpen(false)}
          onDone={read.reload}
        />
      )}
    </section>
  );
}

function Said({ view, ruled, waits }: { view: FindingView; ruled: Verdict | null; waits: boolean }) {
  const quoted = quotedIn(view.finding);
  const result = ruled?.result ?? quoted?.result;
  const words = ruled?.reason ?? quoted?.reason;
  return (
    <>
      {result === undefined || (waits && ruled === null) ? (
        <p>
          {waits ? "The analyst's verdict was taken back." : "No analyst has set one. The readings alone decide."}
        </p>
      ) : (
        <>
          <p>
            <strong>{resultWords(result)}</strong>
          </p>
          <p className="quiet">
            {ruled?.analyst ?? quoted?.analyst}: “{words}”
          </p>
        </>
      )}
      {waits && (
        <p className="hint" role="status">
          {view.finding.ended === null
            ? "It waits: a verdict counts once the episode is over."
            : "Sent. It shows in the finding as soon as the evaluator has judged it."}
        </p>
      )}
    </>
  );
}

function VerdictDialog({
  alert,
  view,
  all,
  onClose,
  onDone,
}: {
  alert: AlertDetail;
  view: FindingView;
  all: readonly Verdict[];
  onClose: () => void;
  onDone: () => void;
}) {
  const me = useOperator();
  const [result, setResult] = useState("");
  const [reason, setReason] = useState("");
  const [analyst, setAnalyst] = useState(me);
  const episode = { order: alert.order, condition: alert.condition, finding: view.finding };
  const canTakeBack = ruling(all, episode) !== null;
  const send = async (): Promise<string | null> => {
    try {
      await setVerdict({
        ...following(all, episode),
        participant: alert.participant ?? "",
        order: alert.order ?? "",
        condition: alert.condition ?? "",
        at: view.finding.onset,
        ...(result === TAKE_BACK ? { void: true } : { result }),
        reason: reason.trim(),
        analyst: analyst.trim(),
      });
    } catch (cause) {
      if (!(cause instanceof Refused)) throw cause;
      if (cause.status !== 409) return cause.problem.detail;
      onDone();
      return "Somebody else set a verdict meanwhile. Close this, look at theirs, and set yours if it still holds.";
    }
    say(result === TAKE_BACK ? "Verdict taken back" : `Verdict set: ${resultWords(result)}`);
    onDone();
    return null;
  };
  return (
    <Dialog
      title="Set the verdict"
      action={result === TAKE_BACK ? "Take it back" : "Set the verdict"}
      ready={result !== "" && reason.trim() !== "" && analyst.trim() !== ""}
      onClose={onClose}
      onDo={send}
    >
      <div className="field">
        <label htmlFor="verdict-result">What is it?</label>
        <select
          id="verdict-result"
          data-first
          value={result}
          required
          onChange={(change) => setResult(change.target.value)}
        >
          <option value="">Choose…</option>
          {Object.entries(RESULTS).map(([code, words]) => (
            <option key={code} value={code}>
              {words}
            </option>
          ))}
          {canTakeBack && <option value={TAKE_BACK}>Take back the verdict that stands</option>}
        </select>
      </div>
      <div className="field">
        <label htmlFor="verdict-reason">Reason</label>
        <textarea
          id="verdict-reason"
          value={reason}
          required
          maxLength={2000}
          onChange={(change) => setReason(change.target.value)}
        />
        <p className="hint">
          It stands in the finding's evidence, word for word, beside what was computed. Ctrl+Enter sends it.
        </p>
      </div>
      <div className="field">
        <label htmlFor="verdict-analyst">Analyst</label>
        <input
          id="verdict-analyst"
          type="text"
          value={analyst}
          required
          maxLength={200}
          onChange={(change) => setAnalyst(change.target.value)}
        />
      </div>
    </Dialog>
  );
}
