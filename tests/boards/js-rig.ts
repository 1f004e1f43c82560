// SPDX-License-Identifier: MIT
// Nodes on JavaScript engines over a tape: the same script, the same lines.
//
// A script is the function node(tape), which holds both modules and the host side for virtual time, and calls of it.
// In Node it runs with WebAssembly or with the packed modules; other engines get it as a file.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createContext, runInContext } from "node:vm";
import { composeShim, type ShimPlan } from "../../boards/js/compose.ts";
import { type Factory, knownAnswers, wasmFactory } from "../../boards/js/known.ts";
import { packCached } from "../../scripts/build/js-pack.ts";
import { type BuiltNode, buildNode } from "../../scripts/build/modules.ts";
import { toPinPlan } from "../../scripts/build/plant.ts";
import { PROJECT } from "../support/ferrule.ts";
import { createScriptedGateway, packet, type ScriptedGateway } from "../support/link-gateway.ts";
import type { LinkHost, SentDatagram } from "../support/link-host.ts";

/** [us, kind (0 datagram, 1 tap), tap, flags, octets in hex] */
export type TapeEvent = [us: number, kind: 0 | 1, tap: number, flags: number, hex: string];

export interface Tape {
  settings: Record<string, string>;
  seed: number;
  ticks: number;
  events: TapeEvent[];
  faults?: number[];
  sent?: (us: number, octets: Uint8Array) => void;
}

export interface JsNode {
  built: BuiltNode;
  plan: ShimPlan; // of engine "sim"
  factories: [loop: string, link: string]; // as packed
}

const OUTPUT_BYTES_MAX = 1 << 27;
const LINE_US_MAX = 60_000_000; // then the line is silent: values become stale
const RUN_MS_MAX = 120_000;
const SETTINGS = { id: "node-1", eui64: "02464552fffe002a" };

/** An example node as it is built for a board. */
export async function jsNode(name: string, boardName: string): Promise<JsNode> {
  const built = await buildNode(join(PROJECT, "firmware/nodes", name), { board: boardName });
  const { loop, link } = built;
  const plan = simPlan(built);
  plan.answers = knownAnswers(plan, {
    loop: wasmFactory(loop.wasm),
    link: wasmFactory(link.wasm),
  });
  const factories: [string, string] = [
    packCached("loop", loop.wasm),
    packCached("link", link.wasm),
  ];
  return { built, plan, factories };
}

/** What the host side has to know; pins are the numbers of node.json. */
export function simPlan({ type, loop, link }: BuiltNode): ShimPlan {
  const imports = (wasm: Uint8Array): string[] =>
    WebAssembly.Module.imports(new WebAssembly.Module(wasm as BufferSource)).map((i) => i.name);
  const channels = Object.values(type.channels);
  return {
    engine: "sim",
    hostName: "js-rig",
    periodUs: type.periodMs * 1000,
    imports: { loop: imports(loop.wasm), link: imports(link.wasm) },
    loopHash: loop.hash,
    linkHash: link.hash,
    analog: Object.fromEntries(
      channels.flatMap((channel) => (channel.kind === "analog" ? [[channel.input, 26]] : [])),
    ),
    pwm: Object.fromEntries(
      toPinPlan(type).outputs.map(({ output, safeDuty }) => [output, [16, safeDuty]]),
    ),
    ...{ digitalIn: {}, digitalOut: {}, pulses: {}, pull: "down" },
    taps: Object.values(type.taps).map(({ baud, format }) => ({ port: 1, rx: 5, baud, format })),
    network: { kind: "udp" },
  };
}

/** The script's function; `factories` is the text of both modules. */
export function nodeScript(node: JsNode, factories: string): string {
  return `function node(tape) {\n${factories}\n${composeShim(node.plan)}}\n`;
}

/** Calls of the script for tapes. */
export function playScript(tapes: readonly Tape[]): string {
  const calls = tapes.map((tape) => `print("tape"); node(${JSON.stringify(tape)});`);
  return `${calls.join("\n")}\n`;
}

/** Lines of the packed modules, or of any script, in Node. */
export function playInNode(script: string, tapes: readonly Tape[], more: object = {}): string {
  const lines: string[] = [];
  const context = createContext({ print: (line: string) => void lines.push(line), ...more });
  runInContext(script, context);
  for (const tape of tapes) {
    lines.push("tape");
    (context as { node: (tape: Tape) => void })["node"](tape);
  }
  return `${lines.join("\n")}\n`;
}

/** Lines of the WebAssembly modules. */
export function playWasm(node: JsNode, tapes: readonly Tape[]): string {
  const { loop, link } = node.built;
  return playFactories(node, tapes, wasmFactory(loop.wasm), wasmFactory(link.wasm));
}

