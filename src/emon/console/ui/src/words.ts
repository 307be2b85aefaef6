// Plain titles for what rules observed. A finding is a fact; whether it is a breach is a court's conclusion,
// so kinds that concern an obligation of the participant say "Possible breach" and never more.

interface Title {
  title: string;
  breach: boolean;
}

const TITLES: Record<string, Title> = {
  exclusion_zone: { title: "inside an exclusion zone", breach: true },
  inclusion_zone: { title: "outside the permitted area", breach: true },
  zone_crossing: { title: "path crossed an exclusion zone", breach: true },
  curfew_absent: { title: "not at home during curfew", breach: true },
  curfew_left: { title: "left home during curfew", breach: true },
  curfew_late: { title: "late home for curfew", breach: true },
  curfew_accumulated: { title: "weekly curfew allowance used up", breach: true },
  attendance_missed: { title: "appointment missed", breach: true },
  attendance_late: { title: "late for an appointment", breach: true },
  attendance_left: { title: "left an appointment early", breach: true },
  keep_away: { title: "close to a protected person", breach: true },
  protected_contact_lost: { title: "Protected person's device is silent", breach: false },
  protected_battery: { title: "Protected person's battery is low", breach: false },
  alcohol_possible: { title: "alcohol, not yet confirmed", breach: true },
  alcohol_confirmed: { title: "alcohol, confirmed", breach: true },
  alcohol_review: { title: "Alcohol readings need review", breach: false },
  alcohol_no_upload: { title: "No alcohol readings uploaded", breach: false },
  breath_failed: { title: "breath test failed", breach: true },
  breath_missed: { title: "breath test missed", breach: true },
  breath_incomplete: { title: "Breath test incomplete", breach: false },
  breath_refused: { title: "breath test refused", breach: true },
  breath_not_received: { title: "Breath test not received", breach: false },
  test_failed: { title: "laboratory test failed", breach: true },
  test_missed: { title: "laboratory test missed", breach: true },
  tamper: { title: "Device tamper", breach: false },
  panic: { title: "Panic button pressed", breach: false },
  battery: { title: "Device battery is low", breach: false },
  charging_missed: { title: "Device was not charged", breach: false },
  motion_without_fix: { title: "Moving without a position", breach: false },
  contact_lost: { title: "No contact with the device", breach: false },
  location_lost: { title: "In contact, but no position", breach: false },
  implausible_movement: { title: "Implausible movement", breach: false },
  feed_outage: { title: "Vendor feed is silent", breach: false },
};

const TAMPERS: Record<string, string> = {
  strap_open: "strap opened",
  case_open: "case opened",
  proximity_lost: "away from its wearer",
  shielding_start: "shielded",
  jamming_start: "signal jammed",
  mock_location: "location faked",
};

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** Words for a code that this console does not know yet: never an empty label. */
export const plain = (code: string) => capital(code.replaceAll("_", " "));

/** "Possible breach: inside an exclusion zone", "Device tamper: strap opened". `event` names a tamper. */
export function titleOf(kind: string, event?: string | null): string {
  if (kind === "tamper" && event && TAMPERS[event]) return `Device tamper: ${TAMPERS[event]}`;
  const known = TITLES[kind];
  if (!known) return plain(kind);
  return known.breach ? `Possible breach: ${known.title}` : known.title;
}

/** The same without the prefix, where a column already says so. */
export function shortTitleOf(kind: string, event?: string | null): string {
  return capital(titleOf(kind, event).replace("Possible breach: ", ""));
}

const LEVELS = [
  ["Artefact", "Likely an artefact of measurement"],
  ["Unverified", "Observed once or indirectly; not verified"],
  ["Probable", "Confirmed by several readings"],
  ["Confirmed", "Confirmed with a wide margin"],
  ["Confirmed threat", "Confirmed with a wide margin, and a person is threatened"],
] as const;

/** How sure: [word, sentence]. */
export function levelOf(level: number): readonly [string, string] {
  return LEVELS[level] ?? [`Level ${level}`, ""];
}

const EVENTS: Record<string, string> = {
  strap_open: "Strap opened",
  case_open: "Case opened",
  proximity_lost: "Device away from its wearer",
  shielding_start: "Shielding began",
  jamming_start: "Jamming began",
  mock_location: "Location faked",
  strap_closed: "Strap closed",
  case_closed: "Case closed",
  proximity_restored: "Device back at its wearer",
  shielding_stop: "Shielding ended",
  jamming_stop: "Jamming ended",
  motion_start: "Began to move",
  motion_stop: "Stopped moving",
  charging_start: "Charging began",
  charging_stop: "Charging ended",
  battery: "Battery report",
  power_off: "Switched off",
  power_on: "Switched on",
  heartbeat: "Heartbeat",
  panic: "Panic button",
};

export const eventOf = (event: string) => EVENTS[event] ?? plain(event);

const METHODS: Record<string, string> = {
  gnss: "GNSS",
  wifi: "Wi-Fi",
  cell: "Cell",
  rf: "RF",
  beacon: "Beacon",
  unknown: "Unknown",
};

export const methodOf = (method: string) => METHODS[method] ?? plain(method);
