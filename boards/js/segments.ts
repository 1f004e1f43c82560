// SPDX-License-Identifier: MIT
// Data of a module as strings of printable ASCII, and what unpacks them.
//
// A character 35..126 is a digit d = code - 35, 0..91; "\" is escaped as ES5 has it. Octets are turned by
// TURN, so that letters and small numbers take one character: d alone is the octet TURN + d, " " before it
// adds 92, "!" adds 184. Of the latter, digits above 71 are no octets: they pass over 1..20 octets, which
// are 0 in a new memory. (Over the example nodes one octet of data takes 1.4 characters, gaps included;
// hexadecimal takes 2, base64 1.33 with a call and a longer decoder more.)

import type { Segment } from "./wasm2js.ts";

const FIRST = 35;
const DIGITS = 92;
const OCTETS = 256;
const TURN = 45; // measured: the least characters over both modules of the example nodes
const SKIP_MAX = 3 * DIGITS - OCTETS; // 20
const GAP_MAX = 100; // a longer one costs more than a call

/** The run-time function that lays a packed string into `u8` from `at` on. */
export const DECODER = `function segment(u8, at, text) {
  for (var i = 0, shift = 0, c; i < text.length;) {
    c = text.charCodeAt(i++) - ${FIRST};
    if (c < 0) shift = c < -2 ? ${DIGITS} : ${2 * DIGITS};
    else {
      c += shift;
      if (c < ${OCTETS}) u8[at++] = c + ${TURN};
      else at += c - ${OCTETS - 1};
      shift = 0;
    }
  }
}`;

/** Segments that lie close together as one string each, by address. */
export function packSegments(segments: readonly Segment[]): { at: number; text: string }[] {
  const memory: Segment[] = [];
  for (const { at, octets } of segments.toSorted((a, b) => a.at - b.at)) {
    const last = memory.at(-1);
    const end = last === undefined ? 0 : last.at + last.octets.length;
    if (last === undefined || at - end > GAP_MAX) memory.push({ at, octets });
    else {
      const both = new Uint8Array(Math.max(end, at + octets.length) - last.at);
      both.set(last.octets);
      both.set(octets, at - last.at);
      last.octets = both;
    }
  }
  return memory.map(({ at, octets }) => ({ at, text: encode(octets) }));
}

function encode(octets: Uint8Array): string {
  let text = "";
  for (let i = 0; i < octets.length;) {
    let zeros = 0;
    while (zeros < SKIP_MAX && octets[i + zeros] === 0) zeros++;
    text += zeros > 0 ? digit(OCTETS - 1 + zeros) : digit((octets[i]! - TURN) & (OCTETS - 1));
    i += zeros > 0 ? zeros : 1;
  }
  return text;
}

function digit(value: number): string {
  const before = ["", " ", "!"][Math.floor(value / DIGITS)]!;
  return before + String.fromCharCode(FIRST + (value % DIGITS));
}
