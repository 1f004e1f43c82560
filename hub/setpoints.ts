// SPDX-License-Identifier: MIT
// Writes to set-points: checked, sent, answered or timed out.
//
// Spec: SPEC.md §2, `set` and `set/result`. Each step has a row in the audit. The effective value is what the node says it is.
// (P1) a write is refused at once when it is out of limits, finer than the set-point, or older than what
//      the page must know; at most SETPOINTS_PENDING_MAX are under way.
// (P2) a write that was not answered in SETPOINT_ANSWER_MS_MAX is timed out and never sent any more.
// (P3) request numbers rise, over restarts too: not below wall time in seconds.

import { TOPIC_ROOT, TOPIC_SET } from "../firmware/wire/topics.ts";
import type { AuditRow, SetpointState, SetpointView } from "./api.ts";
import { putNodeChange } from "./changes.ts";
import { type Core, countRefused, tell, touch } from "./core.ts";
import * as limits from "./limits.ts";
import type { ChannelRecord, NodeRecord } from "./registry.ts";
import * as messages from "./set-messages.ts";
import type { Publication } from "./uns.ts";

/** What is known of a set-point beside its readings. */
export interface SetpointRecord {
  effective: number | null;
  effectiveAtMs: number | null;
  request: number; // the newest; 0: none
  requested: number | null;
  requestedBy: string | null;
  requestedAtMs: number | null;
  state: SetpointState;
  reason: string | null;
}

export interface SetpointWrite {
  node: string;
  name: string;
  value: number;
  by: string;
  seenMs: number | null; // effectiveAtMs of the page that writes; null: no page
}

/** What becomes of a write at once; `status` as HTTP has it. */
export type WriteAnswer = { request: number } | { status: number; error: string };

/** Writes under way. */
export interface Writes {
  lastRequest: number;
  pending: Map<number, { node: NodeRecord; channel: ChannelRecord; dueMs: number }>;
  unsent: Unsent[]; // bounded by pending
}

interface Unsent {
  request: number;
  topic: string;
  payload: Uint8Array;
  untilMs: number;
}

export function createWrites(): Writes {
  return { lastRequest: 0, pending: new Map(), unsent: [] };
}

export function newSetpoint(): SetpointRecord {
  return {
    effective: null,
    effectiveAtMs: null,
    request: 0,
    requested: null,
    requestedBy: null,
    requestedAtMs: null,
    state: "none",
    reason: null,
  };
}

/** Sends a write on its way, or refuses it; both are told and written down. */
export function writeSetpoint(core: Core, write: SetpointWrite, wallMs: number): WriteAnswer {
  const node = core.registry.nodes.get(write.node);
  const channel = node?.byName.get(write.name);
  const refused = refusalOf(core, write, node, channel);
  if (refused !== null || node === undefined || channel === undefined) {
    const { status, error } = refused ?? NO_SETPOINT;
    refuseWrite(core, { ...write, reason: error }, wallMs);
    return { status, error };
  }
  const request = nextRequest(core.writes, wallMs);
  const birth = channel.birth;
  const decimals = birth?.decimals ?? 0;
  const mantissa = Math.round(write.value / (birth?.step ?? 1));
  const payload = messages.encodeSet({
    request,
    name: channel.name,
    mantissa,
    decimals,
    lifetimeMs: 0,
  });
  const topic = `${TOPIC_ROOT}/${node.id}/${TOPIC_SET}`;
  const dueMs = wallMs + limits.SETPOINT_ANSWER_MS_MAX;
  supersede(core, node, channel, wallMs);
  core.writes.unsent.push({ request, topic, payload, untilMs: dueMs });
  core.writes.pending.set(request, { node, channel, dueMs });
  Object.assign(setpointOf(channel), {
    request,
    requested: write.value,
    requestedBy: write.by,
    requestedAtMs: wallMs,
    state: "pending",
    reason: null,
  });
  const text = `${write.by} asks ${node.id} for ${channel.name} ${write.value}.`;
  settle(core, { node, channel, kind: "setpoint", text, wallMs });
  audit(core, node, channel, { outcome: "sent", wallMs });
  return { request };
}

