// The window of time that is looked at, on the order's clock.

import { useState } from "react";
import { fromField, toField } from "../times.ts";

const HOUR = 3_600_000;

export interface Chosen {
  from: number;
  to: number;
}

export function Choose({
  span,
  zone,
  latest,
  onChoose,
  busy,
}: {
  span: Chosen;
  zone: string;
  latest: number;
  onChoose: (span: Chosen) => void;
  busy: boolean;
}) {
  const [from, setFrom] = useState(() => toField(span.from, zone));
  const [to, setTo] = useState(() => toField(span.to + 59_000, zone));
  const [fault, setFault] = useState<string | null>(null);
  const show = (a: number, b: number) => {
    setFrom(toField(a, zone));
    setTo(toField(b + 59_000, zone));
    setFault(null);
    onChoose({ from: a, to: b });
  };
  const submit = () => {
    const a = fromField(from, zone);
    const b = fromField(to, zone);
    if (!(a < b)) setFault("The window must end after it starts.");
    else if (b - a > 31 * 24 * HOUR) setFault("Choose at most 31 days at once.");
    else show(a, b);
  };
  return (
    <form
      className="card window"
      aria-label="Window"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div>
        <label htmlFor="from">From</label>
        <input
          id="from"
          type="datetime-local"
          value={from}
          onChange={(change) => setFrom(change.target.value)}
        />
      </div>
      <div>
        <label htmlFor="to">To</label>
        <input id="to" type="datetime-local" value={to} onChange={(change) => setTo(change.target.value)} />
      </div>
      <button type="submit" className="button main" disabled={busy}>
        {busy ? "Reading…" : "Show"}
      </button>
      {[
        [1, "1 h"],
        [12, "12 h"],
        [24, "1 d"],
        [168, "7 d"],
      ].map(([hours, words]) => (
        <button
          key={words}
          type="button"
          className="button"
          aria-pressed={Math.round((span.to - span.from) / HOUR) === hours && span.to >= latest}
          onClick={() => show(latest - Number(hours) * HOUR, latest + 1_000)}
        >
          Last {words}
        </button>
      ))}
      <p className="hint">Clock: {zone}</p>
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
    </form>
  );
}
