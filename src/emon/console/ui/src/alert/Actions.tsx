// What can be done now, and who holds the alert. Which commands make sense is emon's word, not this page's.

import type { Command } from "../api.ts";
import { useNow } from "../parts/clock.ts";
import { millis, span } from "../times.ts";
import type { Alert, AlertDetail } from "../types.ts";

const BUTTONS: [Command, string, string][] = [
  ["claim", "Claim", "c"],
  ["ack", "Acknowledge", "a"],
  ["note", "Add note", "n"],
  ["release", "Release", "r"],
  ["close", "Close…", "x"],
];

export function Actions({
  alert,
  me,
  act,
}: {
  alert: AlertDetail;
  me: string | null;
  act: (alert: Alert, name: Command) => void;
}) {
  const other = alert.holder !== null && alert.holder !== me;
  const offered = (name: Command) =>
    alert.allowed.includes(name) && !(name === "claim" && alert.holder === me);
  const main = BUTTONS.map(([name]) => name).find(
    (name) => name !== "note" && name !== "release" && offered(name) && !(other && name === "claim"),
  );
  return (
    <div className="actions" role="group" aria-label="What to do">
      {BUTTONS.filter(([name]) => offered(name)).map(([name, words, key]) => (
        <button
          type="button"
          key={name}
          className={name === main ? "button main" : "button"}
          aria-keyshortcuts={key}
          onClick={() => act(alert, name)}
        >
          {name === "claim" && other ? "Take over…" : words} <kbd aria-hidden="true">{key}</kbd>
        </button>
      ))}
      {alert.must_clear && (
        <span className="small quiet">It can be closed once the device itself gives the all-clear.</span>
      )}
      <span className="held" aria-live="polite">
        <Held alert={alert} me={me} />
      </span>
    </div>
  );
}

function Held({ alert, me }: { alert: Alert; me: string | null }) {
  const now = useNow();
  if (alert.work_state === "closed") return <span className="quiet">Closed</span>;
  if (alert.holder === null) return <span>Nobody has it yet</span>;
  const who = alert.holder === me ? "You have it" : `${alert.holder} has it`;
  const due = alert.work_due === null ? null : millis(alert.work_due) - now;
  return (
    <span className={alert.holder === me ? undefined : "age soon"}>
      {who}
      {due !== null && (due > 0 ? `, ${span(due)} until it returns to the queue` : ", time is up")}
    </span>
  );
}
