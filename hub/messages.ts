// SPDX-License-Identifier: MIT
// Messages from the broker: which kind, of which node, and what each does.
//
// Spec: SPEC.md §2 to §5. What cannot be taken is refused by name and leaves all else as it was.

import type { NodeState } from "./api.ts";
import { joinBirth } from "./birth.ts";
import { createCborCheck } from "./cbor.ts";
import { createCborReader } from "./cbor-reader.ts";
import { putNodeChange } from "./changes.ts";
import { type Core, countRefused, tell, touch } from "./core.ts";
import { createPackDecoder, type PackDecoder } from "./decode.ts";
import { decodeBirthPart, decodeStatus } from "./decode-birth.ts";
import { ingestPack, ingestStatus, meetBoot, meetHardware } from "./ingest.ts";
import { forgetChannel } from "./keep.ts";
import { hearNode, takePresenceOf } from "./presence.ts";
import { applyBirth, type NodeRecord, nodeOf } from "./registry.ts";
import { decodeFindings } from "./decode-findings.ts";
import { takeFindings } from "./findings.ts";
import { decodeSetResult } from "./set-messages.ts";
import { takeSetResult } from "./setpoints.ts";
import { createTopicParser, type NodeTopic, type TopicParser } from "./topics.ts";

/** A message from the broker. */
export interface HubMessage {
  topic: string;
  payload: Uint8Array;
  qos: number;
  retain: boolean;
}

/** A core and what it reads messages with. */
export interface Taker {
  core: Core;
  parse: TopicParser;
  decodePack: PackDecoder;
  check: ReturnType<typeof createCborCheck>;
  reader: ReturnType<typeof createCborReader>;
}

export function createTaker(core: Core): Taker {
  const check = createCborCheck();
  const reader = createCborReader();
  const decodePack = createPackDecoder(check, reader);
  return { core, parse: createTopicParser(), decodePack, check, reader };
}

/** Takes a message from the broker; what is wrong with it is counted and told. */
export function takeMessage(taker: Taker, message: HubMessage, wallMs: number): void {
  const { core } = taker;
  core.counts.messages++;
  const topic = taker.parse(message.topic);
  if (topic === null) return refuse(core, "bad-topic", "", wallMs);
  switch (topic.kind) {
    case "data":
    case "event":
      return takePack(taker, topic.node, topic.kind, message, wallMs);
    case "presence":
      return takePresence(core, topic.node, message, wallMs);
    case "status":
      return takeStatus(taker, topic.node, message, wallMs);
    case "birth":
      return takeBirth(taker, topic, message, wallMs);
    case "result":
      return takeResult(taker, topic.node, message, wallMs);
    case "tap":
      return takeTap(taker, topic.node, message, wallMs);
    case "time": // between node and gateway
    case "set": // the hub's own
      return;
  }
}

function takePack(
  taker: Taker,
  id: string,
  kind: "data" | "event",
  message: HubMessage,
  wallMs: number,
): void {
  const { core } = taker;
  const pack = taker.decodePack(message.payload, kind);
  if (typeof pack === "string") return refuse(core, pack, id, wallMs);
  const node = hear(core, id, message, wallMs);
  if (node !== null) ingestPack(core, node, pack, kind, { wallMs, qos: message.qos });
}

function takeStatus(taker: Taker, id: string, message: HubMessage, wallMs: number): void {
  const { core } = taker;
  const status = decodeStatus(taker.check, taker.reader, message.payload);
  if (typeof status === "string") return refuse(core, status, id, wallMs);
  const node = hear(core, id, message, wallMs);
  if (node !== null) ingestStatus(core, node, status, wallMs);
}

function takeTap(taker: Taker, id: string, message: HubMessage, wallMs: number): void {
  const { core, check, reader } = taker;
  const findings = decodeFindings(check, reader, message.payload);
  if (typeof findings === "string") return refuse(core, findings, id, wallMs);
  const node = hear(core, id, message, wallMs);
  if (node === null || findings.boot < node.boot) return;
  const before = node.findings.taps.size;
  const lines = findings.items.some(({ form }) => form === "line");
  // What it learned is asked for by itself; the line, and that there is something, is in the node's view.
  if (
    takeFindings(node.findings, findings, wallMs) &&
    (lines || node.findings.taps.size !== before)
  )
    putNodeChange(core.changes, node.id);
}

