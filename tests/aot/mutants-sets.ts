// SPDX-License-Identifier: MIT
// Mutants of sets with holes, and of loads that are computed.
//
// An address that is one of several objects is where they arise. `is` asks for a value that a set without one of
// its members would not have.

import { get, type Mutant, n, op, p, type Program, q, set, when } from "./mutants.ts";

const words = (...values: number[]): number[] =>
  values.flatMap((value) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24]);

// 18 words apart from each other at 128; two objects at 1024 and 1120, and where they are at 64.
const SPREAD = Array.from({ length: 18 }, (_, i) => 1000 + 100 * i * (i + 1));
const OBJECTS = [1024, 1120, 2048];
const DATA = [
  { at: n(64), bytes: words(...OBJECTS) },
  { at: n(128), bytes: words(...SPREAD) },
  { at: n(256), bytes: words(500, 540, 584) }, // on a line but for the last
  { at: n(288), bytes: words(700, 748, 796, 844) }, // on a line
  { at: n(1024), bytes: words(5, 9, 11, 13) },
  { at: n(1120), bytes: words(70, 90, 110, 130) },
  { at: n(2048), bytes: words(700, 900, 1100, 1300) },
];
const module = { data: DATA };

const word = (at: number, index: string): string => `${op("shl", index, n(2))}; i32.load ${at}`;
const low = (mask: number, value = p): string => op("and", value, n(mask));
const rem = (by: number, value = p): string => op("rem_u", value, n(by));
const is = (value: number, local = 2): string => op("eq", get(local), n(value));
const programs = (...codes: string[]): Program[] => codes.map((code) => ({ code, module }));
const either = (condition: string, yes: string, no: string): string =>
  `${yes}; ${no}; ${condition}; select`;

const object = set(2, word(64, low(1))); // 1024 or 1120
const inside = `${object}; ${set(2, op("add", get(2), low(7, q)))}`; // and up to 7 octets on
const store = (address: string, value: string, at = 0): string =>
  `${address}; ${value}; i32.store ${at}`;
const load = (address: string, at = 0): string => `${address}; i32.load ${at}`;

// In a loop that is entered with 5 or 300: is it 100 in a later pass? Nothing else changes in it.
const FILLED = `${set(2, either(low(1), n(5), n(300)))}; ${set(3, low(1, q))}
  loop; ${is(100)}; if; ${n(1)}; return; end
  ${get(3)}; if; ${set(3, n(0))}; ${set(2, n(100))}; br 1; end; end; ${n(0)}`;

const PARTS: Omit<Mutant, "file">[] = [
  {
    rule: "a part inside another does not end it",
    old: "last[1] = Math.max(last[1], most);",
    now: "last[1] = most;",
    programs: programs(
      `${inside}; ${either(op("gt_u", p, n(5)), n(1026), get(2))}; local.set 2; ${is(1031)}`,
    ),
  },
  {
    rule: "what is given up is the hull",
    old: "merged.length > PARTS_MAX ? undefined : merged",
    now: "merged.slice(0, PARTS_MAX)",
    programs: programs(`${set(2, word(128, rem(18)))}; ${is(SPREAD[17]!)}`),
  },
  {
    rule: "two sets have all in common that both have",
    old: "    b\n      .map(",
    now: "    b\n      .slice(0, 1)\n      .map(",
    programs: programs(
      `${object}; ${set(3, word(64, low(1, q)))}; ${when(op("eq", get(2), get(3)), is(1120))}`,
    ),
  },
  {
    rule: "a set is within another when all of its parts are",
    old: "return a.every(([least, most]) => b.some(",
    now: "return a.some(([least, most]) => b.some(",
    programs: programs(FILLED),
  },
  {
    rule: "sets with the same ends may differ",
    old: "return a.length === b.length && a.every(",
    now: "return true || a.every(",
    programs: [
      {
        code: `${n(5)}; call 1; ${n(300)}; call 1; i32.add; ${n(100)}; call 1; i32.add`,
        others: [{ type: "i32 -> i32", code: op("eq", p, n(100)) }],
        module,
      },
    ],
  },
];