/** Tells and writes down a write that was refused, whatever it was for. */
export function refuseWrite(
  core: Core,
  write: { node: string; name: string; value: number | null; by: string; reason: string },
  wallMs: number,
): void {
  const { node, name, value, by, reason } = write;
  const known = core.registry.nodes.get(node);
  const channel = known?.byName.get(name);
  const what = known === undefined ? "A write" : `${node} ${channel?.name ?? "write"}`;
  core.events.add(
    {
      place: `refused-write/${known?.id ?? ""}/${channel?.name ?? ""}`,
      kind: "refused-write",
      node: known?.id ?? null,
      text: `${what} was refused: ${reason}.`,
      atMs: wallMs,
      ...(channel !== undefined && { channel: channel.name }),
      value,
    },
    wallMs,
  );
  core.audit.add({
    wallMs,
    node,
    name,
    value,
    effective: null,
    by,
    request: null,
    outcome: "refused",
    reason,
  });
}

/** Takes a node's answer; one to a write that is not the newest is counted. */
export function takeSetResult(
  core: Core,
  node: NodeRecord,
  result: messages.SetResult,
  wallMs: number,
): void {
  const channel = node.channels.find(
    (one) => one.birth?.setpoint && one.setpoint?.request === result.request,
  );
  const setpoint = channel?.setpoint;
  if (channel === undefined || !setpoint || setpoint.request === 0)
    return countRefused(core.counts, "old-result");
  const state = stateOf(result.code);
  if (result.effective !== null) takeEffective(channel, result.effective, wallMs);
  if (setpoint.state === state) return; // said again
  core.writes.pending.delete(result.request);
  setpoint.state = state;
  setpoint.reason = messages.resultReason(result.code);
  const effective = result.effective === null ? "" : `, effective ${result.effective}`;
  const reason = setpoint.reason === null ? "" : `: ${setpoint.reason}`;
  const text = `${node.id} ${channel.name} ${setpoint.requested} is ${state}${effective}${reason}.`;
  const kind = state === "refused" ? "refused-write" : "setpoint";
  settle(core, { node, channel, kind, text, wallMs });
  audit(core, node, channel, { outcome: state, wallMs });
}

/** A newest good reading of the set-point's channel, or an answer: what the node goes by. */
export function takeEffective(channel: ChannelRecord, value: number, atMs: number): void {
  const setpoint = setpointOf(channel);
  if (setpoint.effective === value) return;
  setpoint.effective = value;
  setpoint.effectiveAtMs = atMs;
}

/** Times out what was not answered; returns when the next one is due. */
export function pollSetpoints(core: Core, wallMs: number): number {
  let deadlineMs = Infinity;
  for (const [request, { node, channel, dueMs }] of core.writes.pending) {
    // A clock that stepped back far must not hold a write for long.
    if (wallMs < dueMs && dueMs - wallMs <= limits.SETPOINT_ANSWER_MS_MAX) {
      deadlineMs = Math.min(deadlineMs, dueMs);
      continue;
    }
    endWrite(core, { request, node, channel }, "the node did not answer within 10 s", wallMs);
  }
  return deadlineMs;
}

/** What is to be published now; it is not given again. */
export function takeWrites(writes: Writes): Publication[] {
  const unsent = writes.unsent.splice(0);
  return unsent.map(({ topic, payload, untilMs }) => ({ topic, payload, untilMs, retain: false }));
}

/** Takes up again what was under way when the hub stopped. */
export function resumeWrites(core: Core, node: NodeRecord, channel: ChannelRecord): void {
  const { setpoint } = channel;
  if (setpoint === null) return;
  const { request, state, requestedAtMs } = setpoint;
  core.writes.lastRequest = Math.max(core.writes.lastRequest, request);
  if (state !== "pending") return;
  const dueMs = (requestedAtMs ?? 0) + limits.SETPOINT_ANSWER_MS_MAX;
  core.writes.pending.set(request, { node, channel, dueMs });
}

export function setpointViews(node: NodeRecord): SetpointView[] {
  const views: SetpointView[] = [];
  for (const { name, birth, setpoint } of node.channels) {
    if (birth === null || birth.setpoint === null) continue;
    const { request: _, ...known } = setpoint ?? newSetpoint();
    const { unit, decimals } = birth;
    views.push({ name, unit, decimals: decimals ?? 0, ...birth.setpoint, ...known });
  }
  return views;
}

