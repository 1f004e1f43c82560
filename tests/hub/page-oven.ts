// SPDX-License-Identifier: MIT
// A real hub with its page, and an oven that answers writes.
//
// The hub's own core, history, HTTP server and bundle; the broker is a function call. Real clock, real port.

import { Buffer } from "node:buffer";
import { createMemoryHistory } from "../../hub/history.ts";
import { type PageServer, startPageServer } from "../../hub/http.ts";
import { createHub, type Hub, type HubConfig } from "../../hub/hub.ts";
import { createMetrics } from "../../hub/outputs/metrics.ts";
import { openFileHistory } from "../../hub/server-sqlite.ts";
import { bundlePage } from "../../hub/web/bundle.ts";
import { PLANT, TOKEN } from "../support/fixture-hub.ts";
import { birth, Decimal, pack, type RecordSpec, setResult } from "../support/pack.ts";

export const OVEN = "oven-1";

/** The codes of SPEC.md §8 that a test lets the node answer with. */
export const APPLIED = 0;
export const CLAMPED = 1;
export const STALE = 2;
export const INTERLOCK = 3;

export interface OvenOptions {
  historyFile?: string; // absent: in memory
  port?: number; // absent: any
  nodes?: HubConfig["nodes"]; // plans of machines
}

export interface Oven {
  hub: Hub;
  url: string;
  port: number;
  /** With which code it answers the writes that follow; null: not at all. */
  answers(code: number | null): void;
  /** It goes by another target by itself, such as after its restart. */
  goTo(target: number): void;
  /** Temperatures at given moments; null: open wire. */
  temperatures(points: readonly [wallMs: number, value: number | null][]): void;
  say(topic: string, payload: Uint8Array | string): void;
  close(): Promise<void>;
}

const BUNDLE = bundlePage();
const STEP_MS = 100;
const READINGS_PER_PACK = 50;

let sequence = 1; // over restarts of the hub in one process: each reading is a new one
const boot = Math.floor(Date.now() / 1000);

/** The oven is born, online and has told its target; it tells a temperature every 100 ms. */
export async function startOven(options: OvenOptions = {}): Promise<Oven> {
  const file = options.historyFile;
  const store = file === undefined ? null : openFileHistory(file, () => undefined);
  const hub = createHub({ ...PLANT, nodes: options.nodes ?? {} }, store ?? createMemoryHistory());
  const server = await serve(hub, options.port ?? 0);
  const node: Node = { hub, code: APPLIED };
  say(node, "birth/0", ovenWithTarget());
  say(node, "presence", "online");
  if (hub.snapshot(0).nodes[0]?.setpoints[0]?.effective === null) goTo(node, 180);
  const timer = setInterval(() => {
    step(node);
    server.flush();
  }, STEP_MS);
  return {
    hub,
    url: `http://127.0.0.1:${server.port}/`,
    port: server.port,
    answers: (code) => {
      node.code = code;
    },
    goTo: (target) => goTo(node, target),
    temperatures: (points) => tell(node, points),
    say: (topic, payload) => say(node, topic, payload),
    close: async () => {
      clearInterval(timer);
      await server.close();
      hub.commit();
      store?.close();
    },
  };
}

interface Node {
  hub: Hub;
  code: number | null; // of its answers
}

async function serve(hub: Hub, port: number): Promise<PageServer> {
  const wallMs = (): number => Date.now();
  return startPageServer({
    hub,
    host: "127.0.0.1",
    port,
    page: await BUNDLE,
    wallMs,
    metrics: createMetrics(hub, wallMs),
    token: TOKEN,
    health: () => ({
      ok: true,
      broker: "connected",
      nodes: 1,
      history: "memory",
      awaySinceMs: null,
      reason: null,
    }),
  });
}

function say({ hub }: Node, topic: string, payload: Uint8Array | string): void {
  const message = { topic: `ferrule/${OVEN}/${topic}`, payload: Buffer.from(payload) };
  hub.message({ ...message, qos: 1, retain: false }, Date.now());
}

function read(node: Node, bt: number, records: RecordSpec[]): void {
  say(node, "data", pack({ bt: Math.round(bt), b: boot, q: sequence, records }));
  sequence += records.length;
}

function goTo(node: Node, target: number): void {
  read(node, Date.now(), [{ n: "target", v: new Decimal(-1, Math.round(target * 10)) }]);
}

function step(node: Node): void {
  const { hub, code } = node;
  const nowMs = Date.now();
  read(node, nowMs, [{ n: "temperature", v: new Decimal(-2, temperatureAt(nowMs)) }]);
  for (const { topic, payload } of hub.takePublications())
    if (topic.endsWith("/set") && code !== null) say(node, "set/result", answerTo(payload, code));
  hub.poll(nowMs);
  hub.commit();
}

function tell(node: Node, points: readonly [wallMs: number, value: number | null][]): void {
  for (let at = 0; at < points.length; at += READINGS_PER_PACK) {
    const some = points.slice(at, at + READINGS_PER_PACK);
    const bt = some[0]![0];
    const records = some.map(([wallMs, value]) => ({
      n: "temperature",
      ...(wallMs > bt && { t: wallMs - bt }),
      ...(value === null ? { vs: "open-wire", g: 2 } : { v: centi(value) }),
    }));
    read(node, bt, records);
  }
}

const centi = (value: number): Decimal => new Decimal(-2, Math.round(value * 100));

function temperatureAt(wallMs: number): number {
  return 18_000 + Math.round(900 * Math.sin(wallMs / 20_000) + 60 * Math.sin(wallMs / 900));
}

function ovenWithTarget(): Buffer {
  const setpoint: [Decimal, Decimal, Decimal, number] = [
    new Decimal(-1, 1000),
    new Decimal(-1, 2200),
    new Decimal(-1, 1800),
    0,
  ];
  const temperature = {
    name: "temperature",
    unit: "Cel",
    heartbeatMs: 5000,
    alarms: [["too-hot", 1, new Decimal(0, 200), new Decimal(0, 3), 1000]] as [
      string,
      1,
      Decimal,
      Decimal,
      number,
    ][],
  };
  const target = {
    name: "target",
    unit: "Cel",
    kind: 8,
    scale: new Decimal(-1, 1),
    setpoint,
    periodMs: 0,
  };
  const outputs: [string, number, number, number][] = [["heater", 0, 9500, 0]];
  return birth({ boot, type: "oven", channels: [[temperature, target]], outputs })[0]!;
}

/** The requested value is 4([-1, m]) at the end of a command, before its lifetime: read back as cbor. */
function answerTo(payload: Uint8Array | string, code: number): Buffer {
  const { request, mantissa } = readCommand(Buffer.from(payload));
  const effective = code === CLAMPED ? 2100 : code === APPLIED ? mantissa : 1800;
  return setResult({ request, name: "target", code, effective: new Decimal(-1, effective) });
}

function readCommand(command: Buffer): { request: number; mantissa: number } {
  const start = command.indexOf(Buffer.from([0xc4, 0x82])) + 3; // tag, array, exponent
  return { request: readHead(command, 2), mantissa: readHead(command, start) };
}

/** The argument of an unsigned integer. */
function readHead(bytes: Buffer, at: number): number {
  const short = bytes[at]! & 31;
  if (short < 24) return short;
  return bytes.readUIntBE(at + 1, 2 ** (short - 24));
}
