// What the keys do, in the words of the screen, and a way to switch them off.

import { useState } from "react";
import { Dialog } from "./Dialog.tsx";
import { keysOn, setKeys } from "./keys.ts";

const KEYS: [string[], string][] = [
  [["j", "k"], "Next and previous alert (arrow keys too)"],
  [["Enter"], "Open the alert"],
  [["t"], "Take the next: claim the most urgent alert without an operator"],
  [["c"], "Claim: it is yours; taking over from somebody needs a reason"],
  [["a"], "Acknowledge: stops escalation while you work on it"],
  [["n"], "Add a note"],
  [["r"], "Release: back into the queue"],
  [["x"], "Close, with how it ended"],
  [["u"], "Update the list: let new alerts in, take closed ones out"],
  [["p"], "The participant of the alert"],
  [["/"], "Filter"],
  [["q"], "Back to the queue"],
  [["Esc"], "Leave a field, drop the selection, close a dialog"],
  [["?"], "This help"],
];

export function Help({ onClose }: { onClose: () => void }) {
  const [on, setOn] = useState(keysOn);
  return (
    <Dialog title="Keys" action="Close" onDo={async () => null} onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([keys, words]) => (
          <div key={words} style={{ display: "contents" }}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <p className="switches" style={{ marginTop: 18 }}>
        <label>
          <input
            type="checkbox"
            checked={on}
            onChange={(change) => {
              setKeys(change.target.checked);
              setOn(change.target.checked);
            }}
          />
          Single keys act
        </label>
      </p>
    </Dialog>
  );
}
