// What a finding was judged by: the versions in force when it happened, the condition's terms, the evidence.

import { Time } from "../parts/marks.tsx";
import type { AlertDetail } from "../types.ts";
import { plain } from "../words.ts";

const MOST_EVIDENCE = 20; // findings whose evidence is listed, newest first

/** Numbers and words of nested values, short enough for one line each. */
function said(value: unknown): string {
  if (value === null || value === undefined) return "not said";
  if (Array.isArray(value)) return value.map(said).join("; ");
  if (typeof value === "object")
    return Object.entries(value)
      .map(([name, each]) => `${name.replaceAll("_", " ")} ${said(each)}`)
      .join(", ");
  return String(value);
}

export function Versions({ alert, zone }: { alert: AlertDetail; zone: string }) {
  const order = alert.order_in_force;
  const condition = Object.entries(alert.condition_in_force ?? {}).filter(
    ([, value]) => value !== null && !(Array.isArray(value) && value.length === 0),
  );
  return (
    <section className="card" aria-label="What it was judged by">
      <header>
        <h2>What it was judged by</h2>
      </header>
      <div className="body stack">
        <dl className="pairs">
          {order && (
            <>
              <dt>Order</dt>
              <dd>
                {order.order}, version {order.version}
                {order.agency && `, ${order.agency}`}
                {order.effective_from && (
                  <>
                    , in force from <Time at={order.effective_from} zone={zone} form="short" />
                  </>
                )}
              </dd>
            </>
          )}
          {alert.zones.features.map(({ properties }, i) => (
            <Pair
              key={i}
              name={properties.version === undefined ? "Place" : "Zone"}
              value={`${properties.name || properties.id}${properties.version === undefined ? "" : `, version ${properties.version}`}`}
            />
          ))}
          {alert.findings.at(-1) && (
            <Pair name="Rule" value={`version ${alert.findings.at(-1)!.finding.rule_version}`} />
          )}
          <dt>Clock</dt>
          <dd>{zone}</dd>
        </dl>
        {condition.length > 0 && (
          <div>
            <h3>Condition {alert.condition}</h3>
            <dl className="pairs small">
              {condition.map(([name, value]) => (
                <Pair key={name} name={plain(name)} value={said(value)} />
              ))}
            </dl>
          </div>
        )}
        {alert.findings
          .slice(-MOST_EVIDENCE)
          .reverse()
          .map(({ finding }) => {
            const numbers = Object.entries(finding.evidence).filter(([name]) => name !== "readings");
            return (
              <details key={finding.finding_id}>
                <summary>
                  Evidence of finding {finding.finding_id.slice(0, 12)}, revision {finding.revision}
                </summary>
                <dl className="pairs small" style={{ marginTop: 6 }}>
                  {numbers.map(([name, value]) => (
                    <Pair key={name} name={plain(name)} value={said(value)} />
                  ))}
                  {(finding.evidence.readings ?? []).map((reading, i) => (
                    <div key={i} style={{ display: "contents" }}>
                      <dt>Reading</dt>
                      <dd>
                        {reading.device}, {reading.kind.replaceAll("_", " ")},{" "}
                        <Time at={reading.observed_at} zone={zone} form="short" />
                        {reading.seq !== undefined && `, no. ${reading.seq}`}
                      </dd>
                    </div>
                  ))}
                </dl>
              </details>
            );
          })}
      </div>
    </section>
  );
}

const Pair = ({ name, value }: { name: string; value: string }) => (
  <>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </>
);
