// The frame around every page: header with proof of life, the page that the address names, messages.

import { useEffect, useRef, useState } from "react";
import { AlertPage } from "./alert/AlertPage.tsx";
import { HistoryPage } from "./history/HistoryPage.tsx";
import { ParticipantPage } from "./participant/ParticipantPage.tsx";
import { Help } from "./parts/Help.tsx";
import { useKeys } from "./parts/keys.ts";
import { Life, StaleBanner } from "./parts/Life.tsx";
import { Operator, useOperator } from "./parts/Operator.tsx";
import { Link, usePath } from "./parts/router.tsx";
import { Missing } from "./parts/states.tsx";
import { type Sound, toggleSound, useSound } from "./parts/sound.ts";
import { type Choice, choose, useChoice } from "./parts/theme.ts";
import { Toasts } from "./parts/toasts.tsx";
import { QueuePage } from "./queue/QueuePage.tsx";
import { useAlarm } from "./queue/useAlarm.ts";
import { useRenewal } from "./queue/useRenewal.ts";

const NEXT: Record<Choice, Choice> = { auto: "dark", dark: "light", light: "auto" };
const THEME_WORDS: Record<Choice, string> = {
  auto: "Light or dark: as the computer",
  dark: "Dark",
  light: "Light",
};
const THEME_SIGNS: Record<Choice, string> = { auto: "◐", dark: "●", light: "○" };

const SOUND_WORDS: Record<Sound, string> = {
  on: "Sound is on",
  off: "Sound is off",
  blocked: "Sound blocked until you click or press a key",
};

function Speaker({ sound }: { sound: Sound }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width="20"
      height="20"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d="M4 9.5v5h3.5L12 19V5L7.5 9.5z" fill="currentColor" />
      {sound === "on" ? (
        <path d="M15.5 9a4.5 4.5 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" />
      ) : (
        <path d="m16 9.5 5 5m0-5-5 5" />
      )}
    </svg>
  );
}

function Page({ path, me }: { path: string; me: string | null }) {
  const [, kind, id] = path.split("/").map(decode);
  if (kind === "" || kind === undefined) return <QueuePage me={me} />;
  if (kind === "alerts" && !id) return <HistoryPage me={me} />;
  if (kind === "alerts" && id) return <AlertPage key={id} id={id} me={me} />;
  if (kind === "participants" && id) return <ParticipantPage key={id} id={id} me={me} />;
  return <Missing title="There is no such page" words={path} onRetry={null} />;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function App() {
  const path = usePath();
  const theme = useChoice();
  const me = useOperator();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  const [help, setHelp] = useState(false);
  const sound = useSound();
  useRenewal(me);
  useAlarm();
  useKeys({ "?": () => setHelp(true) });
  useEffect(() => {
    if (!first.current) main.current?.focus({ preventScroll: true }); // a new page: readers begin at its content
    first.current = false;
  }, [path]);
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link href="/" className="brand" aria-label="emon, queue">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="var(--accent)" />
            <path
              d="M5 17h6l3-8 5 15 3-7h5"
              fill="none"
              stroke="var(--accent-ink)"
              strokeWidth="2.6"
              strokeLinecap="round"
              strokeLinejoin="round"
            />
          </svg>
          <span>emon</span>
        </Link>
        <nav aria-label="Main">
          <Link href="/" aria-current={path === "/" ? "page" : undefined}>
            Queue
          </Link>
          <Link href="/alerts" aria-current={path === "/alerts" ? "page" : undefined}>
            Closed
          </Link>
        </nav>
        <span className="space" />
        <Life />
        <Operator me={me} />
        <button
          type="button"
          className="button icon hide-narrow"
          aria-label="Keys"
          title="Keys"
          onClick={() => setHelp(true)}
        >
          ?
        </button>
        <button
          type="button"
          className={sound === "blocked" ? "button icon is-blocked" : "button icon"}
          aria-label={`${SOUND_WORDS[sound]}. Switch ${sound === "off" ? "on" : "off"}`}
          title={SOUND_WORDS[sound]}
          onClick={toggleSound}
        >
          <Speaker sound={sound} />
        </button>
        <button
          type="button"
          className="button icon"
          aria-label={`Colours: ${THEME_WORDS[theme]}. Change`}
          title={THEME_WORDS[theme]}
          onClick={() => choose(NEXT[theme])}
        >
          {THEME_SIGNS[theme]}
        </button>
      </header>
      <StaleBanner />
      <main id="content" ref={main} tabIndex={-1}>
        <Page path={path} me={me} />
      </main>
      <Toasts />
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}
