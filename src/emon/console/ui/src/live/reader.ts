// Keeps one stream of alert events open: reconnects with backoff, says `Last-Event-ID`, and reports proof of
// life. Runs in the SharedWorker for all tabs, or in the page where the browser has no SharedWorker.

import { parse } from "./sse.ts";

export type LiveMessage =
  | { type: "event"; name: string; data: string; id: string | null }
  | { type: "state"; live: boolean; heardAt: number | null; attempt: number }
  | { type: "resync" };

const SILENCE_MS = 15_000; // three missed heartbeats: the connection is dead whatever the socket says
const BACKOFF_MS = [500, 1_000, 2_000, 4_000, 8_000] as const;

export class StreamReader {
  private lastId: string | null = null;
  private heardAt: number | null = null;
  private live = false;
  private attempt = 0;
  private everLive = false;
  private stopped = false;
  private abort = new AbortController();
  private readonly url: string;
  private readonly tell: (message: LiveMessage) => void;

  constructor(url: string, tell: (message: LiveMessage) => void) {
    this.url = url;
    this.tell = tell;
    void this.run();
  }

  state(): LiveMessage {
    return { type: "state", live: this.live, heardAt: this.heardAt, attempt: this.attempt };
  }

  stop(): void {
    this.stopped = true;
    this.abort.abort();
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await this.connect().catch(() => undefined); // every failure has one answer: try again
      this.live = false;
      this.tell(this.state());
      const wait = BACKOFF_MS[Math.min(this.attempt, BACKOFF_MS.length - 1)] ?? 8_000;
      this.attempt += 1;
      await new Promise((resume) => setTimeout(resume, wait * (0.75 + Math.random() / 2)));
    }
  }

  private async connect(): Promise<void> {
    this.abort = new AbortController();
    let silence = setTimeout(() => this.abort.abort(), SILENCE_MS);
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (this.lastId !== null) headers["Last-Event-ID"] = this.lastId;
      const response = await fetch(this.url, { headers, cache: "no-store", signal: this.abort.signal });
      if (!response.ok || !response.body) return;
      this.opened();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => this.abort.abort(), SILENCE_MS);
        const parsed = parse(rest, value);
        rest = parsed.rest;
        for (const event of parsed.events) {
          if (event.id !== null) this.lastId = event.id;
          this.tell(event.name === "resync" ? { type: "resync" } : { type: "event", ...event });
        }
        this.heard();
      }
    } finally {
      clearTimeout(silence);
    }
  }

  private opened(): void {
    this.live = true;
    this.attempt = 0;
    if (this.everLive) this.tell({ type: "resync" }); // what happened meanwhile is read anew, not guessed
    this.everLive = true;
    this.heard();
  }

  private heard(): void {
    this.heardAt = Date.now();
    this.tell(this.state());
  }
}
