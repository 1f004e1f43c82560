// SPDX-License-Identifier: MIT
// Mutants of what C is written: objects, places, loops, shapes, floats by bits.

import { counted, element, get, type Mutant, n, op, p, q, set, when } from "./mutants.ts";
import type { Bits } from "./native.ts";

const low = (mask: number, value = p): string => op("and", value, n(mask));
const code = (text: string): { code: string }[] => [{ code: text }];
const add = (local: number, by: number): string => set(local, op("add", get(local), n(by)));

// Bits of f32: zeros, least and largest, 1, around 2^31 and 2^32, infinities, NaNs, of either sign.
const POSITIVE = [
  ...[0, 1, 0x007f_ffff, 0x3f7f_ffff, 0x3f80_0000, 0x3f80_0001, 0x4b00_0000, 0x4eff_ffff],
  ...[0x4f00_0000, 0x4f00_0001, 0x4f7f_ffff, 0x4f80_0000, 0x7f7f_ffff, 0x7f80_0000, 0x7f80_0001],
  ...[0x7fc0_0000, 0x7fff_ffff],
];
const FLOATS = [...POSITIVE, ...POSITIVE.map((bits) => bits + 2 ** 31)].map(
  (bits): [Bits, Bits] => [bits, 0],
);
const floats = (text: string): { code: string; operands: [Bits, Bits][] }[] => [
  { code: `${p}; f32.reinterpret_i32; ${text}`, operands: FLOATS },
];
const beside = (name: string, bits: string): { code: string; operands: [Bits, Bits][] }[] =>
  floats(`f32.const ${bits}; f32.${name}`);

