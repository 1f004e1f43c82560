// SPDX-License-Identifier: MIT
// The HTTP API of the hub as types: what the page and other readers get.
//
// Imports types alone, so that browser code may use it. Times are milliseconds since 1970 on the hub's
// clock, lengths of time milliseconds. A value is null when there is none (bad quality, never seen).
//
//   GET /api/snapshot                            -> Snapshot
//   GET /api/history?node=N&channel=C&since=MS   -> HistoryAnswer; 404 when there is no such channel
//        &until=MS&points=N: at most about N points (100..5,000); more are given as bands
//   GET /api/export.csv?node=N&channel=C&since=MS&until=MS -> all raw points: time,value; without
//        channel of all channels: time,node,channel,value
//   POST /api/setpoint  SetpointRequest -> SetpointAnswer; headers: x-ferrule-token, and of a page
//        x-ferrule-seen, the effectiveAtMs that it shows. Not 200: { error }; 409: the page is stale
//   POST /api/acknowledge  AcknowledgeRequest; header x-ferrule-token; 404: no such alarm, 409: it asks
//        for no acknowledgement
//   GET /api/audit?limit=N&node=N                -> Audit, newest first, at most 1,000; of one node
//   GET /api/stream?since=ID                     -> SSE: `id:` Change.id, `data:` a Change as JSON.
//        Last-Event-ID wins over `since`, the changeId of a snapshot; neither: from now on.
//        `event: reset`: those changes are gone, take a new snapshot; it goes on from now.
//   GET /api/tap?node=N&tap=T                    -> TapInventory; 404: no such tap
//   GET /api/tap/node.json?node=N&tap=T          -> a node.json for what the tap learned; 404: nothing yet
//   GET /healthz                                 -> Health, status 200 or 503

import type { NoticeView, TapView } from "./api-taps.ts";

export type * from "./api-taps.ts";

/** A node's presence as the broker told it; unknown: no presence message was seen. */
export type NodeState = "online" | "offline" | "lost" | "unknown";

export type Quality = "good" | "uncertain" | "bad";

export type ChannelKind =
  | "analog"
  | "register"
  | "computed"
  | "digital" // 0 or 1
  | "counter" // a running total
  | "vibration"
  | "state" // 0 stopped, 1 idle, 2 run, 3 fault
  | "field" // of a line of text that a tap hears
  | "object" // of a meter that a tap hears
  | "setpoint"; // the effective value of a set-point

/** What happened; each kind has its own word, so that a filter can name it. */
export type EventKind =
  | "alarm" // an alarm was raised
  | "returned" // it returned to normal
  | "acknowledged" // a person said that it was seen
  | "online"
  | "offline"
  | "lost"
  | "boot" // the node came back with another boot number
  | "firmware" // a module hash changed
  | "new-node" // heard for the first time
  | "trap" // the node's host counted a trap or a missed deadline
  | "dropped" // the node had to drop readings or events
  | "identity" // the node id came with another EUI-64
  | "clock" // a reading is stamped in the future of the hub's clock
  | "setpoint" // a set-point was written, or its outcome is known
  | "refused-write" // a write was refused, by the hub or by the node
  | "notice" // a security event of a line that a tap hears
  | "refused"; // a message was refused; `text` names the reason

export interface Snapshot {
  wallMs: number;
  changeId: number; // the newest change in here; a stream goes on after it
  plant: Plant;
  totals: Totals;
  nodes: NodeView[]; // by id
  events: EventView[]; // newest first, at most 200
}

export interface Plant {
  enterprise: string;
  site: string;
  area: string;
  line: string;
  cell: string;
}

/** Counters of the hub since its start. */
export interface Totals {
  messages: number; // from the broker, refused ones included
  ingested: number; // new readings and events that came at MQTT QoS 1
  unconfirmed: number; // new readings and events that came at MQTT QoS 0
  duplicates: number; // seen again and not taken twice
  readings: number; // new readings, any QoS
  events: number; // new events, any QoS
  refused: Record<string, number>; // messages, readings and events refused, by reason
  publicationsDropped: number; // values not published because the broker was away too long
  historyUnsaved: number; // points held in memory alone since the history's file failed
}

