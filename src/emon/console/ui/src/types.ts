// The alerts API's answers, as far as these pages read them. Instants are RFC 3339. Work times
// (waiting_since, lease_until, work_due, recorded_at) are the wall's clock, all others the pipeline's.

export interface Alert {
  id: number;
  version: number;
  priority: number; // 1 is the most urgent
  title: string;
  status: string;
  condition_state: "active" | "cleared";
  work_state: "new" | "claimed" | "in_progress" | "closed";
  participant: string | null;
  participant_name: string | null;
  order: string | null;
  condition: string | null;
  family: string;
  kind: string;
  event: string | null; // of a tamper
  feed: string | null;
  level: number;
  latched: boolean;
  withdrawn: boolean;
  touched: boolean;
  onset: string;
  ended: string | null;
  seen_until: string | null;
  opened_at: string;
  waiting_since: string | null;
  holder: string | null;
  lease_until: string | null;
  acknowledged_at: string | null;
  work_due: string | null;
  disposition: string | null;
  closed_by: string | null;
  closed_at: string | null;
  activations: number;
  finding_count: number;
  previous: number | null;
  officer: string | null;
  supervision_level: string | null;
  last_event: number;
  time_zone?: string | null; // the order's; rows without one are shown on this computer's clock
}

export interface Counts {
  total: number;
  by_priority: Record<string, number>;
}

export interface AlertPage {
  alerts: Alert[];
  next: string | null;
  counts: Counts;
  last_event: number;
  now: string;
}

export interface Reading {
  device: string;
  kind: string;
  observed_at: string;
  received_at?: string;
  lat?: number;
  lon?: number;
  accuracy_m?: number;
  method?: string;
  event?: string;
  [field: string]: unknown;
}

export interface EvidenceReading {
  device: string;
  kind: string;
  observed_at: string;
  seq?: number;
}

export interface Finding {
  finding_id: string;
  revision: number;
  kind: string;
  status: string;
  level: number;
  reason: string;
  onset: string;
  ended: string | null;
  decided_at: string;
  received_at: string | null;
  late: boolean;
  seen_until: string | null;
  order_version: number | null;
  zone_version: number | null;
  rule_version: number;
  evidence: { readings?: EvidenceReading[]; [name: string]: unknown };
}

export interface Revision {
  revision: number;
  status: string;
  kind: string;
  level: number;
  onset: string;
  ended: string | null;
  decided_at: string;
  reason: string;
}

export interface Span {
  from: string;
  to: string | null;
}

export interface FindingView {
  finding: Finding;
  sentence: string;
  not_observed: Span[];
  revisions: Revision[];
}

export interface WorkEvent {
  seq: number;
  version: number;
  kind: string;
  at: string;
  recorded_at: string;
  actor: string | null;
  via: string | null;
  data: Record<string, unknown> | null;
}

export interface Attempt {
  attempt: number;
  channel: string;
  address: string;
  started_at: string;
  finished_at: string | null;
  outcome: string;
  detail: string | null;
}

export interface Notification {
  id: string;
  kind: string;
  recipient: string | null;
  recipient_name: string | null;
  subject: string | null;
  text: string | null;
  state: string;
  state_reason: string | null;
  corrects: string | null;
  created_at: string;
  sent_at: string | null;
  attempts: Attempt[];
}

export interface Condition {
  id: string;
  kind: string;
  [field: string]: unknown;
}

export interface Place {
  id: string;
  lat: number;
  lon: number;
  radius_m: number;
}

export interface OrderView {
  order: string;
  version: number;
  participant: string;
  time_zone: string;
  agency: string | null;
  officer: string | null;
  supervision_level: string | null;
  effective_from: string | null;
  effective_until: string | null;
  void: boolean;
  conditions: Condition[];
  places: Place[];
}

export interface ZoneFeature {
  type: "Feature";
  properties: {
    id?: string;
    name?: string;
    version?: number;
    kind?: string;
    radius_m?: number;
    [name: string]: unknown;
  };
  geometry:
    | { type: "Polygon"; coordinates: [number, number][][] }
    | { type: "MultiPolygon"; coordinates: [number, number][][][] }
    | { type: "Point"; coordinates: [number, number] };
}

export interface AlertDetail extends Alert {
  order_in_force: OrderView | null;
  condition_in_force: Condition | null;
  zones: { type: "FeatureCollection"; features: ZoneFeature[] };
  findings: FindingView[];
  events: WorkEvent[];
  notifications: Notification[];
  earlier: Alert[];
  track: { href: string; from: string; to: string } | null;
  allowed: string[];
  note_required: boolean;
  must_clear: boolean;
  dispositions: string[];
}

export interface Binding {
  binding: string;
  version: number;
  device: string;
  role: string | null;
  place: string | null;
  feed: string | null;
  from: string | null;
  until: string | null;
  void: boolean;
}

export interface Participant {
  id: string;
  name: string | null;
  language: string | null;
  time_zone: string | null;
  orders: OrderView[];
  bindings: Binding[];
  alerts: Alert[];
  last_reading: Reading | null;
  last_position: Reading | null;
  now: string;
}

export interface Track {
  participant: string;
  from: string;
  to: string;
  readings: Reading[];
  truncated: boolean;
}

export interface Stage {
  stage: string;
  partition: number;
  position: number;
  end: number;
  lag: number;
  last_tick: string | null;
  caught_up_at: string | null;
  updated_at: string;
}

export interface Status {
  version: string;
  now: string;
  pipeline_now: string;
  last_tick: string | null;
  late_s: number | null;
  stages: Stage[];
  notifications_waiting: number;
  notifications_failed: number;
  open_alerts: Counts;
  last_event: number;
}

export interface Clock {
  now: string;
  pipeline_now: string;
  last_tick: string | null;
  late_s: number | null;
  last_event: number;
}

export interface Problem {
  error: string;
  detail: string;
  holder?: string | null;
  lease_until?: string | null;
  version?: number | null;
  changed_by?: string | null;
}
