// The operator's name in the header, and how to change it at the end of a shift.

import { useState } from "react";
import { Dialog } from "./Dialog.tsx";
import { operatorName, setOperatorName, useOperator } from "./operator.ts";

export { useOperator };

export function Operator({ me }: { me: string | null }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="plain operator"
        onClick={() => setOpen(true)}
        aria-label={`You are ${me}. Change`}
      >
        {me}
      </button>
      {open && <Rename onClose={() => setOpen(false)} />}
    </>
  );
}

function Rename({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState(operatorName());
  const given = name.trim();
  return (
    <Dialog
      title="Who is working here?"
      action="That is me"
      ready={given !== ""}
      onClose={onClose}
      onDo={async () => {
        setOperatorName(given);
        return null;
      }}
    >
      <div className="field">
        <label htmlFor="operator">Name</label>
        <input
          id="operator"
          type="text"
          data-first
          value={name}
          maxLength={60}
          autoComplete="off"
          onChange={(change) => setName(change.target.value)}
        />
        <p className="hint">It is written beside everything you do.</p>
      </div>
    </Dialog>
  );
}
