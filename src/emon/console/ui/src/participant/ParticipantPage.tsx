// One participant: orders in force, devices, where the devices were in a chosen window, everything they said,
// and all alerts. Looking here is logged, so the window starts small.

import { useEffect, useMemo, useState } from "react";
import { participant, track, trackHref, zoneFeature } from "../api.ts";
import { AlertList } from "../alert/AlertCards.tsx";
import { MapCard } from "../map/MapCard.tsx";
import { Curve } from "../parts/Curve.tsx";
import { useKeys } from "../parts/keys.ts";
import { HERE, Time } from "../parts/marks.tsx";
import { go, Link } from "../parts/router.tsx";
import { Missing, Skeleton } from "../parts/states.tsx";
import { Timeline } from "../parts/Timeline.tsx";
import { inOrder, ofAlerts, ofReadings } from "../parts/timeline.ts";
import { useLoaded } from "../parts/useLoaded.ts";
import { fromField, millis, toField } from "../times.ts";
import type { OrderView, Participant, Reading, ZoneFeature } from "../types.ts";
import { plain } from "../words.ts";

const HOUR = 3_600_000;
const NOTHING: never[] = [];

export function ParticipantPage({ id, me }: { id: string; me: string | null }) {
  const { value: found, fault, status, reload } = useLoaded(id, participant);
  useEffect(() => { document.title = `${found?.name ?? id} · emon`; }, [found, id]);
  useKeys({ q: () => go("/") });
  if (fault && !found) return <Missing title={status === 404 ? `There is no participant ${id}` : "The participant could not be read"} words={fault} onRetry={status === 404 ? null : reload} />;
  if (!found) return <Skeleton label="Reading the participant" />;
  const zone = found.orders.find((order) => !order.void)?.time_zone ?? found.time_zone ?? HERE;
  return (
    <div className="page">
      <nav aria-label="Where this is" className="small"><Link href="/">Queue</Link> <span className="quiet">/ {found.id}</span></nav>
      <div className="head">
        <div className="titles"><h1>{found.name ?? found.id}</h1></div>
        <div className="chips">
          <span className="chip">{found.id}</span>
          {found.last_reading && <span className="small">last heard <Time at={found.last_reading.observed_at} zone={zone} form="short" /></span>}
          {found.last_position && <span className="small">last position <Time at={found.last_position.observed_at} zone={zone} form="short" /></span>}
        </div>
      </div>
      <Window found={found} zone={zone} me={me} />
    </div>
  );
}

function placesOf(orders: readonly OrderView[]): ZoneFeature[] {
  return orders.filter((order) => !order.void).flatMap((order) => order.places.map((place): ZoneFeature => ({
    type: "Feature", properties: { id: place.id, name: place.id, kind: "inclusion", radius_m: place.radius_m },
    geometry: { type: "Point", coordinates: [place.lon, place.lat] },
  })));
}

function Window({ found, zone, me }: { found: Participant; zone: string; me: string | null }) {
  const latest = millis(found.last_reading?.observed_at ?? found.now);
  const [span, setSpan] = useState(() => ({ from: latest - 12 * HOUR, to: latest + 1_000 }));
  const read = useLoaded(trackHref(found.id, span.from, span.to), (href, signal) => track(href, signal));
  const readings: Reading[] = read.value?.readings ?? NOTHING;
  const named = useMemo(() => [...new Set(found.orders.filter((order) => !order.void).flatMap((order) => order.conditions.map((condition) => condition["zone"])).filter(Boolean).map(String))], [found.orders]);
  const zones = useLoaded(named.length > 0 ? named.join("\n") : null, (_, signal) => Promise.all(named.map((id) => zoneFeature(id, signal))));
  const places = useMemo(() => [...placesOf(found.orders), ...(zones.value ?? [])], [found.orders, zones.value]);
  const entries = useMemo(() => inOrder([...ofReadings(readings, () => false), ...ofAlerts(found.alerts, span.from, span.to)]), [readings, found.alerts, span]);
  const quietly = readings.some((reading) => reading.kind !== "position");
  return (
    <div className="columns">
      <div className="stack">
        <Choose span={span} zone={zone} latest={latest} onChoose={setSpan} busy={read.value === null && read.fault === null} />
        {read.fault && <p className="notice" role="alert"><strong>The track could not be read.</strong> {read.fault}</p>}
        <MapCard title="Track" readings={readings} truncated={read.value?.truncated ?? false} zones={places} bufferM={0} evidence={NOTHING} notObserved={NOTHING} onset={null} ended={null} zone={zone} />
        {readings.some((reading) => reading.kind === "alcohol_transdermal") && <Curve readings={readings} zone={zone} />}
        <Timeline key={String(quietly)} entries={entries} zone={zone} title="Readings and findings" hidden={quietly ? ["position"] : []} />
      </div>
      <div className="stack">
        <Orders orders={found.orders} zone={zone} />
        <Devices found={found} zone={zone} />
        <section className="card" aria-label="Alerts"><header><h2>Alerts and findings</h2><span className="small quiet">{found.alerts.length > 0 && found.alerts.length}</span></header>
          {found.alerts.length === 0 ? <p className="empty">None on record.</p> : <AlertList alerts={found.alerts} me={me} zone={zone} />}
        </section>
      </div>
    </div>
  );
}

