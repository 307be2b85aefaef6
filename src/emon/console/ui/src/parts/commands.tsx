// What an operator can do to an alert, the same from the queue and from the alert's own page, by key or by
// button. What needs words or a confirmation opens a dialog; everything else acts at once and says so.

import { useCallback, useState } from "react";
import { alertDetail, command, type Command, Refused } from "../api.ts";
import { take } from "../queue/alerts.ts";
import { plain } from "../words.ts";
import type { Alert, AlertDetail } from "../types.ts";
import { Dialog } from "./Dialog.tsx";
import { say } from "./toasts.tsx";
import { useLoaded } from "./useLoaded.ts";

const DONE: Record<Command, string> = {
  claim: "You have",
  release: "Back in the queue:",
  ack: "Acknowledged:",
  note: "Note added to",
  close: "Closed:",
};

/** One sentence for the operator about why nothing was done. */
export function refusal(cause: unknown, alert: Alert, me: string | null): string {
  if (!(cause instanceof Refused)) throw cause;
  const { holder, changed_by: changedBy, detail } = cause.problem;
  if (cause.status === 409 && holder && holder !== me)
    return `${holder} was faster and holds #${alert.id}. ${detail}`;
  if (cause.status === 412)
    return `#${alert.id} was changed${changedBy ? ` by ${changedBy}` : ""} meanwhile. It is shown as it is now; look again.`;
  return detail;
}

interface Open {
  name: "takeover" | "note" | "close";
  alert: Alert | AlertDetail;
}

export interface Commands {
  act: (alert: Alert, name: Command) => void;
  dialogs: React.ReactNode;
}

/** `onDone` is told after each command that went through. */
export function useCommands(me: string | null, onDone?: (name: Command) => void): Commands {
  const [open, setOpen] = useState<Open | null>(null);

  const send = useCallback(
    async (alert: Alert, name: Command, body: Record<string, unknown> = {}): Promise<string | null> => {
      try {
        const result = await command(alert, name, body);
        take(result.alert);
        say(
          result.no_op
            ? `Nothing to change: #${alert.id} is already so.`
            : `${DONE[name]} #${alert.id} ${alert.title}`,
        );
        onDone?.(name);
        return null;
      } catch (cause) {
        const words = refusal(cause, alert, me);
        if (cause instanceof Refused && [409, 412].includes(cause.status)) {
          alertDetail(String(alert.id)).then(take, () => undefined); // the row shows who won
          onDone?.(name);
        }
        return words;
      }
    },
    [me, onDone],
  );

  const act = useCallback(
    (alert: Alert, name: Command) => {
      if (name === "claim" && alert.holder !== null && alert.holder !== me)
        setOpen({ name: "takeover", alert });
      else if (name === "note" || name === "close") setOpen({ name, alert });
      else void send(alert, name).then((wrong) => wrong !== null && say(wrong, true));
    },
    [me, send],
  );

  const close = () => setOpen(null);
  const dialogs =
    open === null ? null : open.name === "close" ? (
      <CloseDialog alert={open.alert} send={send} onClose={close} />
    ) : (
      <WordsDialog alert={open.alert} takeover={open.name === "takeover"} send={send} onClose={close} />
    );
  return { act, dialogs };
}

type Send = (alert: Alert, name: Command, body: Record<string, unknown>) => Promise<string | null>;

function Subject({ alert }: { alert: Alert }) {
  return (
    <p className="quiet" style={{ marginTop: 4 }}>
      #{alert.id} {alert.title}
      {alert.participant && ` · ${alert.participant_name ?? alert.participant}`}
    </p>
  );
}

