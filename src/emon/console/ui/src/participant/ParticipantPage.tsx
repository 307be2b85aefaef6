// One participant: orders in force, devices, where the devices were in a chosen window, everything they said,
// and all alerts. Looking here is logged, so the window starts small.

import { useEffect, useMemo, useState } from "react";
import { participant, track, trackHref, zoneFeature } from "../api.ts";
import { AlertList } from "../parts/AlertList.tsx";
import { MapCard } from "../map/MapCard.tsx";
import { SkinChart } from "../charts/SkinChart.tsx";
import { useKeys } from "../parts/keys.ts";
import { HERE, Time } from "../parts/marks.tsx";
import { go, Link } from "../parts/router.tsx";
import { Missing, Skeleton } from "../parts/states.tsx";
import { Timeline } from "../parts/Timeline.tsx";
import { inOrder, ofAlerts, ofReadings } from "../parts/timeline.ts";
import { useLoaded } from "../parts/useLoaded.ts";
import { millis } from "../times.ts";
import type { OrderView, Participant, Reading, ZoneFeature } from "../types.ts";
import { Choose } from "./Choose.tsx";
import { Devices, Orders } from "./Records.tsx";

const HOUR = 3_600_000;
const NOTHING: never[] = [];

export function ParticipantPage({ id, me }: { id: string; me: string | null }) {
  const { value: found, fault, status, reload } = useLoaded(id, participant);
  useEffect(() => {
    document.title = `${found?.name ?? id} · emon`;
  }, [found, id]);
  useKeys({ q: () => go("/") });
  if (fault && !found)
    return (
      <Missing
        title={status === 404 ? `There is no participant ${id}` : "The participant could not be read"}
        words={fault}
        onRetry={status === 404 ? null : reload}
      />
    );
  if (!found) return <Skeleton label="Reading the participant" />;
  const zone = found.orders.find((order) => !order.void)?.time_zone ?? found.time_zone ?? HERE;
  return (
    <div className="page">
      <nav aria-label="Where this is" className="small">
        <Link href="/">Queue</Link> <span className="quiet">/ {found.id}</span>
      </nav>
      <div className="head">
        <div className="titles">
          <h1>{found.name ?? found.id}</h1>
        </div>
        <div className="chips">
          <span className="chip">{found.id}</span>
          {found.last_reading && (
            <span className="small">
              last heard <Time at={found.last_reading.observed_at} zone={zone} form="short" />
            </span>
          )}
          {found.last_position && (
            <span className="small">
              last position <Time at={found.last_position.observed_at} zone={zone} form="short" />
            </span>
          )}
        </div>
      </div>
      <Window found={found} zone={zone} me={me} />
    </div>
  );
}

function placesOf(orders: readonly OrderView[]): ZoneFeature[] {
  return orders
    .filter((order) => !order.void)
    .flatMap((order) =>
      order.places.map((place): ZoneFeature => ({
        type: "Feature",
        properties: { id: place.id, name: place.id, kind: "inclusion", radius_m: place.radius_m },
        geometry: { type: "Point", coordinates: [place.lon, place.lat] },
      })),
    );
}

function Window({ found, zone, me }: { found: Participant; zone: string; me: string | null }) {
  const latest = millis(found.last_reading?.observed_at ?? found.now);
  const [span, setSpan] = useState(() => ({ from: latest - 12 * HOUR, to: latest + 1_000 }));
  const read = useLoaded(trackHref(found.id, span.from, span.to), (href, signal) => track(href, signal));
  const readings: Reading[] = read.value?.readings ?? NOTHING;
  const named = useMemo(
    () => [
      ...new Set(
        found.orders
          .filter((order) => !order.void)
          .flatMap((order) => order.conditions.map((condition) => condition["zone"]))
          .filter(Boolean)
          .map(String),
      ),
    ],
    [found.orders],
  );
  const zones = useLoaded(named.length > 0 ? named.join("\n") : null, (_, signal) =>
    Promise.all(named.map((id) => zoneFeature(id, signal))),
  );
  const places = useMemo(
    () => [...placesOf(found.orders), ...(zones.value ?? [])],
    [found.orders, zones.value],
  );
  const entries = useMemo(
    () => inOrder([...ofReadings(readings, () => false), ...ofAlerts(found.alerts, span.from, span.to)]),
    [readings, found.alerts, span],
  );
  const quietly = readings.some((reading) => reading.kind !== "position");
  return (
    <div className="columns">
      <div className="stack">
        <Choose
          span={span}
          zone={zone}
          latest={latest}
          onChoose={setSpan}
          busy={read.value === null && read.fault === null}
        />
        {read.fault && (
          <p className="notice" role="alert">
            <strong>The track could not be read.</strong> {read.fault}
          </p>
        )}
        <MapCard
          title="Track"
          frame={`${span.from} ${span.to}`}
          readings={readings}
          truncated={read.value?.truncated ?? false}
          zones={places}
          bufferM={0}
          evidence={NOTHING}
          notObserved={NOTHING}
          onset={null}
          ended={null}
          zone={zone}
        />
        {readings.some((reading) => reading.kind === "alcohol_transdermal") && (
          <SkinChart readings={readings} zone={zone} />
        )}
        <Timeline
          key={String(quietly)}
          entries={entries}
          zone={zone}
          title="Readings and findings"
          hidden={quietly ? ["position"] : []}
        />
      </div>
      <div className="stack">
        <Orders orders={found.orders} zone={zone} />
        <Devices found={found} zone={zone} />
        <section className="card" aria-label="Alerts">
          <header>
            <h2>Alerts and findings</h2>
            <span className="small quiet">{found.alerts.length > 0 && found.alerts.length}</span>
          </header>
          {found.alerts.length === 0 ? (
            <p className="empty">None on record.</p>
          ) : (
            <AlertList alerts={found.alerts} me={me} zone={zone} />
          )}
        </section>
      </div>
    </div>
  );
}