interface Chosen { from: number; to: number }

function Choose({ span, zone, latest, onChoose, busy }: { span: Chosen; zone: string; latest: number; onChoose: (span: Chosen) => void; busy: boolean }) {
  const [from, setFrom] = useState(() => toField(span.from, zone));
  const [to, setTo] = useState(() => toField(span.to + 59_000, zone));
  const [fault, setFault] = useState<string | null>(null);
  const show = (a: number, b: number) => {
    setFrom(toField(a, zone));
    setTo(toField(b + 59_000, zone));
    setFault(null);
    onChoose({ from: a, to: b });
  };
  const submit = () => {
    const a = fromField(from, zone);
    const b = fromField(to, zone);
    if (!(a < b)) setFault("The window must end after it starts.");
    else if (b - a > 31 * 24 * HOUR) setFault("Choose at most 31 days at once.");
    else show(a, b);
  };
  return (
    <form className="card window" aria-label="Window" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <div><label htmlFor="from">From</label><input id="from" type="datetime-local" value={from} onChange={(change) => setFrom(change.target.value)} /></div>
      <div><label htmlFor="to">To</label><input id="to" type="datetime-local" value={to} onChange={(change) => setTo(change.target.value)} /></div>
      <button type="submit" className="button main" disabled={busy}>{busy ? "Reading…" : "Show"}</button>
      {[[1, "1 h"], [12, "12 h"], [24, "1 d"], [168, "7 d"]].map(([hours, words]) => (
        <button key={words} type="button" className="button" aria-pressed={Math.round((span.to - span.from) / HOUR) === hours && span.to >= latest} onClick={() => show(latest - Number(hours) * HOUR, latest + 1_000)}>Last {words}</button>
      ))}
      <p className="hint">Clock: {zone}</p>
      {fault && <p className="fault" role="alert">{fault}</p>}
    </form>
  );
}

function Orders({ orders, zone }: { orders: OrderView[]; zone: string }) {
  return (
    <section className="card" aria-label="Orders in force">
      <header><h2>Orders</h2></header>
      {orders.length === 0 ? <p className="empty">No order names this participant.</p> : orders.map((order) => (
        <div className="body" key={order.order}>
          <h3>{order.order} <span className="quiet">version {order.version}{order.void && ", ended"}</span></h3>
          <p className="small quiet">{[order.agency, order.officer && `officer ${order.officer}`, order.supervision_level && `${order.supervision_level} supervision`].filter(Boolean).join(", ")}</p>
          <p className="small quiet">{order.effective_from ? <>from <Time at={order.effective_from} zone={zone} form="short" /></> : "always"}{order.effective_until && <> until <Time at={order.effective_until} zone={zone} form="short" /></>}</p>
          <ul className="small" style={{ marginTop: 6 }}>
            {order.conditions.map((condition) => <li key={condition.id}><strong>{condition.id}</strong> {plain(condition.kind)}{[condition["zone"], condition["place"]].filter(Boolean).map((where) => `: ${String(where)}`).join("")}</li>)}
          </ul>
        </div>
      ))}
    </section>
  );
}

function Devices({ found, zone }: { found: Participant; zone: string }) {
  return (
    <section className="card" aria-label="Devices">
      <header><h2>Devices</h2></header>
      {found.bindings.length === 0 ? <p className="empty">No device is bound.</p> : (
        <ul className="body stack" style={{ gap: 8 }}>
          {found.bindings.map((binding) => (
            <li key={`${binding.binding}${binding.version}`} className="small"><strong>{binding.device}</strong>{binding.void && " (void)"} {[binding.role, binding.place && `at ${binding.place}`, binding.feed && `feed ${binding.feed}`].filter(Boolean).join(", ")}
              <span className="quiet" style={{ display: "block" }}>{binding.from ? <>from <Time at={binding.from} zone={zone} form="short" /></> : "always"}{binding.until && <> until <Time at={binding.until} zone={zone} form="short" /></>}</span></li>
          ))}
        </ul>
      )}
    </section>
  );
}
