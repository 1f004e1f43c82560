// SPDX-License-Identifier: MIT
// All that a message may change, and the few steps that everything uses.
//
// (K1) what is touched is written down at the next commit; at most the whole registry waits for it.

import type { EventKind } from "./api.ts";
import type { AuditLog } from "./audit.ts";
import type { ChangeRing } from "./changes.ts";
import type { EventLog } from "./events.ts";
import type { ChannelRecord, NodeRecord, Registry } from "./registry.ts";
import type { Writes } from "./setpoints.ts";
import type { Silence } from "./presence.ts";
import type { Uns } from "./uns.ts";

/** Counters of the hub; `refused` by reason. */
export interface Counts {
  messages: number;
  ingested: number;
  unconfirmed: number;
  duplicates: number;
  readings: number;
  events: number;
  refused: Record<string, number>;
}

/** All that a message may change. */
export interface Core {
  counts: Counts;
  registry: Registry;
  events: EventLog;
  changes: ChangeRing;
  uns: Uns;
  writes: Writes;
  audit: AuditLog;
  silence: Silence;
  oee: Set<NodeRecord>; // whose totals changed and were not published
  touched: Set<NodeRecord>; // since the last commit; stays empty where nothing is written down
}

/** Marks a node for the next commit, and with it a channel. */
export function touch(core: Core, node: NodeRecord, channel: ChannelRecord | null): void {
  if (core.registry.history.keeper === null) return;
  if (channel === null) node.touched = true;
  else channel.touched = true;
  core.touched.add(node);
}

/** Adds an event of a node; a flood of the same kind at the same channel and alarm collapses. */
export function tell(
  core: Core,
  node: NodeRecord,
  event: {
    kind: EventKind;
    text: string;
    atMs: number;
    channel?: string;
    alarm?: string;
    value?: number | null;
  },
  wallMs: number,
): void {
  const place = `${event.kind}/${node.id}/${event.channel ?? ""}/${event.alarm ?? ""}`;
  core.events.add({ ...event, node: node.id, place }, wallMs);
}

/** Counts a refusal. */
export function countRefused(counts: Counts, reason: string): void {
  counts.refused[reason] = (counts.refused[reason] ?? 0) + 1;
}
