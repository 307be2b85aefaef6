// What is to be drawn, as GeoJSON and words, from zones and readings. Pure, so that it is tested without a
// browser. A straight line says "somebody went this way": where nothing was observed it is dashed.

import type { Feature, FeatureCollection, Polygon } from "geojson";
import { millis } from "../times.ts";
import type { EvidenceReading, Reading, Span, ZoneFeature } from "../types.ts";
import { bounds, circle, distance, grown, type Point } from "./shapes.ts";

export interface Fix {
  at: number;
  lon: number;
  lat: number;
  accuracyM: number | null;
  method: string;
  device: string;
  evidence: boolean;
  phase: Phase;
  key: string;
  reading: Reading;
}

export type Phase = "before" | "during" | "after";

const LONG_GAP_MS = 30 * 60_000; // a line over a longer silence would claim a way that nobody saw
const UNKNOWN_ACCURACY = [0, 2147483647];

const keyOf = (reading: { device: string; kind: string; observed_at: string }) =>
  `${reading.device} ${reading.kind} ${millis(reading.observed_at)}`;

/** Keys of the readings that findings quote as their evidence. */
export function evidenceKeys(quoted: readonly EvidenceReading[]): Set<string> {
  return new Set(quoted.map(keyOf));
}

export const isEvidence = (reading: Reading, keys: ReadonlySet<string>) => keys.has(keyOf(reading));

/** Positions among `readings` in the order in which they happened. */
export function fixes(
  readings: readonly Reading[],
  keys: ReadonlySet<string>,
  onset: number | null,
  ended: number | null,
): Fix[] {
  return readings
    .filter(
      (reading) => reading.kind === "position" && reading.lat !== undefined && reading.lon !== undefined,
    )
    .map((reading): Fix => {
      const at = millis(reading.observed_at);
      const accuracy = reading.accuracy_m;
      return {
        at,
        lon: reading.lon!,
        lat: reading.lat!,
        method: reading.method ?? "unknown",
        device: reading.device,
        reading,
        accuracyM: accuracy === undefined || UNKNOWN_ACCURACY.includes(accuracy) ? null : accuracy,
        evidence: keys.has(keyOf(reading)),
        key: `${keyOf(reading)} ${reading.lat} ${reading.lon}`,
        phase: onset === null || at < onset ? "before" : ended !== null && at >= ended ? "after" : "during",
      };
    })
    .sort((a, b) => a.at - b.at);
}

export interface GapLabel {
  at: Point;
  from: number;
  to: number | null;
  longest: number;
}

export interface Scene {
  zones: FeatureCollection;
  track: FeatureCollection;
  points: FeatureCollection;
  circles: FeatureCollection;
  gaps: GapLabel[];
  labels: { at: Point; text: string }[];
  view: Point[];
}

/** The span in which nothing supports the finding, if the way from `a` to `b` lies in it. */
export function gapBetween(a: Fix, b: Fix, notObserved: readonly Span[]): Span | undefined {
  return notObserved.find(
    (span) => a.at >= millis(span.from) && (span.to === null || b.at <= millis(span.to)),
  );
}

const SILENT = ["contact_lost", "location_lost"];

/** A finding about silence says when it counted from; nothing was observed since the fix before that. */
export function silences(
  alert: { kind: string; onset: string; ended: string | null },
  readings: readonly Reading[],
): Span[] {
  if (!SILENT.includes(alert.kind)) return [];
  const at = readings
    .filter((reading) => reading.kind === "position")
    .map((reading) => reading.observed_at)
    .sort((a, b) => millis(a) - millis(b));
  const from = at.findLast((instant) => millis(instant) <= millis(alert.onset));
  const to = at.find((instant) => millis(instant) > millis(alert.onset));
  return from === undefined ? [] : [{ from, to: alert.ended === null ? null : (to ?? alert.ended) }];
}

/** One label a span, on its longest stretch. */
function widen(gaps: GapLabel[], span: Span, a: Fix, b: Fix): void {
  const from = millis(span.from);
  let label = gaps.find((gap) => gap.from === from);
  if (!label)
    gaps.push(
      (label = { at: [a.lon, a.lat], from, to: span.to === null ? null : millis(span.to), longest: -1 }),
    );
  const length = distance([a.lon, a.lat], [b.lon, b.lat]);
  if (length <= label.longest) return;
  label.longest = length;
  label.at = [(a.lon + b.lon) / 2, (a.lat + b.lat) / 2];
}