function WordsDialog({
  alert,
  takeover,
  send,
  onClose,
}: {
  alert: Alert;
  takeover: boolean;
  send: Send;
  onClose: () => void;
}) {
  const [text, setText] = useState("");
  const words = text.trim();
  return (
    <Dialog
      title={takeover ? `Take over from ${alert.holder}` : "Add a note"}
      action={takeover ? "Take over" : "Add note"}
      ready={words !== ""}
      onClose={onClose}
      onDo={() => (takeover ? send(alert, "claim", { reason: words }) : send(alert, "note", { text: words }))}
    >
      <Subject alert={alert} />
      <div className="field">
        <label htmlFor="words">{takeover ? "Reason" : "Note"}</label>
        <textarea
          id="words"
          data-first
          value={text}
          maxLength={takeover ? 2000 : 10_000}
          required
          onChange={(change) => setText(change.target.value)}
        />
        <p className="hint">
          {takeover
            ? `${alert.holder} is told, with this reason.`
            : "It stays in the alert's log with your name and the time."}{" "}
          Ctrl+Enter sends it.
        </p>
      </div>
    </Dialog>
  );
}

const OTHER = "non_actionable:";

/** Opens at once, also from the queue: what it must know of the alert is read while it is already there, so
 * that no key goes to the page behind it. */
function CloseDialog({
  alert,
  send,
  onClose,
}: {
  alert: Alert | AlertDetail;
  send: Send;
  onClose: () => void;
}) {
  const known = "dispositions" in alert ? alert : null;
  const read = useLoaded(known ? null : String(alert.id), alertDetail);
  const rules = known ?? read.value;
  const [disposition, setDisposition] = useState("");
  const [cause, setCause] = useState("");
  const [note, setNote] = useState("");
  const chosen =
    disposition === OTHER ? `${OTHER}${cause.trim().replace(/\s+/g, " ").replace(/^:+/, "")}` : disposition;
  const ready =
    chosen !== "" && chosen !== OTHER && rules !== null && (!rules.note_required || note.trim() !== "");
  const body = { disposition: chosen, ...(note.trim() ? { note: note.trim() } : {}) };
  return (
    <Dialog
      title="Close this alert?"
      action="Close alert"
      ready={ready}
      onClose={onClose}
      onDo={() => send(alert, "close", body)}
    >
      <Subject alert={alert} />
      {rules?.must_clear && alert.condition_state === "active" && (
        <p className="notice" style={{ margin: "12px 0 0" }}>
          <strong>The device has not reported its all-clear.</strong> Until then this alert cannot be closed.
        </p>
      )}
      <div className="field">
        <label htmlFor="disposition">How did it end?</label>
        <select
          id="disposition"
          data-first
          value={disposition}
          required
          onChange={(change) => setDisposition(change.target.value)}
        >
          <option value="">{rules ? "Choose…" : "Reading…"}</option>
          {rules?.dispositions.map((each) => (
            <option key={each} value={each}>
              {dispositionWords(each)}
            </option>
          ))}
          <option value={OTHER}>Not actionable: another cause…</option>
        </select>
      </div>
      {read.fault && (
        <p className="fault" role="alert">
          {read.fault}
        </p>
      )}
      {disposition === OTHER && (
        <div className="field">
          <label htmlFor="cause">Cause</label>
          <input
            id="cause"
            type="text"
            value={cause}
            maxLength={100}
            onChange={(change) => setCause(change.target.value)}
          />
        </div>
      )}
      <div className="field">
        <label htmlFor="note">Note{rules?.note_required === false ? " (optional)" : ""}</label>
        <textarea
          id="note"
          value={note}
          required={rules?.note_required}
          maxLength={10_000}
          onChange={(change) => setNote(change.target.value)}
        />
        <p className="hint">
          {rules?.note_required ? "Needed at this priority. " : ""}A closed alert stays in the record; if it
          happens again, a new one opens. Ctrl+Enter closes it.
        </p>
      </div>
    </Dialog>
  );
}

/** "non_actionable:gps_drift" as "Not actionable: gps drift". */
export function dispositionWords(code: string): string {
  const [head, ...rest] = code.split(":");
  const words = head === "non_actionable" ? "Not actionable" : plain(head ?? code);
  return rest.length === 0 ? words : `${words}: ${rest.join(":").replaceAll("_", " ")}`;
}
