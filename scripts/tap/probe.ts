// SPDX-License-Identifier: MIT
// A node with nothing but a tap that finds its line, run here as fast as it goes.
//
// The same loop.wasm that a board runs, of a node type that lies in no folder. A host feeds it edges or octets under
// virtual time; what it finds out comes out as records of kind 5. Of a capture only the samples are used.

import {
  LINE_BAUD,
  LINE_CONFIDENCE,
  LINE_COVERAGE,
  LINE_EDGES,
  LINE_FORMAT,
  LINE_FRAMES,
  LINE_INVERTED,
  LINE_PHASE,
  LINE_PROTOCOL,
} from "../../firmware/wire/finding.ts";
import { LINE_FORMATS, LINE_PHASES, LINE_PROTOCOLS } from "../../firmware/wire/line-names.ts";
import { KIND_LINE, RECORD_KIND, RECORD_VALUE } from "../../firmware/wire/record.ts";
import { TAP_ENTRY_BYTES, TAP_ENTRY_FLAGS } from "../../firmware/wire/tap.ts";
import { generateLoop } from "../build/generate-loop.ts";
import { generateUses } from "../build/generate-uses.ts";
import { nodeSchema, type NodeType } from "../build/schema.ts";
import { LOOP_ENTRY } from "../build/sources.ts";
import { buildOwnModule, type ModuleBuild } from "./module.ts";

export const TICK_US = 10_000;
export const INVERTED = 128; // beside a format code

type Word<T extends readonly string[]> = Exclude<T[number], "">;

/** What the node says of its line. */
export interface LineFinding {
  atUs: number;
  phase: (typeof LINE_PHASES)[number];
  baud: number | null;
  format: Word<typeof LINE_FORMATS> | null;
  inverted: boolean;
  protocol: Word<typeof LINE_PROTOCOLS> | null;
  confidence: number; // percent
  coverage: number; // percent of the octets in frames with a right check
  frames: number;
  edges: number;
}

export interface ProbeCharacter {
  atUs: number; // its end
  octet: number;
  flags: number; // TAP_FLAG_*
}

/** What is at the tap's pin. */
export interface ProbeHost {
  unitPs: number; // of an edge; 0: there are octets only
  /** Up to so many edges, as edge_take gives them; an empty list: none now. */
  edges(capacity: number, nowUs: number): ArrayLike<number>;
  /** Up to so many characters that ended by now. */
  characters(capacity: number, nowUs: number): readonly ProbeCharacter[];
  /** The UART is set; `format` is a name of LINE_FORMATS, `baud` 0 closes it. False: it cannot. */
  open(baud: number, format: string, inverted: boolean, nowUs: number): boolean;
}

export interface Probe {
  /** A tick of the node at this time; what it told of its line. */
  tick(nowUs: number): LineFinding[];
}

/** The module of a node with one tap of protocol auto, from the cache or compiled. Throws Failure. */
export function buildProbe(options: ModuleBuild = {}): Promise<WebAssembly.Module> {
  const parts = { folder: undefined, overlay: overlayOf(probeNode()) };
  return buildOwnModule("probe", "the line detector", { parts, entry: LOOP_ENTRY }, options);
}

function probeNode(): NodeType {
  return nodeSchema.parse({
    type: "probe",
    periodMs: TICK_US / 1000,
    channels: {},
    taps: { line: { protocol: "auto", uart: 0 } },
  });
}

function overlayOf(node: NodeType): Record<string, string> {
  const { constants, names, entry } = generateLoop(node);
  return {
    "firmware/generated/loop.ts": constants,
    "firmware/generated/uses.ts": generateUses(node),
    "node_modules/ferrule/node.ts": names,
    "node/loop.ts": "export function decide(): void {}\n",
    [LOOP_ENTRY]: entry,
  };
}

/** A running node; its time begins at 0. */
export function createProbe(module: WebAssembly.Module, host: ProbeHost): Probe {
  let now = 0;
  let told: LineFinding[] = [];
  const view = (address: number, bytes: number): DataView =>
    new DataView(memory.buffer, address, bytes);

  const functions = {
    now_us: () => now | 0,
    edge_unit_ps: () => host.unitPs,
    edge_take(_tap: number, address: number, capacity: number) {
      if (host.unitPs === 0) return -1;
      const edges = capacity === 0 ? [] : host.edges(capacity, now);
      const target = view(address, edges.length * 4);
      for (let i = 0; i < edges.length; i++) target.setUint32(4 * i, edges[i]!, true);
      return edges.length;
    },
    tap_take(_tap: number, address: number, capacity: number) {
      const characters = host.characters(capacity, now);
      const target = view(address, characters.length * TAP_ENTRY_BYTES);
      characters.forEach(({ atUs, octet, flags }, i) => {
        target.setUint32(i * TAP_ENTRY_BYTES, Math.round(atUs) >>> 0, true);
        target.setUint32(
          i * TAP_ENTRY_BYTES + 4,
          octet | (flags << (8 * (TAP_ENTRY_FLAGS - 4))),
          true,
        );
      });
      return characters.length;
    },
    tap_open(_tap: number, baud: number, format: number) {
      const name = LINE_FORMATS[format & ~INVERTED] ?? "";
      return host.open(baud, name, (format & INVERTED) !== 0, now) ? 0 : -1;
    },
    ring_put(address: number, length: number) {
      const record = view(address, length);
      if (record.getUint8(RECORD_KIND) === KIND_LINE) told.push(readFinding(record, now));
      return 1;
    },
  };
  const { exports } = new WebAssembly.Instance(module, { host: functions });
  const memory = exports["memory"] as WebAssembly.Memory;
  (exports["init"] as () => void)();
  return {
    tick(nowUs) {
      now = nowUs;
      told = [];
      (exports["tick"] as () => void)();
      return told;
    },
  };
}

function readFinding(record: DataView, atUs: number): LineFinding {
  const octet = (offset: number): number => record.getUint8(RECORD_VALUE + offset);
  return {
    atUs,
    phase: LINE_PHASES[octet(LINE_PHASE)]!,
    baud: record.getUint32(RECORD_VALUE + LINE_BAUD, true) || null,
    format: LINE_FORMATS[octet(LINE_FORMAT)] || null,
    inverted: octet(LINE_INVERTED) !== 0,
    protocol: LINE_PROTOCOLS[octet(LINE_PROTOCOL)] || null,
    confidence: octet(LINE_CONFIDENCE),
    coverage: octet(LINE_COVERAGE),
    frames: record.getUint16(RECORD_VALUE + LINE_FRAMES, true),
    edges: record.getUint32(RECORD_VALUE + LINE_EDGES, true),
  };
}
