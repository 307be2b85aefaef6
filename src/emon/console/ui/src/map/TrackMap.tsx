// The map: zones, track and accuracy on a plain ground. It asks no tile server: who is looked at, and where,
// stays in this house. The table beside it says the same in words.

import {
  type GeoJSONSource,
  type LayerSpecification,
  LngLatBounds,
  Map as GlMap,
  Marker,
  ScaleControl,
  setWorkerUrl,
  type StyleSpecification,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { useEffect, useRef, useState } from "react";
import { local } from "../times.ts";
import type { Scene } from "./scene.ts";
import { bounds } from "./shapes.ts";

setWorkerUrl(workerUrl);

interface Props {
  scene: Scene;
  zone: string;
  theme: string;
  picked: string | null;
  onPick: (key: string | null) => void;
  label: string;
  frame: string; // what is looked at: another one is fitted anew, the same keeps the operator's view
}

const FITTED = { padding: 48, maxZoom: 17 };
const SOURCES = ["zones", "circles", "track", "points"] as const;

function css(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The first scene comes with the style, so that the map never shows an empty ground first. */
function style(scene: Scene): StyleSpecification {
  const role = [
    "match",
    ["get", "role"],
    "exclusion",
    css("--bad"),
    "inclusion",
    css("--good"),
    css("--quiet"),
  ];
  const layers = [
    { id: "ground", type: "background", paint: { "background-color": css("--map-ground") } },
    {
      id: "zone-fill",
      type: "fill",
      source: "zones",
      paint: { "fill-color": role, "fill-opacity": ["match", ["get", "part"], "buffer", 0.06, 0.13] },
    },
    {
      id: "zone-line",
      type: "line",
      source: "zones",
      filter: ["==", ["get", "part"], "shape"],
      paint: { "line-color": role, "line-width": 2 },
    },
    {
      id: "buffer-line",
      type: "line",
      source: "zones",
      filter: ["==", ["get", "part"], "buffer"],
      paint: { "line-color": role, "line-width": 1.5, "line-dasharray": [3, 3] },
    },
    {
      id: "circle-fill",
      type: "fill",
      source: "circles",
      paint: {
        "fill-color": ["case", ["get", "evidence"], css("--p1"), css("--accent")],
        "fill-opacity": ["case", ["get", "evidence"], 0.14, 0.05],
      },
    },
    {
      id: "circle-line",
      type: "line",
      source: "circles",
      filter: ["get", "evidence"],
      paint: { "line-color": css("--p1"), "line-width": 1, "line-opacity": 0.7 },
    },
    {
      id: "track-other",
      type: "line",
      source: "track",
      filter: ["==", ["get", "style"], "other"],
      layout: { "line-cap": "round" },
      paint: { "line-color": css("--accent"), "line-width": 2, "line-opacity": 0.65 },
    },
    {
      id: "track-during",
      type: "line",
      source: "track",
      filter: ["==", ["get", "style"], "during"],
      layout: { "line-cap": "round" },
      paint: { "line-color": css("--p1"), "line-width": 3 },
    },
    {
      id: "track-long",
      type: "line",
      source: "track",
      filter: ["==", ["get", "style"], "long"],
      paint: { "line-color": css("--quiet"), "line-width": 1.5, "line-dasharray": [1, 3] },
    },
    {
      id: "track-gap",
      type: "line",
      source: "track",
      filter: ["==", ["get", "style"], "gap"],
      paint: { "line-color": css("--warn"), "line-width": 2.5, "line-dasharray": [3, 2] },
    },
    {
      id: "point",
      type: "circle",
      source: "points",
      layout: { "circle-sort-key": ["case", ["get", "evidence"], 1, 0] },
      paint: {
        "circle-radius": ["case", ["get", "evidence"], 6.5, ["get", "firm"], 3, 3.5],
        "circle-color": [
          "case",
          ["get", "evidence"],
          css("--p1"),
          ["get", "firm"],
          ["case", ["==", ["get", "phase"], "during"], css("--p1"), css("--accent")],
          css("--card"),
        ],
        "circle-stroke-color": [
          "case",
          ["get", "evidence"],
          css("--card"),
          ["case", ["==", ["get", "phase"], "during"], css("--p1"), css("--accent")],
        ],
        "circle-stroke-width": ["case", ["get", "evidence"], 2, ["get", "firm"], 0, 2],
      },
    },
    {
      id: "picked",
      type: "circle",
      source: "points",
      filter: ["==", ["get", "key"], ""],
      paint: {
        "circle-radius": 11,
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": css("--ink"),
        "circle-stroke-width": 3,
      },
    },
  ] as LayerSpecification[];
  return {
    version: 8,
    sources: Object.fromEntries(SOURCES.map((name) => [name, { type: "geojson", data: scene[name] }])),
    layers,
  };
}

export default function TrackMap({ scene, zone, theme, picked, onPick, label, frame }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<GlMap | null>(null);
  const pick = useRef(onPick);
  const moved = useRef<string | null>(null);
  const latest = useRef(frame);
  const shown = useRef(scene);
  const [drawn, setDrawn] = useState(false);
  const [ready, setReady] = useState(false);
  const [supported] = useState(() => document.createElement("canvas").getContext("webgl2") !== null);
  useEffect(() => {
    pick.current = onPick;
    latest.current = frame;
  });

  useEffect(() => {
    if (!supported || !box.current) return undefined;
    const first = shown.current;
    const around = bounds(first.view);
    const made = new GlMap({
      container: box.current,
      style: style(first),
      ...(around ? { bounds: new LngLatBounds(around[0], around[1]), fitBoundsOptions: FITTED } : {}),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      maxZoom: 20,
      fadeDuration: 0,
      canvasContextAttributes: { antialias: true },
      locale: { "Map.Title": label },
    });
    made.touchZoomRotate.disableRotation();
    made.scrollZoom.disable(); // the page scrolls; the map zooms once somebody is in it
    made.getCanvas().addEventListener("focus", () => made.scrollZoom.enable());
    made.getCanvas().addEventListener("blur", () => made.scrollZoom.disable());
    if (matchMedia("(pointer: coarse)").matches) made.dragPan.disable();
    made.addControl(new ScaleControl({ maxWidth: 130, unit: "metric" }), "bottom-left");
    made.on("load", () => setReady(true));
    made.once("idle", () => setDrawn(true));
    made.on("movestart", (event) => {
      if (event.originalEvent) moved.current = latest.current; // the operator looks at something: stay there
    });
    made.on("click", (event) => {
      const near = made.queryRenderedFeatures(
        [
          [event.point.x - 8, event.point.y - 8],
          [event.point.x + 8, event.point.y + 8],
        ],
        { layers: ["point"] },
      );
      pick.current((near[0]?.properties["key"] as string | undefined) ?? null);
    });
    map.current = made;
    return () => {
      map.current = null;
      setReady(false);
      setDrawn(false);
      made.remove();
    };
  }, [supported, theme, label]);

  useEffect(() => {
    const made = map.current;
    if (!made || !ready) return undefined;
    if (shown.current !== scene) {
      for (const name of SOURCES) made.getSource<GeoJSONSource>(name)?.setData(scene[name]);
      shown.current = scene;
    }
    if (moved.current !== frame) fit(made, scene, false);
    const labels = [
      ...scene.labels.map(({ at, text }) => mark(at, text, "bottom")),
      ...scene.gaps.map(({ at, from, to }) =>
        mark(
          at,
          gapWords(from, to, zone),
          made.project(at).x > made.getContainer().clientWidth * 0.55 ? "right" : "left",
        ),
      ),
    ];
    for (const each of labels) each.addTo(made);
    return () => labels.forEach((each) => each.remove());
  }, [scene, ready, zone, frame]);

  useEffect(() => {
    const made = map.current;
    if (!made || !ready) return;
    made.setFilter("picked", ["==", ["get", "key"], picked ?? ""]);
    const point = scene.points.features.find((feature) => feature.properties?.["key"] === picked)?.geometry;
    if (point?.type !== "Point") return;
    const at = point.coordinates as [number, number];
    if (!made.getBounds().contains(at)) made.easeTo({ center: at, duration: calm() });
  }, [picked, ready, scene]);

  if (!supported)
    return (
      <div className="map">
        <p className="nomap">This browser draws no map (WebGL is off). The table below holds every fix.</p>
      </div>
    );
  const zoom = (by: number) => {
    moved.current = frame;
    map.current?.zoomTo(map.current.getZoom() + by, { duration: calm() });
  };
  const everything = () => {
    moved.current = null;
    if (map.current) fit(map.current, scene, true);
  };
  return (
    <div className="map" data-ready={drawn}>
      <div className="canvas" ref={box} />
      <div className="tools-map">
        <button type="button" className="button icon" aria-label="Zoom in" onClick={() => zoom(1)}>
          +
        </button>
        <button type="button" className="button icon" aria-label="Zoom out" onClick={() => zoom(-1)}>
          −
        </button>
        <button type="button" className="button icon" aria-label="Show everything" onClick={everything}>
          ⤢
        </button>
      </div>
      {scene.view.length === 0 && <p className="nomap">No positions and no zones to draw.</p>}
    </div>
  );
}

function gapWords(from: number, to: number | null, zone: string): string {
  const clock = (at: number) => local(at, zone).time.slice(0, to !== null && to - from < 600_000 ? 8 : 5);
  return to === null
    ? `not observed since ${clock(from)}`
    : `not observed from ${clock(from)} to ${clock(to)}`;
}

const calm = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 250);

/** A name above its shape, or the words of a gap beside its line. */
function mark(at: [number, number], text: string, anchor: "bottom" | "left" | "right"): Marker {
  const element = document.createElement("div");
  element.className = anchor === "bottom" ? "label" : "label gap";
  element.textContent = text;
  element.setAttribute("aria-hidden", "true"); // the table and the text beside the map say it
  const offset = { bottom: [0, -4], left: [14, 0], right: [-14, 0] }[anchor] as [number, number];
  return new Marker({ element, anchor, offset }).setLngLat(at);
}

function fit(map: GlMap, { view }: Scene, moved: boolean): void {
  const box = bounds(view);
  if (!box) return;
  map.fitBounds(new LngLatBounds(box[0], box[1]), { ...FITTED, duration: moved ? calm() : 0 });
}
