// The live queue. P1 in its own strip; everything else by priority, then oldest; rows keep their places while
// somebody points at them.

import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { command, Refused } from "../api.ts";
import { useCommands, refusal } from "../parts/commands.tsx";
import { useKeys } from "../parts/keys.ts";
import { Age, Mark, StateChips, Time } from "../parts/marks.tsx";
import { go, Link } from "../parts/router.tsx";
import { say } from "../parts/toasts.tsx";
import type { Alert } from "../types.ts";
import { levelOf } from "../words.ts";
import { reload, take, useAlerts } from "./alerts.ts";
import { arrange, isOpen, matcher } from "./arrange.ts";
import { Rows, type RowsHandle } from "./Rows.tsx";

const MOST_CRITICAL = 4; // rows of the strip before it scrolls
const NARROW = "(max-width: 640px)";

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const change = () => setNarrow(media.matches);
    media.addEventListener("change", change);
    return () => media.removeEventListener("change", change);
  }, []);
  return narrow;
}

export function QueuePage({ me }: { me: string | null }) {
  const { alerts, loaded, fault } = useAlerts();
  const [filter, setFilter] = useState("");
  const [selected, setSelected] = useState<number | null>(null);
  const [pointing, setPointing] = useState(false);
  const [shown, setShown] = useState<number[]>([]);
  const search = useRef<HTMLInputElement>(null);
  const stripRows = useRef<RowsHandle>(null);
  const listRows = useRef<RowsHandle>(null);
  const stripBox = useRef<HTMLDivElement>(null);
  const stripHeight = useRef(0); // while rows keep their places, a growing strip lies over them and moves nothing
  const commands = useCommands(me);
  const matches = useMemo(() => matcher(filter, me), [filter, me]);
  const hold = (pointing || selected !== null) && shown.length > 0;
  const { strip, list, fresh, done } = useMemo(
    () => arrange(alerts, hold ? shown : null, matches),
    [alerts, hold, shown, matches],
  );
  const everything = useMemo(() => [...strip, ...list], [strip, list]);
  const settle = useCallback(
    () => setShown(arrange(alerts, null, matches).list.map((alert) => alert.id)),
    [alerts, matches],
  );
  useEffect(() => {
    if (!hold) settle();
  }, [hold, settle]);
  useEffect(() => {
    setShown(arrange(alerts, null, matches).list.map((alert) => alert.id));
  }, [matches]); // eslint-disable-line
  useEffect(() => {
    const count = [...alerts.values()].filter(isOpen).length;
    document.title = count === 0 ? "Queue · emon" : `(${count}) Queue · emon`;
  }, [alerts]);

  useLayoutEffect(() => {
    if (!hold) stripHeight.current = stripBox.current?.offsetHeight ?? 0;
  });

  const chosen = selected === null ? null : (alerts.get(selected) ?? null);
  const select = (index: number) => {
    const alert = everything[Math.max(0, Math.min(index, everything.length - 1))];
    if (!alert) return;
    setSelected(alert.id);
    const inStrip = index < strip.length;
    (inStrip ? stripRows : listRows).current?.reveal(inStrip ? index : index - strip.length);
    requestAnimationFrame(() =>
      document.querySelector<HTMLElement>(`[data-alert="${alert.id}"] a`)?.focus({ preventScroll: true }),
    );
  };
  const step = (by: number) => {
    const at = everything.findIndex((alert) => alert.id === selected);
    select(at < 0 ? 0 : at + by);
  };
  const takeNext = async () => {
    const free = arrange(alerts, null, matches);
    for (const alert of [...free.strip, ...free.list].filter((each) => each.work_state === "new")) {
      try {
        take((await command(alert, "claim")).alert);
        go(`/alerts/${alert.id}`);
        return;
      } catch (cause) {
        if (cause instanceof Refused && [409, 412].includes(cause.status)) continue; // somebody has it: the next one
        say(refusal(cause, alert, me), true);
        return;
      }
    }
    say("Nothing waits: every alert has somebody.");
  };
  const onChosen = (name: "claim" | "ack" | "note" | "close" | "release") => () => {
    if (chosen) commands.act(chosen, name);
    else say("Choose an alert first: j and k move, t takes the next.");
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => chosen && go(`/alerts/${chosen.id}`),
    o: () => chosen && go(`/alerts/${chosen.id}`),
    c: onChosen("claim"),
    a: onChosen("ack"),
    n: onChosen("note"),
    x: onChosen("close"),
    r: onChosen("release"),
    t: () => void takeNext(),
    u: settle,
    "/": () => search.current?.focus(),
    Escape: () => {
      setSelected(null);
      (document.activeElement as HTMLElement | null)?.blur();
    },
  });

  const row = (alert: Alert) => <Row alert={alert} me={me} onFocus={() => setSelected(alert.id)} />;
  const narrow = useNarrow();
  const rowHeight = narrow ? 116 : 56;
  return (
    <div className="queue">
      <div className="tools">
        <h1>Queue</h1>
        <div className="filter">
          <label className="unseen" htmlFor="filter">
            Filter the queue
          </label>
          <input
            id="filter"
            ref={search}
            type="search"
            value={filter}
            placeholder="Filter: name, order, kind, p2, new, mine"
            autoComplete="off"
            onChange={(change) => setFilter(change.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") {
                setFilter("");
                search.current?.blur();
              }
              if (event.key === "Enter") {
                search.current?.blur();
                select(0);
              }
            }}
          />
          {filter === "" && <kbd aria-hidden="true">/</kbd>}
        </div>
        <button type="button" className="button main" onClick={() => void takeNext()}>
          Take next <kbd aria-hidden="true">t</kbd>
        </button>
      </div>
      {fault && (
        <p className="banner" role="alert">
          {fault}{" "}
          <button type="button" className="button" onClick={() => void reload()}>
            Try again
          </button>
        </p>
      )}
      <div className="stripbox" ref={stripBox} style={hold ? { height: stripHeight.current } : undefined}>
        <section className={strip.length === 0 ? "strip none" : "strip"} aria-label="Critical alerts">
          <header>
            <h2>
              {strip.length === 0
                ? loaded
                  ? "No critical alerts"
                  : "Critical alerts"
                : `Critical: ${strip.length}`}
            </h2>
            <span className="small" aria-live="assertive">
              {strip.length > 0 &&
                `${strip.filter((alert) => alert.work_state === "new").length} without an operator${strip.length > MOST_CRITICAL ? `, ${strip.length - MOST_CRITICAL} more below` : ""}`}
            </span>
          </header>
          {strip.length > 0 && (
            <Rows
              ref={stripRows}
              alerts={strip}
              rowHeight={rowHeight}
              label="Critical alerts"
              selected={selected}
              maxHeight={rowHeight * MOST_CRITICAL}
              onEngaged={setPointing}
              render={row}
            />
          )}
        </section>
      </div>
      <div className="freshbar">
        <p className="small quiet">
          {loaded ? countWords(list.filter(isOpen).length, strip.length > 0, filter !== "") : "Reading…"}
        </p>
        <span aria-live="polite">
          {fresh + done > 0 && (
            <button type="button" className="button fresh" onClick={settle}>
              {[fresh > 0 ? `${fresh} new` : "", done > 0 ? `${done} done` : ""].filter(Boolean).join(", ")}:
              update the list <kbd aria-hidden="true">u</kbd>
            </button>
          )}
        </span>
      </div>
      {!loaded && !fault ? (
        <div className="skeleton" aria-hidden="true">
          <i />
          <i />
          <i />
          <i />
        </div>
      ) : list.length === 0 ? (
        <Empty filter={filter.trim()} any={strip.length > 0} />
      ) : (
        <Rows
          ref={listRows}
          alerts={list}
          rowHeight={rowHeight}
          label="Alerts"
          selected={selected}
          onEngaged={setPointing}
          render={row}
        />
      )}
      {commands.dialogs}
    </div>
  );
}