const PLACES: Mutant[] = [
  {
    file: "analyse/facts.ts",
    rule: "an access is aligned by its own size",
    old: "2 ** bits >= bytes",
    now: "2 ** bits * 2 >= bytes",
    programs: code(`${op("shl", low(7), n(1))}; i32.load 64`),
  },
  {
    file: "analyse/facts.ts",
    rule: "the remainder by -1 has a case of its own",
    old: 'node.op === "rem_s" && right?.most === 2 ** 32 - 1',
    now: "false",
    programs: code(when(q, op("rem_s", p, q))),
  },
  {
    file: "emit/objects.ts",
    rule: "accesses that share an octet share an object",
    old: "span.start >= last.end) merged",
    now: "span.start >= last.end - 1) merged",
    programs: code(
      `${low(4)}; ${p}; i32.store 1024; ${n(0)}; ${n(5)}; i32.store8 1033
        ${low(3, q)}; ${q}; i32.store8 1031; ${n(0)}; i32.load8_u 1033`,
    ),
  },
  {
    file: "emit/objects.ts",
    rule: "an object has the whole of its last element",
    old: "end: Math.min(last + element, bytes)",
    now: "end: Math.min(last + 1, bytes)",
    programs: code(
      `${n(0)}; ${q}; i32.store8 1031; ${low(4)}; ${p}; i32.store 1024; ${n(0)}; i32.load8_u 1031`,
    ),
  },
  {
    file: "emit/objects.ts",
    rule: "a wide store anywhere reaches a small variable",
    old: "found ||= known.facts.get(node)?.inBounds !== true;",
    now: "found ||= false;",
    programs: code(
      `${n(0)}; ${n(5)}; i32.store8 2000; ${op("add", low(7), n(1996))}; local.tee 2; drop
        ${op("add", p, n(1996))}; ${n(-1)}; i32.store 0; ${n(0)}; i32.load8_u 2000`,
    ),
  },
  {
    file: "emit/module.ts",
    rule: "the pointer that reaches everything is hidden from gcc",
    old: `__asm__("" : "+r"(\${ANYWHERE}));`,
    now: "",
    programs: code(
      `${n(0)}; ${n(5)}; i32.store 2000; ${p}; ${n(-1)}; i32.store 2000; ${n(0)}; i32.load 2000`,
    ),
  },
  {
    file: "emit/objects.ts",
    rule: "octets that are filled share an object with what is in them",
    old: "if (ranges?.inBounds !== true) return [];",
    now: "if (ranges !== undefined) return [];",
    programs: code(
      `${low(4, q)}; ${p}; i32.store 1032; ${low(4)}; ${p}; i32.store 1024
        ${n(1024)}; ${q}; ${n(16)}; memory.fill; ${low(4, q)}; i32.load 1032`,
    ),
  },
  {
    file: "emit/objects.ts",
    rule: "an object is found by its address",
    old: "objects[middle]!.end <= address",
    now: "objects[middle]!.end < address",
    programs: code(
      `${low(4)}; ${p}; i32.store 1024; ${n(0)}; ${n(5)}; i32.store8 1033
        ${low(3, q)}; ${q}; i32.store8 1032; ${n(0)}; i32.load8_u 1033`,
    ),
  },
  {
    file: "emit/place.ts",
    rule: "an index may have lost bits",
    old: "return least > -SMALL && most < SMALL;",
    now: "return true;",
    programs: code(
      when(
        op("lt_u", op("shl", p, n(2)), n(32)),
        `${op("shl", p, n(2))}; ${n(7)}; i32.store 1024; ${n(3)}`,
      ),
    ),
  },
  {
    file: "emit/place.ts",
    rule: "an element is counted from the object's start",
    old: "linear.constant + node.displacement - start) | 0",
    now: "linear.constant + node.displacement) | 0",
    programs: code(`${op("shl", low(7), n(2))}; ${p}; i32.store 1024; ${q}`),
  },
  {
    file: "emit/place.ts",
    rule: "a constant below a shift is shifted too",
    old: "constant: Math.imul(constant, by) >>> 0",
    now: "constant",
    programs: code(`${op("shl", op("add", low(7), n(4)), n(2))}; ${p}; i32.store 1024; ${q}`),
  },
  {
    file: "emit/objects.ts",
    rule: "elements whose loads are of no sign have none",
    old: "signs === SIGNED",
    now: "signs > 0",
    programs: code(`${low(7, q)}; ${p}; i32.store8 1024; ${low(7, q)}; i32.load8_u 1024`),
  },
  {
    file: "emit/objects.ts",
    rule: "elements some of whose loads are of no sign have none",
    old: "last.signs |= span.signs;",
    now: "last.signs = span.signs;",
    programs: code(
      `${low(7, q)}; ${p}; i32.store8 1024; ${low(7, q)}; i32.load8_u 1024
        ${n(7)}; i32.load8_s 1024; i32.add`,
    ),
  },
  {
    file: "emit/place.ts",
    rule: "the highest address leaves room for the whole access",
    old: "const reach = node.displacement + node.bytes;",
    now: "const reach = node.displacement + 1;",
    programs: code(`${p}; i32.load 0`),
  },
  {
    file: "emit/place.ts",
    rule: "memory that grows is checked by its size now",
    old: "checked(writer, node, address);\n  if",
    now: "address;\n  if",
    programs: code(element(8, p)),
  },
  {
    file: "emit/expression.ts",
    rule: "a constant address is aligned by the access's size",
    old: "% Math.min(node.bytes, 4) === 0",
    now: "% Math.min(node.bytes, 2) === 0",
    programs: [
      {
        code: `${low(1)}; memory.grow; drop; ${n(65_538)}; i32.load 0`,
        module: { memory: { pages: 1, max: 2 } },
        memoryBytes: 131_072,
      },
    ],
  },
  {
    file: "emit/statement.ts",
    rule: "a counter that takes every value meets its limit",
    old: "counted?.step === 1 && ",
    now: "counted !== undefined && ",
    programs: code(
      `${set(4, op("rem_u", p, n(15)))}; ${counted(2, get(4), add(3, 1), 2)}; ${get(3)}`,
    ),
  },
  {
    file: "emit/numeric.ts",
    rule: "an and of what is no truth is bitwise",
    old: "return isTruth(node.left) && isTruth(node.right);",
    now: "return isTruth(node.left) || isTruth(node.right);",
    programs: code(when(op("and", p, op("lt_u", q, n(8))), n(1))),
  },
  {
    file: "index.ts",
    rule: "memory that grows has its first pages for sure",
    old: "grows ? declared : most",
    now: "most",
    programs: [
      {
        code: `${q}; memory.grow; drop; ${low(7)}; i32.load 65532`,
        operands: [
          [4, 0],
          [4, 1],
          [4, 0],
        ],
        module: { memory: { pages: 1, max: 2 } },
        memoryBytes: 131_072,
      },
    ],
  },
];