/** Lines of two factories of this process. */
export function playFactories(
  node: JsNode,
  tapes: readonly Tape[],
  loop: Factory,
  link: Factory,
): string {
  const factories = { wasmLoop: loop, wasmLink: link };
  return playInNode(nodeScript(node, "var loop = wasmLoop, link = wasmLink;"), tapes, factories);
}

/** Lines of a script that a program runs from a file. */
export function playIn(program: string, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), "ferrule-js-"));
  try {
    const file = join(folder, "node.js");
    writeFileSync(file, script);
    const limits = { maxBuffer: OUTPUT_BYTES_MAX, timeout: RUN_MS_MAX };
    const ran = spawnSync(program, [file], { encoding: "utf8", ...limits });
    const said = `${ran.error?.message ?? ""}${ran.stderr}${ran.stdout.slice(-2000)}`;
    if (ran.status !== 0) throw new Error(`${program} ended with ${ran.status}: ${said}`);
    return ran.stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// ---- tapes

/** A tape on which a gateway answers by the book, and a tap hears a recorded line again and again. */
export function recordTape(node: JsNode, ticks: number, seed: number): Tape {
  const endUs = Math.min(ticks * node.plan.periodUs, LINE_US_MAX);
  const events = node.plan.taps.length > 0 ? lineEvents(endUs) : [];
  const tape: Tape = { settings: SETTINGS, seed, ticks, events };
  const gateway = answering(tape);
  playWasm(node, [tape]);
  delete tape.sent;
  if (gateway.publications.length === 0) throw new Error("nothing was published");
  return tape;
}

function answering(tape: Tape): ScriptedGateway {
  const host = {
    nowMs: 0,
    onSend: undefined as ((datagram: SentDatagram) => void) | undefined,
    deliver(_peer: number, bytes: Uint8Array, afterMs: number) {
      insert(tape, [(host.nowMs + afterMs) * 1000, 0, 0, 0, Buffer.from(bytes).toString("hex")]);
    },
  };
  const wallMs = (nowMs: number): number => 1_700_000_000_000 + nowMs;
  const gateway = createScriptedGateway(host as unknown as LinkHost, { wallMs });
  let sent = 0;
  tape.sent = (us, octets) => {
    host.nowMs = us / 1000;
    host.onSend?.({ peer: 1, bytes: Uint8Array.from(octets), atMs: host.nowMs });
    if (++sent % 20 === 10) command(gateway, sent);
  };
  return gateway;
}

// A command for the oven's set-point, now and then one beyond its limits.
function command(gateway: ScriptedGateway, number: number): void {
  const id = gateway.topicId("set");
  if (id === 0) return;
  const name = [...Buffer.from("target")];
  const value = number % 40 === 10 ? [0x18, 150] : [0x19, 3, 0];
  const map = [0xa3, 0x00, 0x18, number & 127, 0x01, 0x66, ...name, 0x02, ...value];
  gateway.say(packet(0x0c, 0x20, id >> 8, id & 255, 0, number, ...map));
}

function insert(tape: Tape, event: TapeEvent): void {
  const at = tape.events.findIndex(([us]) => us > event[0]);
  tape.events.splice(at < 0 ? tape.events.length : at, 0, event);
}

// Characters less than PIECE_US apart come at once, as an engine gives them.
function lineEvents(endUs: number): TapeEvent[] {
  const PIECE_US = 3000;
  const trace = readLine();
  const lengthUs = trace.at(-1)!.tUs + 1_000_000;
  const events: TapeEvent[] = [];
  for (let roundUs = 0; roundUs < endUs; roundUs += lengthUs)
    for (const [i, { tUs, byte, flags }] of trace.entries()) {
      const hex = byte.toString(16).padStart(2, "0");
      const last = events.at(-1);
      const isNear = i > 0 && tUs - trace[i - 1]!.tUs < PIECE_US && flags === last?.[3];
      if (isNear) {
        last![0] = Math.round(roundUs + tUs);
        last![4] += hex;
      } else events.push([Math.round(roundUs + tUs), 1, 0, flags, hex]);
    }
  return events;
}

// Of a recorded line: times, octets and flags.
function readLine(): { tUs: number; byte: number; flags: number }[] {
  const file = join(PROJECT, "tests/vectors/modbus-libmodbus-mbpoll.jsonl");
  const [, ...lines] = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => {
    const { t_us: tUs, hex } = JSON.parse(line) as { t_us: number; hex: string };
    return { tUs, byte: parseInt(hex, 16), flags: 0 };
  });
}
