// The parts of an alert's page that only show: head, facts, earlier alerts.

import { AlertList } from "../parts/AlertList.tsx";
import { Age, Gap, Mark, Sentence, StateChips, Time } from "../parts/marks.tsx";
import { dispositionWords } from "../parts/commands.tsx";
import { Link } from "../parts/router.tsx";
import type { Alert, AlertDetail } from "../types.ts";
import { millis, span } from "../times.ts";
import { levelOf } from "../words.ts";

const MOST_SENTENCES = 3; // a loose strap makes twenty findings on one alert; the timeline has them all

export function Head({ alert, me }: { alert: AlertDetail; me: string | null }) {
  return (
    <div className="head">
      <div className="titles">
        <Mark priority={alert.priority} />
        <h1>{alert.title}</h1>
      </div>
      <div className="chips">
        <StateChips alert={alert} me={me} /> {alert.work_state !== "closed" && <Age alert={alert} />}
        {alert.disposition && alert.closed_by !== null && (
          <span className="chip">{dispositionWords(alert.disposition)}</span>
        )}
        {alert.previous !== null && (
          <Link className="small" href={`/alerts/${alert.previous}`}>
            Happened before: #{alert.previous}
          </Link>
        )}
      </div>
    </div>
  );
}

export function Withdrawn({ alert }: { alert: AlertDetail }) {
  const gone = alert.findings.filter(({ finding }) => finding.status === "withdrawn");
  if (gone.length === 0 && !alert.withdrawn) return null;
  const zone = alert.order_in_force?.time_zone ?? null;
  return (
    <div className="notice">
      <p>
        <strong>
          {alert.withdrawn ? "Withdrawn" : `${gone.length} of ${alert.findings.length} findings withdrawn`}.
        </strong>{" "}
        {alert.withdrawn ? "What raised this alert no longer stands. It stays on record" : "The others stand"}
        {alert.withdrawn && alert.touched && alert.work_state !== "closed"
          ? ", and waits for somebody to close it"
          : ""}
        .
      </p>
      <ul>
        {gone
          .slice(-MOST_SENTENCES)
          .reverse()
          .map(({ finding, sentence }) => (
            <li key={finding.finding_id}>
              <Time at={finding.decided_at} zone={zone} form="short" />:{" "}
              <Sentence text={sentence} zone={zone} />
            </li>
          ))}
      </ul>
    </div>
  );
}

export function Facts({ alert, zone }: { alert: AlertDetail; zone: string }) {
  const newest = alert.findings.at(-1);
  const standing = alert.findings.filter(({ finding }) => finding.status !== "withdrawn");
  const [sure, sureWords] = levelOf(alert.level);
  return (
    <section className="card" aria-label="What happened">
      <div className="body">
        {standing.length === 0 && (
          <p className="sentence">{alert.withdrawn ? "Nothing stands any more: see above." : alert.title}</p>
        )}
        {standing
          .slice(-MOST_SENTENCES)
          .reverse()
          .map(({ finding, sentence }) => (
            <p key={finding.finding_id} className="sentence" style={{ marginBottom: 10 }}>
              <Sentence text={sentence} zone={zone} />
            </p>
          ))}
        {standing.length > MOST_SENTENCES && (
          <p className="quiet">and {standing.length - MOST_SENTENCES} earlier findings: see the timeline.</p>
        )}
        <dl className="facts" style={{ marginTop: 6 }}>
          <div>
            <dt>Who</dt>
            <dd>
              {alert.participant ? (
                <>
                  <Link href={`/participants/${encodeURIComponent(alert.participant)}`}>
                    <strong>{alert.participant_name ?? alert.participant}</strong>
                  </Link>
                  {alert.participant_name && (
                    <span className="small quiet" style={{ display: "block" }}>
                      {alert.participant}
                    </span>
                  )}
                </>
              ) : (
                <strong>{alert.feed ? `Feed ${alert.feed}` : "Nobody in particular"}</strong>
              )}
            </dd>
          </div>
          <div>
            <dt>Since</dt>
            <dd>
              <strong>
                <Time at={alert.onset} zone={zone} />
              </strong>
              <span className="small quiet" style={{ display: "block" }}>
                {alert.ended === alert.onset ? (
                  "at one instant"
                ) : alert.ended !== null ? (
                  <>
                    until <Time at={alert.ended} zone={zone} />
                  </>
                ) : alert.seen_until !== null ? (
                  <>
                    last observed <Time at={alert.seen_until} zone={zone} form="short" />
                  </>
                ) : (
                  "still going on"
                )}
              </span>
              {alert.findings.at(-1)?.not_observed.map((gap) => (
                <span
                  key={gap.from}
                  className="small age soon"
                  style={{ display: "block", whiteSpace: "normal" }}
                >
                  <Gap from={gap.from} to={gap.to} zone={zone} />
                </span>
              ))}
            </dd>
          </div>
          <div>
            <dt>How sure</dt>
            <dd>
              <strong>{sure}</strong> <span className="small quiet">(level {alert.level})</span>
              <span className="small quiet" style={{ display: "block" }}>
                {sureWords}
              </span>
            </dd>
          </div>
          <div>
            <dt>Officer and supervision</dt>
            <dd>
              <strong>{alert.officer ?? "none named"}</strong>
              <span className="small quiet" style={{ display: "block" }}>
                {alert.supervision_level
                  ? `${alert.supervision_level} supervision`
                  : "supervision level not said"}
              </span>
            </dd>
          </div>
          <div>
            <dt>Order and condition</dt>
            <dd>
              <strong>{alert.order ?? "none"}</strong>
              <span className="small quiet" style={{ display: "block" }}>
                {[
                  alert.condition && `condition ${alert.condition}`,
                  newest?.finding.order_version != null && `version ${newest.finding.order_version}`,
                ]
                  .filter(Boolean)
                  .join(", ")}
              </span>
            </dd>
          </div>
          <div>
            <dt>Raised</dt>
            <dd>
              <strong>
                <Time at={alert.opened_at} zone={zone} form="short" />
              </strong>
              <span className="small quiet" style={{ display: "block" }}>
                {span(Math.max(0, millis(alert.opened_at) - millis(alert.onset)))} after it began
                {newest?.finding.late && "; the readings came in late"}
              </span>
            </dd>
          </div>
        </dl>
      </div>
    </section>
  );
}

export function Earlier({ alerts, me, zone }: { alerts: Alert[]; me: string | null; zone: string }) {
  return (
    <section className="card" aria-label="Earlier alerts of this participant">
      <header>
        <h2>Earlier alerts</h2>
        <span className="small quiet">{alerts.length > 0 && alerts.length}</span>
      </header>
      {alerts.length === 0 ? (
        <p className="empty">None on record.</p>
      ) : (
        <AlertList alerts={alerts} me={me} zone={zone} />
      )}
    </section>
  );
}