const NO_SETPOINT = { status: 404, error: "there is no such set-point" };
const WRITES_FULL = { status: 503, error: "too many writes are under way: try again in 10 s" };
const STALE_PAGE = {
  status: 409,
  error: "the value has changed since the page showed it: look at it and write again",
};
const STEP_SLACK = 1e-6; // of a step: 18.2 / 0.1 is 181.99999999999997

function refusalOf(
  core: Core,
  { value, seenMs }: SetpointWrite,
  node: NodeRecord | undefined,
  channel: ChannelRecord | undefined,
): { status: number; error: string } | null {
  const birth = channel?.birth;
  const bounds = birth?.setpoint;
  if (node === undefined || !birth || !bounds) return NO_SETPOINT;
  const unit = birth.unit === null ? "" : ` ${birth.unit}`;
  if (value < bounds.min)
    return { status: 422, error: `${value} is below the least value ${bounds.min}${unit}` };
  if (value > bounds.max)
    return { status: 422, error: `${value} is above the greatest value ${bounds.max}${unit}` };
  const steps = value / birth.step;
  if (!(Math.abs(steps - Math.round(steps)) < STEP_SLACK))
    return { status: 422, error: `${value} is finer than the set-point's step ${birth.step}` };
  if (seenMs !== null && seenMs < (channel?.setpoint?.effectiveAtMs ?? -Infinity))
    return STALE_PAGE;
  if (node.state === "offline" || node.state === "lost")
    return { status: 409, error: `${node.id} is ${node.state} and would not hear it` };
  return core.writes.pending.size >= limits.SETPOINTS_PENDING_MAX ? WRITES_FULL : null;
}

function nextRequest(writes: Writes, wallMs: number): number {
  const request = Math.max(writes.lastRequest + 1, Math.floor(wallMs / 1000));
  // u32: after 2106 numbers start again; 0 means none.
  writes.lastRequest = request > 0xffff_ffff || request < 1 ? 1 : request;
  return writes.lastRequest;
}

function setpointOf(channel: ChannelRecord): SetpointRecord {
  channel.setpoint ??= newSetpoint();
  return channel.setpoint;
}

function stateOf(code: number): Exclude<SetpointState, "none" | "pending" | "timed-out"> {
  if (code === messages.CODE_APPLIED) return "applied";
  if (code === messages.CODE_CLAMPED) return "clamped";
  return code === messages.CODE_STALE ? "stale" : "refused";
}

/** A newer write of the same set-point ends the wait for the one before. */
function supersede(core: Core, node: NodeRecord, channel: ChannelRecord, wallMs: number): void {
  const request = channel.setpoint?.request ?? 0;
  if (!core.writes.pending.has(request)) return;
  endWrite(core, { request, node, channel }, "a newer write came before an answer", wallMs);
}

function endWrite(
  core: Core,
  write: { request: number; node: NodeRecord; channel: ChannelRecord },
  reason: string,
  wallMs: number,
): void {
  const { request, node, channel } = write;
  core.writes.pending.delete(request);
  core.writes.unsent = core.writes.unsent.filter((one) => one.request !== request);
  const setpoint = setpointOf(channel);
  setpoint.state = "timed-out";
  setpoint.reason = reason;
  const text = `${node.id} ${channel.name} ${setpoint.requested} has no answer: ${reason}.`;
  settle(core, { node, channel, kind: "setpoint", text, wallMs });
  audit(core, node, channel, { outcome: "timed-out", wallMs });
}

function settle(
  core: Core,
  what: {
    node: NodeRecord;
    channel: ChannelRecord;
    kind: "setpoint" | "refused-write";
    text: string;
    wallMs: number;
  },
): void {
  const { node, channel, kind, text, wallMs } = what;
  const value = channel.setpoint?.requested ?? null;
  tell(core, node, { kind, text, atMs: wallMs, channel: channel.name, value }, wallMs);
  touch(core, node, channel);
  putNodeChange(core.changes, node.id);
}

function audit(
  core: Core,
  node: NodeRecord,
  channel: ChannelRecord,
  { outcome, wallMs }: { outcome: AuditRow["outcome"]; wallMs: number },
): void {
  const { request, requested, requestedBy, reason, effective } = channel.setpoint ?? newSetpoint();
  core.audit.add({
    wallMs,
    node: node.id,
    name: channel.name,
    value: requested,
    effective: outcome === "sent" || outcome === "timed-out" ? null : effective,
    by: requestedBy ?? "",
    request,
    outcome,
    reason,
  });
}
