// Map and table of one window, side by side in meaning: what is picked in one is shown in the other.

import { lazy, Suspense, useMemo, useState } from "react";
import { FixTable } from "../alert/FixTable.tsx";
import type { EvidenceReading, Reading, Span, ZoneFeature } from "../types.ts";
import { useTheme } from "../parts/theme.ts";
import { Gap } from "../parts/marks.tsx";
import { evidenceKeys, fixes, scene } from "./scene.ts";

const TrackMap = lazy(() => import("./TrackMap.tsx"));

interface Props {
  title: string;
  readings: Reading[];
  truncated: boolean;
  zones: ZoneFeature[];
  bufferM: number;
  bufferOf?: readonly string[];
  evidence: EvidenceReading[];
  notObserved: Span[];
  onset: number | null;
  ended: number | null;
  zone: string;
  frame?: string;
  tools?: React.ReactNode;
}

const NONE: never[] = [];

export function MapCard({
  title,
  readings,
  truncated,
  zones,
  bufferM,
  bufferOf,
  evidence = NONE,
  notObserved,
  onset,
  ended,
  zone,
  frame = "",
  tools,
}: Props) {
  const [picked, setPicked] = useState<string | null>(null);
  const theme = useTheme();
  const found = useMemo(
    () => fixes(readings, evidenceKeys(evidence), onset, ended),
    [readings, evidence, onset, ended],
  );
  const drawn = useMemo(
    () => scene(zones, bufferM, found, notObserved, bufferOf),
    [zones, bufferM, found, notObserved, bufferOf],
  );
  return (
    <section className="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {tools}
      </header>
      <Suspense
        fallback={
          <div className="map">
            <p className="nomap">Drawing the map…</p>
          </div>
        }
      >
        <TrackMap
          scene={drawn}
          zone={zone}
          theme={theme}
          picked={picked}
          onPick={setPicked}
          label={`${title}; the table below says the same`}
          frame={frame}
        />
      </Suspense>
      <Legend
        buffer={bufferM > 0}
        gaps={drawn.gaps.length > 0}
        evidence={found.some((fix) => fix.evidence)}
        during={onset !== null}
      />
      {drawn.gaps.length > 0 && (
        <p className="small" style={{ padding: "0 16px 10px" }}>
          Dashed:{" "}
          {drawn.gaps.slice(0, 3).map((gap, i) => (
            <span key={gap.from}>
              {i > 0 && ", "}
              <Gap from={gap.from} to={gap.to} zone={zone} />
            </span>
          ))}
          {drawn.gaps.length > 3 && ` and ${drawn.gaps.length - 3} more times`}. Nothing in between supports
          the finding; the line only joins what was observed.
        </p>
      )}
      <FixTable
        fixes={found}
        zone={zone}
        notObserved={notObserved}
        picked={picked}
        onPick={setPicked}
        truncated={truncated}
        roles={onset !== null}
      />
    </section>
  );
}

function Legend({
  buffer,
  gaps,
  evidence,
  during,
}: {
  buffer: boolean;
  gaps: boolean;
  evidence: boolean;
  during: boolean;
}) {
  return (
    <div className="legend" aria-hidden="true">
      {evidence && (
        <span>
          <svg viewBox="0 0 24 14">
            <circle cx="12" cy="7" r="5" fill="var(--p1)" stroke="var(--card)" strokeWidth="2" />
          </svg>
          in evidence
        </span>
      )}
      {during && (
        <span>
          <svg viewBox="0 0 24 14">
            <path d="M1 7h22" stroke="var(--p1)" strokeWidth="3" />
          </svg>
          while it lasts
        </span>
      )}
      <span>
        <svg viewBox="0 0 24 14">
          <path d="M1 7h22" stroke="var(--accent)" strokeWidth="2" />
          <circle cx="12" cy="7" r="4" fill="var(--accent)" />
        </svg>
        GNSS fix
      </span>
      <span>
        <svg viewBox="0 0 24 14">
          <circle cx="12" cy="7" r="4" fill="var(--card)" stroke="var(--accent)" strokeWidth="2" />
        </svg>
        other fix
      </span>
      <span>
        <svg viewBox="0 0 24 14">
          <circle cx="12" cy="7" r="6" fill="var(--p1)" opacity="0.25" />
        </svg>
        accuracy
      </span>
      {buffer && (
        <span>
          <svg viewBox="0 0 24 14">
            <path d="M1 7h22" stroke="var(--bad)" strokeWidth="1.5" strokeDasharray="3 3" />
          </svg>
          zone with its buffer
        </span>
      )}
      {gaps && (
        <span>
          <svg viewBox="0 0 24 14">
            <path d="M1 7h22" stroke="var(--warn)" strokeWidth="2.5" strokeDasharray="5 3" />
          </svg>
          not observed
        </span>
      )}
    </div>
  );
}
