// The timeline as a list with switches for what it shows.

import { useMemo, useState } from "react";
import { local } from "../times.ts";
import { Time } from "./marks.tsx";
import { type Entry, folded, type Group } from "./timeline.ts";

const GROUPS: [Group, string][] = [
  ["finding", "Findings"],
  ["work", "People"],
  ["message", "Messages"],
  ["device", "Device"],
  ["position", "Positions"],
];
const MOST = 400; // entries in the document at once; the switches and the window narrow it down

export function Timeline({
  entries,
  zone,
  title = "Timeline",
  hidden = ["position"],
}: {
  entries: Entry[];
  zone: string;
  title?: string;
  hidden?: Group[];
}) {
  const [off, setOff] = useState<ReadonlySet<Group>>(new Set(hidden));
  const [all, setAll] = useState(false);
  const present = new Set(entries.map((entry) => entry.group));
  const shown = useMemo(
    () => folded(entries.filter((entry) => !off.has(entry.group) || entry.evidence)),
    [entries, off],
  );
  const cut = all ? shown : shown.slice(0, MOST);
  let day = "";
  return (
    <section className="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <div className="switches" role="group" aria-label="What the timeline shows">
          {GROUPS.filter(([group]) => present.has(group)).map(([group, words]) => (
            <label key={group}>
              <input
                type="checkbox"
                checked={!off.has(group)}
                onChange={(change) => {
                  const next = new Set(off);
                  if (change.target.checked) next.delete(group);
                  else next.add(group);
                  setOff(next);
                }}
              />
              {words}
            </label>
          ))}
        </div>
      </header>
      {shown.length === 0 ? (
        <p className="empty">Nothing to show here.</p>
      ) : (
        <ol className="timeline">
          {cut.map((entry) => {
            const date = local(entry.at, zone);
            const newDay = `${date.date} ${date.year}` !== day;
            day = `${date.date} ${date.year}`;
            return (
              <li
                key={entry.key}
                className={entry.group}
                style={newDay ? { display: "block", padding: 0 } : undefined}
              >
                {newDay && (
                  <span className="day">
                    {day} <span className="small">(UTC{date.offset === "UTC" ? "" : date.offset})</span>
                  </span>
                )}
                {newDay ? (
                  <div className={`line-item ${entry.group}`}>
                    <Item entry={entry} zone={zone} />
                  </div>
                ) : (
                  <Item entry={entry} zone={zone} />
                )}
              </li>
            );
          })}
          {cut.length < shown.length && (
            <li style={{ display: "block", padding: "10px 16px" }}>
              <button type="button" className="button" onClick={() => setAll(true)}>
                Show {shown.length - cut.length} earlier
              </button>
            </li>
          )}
        </ol>
      )}
    </section>
  );
}

function Item({ entry, zone }: { entry: Entry; zone: string }) {
  return (
    <>
      <span className="when">
        <Time at={entry.at} zone={zone} form="clock" />
      </span>
      <span className="dotline" aria-hidden="true" />
      <span className="what">
        {entry.title}
        {entry.from !== undefined && (
          <span className="small quiet aside">
            since <Time at={entry.from} zone={zone} form="clock" />
          </span>
        )}
        {entry.evidence && (
          <>
            {" "}
            <span className="chip bad">evidence</span>
          </>
        )}
        {entry.detail && (
          <span
            className={
              entry.group === "device" || entry.group === "position"
                ? "small quiet aside"
                : "small quiet under"
            }
          >
            {entry.detail}
          </span>
        )}
      </span>
    </>
  );
}