function takeResult(taker: Taker, id: string, message: HubMessage, wallMs: number): void {
  const { core, check, reader } = taker;
  const result = decodeSetResult(check, reader, message.payload);
  if (typeof result === "string") return refuse(core, result, id, wallMs);
  const node = hear(core, id, message, wallMs);
  if (node !== null) takeSetResult(core, node, result, wallMs);
}

function takePresence(core: Core, id: string, message: HubMessage, wallMs: number): void {
  if (message.payload.length === 0) return; // someone cleared the retained message
  const presence = presenceOf(message.payload);
  if (presence === null) return refuse(core, "bad-presence", id, wallMs);
  const known = core.registry.nodes.get(id);
  if (known !== undefined && presence !== "online") known.silent = false; // a will is not its voice
  const node = hear(core, id, message, wallMs);
  if (node !== null) takePresenceOf(core, node, presence, message.retain, wallMs);
}

function takeBirth(taker: Taker, topic: NodeTopic, message: HubMessage, wallMs: number): void {
  const { core } = taker;
  if (message.payload.length === 0) return;
  const part = decodeBirthPart(taker.check, taker.reader, message.payload);
  if (typeof part === "string") return refuse(core, part, topic.node, wallMs);
  if (part.index !== topic.part) return refuse(core, "bad-birth", topic.node, wallMs);
  const node = hear(core, topic.node, message, wallMs);
  if (node === null) return;
  const birth = joinBirth(node.parts, part);
  if (birth === "bad-birth") return refuse(core, birth, node.id, wallMs);
  if (birth === null) return;
  const before = node.identity;
  const baseName = `urn:dev:mac:${birth.identity.eui64}_`;
  const sameHardware = before === null || before.eui64 === birth.identity.eui64;
  if (sameHardware && birth.boot < node.birthBoot) return; // left over in the broker
  meetHardware(core, node, baseName, wallMs);
  meetBoot(core, node, birth.boot, wallMs);
  for (const channel of applyBirth(core.registry, node, birth)) {
    core.uns.retire(node, channel);
    forgetChannel(core, node, channel);
  }
  touch(core, node, null);
  for (const channel of node.channels) if (channel.birth !== null) core.uns.meta(node, channel);
  if (before !== null) tellFirmware(core, node, before, wallMs);
  putNodeChange(core.changes, node.id);
}

function tellFirmware(
  core: Core,
  node: NodeRecord,
  before: { loopHash: string; linkHash: string },
  wallMs: number,
): void {
  const { identity } = node;
  if (identity === null) return;
  const changed = (["loopHash", "linkHash"] as const)
    .filter((name) => identity[name] !== before[name])
    .map((name) => `${name} ${identity[name].slice(0, 8)}, before ${before[name].slice(0, 8)}`);
  if (changed.length === 0) return;
  const text = `${node.id} runs other firmware: ${changed.join("; ")}.`;
  tell(core, node, { kind: "firmware", text, atMs: wallMs }, wallMs);
}

/** The node that a good message came from; null: there are too many nodes, which is counted. */
function hear(core: Core, id: string, message: HubMessage, wallMs: number): NodeRecord | null {
  const known = core.registry.nodes.has(id);
  const node = nodeOf(core.registry, id, wallMs);
  if (node === null) {
    refuse(core, "too-many-nodes", "", wallMs);
    return null;
  }
  if (!message.retain) hearNode(core, node, wallMs);
  if (!known) {
    putNodeChange(core.changes, id);
    const text = `${id} is heard for the first time.`;
    const atMs = wallMs;
    // All new nodes share one flood window: there is no end to names.
    if (!message.retain)
      core.events.add({ place: "new-node", kind: "new-node", node: id, text, atMs }, wallMs);
  }
  return node;
}

function refuse(core: Core, reason: string, id: string, wallMs: number): void {
  countRefused(core.counts, reason);
  const node = core.registry.nodes.has(id) ? id : null;
  const from = node === null ? "" : ` of ${node}`;
  const text = `A message${from} was refused: ${reason}.`;
  const place = `refused/${reason}/${node ?? ""}`;
  core.events.add({ place, kind: "refused", node, text, atMs: wallMs }, wallMs);
}

const PRESENCES: readonly NodeState[] = ["online", "offline", "lost"];

function presenceOf(payload: Uint8Array): "online" | "offline" | "lost" | null {
  if (payload.length > 8) return null;
  const text = String.fromCharCode(...payload);
  return PRESENCES.includes(text as NodeState) ? (text as "online" | "offline" | "lost") : null;
}