const RANGES: Mutant[] = [
  {
    file: "analyse/range.ts",
    rule: "a join has the constants of both sides",
    old: "unionOf([...partsOf(a), ...partsOf(b)], step)",
    now: "unionOf([...partsOf(a), [b.most, b.most]], step)",
    programs: programs(
      `${set(2, either(low(1), n(5), n(300)))}; ${set(3, op("add", low(7, q), n(600)))}
        ${set(2, either(low(8), get(2), get(3)))}; ${is(603)}`,
    ),
  },
  {
    file: "analyse/range.ts",
    rule: "a set with a hole filled is not within the one before",
    old: "(b.parts === undefined || isInside(partsOf(a), b.parts))",
    now: "b.leastSigned <= b.mostSigned",
    programs: programs(FILLED),
  },
  {
    file: "analyse/compare.ts",
    rule: "what is no constant leaves the rest of its part",
    old: "least !== value || most !== value",
    now: "least !== value",
    programs: programs(
      `${inside}; ${set(2, either(op("gt_u", p, n(8)), n(512), get(2)))}
        ${when(op("ne", get(2), n(1120)), is(1123))}`,
    ),
  },
  {
    file: "analyse/arithmetic.ts",
    rule: "a sum of sets is of each with each",
    old: "rangesOf(b).map((right) => rule(left, right))",
    now: "[rule(left, rangesOf(b)[0]!)]",
    programs: programs(
      `${set(2, op("add", word(64, low(1)), either(low(1, q), n(1), n(40))))}; ${is(1064)}`,
    ),
  },
];

const MEMORY: Mutant[] = [
  {
    file: "analyse/evaluate.ts",
    rule: "the places of an access are with its displacement",
    old: "[least + displacement, most + displacement]",
    now: "[least, most]",
    programs: programs(`${object}; ${set(2, load(get(2), 4))}; ${is(90)}`),
  },
  {
    file: "analyse/evaluate.ts",
    rule: "what is at any of the places may be read",
    old: "all === undefined ? range : joinRanges(all, range)",
    now: "range",
    programs: programs(`${object}; ${set(2, load(get(2)))}; ${is(5)}`),
  },
  {
    file: "analyse/evaluate.ts",
    rule: "what a store reaches is not the same later",
    old: "if (table === undefined) fixed = false;",
    now: "",
    programs: programs(
      `${object}; ${set(3, load(get(2)))}; ${store(n(1024), n(6))}
        ${op("eq", get(3), load(get(2)))}`,
    ),
  },
  {
    file: "analyse/effects.ts",
    rule: "a store may go to each of its places",
    old: "of reach.parts) {",
    now: "of reach.parts.slice(0, 1)) {",
    programs: programs(
      `${store(n(1120), n(5))}; ${object}; ${store(get(2), n(8))}; ${load(n(1120))}`,
      `${object}; ${store(get(2), n(8))}; ${set(3, load(n(1120)))}; ${is(8, 3)}`,
    ),
  },
];

const LINES: Omit<Mutant, "file">[] = [
  {
    rule: "all entries are on the line",
    old: "if (!addresses.every(isOnLine)) return undefined;",
    now: "",
    programs: programs(word(256, rem(3))),
  },
  {
    rule: "the line is of the address without displacement",
    old: "factor * (first - node.displacement)",
    now: "factor * first",
    programs: programs(word(288, low(3))),
  },
  {
    rule: "entries that a store reaches are read",
    old: "if (!addresses.every((at) => isFixed(memory, at, at + 4))) return undefined;",
    now: "",
    programs: programs(`${store(n(0), q, 292)}; ${word(288, low(3))}`),
  },
  {
    rule: "a constant in the address counts as often as the address",
    old: "plus += Math.imul(by, part.plus);",
    now: "plus += part.plus;",
    programs: programs(`${op("add", op("shl", low(3), n(2)), n(32))}; i32.load 256`),
  },
  {
    rule: "what is shifted in the address counts as often",
    old: "by = Math.imul(by, part.times) >>> 0;",
    now: "",
    programs: programs(word(288, low(3))),
  },
  {
    rule: "a table of many entries has a last one",
    old: "for (let at = first; at <= last; at += step) {",
    now: "for (let at = first; at < last; at += step) {",
    programs: programs(word(256, rem(3))),
  },
];

export const SET_MUTANTS: readonly Mutant[] = [
  ...PARTS.map((mutant) => ({ ...mutant, file: "analyse/parts.ts" })),
  ...RANGES,
  ...MEMORY,
  ...LINES.map((mutant) => ({ ...mutant, file: "analyse/lines.ts" })),
];