/** `bufferOf`: ids of the shapes that the condition grows by `bufferM`; all of them where it is not given. */
export function scene(
  zones: readonly ZoneFeature[],
  bufferM: number,
  found: readonly Fix[],
  notObserved: readonly Span[],
  bufferOf?: readonly string[],
): Scene {
  const drawn = zones.flatMap((zone) =>
    zoneFeatures(zone, !bufferOf || bufferOf.includes(String(zone.properties.id)) ? bufferM : 0),
  );
  const gaps: GapLabel[] = [];
  const track: Feature[] = [];
  for (let i = 1; i < found.length; i += 1) {
    const a = found[i - 1]!;
    const b = found[i]!;
    const gap = gapBetween(a, b, notObserved);
    if (gap) widen(gaps, gap, a, b);
    const style = gap
      ? "gap"
      : b.at - a.at > LONG_GAP_MS
        ? "long"
        : a.phase === "during" && b.phase === "during"
          ? "during"
          : "other";
    track.push({
      type: "Feature",
      properties: { style },
      geometry: {
        type: "LineString",
        coordinates: [
          [a.lon, a.lat],
          [b.lon, b.lat],
        ],
      },
    });
  }
  const collection = (features: Feature[]): FeatureCollection => ({ type: "FeatureCollection", features });
  const sized = found.filter((fix) => fix.accuracyM !== null);
  return {
    zones: collection(drawn),
    track: collection(track),
    gaps,
    labels: zones.map(label),
    points: collection(
      found.map((fix) => ({
        type: "Feature",
        properties: { key: fix.key, evidence: fix.evidence, firm: fix.method === "gnss", phase: fix.phase },
        geometry: { type: "Point", coordinates: [fix.lon, fix.lat] },
      })),
    ),
    circles: collection(
      sized.map((fix) => ({
        type: "Feature",
        properties: { evidence: fix.evidence },
        geometry: { type: "Polygon", coordinates: [circle([fix.lon, fix.lat], fix.accuracyM!, 48)] },
      })),
    ),
    view: view(drawn, found),
  };
}

/** What the map is fitted to: the track and the shapes of its scale; a whole county would make it a dot. */
function view(shapes: readonly Feature[], found: readonly Fix[]): Point[] {
  const track = found.map((fix): Point => [fix.lon, fix.lat]);
  const box = bounds(track);
  const scale = box ? Math.max(distance(...box), 400) * 6 : Infinity;
  const fitting = shapes
    .map((shape) => ((shape.geometry as Polygon).coordinates as Point[][]).flat())
    .filter((corners) => {
      const own = bounds(corners);
      return own !== null && distance(...own) <= scale;
    });
  return [...track, ...fitting.flat()];
}

const roleOf = (zone: ZoneFeature) =>
  zone.properties.kind === "exclusion"
    ? "exclusion"
    : zone.properties.kind === "neutral"
      ? "neutral"
      : "inclusion";

function zoneFeatures(zone: ZoneFeature, bufferM: number): Feature[] {
  const role = roleOf(zone);
  const polygon = (part: string, rings: Point[][]): Feature => ({
    type: "Feature",
    properties: { role, part },
    geometry: { type: "Polygon", coordinates: rings },
  });
  const own = Number(zone.properties["buffer_m"] ?? bufferM);
  const { geometry } = zone;
  if (geometry.type === "Point") {
    const radius = zone.properties.radius_m ?? 0;
    return [
      polygon("shape", [circle(geometry.coordinates, radius)]),
      ...(own > 0 ? [polygon("buffer", [circle(geometry.coordinates, radius + own)])] : []),
    ];
  }
  const shapes = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  return shapes.flatMap((rings) => [
    polygon("shape", rings),
    ...(own > 0 && rings[0] ? [polygon("buffer", [grown(rings[0], own)])] : []),
  ]);
}

function label(zone: ZoneFeature): { at: Point; text: string } {
  const { geometry, properties } = zone;
  const ring =
    geometry.type === "Polygon"
      ? geometry.coordinates[0]
      : geometry.type === "MultiPolygon"
        ? geometry.coordinates[0]?.[0]
        : undefined;
  const top = ring?.reduce((best, point) => (point[1] > best[1] ? point : best));
  return {
    at:
      geometry.type === "Point"
        ? circle(geometry.coordinates, properties.radius_m ?? 0, 4)[1]!
        : (top ?? [0, 0]),
    text: properties.name || properties.id || "Zone",
  };
}