function countWords(count: number, more: boolean, filtered: boolean): string {
  const noun = more ? "more" : count === 1 ? "alert" : "alerts";
  return `${count} ${noun}${filtered ? " found" : ""}, by priority, then oldest`;
}

/** Nothing to show is a state of its own; what was typed may be somebody or something beyond the queue. */
function Empty({ filter, any }: { filter: string; any: boolean }) {
  if (filter === "") {
    return (
      <p className="empty">
        <strong>{any ? "Nothing else waits" : "The queue is empty"}</strong>
        New alerts appear here by themselves. The line at the top shows that emon is alive.
      </p>
    );
  }
  const number = /^#?(\d+)$/.exec(filter)?.[1];
  return (
    <p className="empty">
      <strong>Nothing open matches the filter</strong>
      Clear it with Escape to see everything
      {number ? (
        <>
          , or look at <Link href={`/alerts/${number}`}>alert #{number}</Link>
        </>
      ) : (
        <>
          , or look at <Link href={`/participants/${encodeURIComponent(filter)}`}>participant {filter}</Link>
        </>
      )}
      .
    </p>
  );
}

function Row({ alert, me, onFocus }: { alert: Alert; me: string | null; onFocus: () => void }) {
  const who = alert.participant_name ?? alert.participant ?? (alert.feed ? `Feed ${alert.feed}` : "");
  return (
    <>
      <Mark priority={alert.priority} />
      <span className="when">
        <Age alert={alert} />
      </span>
      <span className="what">
        <Link className="line" href={`/alerts/${alert.id}`} onFocus={onFocus}>
          {alert.title}
        </Link>
        <span className="line small quiet">
          <span className="who-inline">{who} · </span>
          since <Time at={alert.onset} zone={alert.time_zone} form="short" /> ·{" "}
          {levelOf(alert.level)[0].toLowerCase()}
          {alert.activations > 1 && ` · ${alert.activations} times`}
        </span>
      </span>
      <span className="who">
        <span className="line">{who}</span>
        <span className="line small quiet">{[alert.order, alert.condition].filter(Boolean).join(" · ")}</span>
      </span>
      <span className="state">
        <StateChips alert={alert} me={me} times={false} />
      </span>
    </>
  );
}
