// SPDX-License-Identifier: MIT
// Short programs in which one rule of the analysis decides, put at its edge.
//
// Arrays end with memory: an index that is one too large traps. Fields are few and small, so that stores of
// any width overlap them, in the same function and in one that is called.

import type { Prng } from "../../host-sim/prng.ts";

const PAGE = 65_536;
const FIELDS = [1024, 1028, 1032];
const COUNTS = [1, 2, 3, 5, 8, 16];
const WIDTHS: Record<string, number> = { "i32.store8": 1, "i32.store16": 2, "i32.store": 4 };

export interface Scene {
  prng: Prng;
  value(): string; // any i32
  target: number; // an i32 local to keep a result in
  call: string | undefined; // of a function that may write fields
}

const pick = <T>(prng: Prng, list: readonly T[]): T => list[prng.below(list.length)]!;

/** Instructions of one of them. */
export function idiom(scene: Scene): string {
  return pick(scene.prng, [field, sum, remainder, guarded, counted, difference, object])(scene);
}

// The last of so many elements of memory has index count - 1.
function elementAtEnd(prng: Prng, indexText: string, count: number, target: number): string {
  const shift = prng.below(3);
  const load = ["i32.load8_u", "i32.load16_u", "i32.load"][shift]!;
  const base = PAGE - (count << shift);
  const scaled = `${indexText}; i32.const ${shift}; i32.shl`;
  return pick(prng, [
    `${scaled}; i32.const ${base}; i32.add; ${load} 0; local.set ${target}`,
    `${scaled}; ${load} ${base}; local.set ${target}`,
    `${scaled}; i32.const ${base}; i32.add; local.get ${target}; i32.store8 0`,
  ]);
}

// A field is a small index until another store, here or in a call, reaches one of its octets.
function field({ prng, value, target, call }: Scene): string {
  const at = pick(prng, FIELDS);
  const count = pick(prng, COUNTS);
  const set = `i32.const ${at}; i32.const ${prng.below(count)}; i32.store 0`;
  const store = pick(prng, Object.keys(WIDTHS));
  const from = at - WIDTHS[store]! + 1 + prng.below(3 + WIDTHS[store]!); // shares an octet at least
  const address = pick(prng, [
    `i32.const ${from}`,
    `i32.const ${from}; ${value()}; i32.const 1; i32.and; i32.add`,
  ]);
  const overwrite = pick(prng, [
    `${address}; ${value()}; i32.const 1; i32.and; ${store} 0`,
    `${address}; i32.const ${count}; ${store} 0`,
    call ?? `${address}; ${value()}; ${store} 0`,
  ]);
  const read = `i32.const ${at}; i32.load 0`;
  return `${set}; ${overwrite}; ${elementAtEnd(prng, read, count, target)}`;
}

// A sum that wraps for some of its operands, as an index.
function sum({ prng, value, target }: Scene): string {
  const mask = pick(prng, [3, 7, 15]);
  const less = prng.below(mask + 1);
  const text = `${value()}; i32.const ${mask}; i32.and; i32.const ${less}; i32.sub`;
  const count = mask + 1 - less - prng.below(2);
  const large = `${value()}; i32.const ${pick(prng, [0x7fff_fffe, 0x7fff_ffff, -2])}; i32.add`;
  const element = elementAtEnd(prng, large, count, target);
  const tested = `${large}; i32.const ${count}; i32.lt_s; if; ${element}; end`;
  return prng.chance(0.5) ? elementAtEnd(prng, text, Math.max(count, 1), target) : tested;
}

function remainder({ prng, value, target }: Scene): string {
  const count = pick(prng, COUNTS);
  const divisor = count + prng.below(2);
  const op = pick(prng, ["i32.rem_u", "i32.rem_u", "i32.rem_s"]);
  return elementAtEnd(prng, `${value()}; i32.const ${divisor}; ${op}`, count, target);
}

// As compilers test an index; the test may be one off, or of the wrong sign.
function guarded({ prng, value, target }: Scene): string {
  const count = pick(prng, COUNTS);
  const bound = count + pick(prng, [-1, 0, 0, 1]);
  const test = pick(prng, ["i32.ge_u", "i32.gt_u", "i32.ge_s", "i32.eq"]);
  const element = elementAtEnd(prng, `local.get ${target}`, count, target);
  return `${value()}; i32.const ${pick(prng, [15, 31, -1])}; i32.and; local.tee ${target}
    i32.const ${bound}; ${test}; i32.eqz; if; ${element}; end`;
}

// A loop of its own counter, up or down, to the end of an array or one further.
function counted({ prng, target }: Scene): string {
  const count = pick(prng, COUNTS);
  const passes = count + pick(prng, [-1, 0, 0, 1]);
  const down = prng.chance(0.3);
  const step = down ? -1 : 1;
  const start = down ? passes - 1 : 0;
  const stop = down ? -1 : passes;
  const ends = down ? "i32.le_s" : "i32.ge_s";
  const base = PAGE - 4 * count;
  const scaled = `local.get ${target}; i32.const 2; i32.shl`;
  const access = `${scaled}; local.get ${target}; i32.store ${base}`;
  return `i32.const ${start}; local.set ${target}
    block; loop; local.get ${target}; i32.const ${stop}; ${ends}; br_if 1
    ${access}; local.get ${target}; i32.const ${step}; i32.add; local.set ${target}
    br 0; end; end`;
}

// Two values of which one is smaller: their difference is small only when the test holds.
function difference({ prng, value, target }: Scene): string {
  const count = pick(prng, COUNTS);
  const a = `local.get ${target}`;
  const test = pick(prng, ["i32.lt_u", "i32.le_u", "i32.lt_s"]);
  const less = `i32.const ${count}; ${a}; i32.sub; i32.const ${pick(prng, [0, 1])}; i32.sub`;
  return `${value()}; i32.const ${pick(prng, [7, 31])}; i32.and; local.set ${target}
    ${a}; i32.const ${count}; ${test}; if; ${elementAtEnd(prng, less, count, target)}; end`;
}

// One of several fields, which may overlap: a small index until a store through one of the others.
function object({ prng, value, target, call }: Scene): string {
  const count = pick(prng, COUNTS);
  const [a, b, c] = [0, 1, 2].map(() => pick(prng, FIELDS) + pick(prng, [0, 0, 0, 2, 512]));
  const bit = (mask: number): string => `${value()}; i32.const ${mask}; i32.and`;
  const choose = `i32.const ${a}; i32.const ${b}; i32.const ${c}
    ${bit(2)}; select; ${bit(1)}; select`;
  const small = `${value()}; i32.const ${count}; i32.rem_u`;
  const store = pick(prng, Object.keys(WIDTHS));
  const at = pick(prng, [`i32.const ${b}`, choose, `local.get ${target}`]);
  const overwrite = pick(prng, [
    `${at}; ${small}; ${store} ${pick(prng, [0, 0, 4])}`,
    `${at}; i32.const ${count}; ${store} 0`,
    call ?? "",
  ]);
  const clear = [a, b, c].map((field) => `i32.const ${field}; i32.const 0; i32.store 0`).join("; ");
  const read = `local.get ${target}; i32.load 0`;
  const test = pick(prng, ["i32.eq", "i32.ne", "i32.lt_u"]);
  const asked = `local.get ${target}; i32.const ${c}; ${test}`;
  return `${clear}; ${choose}; local.set ${target}
    local.get ${target}; ${small}; i32.store 0; ${overwrite}
    ${asked}; if; ${elementAtEnd(prng, read, count, target)}; end`;
}
