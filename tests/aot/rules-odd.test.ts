// SPDX-License-Identifier: MIT
// Odd ways through programs, each with a fact that would be wrong behind it.
//
// Loops with two latches or left from the middle, recursion, several results, start functions, segments that
// overlap, no memory at all, addresses near 2^32. V8 says what is right; UBSan and ASan look on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { program as needed } from "../support/need.ts";
import { caseOf, counted, element, get, n, op, p, type Program, q, set } from "./mutants.ts";
import { difference, runEngine, runNative } from "./native.ts";

const low = (mask: number, value = p): string => op("and", value, n(mask));
const read = (at: number): string => `${n(0)}; i32.load ${at}`;
const write = (at: number, value: string): string => `${n(0)}; ${value}; i32.store ${at}`;
const add = (local: number, by: number): string => set(local, op("add", get(local), n(by)));

const PROGRAMS: Record<string, Program> = {
  "an i64 loses its upper half": {
    code: element(
      8,
      `${p}; i64.extend_i32_u; i64.const 3; i64.mul; ${q}; i64.extend_i32_s; i64.add; i32.wrap_i64`,
    ),
  },
  "an i64 store changes both words of its place": {
    code: `${write(24, n(1))}; ${write(28, n(2))}; ${n(0)}; ${p}; i64.extend_i32_u; i64.const 33
      i64.mul; i64.store 24; ${op("add", element(8, read(24)), read(28))}`,
  },
  "a float is stored over an index": {
    code: `${write(24, n(3))}; ${n(0)}; ${p}; f32.reinterpret_i32; f32.store 24
      ${element(8, read(24))}`,
  },
  "an i64.store32 changes one word": {
    code: `${write(24, n(3))}; ${n(0)}; ${p}; i64.extend_i32_u; i64.store32 24
      ${element(8, read(24))}`,
  },
  "a loop goes back from two places": {
    code: `loop; ${add(2, 1)}; ${element(12, get(2))}; local.set 3
      ${low(1, get(2))}; br_if 0; ${add(2, 1)}; ${op("lt_u", get(2), low(15))}; br_if 0; end
      ${element(16, get(2))}`,
  },
  "a loop is left from its middle": {
    code: `block; ${counted(
      2,
      n(20),
      `${add(3, 3)}; ${op("eq", get(2), low(15))}; br_if 2; ${add(3, -1)}`,
    )}; end; ${element(24, get(3))}`,
  },
  "a table of branches goes to heads of loops": {
    code: `loop; ${add(2, 1)}; loop; ${add(3, 2)}; block; ${op("gt_u", get(3), n(20))}; br_if 0
      ${op("add", low(3), low(1, get(2)))}; br_table 1 2 0 1; end; end; end
      ${element(22, get(3))}`,
  },
  "what is behind unreachable says nothing": {
    code: `block; ${q}; br_if 0; unreachable; ${set(2, n(3))}; br 0; end
      ${set(2, op("add", get(2), low(15)))}; ${element(8, get(2))}`,
  },
  "a function calls itself and changes its field": {
    code: `${write(24, n(0))}; ${low(15)}; call 1; drop; ${element(8, read(24))}`,
    others: [
      {
        type: "i32 -> i32",
        code: `${p}; i32.eqz; if; ${n(0)}; return; end; ${write(24, p)}
          ${op("sub", p, n(1))}; call 1; drop; ${write(24, op("add", read(24), n(1)))}; ${p}`,
      },
    ],
  },
  "two functions call each other with what grows": {
    code: `${n(0)}; call 1`,
    others: [
      {
        type: "i32 -> i32",
        code: `${op("gt_u", p, n(20))}; if; ${p}; return; end; ${op("add", p, n(2))}; call 2`,
      },
      { type: "i32 -> i32", code: `${element(16, p)}; ${op("sub", p, n(1))}; call 1; i32.add` },
    ],
  },
  "several results stay apart": {
    code: `${p}; ${q}; call 1; local.set 3; local.set 2; ${element(8, get(2))}
      ${op("eq", get(2), get(3))}; i32.add`,
    others: [{ type: "i32 i32 -> i32 i32", code: `${low(15)}; ${low(7, q)}` }],
  },
  "a block has parameters and results": {
    code: `${low(15)}; ${low(7, q)}; block 1; ${get(2)}; br_if 0; ${p}; br_if 0; drop; ${n(9)}; end
      i32.add; local.set 2; ${element(16, get(2))}`,
    module: { types: ["i32 i32 -> i32", "i32 i32 -> i32 i32"] },
  },
  "the start function sets what is not constant then": {
    code: `${set(2, op("add", element(8, read(24)), "global.get 0"))}; ${write(24, low(15))}
      ${get(2)}`,
    others: [{ type: "->", code: `${write(24, n(5))}; ${n(9)}; global.set 0` }],
    module: { start: 1 },
  },
  "segments overlap": {
    code: `${low(15)}; i32.load8_u 64; ${element(10, `${low(7)}; i32.load8_u 66`)}; i32.add`,
    module: {
      data: [
        { at: n(64), bytes: [3, 1, 4, 1, 5, 9, 2, 6] },
        { at: n(66), bytes: [8, 8] },
        { at: n(68), bytes: [12, 1] },
      ],
    },
  },
  "there is no page of memory": {
    code: `${p}; i32.eqz; if; ${n(0)}; i32.load8_u 0; return; end
      ${q}; ${n(1)}; ${n(0)}; memory.fill; memory.size`,
    module: { memory: { pages: 0 }, data: [] },
  },
  "memory begins without pages and grows": {
    code: `${n(1)}; memory.grow; ${element(4, p)}; i32.add`,
    module: { memory: { pages: 0, max: 1 }, data: [] },
    memoryBytes: 65_536,
  },
  "an access straddles the end": {
    code: `${op("add", low(7), n(65_528))}; i32.load16_u 0; ${op("add", low(7, q), n(65_528))}
      i64.load 0; i32.wrap_i64; i32.add`,
  },
  "a displacement is near 2^32": {
    code: `${p}; ${n(65_535)}; i32.lt_u; if; ${low(7)}; i32.load8_u 4294967295; return; end
      ${p}; i32.load8_u 4294967290`,
  },
  "an address wraps before its displacement is added": {
    code: `${op("sub", low(15), n(8))}; i32.load8_u 4; ${op("sub", low(15), n(8))}
      i32.load8_u 65532
      i32.add`,
  },
  "a copy goes over a length and a pointer": {
    code: `${write(24, n(4))}; ${write(28, n(1024))}; ${n(24)}; ${n(64)}; ${low(7)}; memory.copy
      ${op("ge_u", q, read(24))}; if; unreachable; end
      ${op("add", read(28), q)}; i32.load8_u 0`,
  },
  "a segment goes over a length": {
    code: `${write(24, n(4))}; ${op("add", low(7), n(20))}; ${n(0)}; ${n(4)}; memory.init 0
      ${op("ge_u", q, read(24))}; if; unreachable; end; ${element(4, q)}`,
    module: { data: [{ bytes: [9, 9, 0, 0] }] },
  },
  "a divisor changes sign and meets the least number": {
    code: op("div_s", op("or", p, n(0x8000_0000)), op("sub", low(3, q), n(2))),
  },
  "rotations and shifts go round": {
    code: element(
      16,
      op("and", op("add", op("rotl", low(7), q), op("shr_u", p, op("add", q, n(32)))), n(31)),
    ),
  },
  "a loop inside counts with the counter of the outer one": {
    code: `${counted(2, n(6), counted(3, get(2), add(4, 1)))}; ${element(15, get(4))}`,
  },
  "a limit is read anew in each pass": {
    code: `${write(24, low(7))}; ${counted(
      2,
      read(24),
      `${write(24, op("sub", read(24), low(1, q)))}; ${add(3, 1)}`,
    )}; ${element(4, get(3))}`,
  },
  "counters step over their limit": {
    code: `${set(4, low(15))}; ${counted(2, get(4), add(3, 2), 3)}
      ${op("add", element(12, get(2)), element(9, get(3)))}`,
  },
  "a local is carried through a loop by another": {
    code: `${counted(2, n(9), `${set(3, get(4))}; ${set(4, get(2))}`)}
      ${op("add", element(8, get(3)), element(8, get(4)))}`,
  },
  "conditions are kept and used later": {
    code: `${set(2, op("lt_u", p, n(8)))}; ${set(0, op("add", p, n(4)))}
      ${get(2)}; if; ${element(11, p)}; return; end; ${n(5)}`,
  },
};

test("odd ways through programs give what V8 gives", { ...needed("gcc"), timeout: 600_000 }, () => {
  const cases = Object.entries(PROGRAMS).map(([name, program]) => caseOf(program, name));
  const native = runNative(cases, true);
  cases.forEach((item, i) => {
    assert.equal(difference(native[i]!, runEngine(item)), null, item.name);
  });
});
