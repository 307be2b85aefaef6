// One alert: what, who, when and how sure; where; what happened and who did what; and what to do about it.

import { useCallback, useEffect, useMemo, useState } from "react";
import { alertDetail, type Command, track } from "../api.ts";
import { Shown } from "../charts/Shown.tsx";
import { listen } from "../live/live.ts";
import { evidenceKeys, isEvidence, silences } from "../map/scene.ts";
import { MapCard } from "../map/MapCard.tsx";
import { useCommands } from "../parts/commands.tsx";
import { useKeys } from "../parts/keys.ts";
import { HERE } from "../parts/marks.tsx";
import { go, Link } from "../parts/router.tsx";
import { Missing, Skeleton } from "../parts/states.tsx";
import { Timeline } from "../parts/Timeline.tsx";
import { clockSkew, inOrder, ofEvents, ofFindings, ofMessages, ofReadings } from "../parts/timeline.ts";
import { useLoaded } from "../parts/useLoaded.ts";
import { millis } from "../times.ts";
import type { Alert, AlertDetail, EvidenceReading, Reading, ZoneFeature } from "../types.ts";
import { Actions } from "./Actions.tsx";
import { Earlier, Facts, Head, Withdrawn } from "./AlertCards.tsx";
import { VerdictCard } from "./VerdictCard.tsx";
import { Versions } from "./Versions.tsx";

const PLACELESS: ReadonlySet<string> = new Set([
  "alcohol",
  "alcohol_no_upload",
  "breath",
  "test_failed",
  "test_missed",
  "feed_outage",
]);
const NO_READINGS: Reading[] = [];

export function AlertPage({ id, me }: { id: string; me: string | null }) {
  const { value: alert, fault, status, reload } = useLoaded(id, alertDetail);
  const onDone = useCallback(
    (name: Command) => {
      reload();
      if (name === "close") document.getElementById("content")?.focus();
    },
    [reload],
  );
  const commands = useCommands(me, onDone);
  useEffect(() => {
    let soon = 0; // a flapping alert's events are one reading, not twenty
    const quit = listen((message) => {
      const told =
        message.type === "event" && message.name === "alert"
          ? (JSON.parse(message.data) as { alert: Alert }).alert.id
          : null;
      if (message.type === "resync" || String(told) === id)
        soon ||= window.setTimeout(() => {
          soon = 0;
          reload();
        }, 150);
    });
    return () => {
      clearTimeout(soon);
      quit();
    };
  }, [id, reload]);
  useEffect(() => {
    document.title = alert ? `#${alert.id} ${alert.title} · emon` : `Alert ${id} · emon`;
  }, [alert, id]);
  const act = (name: Command) => () => {
    if (alert) commands.act(alert, name);
  };
  useKeys({
    c: act("claim"),
    r: act("release"),
    a: act("ack"),
    n: act("note"),
    x: act("close"),
    q: () => go("/"),
    p: () => alert?.participant && go(`/participants/${encodeURIComponent(alert.participant)}`),
  });
  if (fault && !alert)
    return (
      <Missing
        title={status === 404 ? `There is no alert ${id}` : "The alert could not be read"}
        words={fault}
        onRetry={status === 404 ? null : reload}
      />
    );
  if (!alert) return <Skeleton label="Reading the alert" />;
  return (
    <div className="page">
      <nav aria-label="Where this is" className="small">
        <Link href="/">Queue</Link> <span className="quiet">/ #{alert.id}</span>
      </nav>
      <Head alert={alert} me={me} />
      <Actions alert={alert} me={me} act={commands.act} />
      {fault && (
        <p className="banner warn" role="alert">
          Shown as last read: {fault}
        </p>
      )}
      <Withdrawn alert={alert} />
      <Body alert={alert} me={me} />
      {commands.dialogs}
    </div>
  );
}

/** The shapes that decided, and the order's other places so that people know where they look. */
function withPlaces(alert: AlertDetail): ZoneFeature[] {
  const drawn = new Set(alert.zones.features.map((feature) => feature.properties.id));
  const others = (alert.order_in_force?.places ?? []).filter((place) => !drawn.has(place.id));
  return [
    ...alert.zones.features,
    ...others.map((place): ZoneFeature => ({
      type: "Feature",
      properties: { id: place.id, kind: "neutral", radius_m: place.radius_m },
      geometry: { type: "Point", coordinates: [place.lon, place.lat] },
    })),
  ];
}

function Body({ alert, me }: { alert: AlertDetail; me: string | null }) {
  const zone = alert.order_in_force?.time_zone ?? alert.time_zone ?? HERE;
  const read = useLoaded(alert.track ? `${alert.track.href}#${alert.version}` : null, (key, signal) =>
    track(key.split("#")[0]!, signal),
  );
  const [kept, setKept] = useState<typeof read.value>(null); // a new version keeps the old track until its own is there
  useEffect(() => {
    if (read.value) setKept(read.value);
  }, [read.value]);
  const shown = read.value ?? kept;
  const readings = shown?.readings ?? NO_READINGS;
  const evidence = useMemo(
    () => alert.findings.flatMap(({ finding }): EvidenceReading[] => finding.evidence.readings ?? []),
    [alert.findings],
  );
  const notObserved = useMemo(
    () => [...alert.findings.flatMap((view) => view.not_observed), ...silences(alert, readings)],
    [alert, readings],
  );
  const entries = useMemo(() => {
    const keys = evidenceKeys(evidence);
    return inOrder([
      ...ofFindings(alert.findings),
      ...ofReadings(readings, (reading) => isEvidence(reading, keys)),
      ...ofEvents(alert.events),
      ...ofMessages(alert.notifications, clockSkew(alert.events)),
    ]);
  }, [alert, readings, evidence]);
  const grownBy = useMemo(() => {
    const { zone: named, place, places } = alert.condition_in_force ?? { id: "", kind: "" };
    return [named, place, ...(Array.isArray(places) ? places : [])].filter(Boolean).map(String);
  }, [alert.condition_in_force]);
  const shapes = useMemo(() => withPlaces(alert), [alert]);
  const hasPlaces =
    alert.zones.features.length > 0 || readings.some((reading) => reading.kind === "position");
  return (
    <div className="columns">
      <div className="stack">
        <Facts alert={alert} zone={zone} />
        {(shown || !alert.track || read.fault) && <Shown alert={alert} readings={readings} zone={zone} />}
        {alert.family === "alcohol" && <VerdictCard alert={alert} zone={zone} />}
        {read.fault && (
          <p className="notice">
            <strong>The track could not be read.</strong> {read.fault}
          </p>
        )}
        {alert.track && !shown && !read.fault && (
          <div className="card skeleton" role="status">
            <span className="unseen">Reading the track</span>
            <i />
            <i />
          </div>
        )}
        {(shown ? hasPlaces || !PLACELESS.has(alert.family) : hasPlaces && (read.fault || !alert.track)) && (
          <MapCard
            title="Map"
            readings={readings}
            truncated={shown?.truncated ?? false}
            zones={shapes}
            bufferM={Number(alert.condition_in_force?.["buffer_m"] ?? 0)}
            bufferOf={grownBy}
            evidence={evidence}
            notObserved={notObserved}
            onset={millis(alert.onset)}
            ended={alert.ended === null ? null : millis(alert.ended)}
            zone={zone}
          />
        )}
        <Versions alert={alert} zone={zone} />
      </div>
      <div className="stack">
        <Timeline entries={entries} zone={zone} />
        <Earlier alerts={alert.earlier} me={me} zone={zone} />
      </div>
    </div>
  );
}
