// SPDX-License-Identifier: MIT
// Proves that a module reaches memory at multiples of the width, and only its own.
//
// JavaScript has typed arrays for memory: an access that claims its natural alignment and lies between two elements
// gives wrong octets in silence, one behind the end gives undefined. In WebAssembly both are right, so only a run can
// tell. wasm-opt first makes octets of what does not claim its natural alignment (wasm2js does the same), then reports
// every access to an import. What memory.copy and memory.fill write behind the end is seen afterwards.

import { runBinaryen } from "./binaryen.ts";

const PROBLEMS_MAX = 8; // the first ones tell
const INSTRUMENT = ["--alignment-lowering", "--instrument-memory"];

type Access = (id: number, bytes: number, offset: number, address: number) => number;

/** A module whose accesses are reported to functions of a Watch. Takes a second. */
export function instrument(wasm: Uint8Array): Uint8Array {
  return runBinaryen("wasm-opt", wasm, INSTRUMENT);
}

export interface Watch {
  imports: WebAssembly.Imports; // besides the host
  accesses(): number;
  /** What a packed module of so many octets would get wrong, in words; of at most so many places. */
  problems(memory: WebAssembly.Memory): string[];
}

/** Counts and checks the accesses of one instance whose memory ends at `end`. */
export function createWatch(end: () => number): Watch {
  const found = new Set<string>();
  let accesses = 0;

  function note(what: string): void {
    if (found.size < PROBLEMS_MAX) found.add(what);
  }

  const check =
    (verb: string): Access =>
    (_id, bytes, offset, address) => {
      const at = (address >>> 0) + (offset >>> 0);
      accesses++;
      if (at % bytes !== 0) note(`${verb} ${bytes} octets at ${at}, no multiple of ${bytes}`);
      if (at + bytes > end()) note(`${verb} ${bytes} octets at ${at}, of ${end()}`);
      return address;
    };

  const value = (_id: number, of: unknown): unknown => of;
  const kinds = ["i32", "i64", "f32", "f64"].flatMap((type) => [
    [`load_val_${type}`, value],
    [`store_val_${type}`, value],
  ]);
  const env = {
    load_ptr: check("loads"),
    store_ptr: check("stores"),
    ...(Object.fromEntries(kinds) as Record<string, typeof value>),
  };
  return {
    imports: { env },
    accesses: () => accesses,
    problems(memory) {
      const behind = new Uint8Array(memory.buffer, end()).findIndex((octet) => octet !== 0);
      if (behind >= 0) note(`copies octets to ${end() + behind}, of ${end()}`);
      return [...found];
    },
  };
}