export interface NodeView {
  id: string;
  type: string | null; // null until its birth is complete
  state: NodeState;
  sinceMs: number; // since when it is in this state
  boot: number | null;
  lastSeenMs: number | null;
  eui64: string | null; // 16 hex digits
  loopHash: string | null; // SHA-256, 64 hex digits
  linkHash: string | null;
  firmware: string | null; // version
  host: string | null; // what runs the modules
  periodUs: number | null;
  line: string;
  cell: string;
  counters: Record<string, number>; // of the last status; empty before
  uptimeMs: number | null; // of link, in the last status
  statusAtMs: number | null; // when that status came
  taps: TapView[];
  outputs: OutputView[];
  channels: ChannelView[]; // in the node's order; unannounced ones last
  setpoints: SetpointView[]; // in the node's order
  machine: MachineState | null; // null: no channel of kind state, or its reading is bad
  totals: MachineTotals;
  oee: OeeView | null; // null: plant.json has no production plan for the machine
  link: LinkView;
}

/** What the machine says of itself, by its first channel of kind state. */
export interface MachineState {
  state: keyof StateTimes;
  sinceMs: number;
}

/** Raw totals for OEE, since the hub first heard the node. */
export interface MachineTotals {
  stateMs: StateTimes | null; // null: no channel of kind state
  counts: Record<string, number>; // by counter channel; goes on over wraps and restarts of the node
}

/** How long the machine was in each state, milliseconds. */
export interface StateTimes {
  run: number;
  idle: number;
  stopped: number;
  fault: number;
}

/** What plant.json plans for a machine. */
export interface ProductionPlan {
  busyShare: number; // 0..1, share of the time that is planned busy time
  itemMs: number; // planned run time per item
  total: string; // counter channel of produced items
  rejects?: string | undefined; // counter channel of those that are no good; absent: quality cannot be told
}

/** Effectiveness against the plan, ISO 22400-2; null: cannot be told, never 1. */
export interface OeeView {
  plan: ProductionPlan;
  busyMs: number; // PBT: planned busy time of the time in which the machine was heard
  produced: number | null; // PQ
  good: number | null; // GQ
  availability: number | null;
  effectiveness: number | null;
  quality: number | null;
  oee: number | null;
  warning: string | null; // one sentence
}

/** The way between node and gateway. */
export interface LinkView {
  roundTripMs: number | null; // smoothed; null: not measured
  sent: number; // datagrams since the start of link; 0: not told
  retransmissions: number; // of these, sent once more
}

export type SetpointState =
  | "none" // never written
  | "pending" // the node did not answer yet
  | "applied"
  | "clamped" // applied with another value
  | "refused"
  | "stale" // its lifetime ended, the node went back to the default
  | "timed-out"; // no answer within 10 s

/** A set-point has a channel of the same name, whose readings are the effective value. */
export interface SetpointView {
  name: string;
  unit: string | null;
  decimals: number;
  min: number;
  max: number;
  default: number;
  staleMs: number; // after this long without a write the node takes the default; 0: never
  effective: number | null; // null: not heard yet
  effectiveAtMs: number | null; // since when it is this value
  requested: number | null; // by the last write that was accepted
  requestedBy: string | null;
  requestedAtMs: number | null;
  state: SetpointState;
  reason: string | null; // why clamped, refused, stale or timed out, one sentence
}

/** Body of POST /api/setpoint, JSON of at most 1 kB. */
export interface SetpointRequest {
  node: string;
  name: string;
  value: number;
  by: string; // who, 1..64 characters
}

export interface SetpointAnswer {
  request: number; // names the write in its result and in the audit
}

/** Body of POST /api/acknowledge, JSON of at most 1 kB; the answer to it is { acknowledged: true }. */
export interface AcknowledgeRequest {
  node: string;
  channel: string;
  alarm: string;
  by: string; // who, 1..64 characters
  comment?: string; // one line of at most 120 characters
}

/** Body of an answer that is not 200. */
export interface Problem {
  error: string; // one sentence
}

export interface Audit {
  rows: AuditRow[];
}

/** A write, or what became of it: two rows of one request; or an acknowledgement: name is channel/alarm. */
export interface AuditRow {
  id: number;
  wallMs: number;
  node: string;
  name: string;
  value: number | null; // requested; null: it was no number
  effective: number | null; // of an outcome
  by: string; // "": not told
  request: number | null; // null: refused before it got a number
  outcome: "sent" | "acknowledged" | Exclude<SetpointState, "none" | "pending">;
  reason: string | null; // of an acknowledgement the comment
}

