// Alerts as a short list beside something else.

import type { Alert } from "../types.ts";
import { dispositionWords } from "./commands.tsx";
import { Mark, StateChips, Time } from "./marks.tsx";
import { Link } from "./router.tsx";

interface Props {
  alerts: Alert[];
  me: string | null;
  zone?: string; // default: each alert's own
  named?: boolean; // says whose alert it is
}

export function AlertList({ alerts, me, zone, named = false }: Props) {
  return (
    <ul className="short-list">
      {alerts.map((alert) => (
        <li key={alert.id}>
          <Mark priority={alert.priority} />
          <div>
            <Link href={`/alerts/${alert.id}`}>{alert.title}</Link>
            <div className="small quiet">
              {named && `${alert.participant_name ?? alert.participant ?? alert.feed ?? ""} · `}
              <Time at={alert.onset} zone={zone ?? alert.time_zone} form="short" />
              {alert.disposition && `, ${dispositionWords(alert.disposition).toLowerCase()}`}
            </div>
            <div className="chips">
              <StateChips alert={alert} me={me} />
            </div>
          </div>
        </li>
      ))}
    </ul>
  );
}
