// SPDX-License-Identifier: MIT
// Follows a plant at a broker, by the topics that its hub publishes.
//
// Topics: .../_raw/<node>/<tag> and, retained, .../_raw/<node>/<tag>/_meta, .../_state/<node> (SPEC.md). QoS 0: a
// monitor that is slow costs the broker nothing. A hub retains states, so silence means that none is there.

import { connect } from "mqtt";
import { say } from "../cli/terminal.ts";
import { checkBroker } from "./ports.ts";
import type { Said } from "./said.ts";

const RETRY_MS = 2000;
const SILENT_MS = 3000; // retained states come at once
const TAGS_MAX = 100_000; // units that are remembered: 500 nodes of 200 channels
const READING = /\/_raw\/([^/]+)\/([^/]+)(\/_meta)?$/;
const STATE = /\/_state\/([^/]+)$/;

interface Meta {
  unit: string | null;
  quality: string | null;
  cause: string | null;
}

export interface BrokerPlace {
  url: string;
  root: string; // what the hub's topics begin with
}

/** Follows a broker until the signal; throws a Failure when it does not answer at first. */
export async function followBroker(
  { url, root }: BrokerPlace,
  heard: (said: Said) => void,
  signal: AbortSignal,
): Promise<void> {
  await checkBroker(url);
  const known = new Map<string, Meta>();
  const silence = setTimeout(
    () => say(`nothing yet below ${root}: is a hub there, with this --root?`),
    SILENT_MS,
  );
  const client = connect(url, { reconnectPeriod: RETRY_MS, clean: true });
  let away = false;
  client.on("connect", () => {
    if (away) say(`${url} is there again`);
    away = false;
    client.subscribe([`${root}/+/+/+/+/+/_raw/#`, `${root}/+/+/+/+/+/_state/#`]);
  });
  client.on("close", () => {
    if (!away && !signal.aborted) say(`${url} went away; trying again`);
    away = true;
  });
  client.on("error", () => undefined); // what it means is said by "close"
  client.on("message", (topic, payload) => {
    clearTimeout(silence);
    const said = read(topic, payload.toString(), known);
    if (said !== undefined) heard(said);
  });
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  clearTimeout(silence);
  await client.endAsync(true);
}

function read(topic: string, payload: string, known: Map<string, Meta>): Said | undefined {
  const fields = parse(payload);
  if (fields === undefined) return undefined; // not of a hub, or cleared
  const atMs = Number(fields["timestamp_ms"] ?? fields["quality_since_ms"] ?? 0);
  const [, stateOf] = STATE.exec(topic) ?? [];
  const nothing = { unit: null, quality: null, cause: null, value: null, channel: null };
  if (stateOf !== undefined)
    return { ...nothing, atMs, node: stateOf, kind: "event", text: String(fields["value"]) };
  const [, node, channel, isMeta] = READING.exec(topic) ?? [];
  if (node === undefined || channel === undefined) return undefined;
  const tag = `${node}/${channel}`;
  const reading = { ...nothing, atMs, node, channel, kind: "reading" as const, text: null };
  if (isMeta === undefined) {
    const value = typeof fields["value"] === "number" ? fields["value"] : null;
    return { ...reading, ...known.get(tag), value };
  }
  const before = known.get(tag);
  const meta = {
    unit: word(fields["unit"]),
    quality: word(fields["quality"]),
    cause: word(fields["cause"]),
  };
  if (known.size < TAGS_MAX) known.set(tag, meta);
  const turnedBad = meta.quality === "bad" && before?.quality !== "bad";
  return turnedBad ? { ...reading, ...meta } : undefined;
}

function word(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function parse(payload: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    return typeof value === "object" && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
