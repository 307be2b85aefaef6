// Reads something from emon and keeps it: loading, there, or a fault in words. `reload` keeps what is shown.

import { useCallback, useEffect, useRef, useState } from "react";
import { Refused } from "../api.ts";

export interface Loaded<T> {
  value: T | null;
  fault: string | null;
  status: number | null;
  reload: () => void;
}

/** `key` null: nothing to read. */
export function useLoaded<T>(
  key: string | null,
  read: (key: string, signal: AbortSignal) => Promise<T>,
): Loaded<T> {
  const [state, setState] = useState<{
    key: string | null;
    value: T | null;
    fault: string | null;
    status: number | null;
  }>({ key: null, value: null, fault: null, status: null });
  const [turn, setTurn] = useState(0);
  const reader = useRef(read);
  useEffect(() => {
    reader.current = read;
  });
  useEffect(() => {
    if (key === null) return undefined;
    const abort = new AbortController();
    reader.current(key, abort.signal).then(
      (value) => !abort.signal.aborted && setState({ key, value, fault: null, status: null }),
      (cause: unknown) => {
        if (abort.signal.aborted) return;
        setState((before) => ({
          key,
          value: before.key === key ? before.value : null,
          fault: cause instanceof Refused ? cause.message : "It could not be read.",
          status: cause instanceof Refused ? cause.status : null,
        }));
      },
    );
    return () => abort.abort();
  }, [key, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  const current = state.key === key;
  return {
    value: current ? state.value : null,
    fault: current ? state.fault : null,
    status: current ? state.status : null,
    reload,
  };
}
