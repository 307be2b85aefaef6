// What was: closed alerts, newest first, a page at a time; for handovers, questions and looking things up.

import { useCallback, useEffect, useState } from "react";
import { closedAlerts, Refused } from "../api.ts";
import { AlertList } from "../parts/AlertList.tsx";
import { useKeys } from "../parts/keys.ts";
import { go } from "../parts/router.tsx";
import { Skeleton } from "../parts/states.tsx";
import type { Alert } from "../types.ts";

interface Read {
  alerts: Alert[];
  next: string | null;
  total: number;
}

export function HistoryPage({ me }: { me: string | null }) {
  const [search, setSearch] = useState("");
  const [asked, setAsked] = useState("");
  const [read, setRead] = useState<Read | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const more = useCallback(
    async (cursor: string | null, signal?: AbortSignal) => {
      try {
        const page = await closedAlerts(asked, cursor, signal);
        setRead((before) => ({
          alerts: cursor === null ? page.alerts : [...(before?.alerts ?? []), ...page.alerts],
          next: page.next,
          total: page.counts.total,
        }));
        setFault(null);
      } catch (cause) {
        if (!signal?.aborted)
          setFault(cause instanceof Refused ? cause.message : "The alerts could not be read.");
      }
    },
    [asked],
  );
  useEffect(() => {
    document.title = "Closed alerts · emon";
    const abort = new AbortController();
    void more(null, abort.signal);
    return () => abort.abort();
  }, [more]);
  useKeys({ q: () => go("/"), "/": () => document.getElementById("search")?.focus() });
  if (!read && !fault) return <Skeleton label="Reading closed alerts" />;
  return (
    <div className="page narrow-page">
      <div className="head">
        <h1>Closed alerts</h1>
        <form
          className="tools"
          role="search"
          onSubmit={(event) => {
            event.preventDefault();
            setAsked(search.trim());
          }}
        >
          <div className="filter">
            <label className="unseen" htmlFor="search">
              Participant's number
            </label>
            <input
              id="search"
              type="search"
              value={search}
              placeholder="Part of a participant's number"
              autoComplete="off"
              onChange={(change) => setSearch(change.target.value)}
            />
          </div>
          <button type="submit" className="button">
            Search
          </button>
        </form>
      </div>
      {fault && (
        <p className="notice" role="alert">
          {fault}
        </p>
      )}
      {read && (
        <section className="card" aria-label="Closed alerts">
          <header>
            <h2>{asked === "" ? "All" : `Of participants with “${asked}”`}</h2>
            <span className="small quiet">{read.total}</span>
          </header>
          {read.alerts.length === 0 ? (
            <p className="empty">No closed alert{asked !== "" && " of such a participant"}.</p>
          ) : (
            <AlertList alerts={read.alerts} me={me} named />
          )}
          {read.next !== null && (
            <p className="body">
              <button type="button" className="button" onClick={() => void more(read.next)}>
                Show more
              </button>
            </p>
          )}
        </section>
      )}
    </div>
  );
}
