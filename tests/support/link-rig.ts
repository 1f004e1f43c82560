// SPDX-License-Identifier: MIT
// A node's link and its gateway in one piece, for tests of link.
//
// Invariants are checked after each poll. The gateway serves wall time unless the script says otherwise.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { NodeType } from "../../scripts/build/schema.ts";
import { createScriptedGateway, type GatewayScript, type ScriptedGateway } from "./link-gateway.ts";
import {
  BASE_NAME,
  buildLink,
  createLinkHost,
  linkBytes,
  parseNode,
  watchInvariants,
  type HostOptions,
  type LinkHost,
} from "./link-host.ts";
import { readPack, record, type PackRecord, type RecordFields } from "./link-pack.ts";

export const WALL_MS = 1_800_000_000_000; // wall time at host time 0

export interface Rig {
  host: LinkHost;
  gateway: ScriptedGateway;
}

/** The release module of a node.json in the tree, named from the project's root. */
export function buildLinkOf(path: string): Promise<WebAssembly.Module> {
  return buildLink(readNode(path));
}

export function linkBytesOf(path: string): Promise<Uint8Array> {
  return linkBytes(readNode(path));
}

function readNode(path: string): NodeType {
  return parseNode(JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")));
}

/** A node that was just powered on, and its gateway. */
export function startLink(
  module: WebAssembly.Module,
  script: GatewayScript = {},
  options: HostOptions = {},
): Rig {
  const host = createLinkHost(module, options);
  const gateway = createScriptedGateway(host, { wallMs: (now) => WALL_MS + now, ...script });
  watchInvariants(host);
  host.init();
  return { host, gateway };
}

/** Puts a record of this instant into the ring. */
export function put(host: LinkHost, fields: RecordFields): void {
  host.ring.push(record({ timeUs: host.nowUs(), ...fields }));
}

/** All readings and events that the gateway accepted, in order of arrival, repeats included. */
export function delivered(gateway: ScriptedGateway): PackRecord[] {
  return gateway.publications
    .filter(({ topic, accepted }) => accepted && (topic === "data" || topic === "event"))
    .flatMap(({ payload }) => readPack(payload, BASE_NAME));
}

/** Nothing is lost and nothing counted twice: what was queued was delivered, dropped, or waits. */
export function assertAccounted(rig: Rig, unconfirmed: ReadonlySet<number> = new Set()): void {
  const arrived = new Set(delivered(rig.gateway).map(({ sequence }) => sequence));
  for (const sequence of unconfirmed) arrived.delete(sequence);
  for (const sequence of rig.host.waiting()) arrived.add(sequence);
  const c = rig.host.counters();
  const dropped = c["droppedTelemetry"]! + c["droppedAlarm"]! + c["droppedRefused"]!;
  assert.equal(arrived.size + dropped, c["queued"]);
}
