// Instants are RFC 3339 strings on the wire and milliseconds here. Times are shown in the order's own zone
// with its offset, because that is what a court reads; UTC stands in the tooltip.

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  const options: Intl.DateTimeFormatOptions = {
    weekday: "short",
    day: "2-digit",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "longOffset",
  };
  let made: Intl.DateTimeFormat;
  try {
    made = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone });
  } catch {
    made = new Intl.DateTimeFormat("en-GB", { ...options, timeZone: "UTC" }); // a zone this browser does not know
  }
  formatters.set(zone, made);
  return made;
}

export interface LocalTime {
  date: string;
  year: string;
  time: string;
  offset: string;
}

/** Milliseconds of an RFC 3339 instant; NaN where it is none. */
export function millis(instant: string): number {
  return Date.parse(instant);
}

/** Date, time and offset as a clock in `zone` shows them. */
export function local(at: number, zone: string): LocalTime {
  if (!Number.isFinite(at)) return { date: "?", year: "", time: "?", offset: "" };
  const part: Record<string, string> = {};
  for (const { type, value } of formatter(zone).formatToParts(at)) part[type] = value;
  const offset = (part["timeZoneName"] ?? "").replace("GMT", "").replace("-", "\u2212");
  return {
    date: `${part["weekday"]} ${part["day"]} ${part["month"]?.slice(0, 3)}`,
    year: part["year"] ?? "",
    time: `${part["hour"]}:${part["minute"]}:${part["second"]}`,
    offset: offset || "UTC",
  };
}

/** For tooltips and exports: "2026-11-22 02:42:49 UTC". */
export function utc(at: number): string {
  if (!Number.isFinite(at)) return "unknown";
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** "45 s", "12 min", "3 h 05 min", "4 d 2 h": two units at most. */
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 90) return `${s} s`;
  const min = Math.floor(s / 60);
  if (min < 60) return `${min} min`;
  const h = Math.floor(min / 60);
  if (h < 48) return min % 60 === 0 ? `${h} h` : `${h} h ${String(min % 60).padStart(2, "0")} min`;
  const d = Math.floor(h / 24);
  return h % 24 === 0 ? `${d} d` : `${d} d ${h % 24} h`;
}

/** Value of a datetime-local field (wall clock in `zone`) for an instant. */
export function toField(at: number, zone: string): string {
  const parts: Record<string, string> = {};
  for (const { type, value } of new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(at))
    parts[type] = value;
  return `${parts["year"]}-${parts["month"]}-${parts["day"]}T${parts["hour"]}:${parts["minute"]}`;
}

/** Inverse of `toField`: a doubled wall-clock time takes the first instant, a missing one the next. */
export function fromField(text: string, zone: string): number {
  const wall = Date.parse(`${text}Z`);
  if (!Number.isFinite(wall)) return NaN;
  const guesses = [-14, -1, 0, 1, 14].map((h) => offsetAt(wall + h * 3_600_000, zone));
  const fits = [...new Set(guesses)]
    .map((offset) => wall - offset)
    .filter((at) => offsetAt(at, zone) === wall - at)
    .sort((a, b) => a - b);
  return fits[0] ?? wall - Math.min(...guesses);
}

function offsetAt(at: number, zone: string): number {
  return Date.parse(`${toField(at, zone)}Z`) - Math.floor(at / 60_000) * 60_000;
}
