// Readings of every kind in words, for timelines.

import type { Reading } from "./types.ts";
import { eventOf, methodOf, plain } from "./words.ts";

const number = (value: unknown, digits: number) => (typeof value === "number" ? value.toFixed(digits) : null);
const joined = (...parts: (string | null | undefined | false)[]) => parts.filter(Boolean).join(", ");

const BREATH_UNITS = [
  ["brac_g_210l", "g/210 L", 3],
  ["brac_mg_l", "mg/L", 3],
  ["brac_ug_100ml", "µg/100 mL", 0],
  ["brac_permille", "‰", 2],
] as const;

function breath(reading: Reading): string {
  const unit = BREATH_UNITS.find(([field]) => typeof reading[field] === "number");
  const purpose =
    typeof reading["purpose"] === "string" ? `${plain(reading["purpose"])} breath test` : "Breath test";
  return joined(
    `${purpose}: ${String(reading["result"] ?? "no result")}`,
    unit && `${number(reading[unit[0]], unit[2])} ${unit[1]}`,
    reading["face"] !== undefined && `face ${String(reading["face"])}`,
  );
}

/** What else a reading says, for the second line. */
export function aside(reading: Reading): string {
  return joined(
    reading.device,
    number(reading["skin_temperature_c"], 1) && `${number(reading["skin_temperature_c"], 1)} °C`,
    number(reading["ir_v"], 2) && `${number(reading["ir_v"], 2)} V`,
  );
}

/** One reading as one short sentence. */
export function describe(reading: Reading): string {
  switch (reading.kind) {
    case "position":
      return joined(
        `${methodOf(reading.method ?? "unknown")} fix`,
        number(reading.lat, 5) && `${number(reading.lat, 5)}, ${number(reading.lon, 5)}`,
        reading.accuracy_m === undefined ? "accuracy unknown" : `± ${reading.accuracy_m} m`,
      );
    case "status": {
      const battery = number(
        typeof reading["battery_fraction"] === "number" ? reading["battery_fraction"] * 100 : null,
        0,
      );
      return joined(eventOf(reading.event ?? "unknown"), battery && `battery ${battery} %`);
    }
    case "alcohol_transdermal": {
      const value = number(reading["tac_g_dl"], 3);
      return value
        ? `Alcohol at the skin: ${value} g/dL`
        : `Alcohol at the skin: ${number(reading["tac_ug_l"], 1) ?? "?"} µg/L`;
    }
    case "alcohol_breath":
      return breath(reading);
    case "presence":
      return reading["present"] === true ? "Home unit: present" : "Home unit: not present";
    case "lab_result":
      return joined(
        `Laboratory${reading["panel"] ? `, ${String(reading["panel"])}` : ""}: ${String(reading["result"] ?? "no result")}`,
      );
    default:
      return plain(reading.kind);
  }
}