/** Limits of an output, 0..1. */
export interface OutputView {
  name: string;
  min: number;
  max: number;
  safe: number;
}

export interface ChannelView {
  name: string;
  unit: string | null; // SenML unit; null: a pure number
  kind: ChannelKind;
  decimals: number | null; // digits after the point; null: a float, show what is there
  value: number | null;
  text: string | null; // of a channel of texts, printable ASCII; it has no value
  quality: Quality;
  cause: string | null; // of a bad reading: open-wire, over-range, under-range, stale, ...
  atMs: number | null; // when it was sampled; null: no reading yet
  periodMs: number; // sampling period; 0: when it is heard
  heartbeatMs: number; // longest silence while all is well; 0: none promised
  alarms: AlarmView[];
  register: RegisterView | null;
  field: FieldView | null; // null: no field of a line, or its node does not tell which
  object: ObjectView | null; // null: no object of a meter
}

export interface AlarmView {
  name: string;
  above: boolean; // true: raised above the limit
  limit: number;
  hysteresis: number;
  delayMs: number;
  latch: boolean; // stays raised until the node resets it
  active: boolean;
  sinceMs: number | null; // since when it is active, or was until it returned; null: normal
  returnedMs: number | null; // when it returned, while nobody has acknowledged it
  raises: number; // how often it was raised since somebody acknowledged it
  acknowledged: boolean; // active, and somebody has seen it
  acknowledgedBy: string | null;
}

export interface RegisterView {
  tap: string;
  unitId: number;
  functionCode: number;
  address: number; // zero-based, as on the wire
  type: string; // u16 i16 u32 i32 f32 u64 i64 f64, "u16 bits 4-7", "text 8" of eight registers
  order: string; // ABCD CDAB BADC DCBA
}

/** Where a field of a text line stands. */
export interface FieldView {
  tap: string;
  pattern: string;
  field: string;
}

/** Which object of a meter it is. */
export interface ObjectView {
  tap: string;
  object: string; // OBIS code; of M-Bus DIB and VIB in hexadecimal
  value: number; // which of several, 1 the first; 0: the last one with a unit
  meter: string | null; // address or number of an M-Bus meter
}

export interface EventView {
  id: number;
  wallMs: number; // when it happened; of a collapsed one the newest
  node: string | null; // null: the hub itself, or a node that cannot be named
  kind: EventKind;
  text: string; // one sentence
  channel: string | null;
  alarm: string | null;
  value: number | null;
  count: number; // 1, or how many of the same a flood collapsed into this line
  notice?: NoticeView; // of kind notice
}

/**
 * One step of what the page shows. A reading may be older than the one before: a late one, for the
 * chart. An event change with a known event id replaces that line.
 */
export type Change =
  | {
      id: number;
      kind: "reading";
      node: string;
      channel: string;
      wallMs: number;
      value: number | null;
      text?: string; // of a channel of texts
      quality: Quality;
      cause: string | null;
    }
  | { id: number; kind: "node"; node: NodeView }
  | { id: number; kind: "event"; event: EventView };

/** Oldest first: points when they are few, else bands. */
export type HistoryAnswer = History | HistoryBands;

/** A null is a bad reading or a gap: no line may be drawn over it. */
export interface History {
  points: HistoryPoint[];
  bad?: BadSpan[]; // of a range that was asked for with until or points
  texts?: HistoryText[]; // of a channel of texts, which has no points: the newest changes
}

/** Each band stands for all good points from its time to the next one's; nulls are a gap. */
export interface HistoryBands {
  bands: HistoryBand[];
  widthMs: number; // of a band
  bad: BadSpan[];
}

/** A stretch in which the node said that it had no value. */
export type BadSpan = [sinceMs: number, untilMs: number];

/** A text from this time on; null: bad quality. */
export type HistoryText = [wallMs: number, text: string | null];

export type HistoryPoint = [wallMs: number, value: number | null];

export type HistoryBand = [
  wallMs: number,
  min: number | null,
  mean: number | null,
  max: number | null,
];

export interface Health {
  ok: boolean;
  broker: "connected" | "waiting"; // waiting: the broker is away, tried again
  awaySinceMs: number | null; // since when it is away; null: connected
  nodes: number;
  history: "memory" | "file" | "failed"; // failed: the file cannot be written, memory goes on
  reason: string | null; // why not ok, one sentence
}
