// The browser's own modal dialog: it holds the focus, closes on Escape and gives the focus back.

import { type ReactNode, useEffect, useId, useRef, useState } from "react";

interface Props {
  title: string;
  action: string; // words of the button that does it
  onDo: () => Promise<string | null>; // null: done; else what went wrong
  onClose: () => void;
  children: ReactNode;
  ready?: boolean;
}

export function Dialog({ title, action, onDo, onClose, children, ready = true }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const heading = useId();
  useEffect(() => {
    const back = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => back?.focus?.();
  }, []);
  const submit = async () => {
    if (!ready || busy) return;
    setBusy(true);
    const wrong = await onDo();
    setBusy(false);
    if (wrong === null) onClose();
    else setFault(wrong);
  };
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            void submit();
          }
        }}
      >
        <h2 id={heading}>{title}</h2>
        {children}
        {fault && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
        <div className="ends">
          <button type="button" className="button" onClick={onClose}>
            Cancel <kbd aria-hidden="true">Esc</kbd>
          </button>
          <button type="submit" className="button main" disabled={!ready || busy}>
            {busy ? "Working…" : action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
