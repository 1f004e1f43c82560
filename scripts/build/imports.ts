// SPDX-License-Identifier: MIT
// What each module may import from its host and must export.
//
// Spec: SPEC.md §1.1, §1.2 (a test compares these tables with it). Every parameter and result is i32.
// Reads the type, import, function and export sections of a module that WebAssembly has validated.

import type { HostPointer } from "../../aot/index.ts";
import { polls } from "./polls.ts";
import type { NodeType } from "./schema.ts";
import { readSignatures } from "./signatures.ts";

export type ModuleName = "loop" | "link";

/** Host functions by module: number of i32 parameters and results. */
export const IMPORTS: Record<ModuleName, Record<string, [number, number]>> = {
  loop: {
    now_us: [0, 1],
    adc_read: [1, 1],
    pwm_write: [2, 1],
    digital_read: [1, 1],
    digital_write: [2, 1],
    pulse_count: [1, 1],
    burst_take: [3, 1],
    tap_take: [3, 1],
    tap_put: [3, 1],
    edge_take: [3, 1],
    edge_unit_ps: [1, 1],
    tap_open: [3, 1],
    ring_put: [2, 1],
    mailbox_take: [2, 1],
  },
  link: {
    now_us: [0, 1],
    ring_take: [2, 1],
    mailbox_put: [2, 1],
    datagram_put: [3, 1],
    datagram_take: [2, 1],
    flash_read: [3, 1],
    flash_erase: [1, 1],
    flash_program: [3, 1],
    entropy: [2, 1],
    info: [3, 1],
  },
};

/** Host functions that write into the module's memory: from an address, as many elements as another says. */
const WRITES: Record<string, HostPointer> = {
  burst_take: writes(1, 2, 2),
  tap_take: writes(1, 2, 8),
  edge_take: writes(1, 2, 4),
  mailbox_take: writes(0, 1),
  ring_take: writes(0, 1),
  datagram_take: writes(0, 1),
  flash_read: writes(1, 2),
  entropy: writes(0, 1),
  info: writes(1, 2),
};

function writes(address: number, parameter: number, octetsEach = 1): HostPointer {
  return { address, length: { parameter, octetsEach }, access: "write" };
}

/** What the host may do to a module's memory, as the translator wants to know it. */
export interface HostKnown {
  hostPointers: Readonly<Record<string, readonly HostPointer[]>>;
  hostWrites?: []; // between calls nothing is written; absent: it is not ours, so nobody knows
}

/**
 * What is known of the host of a module: of each import that is one of these host functions where it writes,
 * and of a module that is loop or link that nothing else writes.
 */
export function hostKnown(wasm: Uint8Array): HostKnown {
  const { imports } = readSignatures(wasm);
  const ours = imports.filter(({ module, name, signature }) => {
    const counts = Object.values(IMPORTS).find((table) => Object.hasOwn(table, name))?.[name];
    return module === "host" && counts !== undefined && signature === shape(counts);
  });
  const whole = (["loop", "link"] as const).some((name) => checkModule(name, wasm).length === 0);
  return {
    hostPointers: Object.fromEntries(
      ours.map(({ name }) => {
        const pointer = WRITES[name];
        return [`host.${name}`, pointer === undefined ? [] : [pointer]];
      }),
    ),
    ...(whole && { hostWrites: [] }),
  };
}

/** Functions that the host calls, by module; `memory` comes on top. */
export const EXPORTS: Record<ModuleName, Record<string, [number, number]>> = {
  loop: { init: [0, 0], tick: [0, 0], memoryBytes: [0, 1] },
  link: {
    init: [0, 0],
    poll: [0, 1],
    counters: [0, 1],
    waiting: [2, 1],
    memoryBytes: [0, 1],
    stop: [0, 0],
  },
};

/** What is wrong with a module's imports and exports, one sentence each; empty when all is well. */
export function checkModule(name: ModuleName, wasm: Uint8Array): string[] {
  const { imports, exports } = readSignatures(wasm);
  const allowed = IMPORTS[name];
  const problems: string[] = [];
  for (const { module, name: wanted, signature } of imports) {
    const known = module === "host" && Object.hasOwn(allowed, wanted);
    if (!known)
      problems.push(
        `${name} imports ${module}.${wanted}, which it may not; ` +
          `${name} may import ${Object.keys(allowed).join(", ")}`,
      );
    else if (signature !== shape(allowed[wanted]))
      problems.push(`${name} imports ${wanted} as ${signature}, not ${shape(allowed[wanted])}`);
  }
  for (const [wanted, counts] of Object.entries({ ...EXPORTS[name], memory: undefined })) {
    const expected = counts === undefined ? "memory" : shape(counts);
    const found = exports.find((e) => e.name === wanted)?.signature;
    if (found !== expected)
      problems.push(`${name} exports ${wanted} as ${found ?? "nothing"}, not ${expected}`);
  }
  return problems;
}

/** A module that could send, of a node whose taps only listen. */
export function checkSending({ taps }: Pick<NodeType, "taps">, wasm: Uint8Array): string[] {
  const sends = readSignatures(wasm).imports.some(({ name }) => name === "tap_put");
  if (!sends || Object.values(taps).some(polls)) return [];
  return ['loop imports tap_put, and no tap of this node has "mode": "poll"'];
}

function shape(counts: [number, number] | undefined): string {
  const [parameters, results] = counts ?? [0, 0];
  return `(${Array(parameters).fill("i32").join(",")})->(${Array(results).fill("i32").join(",")})`;
}
