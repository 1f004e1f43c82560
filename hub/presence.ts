// SPDX-License-Identifier: MIT
// Whether a node is there: what presence says, and what silence says.
//
// Spec: SPEC.md §2. A will is published by a broker that is there. So a node that dies while broker or
// gateway are away is found by its silence: a status comes every 10 s.
// (P1) silence counts only while the hub hears the broker. (P2) a node lost by silence is online again
// with the next message that the broker did not keep; a kept "online" is what it said before.

import type { NodeState } from "./api.ts";
import { putNodeChange } from "./changes.ts";
import { type Core, tell, touch } from "./core.ts";
import { NODE_SILENT_MS_MAX } from "./limits.ts";
import { gapMs, type NodeRecord } from "./registry.ts";

/** What the hub knows of silence. */
export interface Silence {
  hearsSinceMs: number; // Infinity: the broker is away
  dueMs: number; // no online node is silent for too long before; Infinity: none is online
}

/** A hub that hears nothing yet. */
export function createSilence(): Silence {
  return { hearsSinceMs: Infinity, dueMs: Infinity };
}

/** The broker can be heard from now on, or not any more. */
export function setHearing(core: Core, hears: boolean, wallMs: number): void {
  core.silence.hearsSinceMs = hears ? wallMs : Infinity;
  core.silence.dueMs = hears ? wallMs + NODE_SILENT_MS_MAX : Infinity;
}

/** A presence that came; `isKept`: the broker kept it, so before the hub's start it is no news. */
export function takePresenceOf(
  core: Core,
  node: NodeRecord,
  state: "online" | "offline" | "lost",
  isKept: boolean,
  wallMs: number,
): void {
  if (node.state === state) return;
  if (isKept && node.silent && state === "online") return; // (P2)
  const isNews = node.state !== "unknown" || !isKept;
  become(core, node, state, isNews ? `${node.id} is ${state}.` : null, wallMs);
}

/** A message of the node that the broker did not keep. */
export function hearNode(core: Core, node: NodeRecord, wallMs: number): void {
  node.lastSeenMs = wallMs;
  if (node.silent) become(core, node, "online", `${node.id} is online: heard again.`, wallMs);
}

/** Tells nodes that are silent for too long; the wall time at which to come again. */
export function pollSilence(core: Core, wallMs: number): number {
  const { silence } = core;
  if (silence.hearsSinceMs === Infinity) return Infinity;
  const isSteppedBack = silence.dueMs !== Infinity && silence.dueMs > wallMs + NODE_SILENT_MS_MAX;
  if (wallMs < silence.dueMs && !isSteppedBack) return silence.dueMs;
  silence.hearsSinceMs = Math.min(silence.hearsSinceMs, wallMs);
  silence.dueMs = Infinity;
  for (const node of core.registry.nodes.values()) {
    if (node.state !== "online") continue;
    const seenMs = node.lastSeenMs ?? 0;
    const heardMs = seenMs > wallMs ? 0 : seenMs; // before the hub's clock stepped back
    const dueMs = Math.max(heardMs, silence.hearsSinceMs) + NODE_SILENT_MS_MAX;
    if (wallMs < dueMs) silence.dueMs = Math.min(silence.dueMs, dueMs);
    else loseSilent(core, node, wallMs);
  }
  return silence.dueMs;
}

function loseSilent(core: Core, node: NodeRecord, wallMs: number): void {
  const text = `${node.id} is lost: nothing was heard of it for ${NODE_SILENT_MS_MAX / 1000} s.`;
  become(core, node, "lost", text, wallMs);
  node.silent = true;
}

function become(
  core: Core,
  node: NodeRecord,
  state: Exclude<NodeState, "unknown">,
  text: string | null,
  wallMs: number,
): void {
  node.state = state;
  node.sinceMs = wallMs;
  node.silent = false;
  touch(core, node, null);
  core.uns.state(node);
  putNodeChange(core.changes, node.id);
  const { silence } = core;
  if (state !== "online") markSilence(node, wallMs);
  else if (silence.hearsSinceMs !== Infinity)
    silence.dueMs = Math.min(silence.dueMs, wallMs + NODE_SILENT_MS_MAX);
  if (text !== null) tell(core, node, { kind: state, text, atMs: wallMs }, wallMs);
}

/** Where a channel promised nothing, its chart has a gap from when the node went away. */
function markSilence(node: NodeRecord, wallMs: number): void {
  for (const channel of node.channels)
    if (channel.atMs !== null && gapMs(channel) === Infinity) channel.series.put(wallMs, NaN);
}