const SHAPE: Omit<Mutant, "file">[] = [
  {
    rule: "a value is not said again once its local changed",
    old: "forget(values, new Set([node.index]));",
    now: "",
    programs: code(
      `${set(2, op("shr_u", p, n(1)))}; ${set(0, op("add", p, n(1)))}; ${op("add", get(2), p)}`,
    ),
  },
  {
    rule: "a value is not said again in a loop that changes its local",
    old: "forget(values, localsSet(node.body));\n      substituteIn(node.body, new Map(values));",
    now: "substituteIn(node.body, new Map(values));",
    programs: code(
      `${set(2, op("shr_u", p, n(1)))}; ${counted(
        3,
        n(3),
        `${set(4, op("add", get(4), get(2)))}; ${set(0, op("add", p, n(9)))}`,
      )}; ${get(4)}`,
    ),
  },
  {
    rule: "a value of a block is not said again behind it",
    old: "if (branchesTo(node.body, node.label) > 0) forget(values, localsSet(node.body));",
    now: "",
    programs: code(`block; ${q}; br_if 0; ${set(2, op("add", p, n(1)))}; end; ${get(2)}`),
  },
  {
    rule: "a value is not said again when one arm changed its local",
    old: "return forget(values, localsSet([node]));",
    now: "return;",
    programs: code(
      `${set(2, op("add", p, n(1)))}; ${q}; if; ${set(0, n(9))}; end; ${op("add", get(2), p)}`,
    ),
  },
  {
    rule: "what may trap stays though nobody reads it",
    old: 'return canTrap(node.value) ? [{ kind: "drop", value: node.value }] : [];',
    now: "return [];",
    programs: code(`${set(2, `${p}; i32.load 0`)}; ${q}`),
  },
];

const BITS: Omit<Mutant, "file">[] = [
  {
    rule: "no NaN is greater than a positive number",
    old: '"u - (b + 1) < 0x7f800000u - b"',
    now: '"u - (b + 1) <= 0x7f800000u - b"',
    programs: beside("gt", "0x3f800000"),
  },
  {
    rule: "no NaN is greater than a positive number or equal",
    old: '"u - b < 0x7f800001u - b"',
    now: '"u - b <= 0x7f800001u - b"',
    programs: beside("ge", "0x3f800000"),
  },
  {
    rule: "no negative NaN is less than a positive number",
    old: '"(int32_t)u < (int32_t)b && u <= 0xff800000u"',
    now: '"(int32_t)u < (int32_t)b"',
    programs: beside("lt", "0x3f800000"),
  },
  {
    rule: "negative numbers stand in reverse",
    old: "u - 0x80000000u < b - 0x80000000u",
    now: "u - 0x80000000u > b - 0x80000000u",
    programs: beside("gt", "0xbf800000"),
  },
  {
    rule: "minus infinity is less than a negative number",
    old: '"u - (b + 1) < 0xff800000u - b"',
    now: '"u - (b + 1) < 0xff7fffffu - b"',
    programs: beside("lt", "0xbf800000"),
  },
  {
    rule: "both zeros are equal",
    old: '"u << 1 == 0"',
    now: '"u == 0"',
    programs: beside("eq", "0x0"),
  },
  {
    rule: "minus zero is not less than zero",
    old: '"u - 0x80000001u < 0x7f800000u"',
    now: '"u - 0x80000000u < 0x7f800000u"',
    programs: beside("lt", "0x0"),
  },
  {
    rule: "2^31 and more saturate as signed",
    old: "if (e >= 158)",
    now: "if (e >= 159)",
    programs: floats("i32.trunc_sat_f32_s"),
  },
  {
    rule: "2^32 and more saturate as unsigned",
    old: "if (e >= 159)",
    now: "if (e >= 160)",
    programs: floats("i32.trunc_sat_f32_u"),
  },
];

export const EMIT_MUTANTS: Mutant[] = [
  ...PLACES,
  ...SHAPE.map((mutant) => ({ ...mutant, file: "shape.ts" })),
  ...BITS.map((mutant) => ({ ...mutant, file: "emit/bitwise.ts" })),
];
